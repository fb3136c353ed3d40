//! Nothing is left on the server: what dead sessions left behind is ended over a living connection.

use crate::base::limits::Patience;
use crate::facts::channel::Lead;
use crate::facts::idle::Leftovers;
use crate::ssh::connection::Connection;

/// Ends the waiting commands, and the sshd processes above them, that are still there although their session is over.
///
/// Such a session is one that the path cut off, whether we saw it die, were still asking it, or closed it into the void.
/// Most processes are gone, which the shell itself finds out: what takes a program for each would take longer than a busy server is waited for.
/// One that is there is sent SIGHUP, as if its terminal were gone, since a shell at its prompt ignores SIGTERM.
/// A process is ended, with its group, only when its arguments or its environment still bear our mark; its parent only when it is an SSH server's session process.
pub(in crate::measure) async fn end(
    connection: &Connection,
    pids: &[(u32, u32)],
    (lead, mark): (Lead, &str),
    patience: Patience,
) -> Leftovers {
    if pids.is_empty() {
        return Leftovers::default();
    }
    let ran = connection.run(&lead.command(&script(pids, mark)), 4096, patience).await;
    let said = String::from_utf8_lossy(&ran.stdout);
    let count = |word: &str| u32::try_from(said.lines().filter(|line| *line == word).count()).unwrap_or(u32::MAX);
    Leftovers { stranded: count("stranded"), ended: count("ended") }
}

/// The commands that find those processes and end them.
fn script(pids: &[(u32, u32)], mark: &str) -> String {
    let list: Vec<String> = pids.iter().map(|(own, parent)| format!("{own}:{parent}")).collect();
    format!(
        "for pair in {}; do own=${{pair%%:*}}; parent=${{pair##*:}}; \
         kill -s 0 $own 2>/dev/null || continue; \
         marks=$(ps -o args= -p $own 2>/dev/null; tr \"\\0\" \" \" </proc/$own/cmdline 2>/dev/null; \
         tr \"\\0\" \" \" </proc/$own/environ 2>/dev/null); \
         case \"$marks\" in *{mark}*) echo stranded;; *) continue;; esac; \
         {{ kill -s HUP -- -$own || kill -s HUP $own; }} 2>/dev/null && echo ended; \
         case \"$(ps -o comm= -p $parent 2>/dev/null || cat /proc/$parent/comm 2>/dev/null)\" in *sshd*|*dropbear*) kill $parent 2>/dev/null;; esac; \
         done",
        list.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn no_program_is_started_for_what_is_gone_and_only_what_bears_our_mark_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (ps, log) = (folder.path().join("ps"), folder.path().join("log"));
        fs::write(&ps, format!("#!/bin/sh\necho \"$@\" >>{}\n", log.display())).unwrap();
        fs::set_permissions(&ps, fs::Permissions::from_mode(0o755)).unwrap();
        let sleeping = |mark: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("sleep 60; : {mark}")]).process_group(0).stdout(Stdio::null());
            command.spawn().unwrap()
        };
        let (mut ours, mut other) = (sleeping("our-mark"), sleeping("other"));
        // Above the largest process number that Linux gives out (proc(5), pid_max).
        let gone = (5_000_000..5_000_200).map(|pid| (pid, pid));
        let pids: Vec<_> = gone.chain([(ours.id(), 1), (other.id(), 1)]).collect();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let ran = Command::new("sh").args(["-c", &script(&pids, "our-mark")]).env("PATH", path).output().unwrap();
        let lives = other.try_wait().unwrap().is_none();
        let group = format!("-{}", other.id());
        assert!(Command::new("kill").args(["-s", "KILL", "--", &group]).status().unwrap().success());
        other.wait().unwrap();
        assert!(lives && !ours.wait().unwrap().success());
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "stranded\nended\n");
        let asked = fs::read_to_string(&log).unwrap();
        assert!(!asked.contains("5000") && asked.lines().count() <= 4, "{asked}");
    }
}
