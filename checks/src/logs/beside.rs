//! Messages of a program that works over ssh, beside the one that names SSH: a runner or a backup names it once, and says in the next
//! line what failed.

use std::collections::VecDeque;

use super::record::Record;

/// Words in the names of programs that reach other hosts over ssh: runners of jobs, deployments, backups, tunnels.
const WORK: [&str; 17] = [
    "runner",
    "agent",
    "machine",
    "deploy",
    "ansible",
    "jenkins",
    "backup",
    "borg",
    "restic",
    "rsnapshot",
    "duplicity",
    "rsync",
    "sync",
    "tunnel",
    "rclone",
    "terraform",
    "packer",
];
/// Messages on each side of the one that names SSH.
const SIDE: usize = 4;

/// The last messages that named nothing, and the process whose next ones are read.
#[derive(Default)]
pub(super) struct Beside {
    held: VecDeque<(u64, Record<'static>)>,
    followed: Option<(String, u32)>,
    /// The messages of that process that are still to be read.
    left: usize,
}

impl Beside {
    /// Returns the messages before one that names SSH, of the same process.
    pub(super) fn before(&mut self, record: &Record<'_>) -> Vec<(u64, Record<'static>)> {
        let Some(process) = process(record) else { return Vec::new() };
        let held = std::mem::take(&mut self.held);
        let own = held.into_iter().filter(|(_, other)| self::process(other).as_ref() == Some(&process)).collect();
        self.followed = Some(process);
        self.left = SIDE;
        own
    }

    /// Takes a message that does not name SSH; true if it is read, as one of the next ones of that process.
    pub(super) fn is_next(&mut self, number: u64, record: &Record<'_>) -> bool {
        let Some(process) = process(record) else { return false };
        if self.left > 0 && self.followed.as_ref() == Some(&process) {
            self.left -= 1;
            return true;
        }
        if self.held.len() == SIDE {
            self.held.pop_front();
        }
        self.held.push_back((number, record.to_owned()));
        false
    }
}

/// The name and number of a process that works over ssh.
fn process(record: &Record<'_>) -> Option<(String, u32)> {
    let ident = record.ident.as_deref()?;
    let pid = record.pid?;
    WORK.iter().any(|word| ident.contains(word)).then(|| (ident.to_owned(), pid))
}

#[cfg(test)]
mod tests {
    use super::{Beside, Record};

    fn record(ident: &'static str, message: &'static str) -> Record<'static> {
        Record { ident: Some(ident.into()), pid: Some(7), message: message.as_bytes().into(), ..Record::default() }
    }

    #[test]
    fn the_messages_of_a_runner_around_its_ssh_are_read() {
        let mut beside = Beside::default();
        assert!(!beside.is_next(1, &record("gitlab-runner", "sudo: docker: command not found")));
        assert!(!beside.is_next(2, &record("nginx", "upstream timed out")));
        let before = beside.before(&record("gitlab-runner", "ssh command error"));
        assert_eq!(before.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1]);
        let next: Vec<_> =
            (4..10).map(|number| beside.is_next(number, &record("gitlab-runner", "err: exit"))).collect();
        assert_eq!(next, [true, true, true, true, false, false]);
    }
}
