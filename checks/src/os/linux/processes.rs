//! Processes and their sockets, from /proc (proc(5)).

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::facts::processes::{Descriptor, Process};

/// Bytes of a command line that are read.
const COMMAND_LINE: u64 = 4096;
/// Clock ticks in a second, as /proc shows them (USER_HZ, time(7)).
const TICKS: f64 = 100.0;

/// The process of this number; `None` when there is none or nothing of it may be read.
#[must_use]
pub fn process(pid: u32) -> Option<Process> {
    let stat = read(pid, "stat")?;
    let uptime = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?).as_secs_f64();
    let uid = real_uid(&read(pid, "status")?)?;
    let arguments = arguments(&read(pid, "cmdline").unwrap_or_default());
    let stat = Stat::of(&stat)?;
    let age_s = (uptime - stat.started_ticks as f64 / TICKS).max(0.0);
    Some(Process { pid, parent: stat.parent, name: stat.name, arguments, uid, age_s, stopped: stat.stopped })
}

/// The descriptors of these sockets, and whether some process would not let us see its own.
#[must_use]
pub fn socket_holders(inodes: &BTreeSet<u32>) -> (HashMap<u32, Vec<Descriptor>>, bool) {
    let mut holders: HashMap<u32, Vec<Descriptor>> = HashMap::new();
    let mut hidden = false;
    for pid in pids() {
        match open_sockets(pid) {
            Some(sockets) => sockets.filter(|(_, inode)| inodes.contains(inode)).for_each(|(fd, inode)| {
                holders.entry(inode).or_default().push(Descriptor { pid, fd });
            }),
            None => hidden |= fs::exists(format!("/proc/{pid}")).unwrap_or_default(),
        }
    }
    (holders, hidden)
}

/// The sockets of a process: descriptor and inode; none where they may not be seen.
#[must_use]
pub fn sockets_of(pid: u32) -> Vec<(i32, u32)> {
    open_sockets(pid).into_iter().flatten().collect()
}

fn open_sockets(pid: u32) -> Option<impl Iterator<Item = (i32, u32)>> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
    Some(descriptors.filter_map(|descriptor| {
        let fd = descriptor.file_name().to_str()?.parse().ok()?;
        Some((fd, socket_inode(fs::read_link(descriptor.path()).ok()?.to_str()?)?))
    }))
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn read(pid: u32, file: &str) -> Option<String> {
    let mut text = Vec::new();
    File::open(format!("/proc/{pid}/{file}")).ok()?.take(COMMAND_LINE).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

fn socket_inode(link: &str) -> Option<u32> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// A title that a process gave itself has no zero bytes between its words, and many at its end.
fn arguments(command_line: &str) -> Vec<String> {
    command_line.trim_end_matches('\0').split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn real_uid(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().next()?.parse().ok()
}

struct Stat {
    name: String,
    parent: u32,
    stopped: bool,
    started_ticks: u64,
}

impl Stat {
    /// The program's name stands in parentheses, and may hold some itself.
    fn of(line: &str) -> Option<Self> {
        let (begin, end) = (line.find('(')?, line.rfind(')')?);
        let fields: Vec<&str> = line.get(end + 1..)?.split_whitespace().collect();
        Some(Self {
            name: line.get(begin + 1..end)?.to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            stopped: matches!(*fields.first()?, "T" | "t"),
            started_ticks: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;

    use super::{Stat, arguments, process, socket_holders, socket_inode};
    use crate::facts::processes::Descriptor;

    #[test]
    fn this_process_is_read() {
        let own = process(std::process::id()).unwrap();
        assert_eq!((own.pid, own.stopped), (std::process::id(), false));
        assert!(own.age_s < 3600.0 && !own.arguments.is_empty() && own.parent > 0, "{own:?}");
        assert_eq!(process(u32::MAX), None);
    }

    #[test]
    fn the_holder_of_a_socket_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = std::fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let inode = socket_inode(link.to_str().unwrap()).unwrap();
        let (holders, _) = socket_holders(&BTreeSet::from([inode]));
        let own = Descriptor { pid: std::process::id(), fd: listener.as_raw_fd() };
        assert!(holders[&inode].contains(&own), "{holders:?}");
    }

    #[test]
    fn a_name_with_parentheses_and_a_title_are_read() {
        let fields = "T 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        let stat = Stat::of(&format!("12 (a) (b c)) {fields}")).unwrap();
        assert_eq!((&*stat.name, stat.parent, stat.stopped, stat.started_ticks), ("a) (b c)", 7, true, 4711));
        assert_eq!(arguments("ssh\0-N\0db\0"), ["ssh", "-N", "db"]);
        assert_eq!(arguments("sshd: me@pts/3\0\0\0\0"), ["sshd: me@pts/3"]);
        assert!(arguments("").is_empty());
    }
}
