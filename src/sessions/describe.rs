//! Names a live session as its user knows it: the program, what it is used for, whom it reaches.

use std::fs;

use nix::unistd::{Uid, User};
use ssh_doctor_checks::facts::live_sessions::{LiveSession, Role};
use ssh_doctor_checks::facts::processes::Process;

use crate::ssh_args::SshArgs;

/// Programs that start ssh for their own purpose; the first part of the name is enough.
const STARTERS: [&str; 12] =
    ["sshfs", "rsync", "git", "scp", "sftp", "autossh", "ansible", "code", "borg", "sshuttle", "mosh", "restic"];

/// A live session as its user knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// The program and what it is used for: `ssh`, `sshfs on /mnt/data`, `ssh, shared by 4`, `sshd for me`.
    pub(super) program: String,
    /// The other end: what the user typed after `ssh`, else the address and port.
    pub(super) peer: String,
    /// The login name of the socket's owner.
    pub(super) owner: String,
}

impl Described {
    /// Reads it out of the processes around the session.
    pub(super) fn of(session: &LiveSession) -> Self {
        let user = User::from_uid(Uid::from_raw(session.socket.uid)).ok().flatten();
        let owner = user.map_or_else(|| session.socket.uid.to_string(), |user| user.name);
        let address = session.socket.remote.to_string();
        let peer = match session.role {
            Role::Server => address,
            Role::Client => client(session).and_then(destination).unwrap_or(address),
        };
        Self { program: program(session), peer, owner }
    }
}

/// The ssh behind a session: its own process, or the one that a proxy command works for.
pub(super) fn client(session: &LiveSession) -> Option<&Process> {
    session.process.iter().chain(&session.ancestors).find(|process| process.name == "ssh")
}

fn destination(ssh: &Process) -> Option<String> {
    SshArgs::read(ssh.arguments.iter().skip(1).map(String::as_str)).destination
}

fn program(session: &LiveSession) -> String {
    let Some(process) = &session.process else {
        return match session.role {
            Role::Client => "unknown client".to_owned(),
            Role::Server => "sshd".to_owned(),
        };
    };
    if session.role == Role::Server {
        return server(process);
    }
    let Some(ssh) = client(session) else { return process.name.clone() };
    if let Some(mount) = session.partners.iter().find_map(sshfs_mount) {
        return format!("sshfs on {mount}");
    }
    let sharing = session.partners.iter().filter(|partner| partner.name == "ssh").count();
    if sharing > 0 {
        return format!("ssh master, shared by {sharing}");
    }
    if is_master(ssh) {
        return "ssh master".to_owned();
    }
    let starter = session.ancestors.iter().chain(&session.partners).filter(|process| process.name != "ssh");
    let purpose =
        starter.map(|process| process.name.as_str()).find(|name| STARTERS.iter().any(|known| name.starts_with(known)));
    let through = if process.name == ssh.name { "" } else { " through " };
    let proxy = if through.is_empty() { "" } else { process.name.as_str() };
    format!("{}{through}{proxy}", purpose.map_or_else(|| ssh.name.clone(), |purpose| format!("{purpose} (ssh)")))
}

/// `sshd: me@pts/3`, since OpenSSH 9.8 `sshd-session: me@pts/3`.
fn server(process: &Process) -> String {
    let title = process.arguments.first().and_then(|title| title.split_once(": "));
    match title {
        Some((_, session)) if process.arguments.len() == 1 => format!("sshd {}", session.replace(" [priv]", "")),
        _ => process.name.clone(),
    }
}

/// A master in the background calls itself `ssh: /path/of/its/socket [mux]`.
fn is_master(ssh: &Process) -> bool {
    ssh.arguments.first().is_some_and(|title| title.starts_with("ssh: ") && title.ends_with(" [mux]"))
}

/// Returns the mount point of an sshfs, from the table of mounts: its own arguments may be relative.
fn sshfs_mount(process: &Process) -> Option<String> {
    if process.name != "sshfs" {
        return None;
    }
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let source = process.arguments.iter().skip(1).find(|word| !word.starts_with('-') && word.contains(':'))?;
    let mount = mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (from, to, kind) = (words.next()?, words.next()?, words.next()?);
        (kind == "fuse.sshfs" && from == source).then(|| to.replace("\\040", " "))
    });
    mount.or_else(|| process.arguments.last().cloned())
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::facts::sockets::{TcpSocket, TcpState};

    use super::*;

    fn process(name: &str, line: &str) -> Process {
        let arguments = line.split('|').map(str::to_owned).collect();
        Process { pid: 10, parent: 1, name: name.into(), arguments, uid: 0, age_s: 60.0, stopped: false }
    }

    fn described(
        role: Role,
        own: Option<Process>,
        ancestors: Vec<Process>,
        partners: Vec<Process>,
    ) -> (String, String) {
        let socket = TcpSocket {
            state: TcpState::Established,
            local: "192.0.2.1:5000".parse().unwrap(),
            remote: "192.0.2.2:22".parse().unwrap(),
            timer: None,
            receive_queue: 0,
            send_queue: 0,
            uid: 0,
            inode: 7,
            cookie: 7,
            info: None,
        };
        let described = Described::of(&LiveSession {
            role,
            socket,
            holders: Vec::new(),
            process: own,
            ancestors,
            partners,
            keepalive: None,
            probe: None,
        });
        (described.program, described.peer)
    }

    fn of(role: Role, own: Process) -> (String, String) {
        described(role, Some(own), vec![process("bash", "bash")], Vec::new())
    }

    #[test]
    fn a_session_is_named_by_what_its_user_typed() {
        let [plain, unknown] = [("ssh".to_owned(), "db".to_owned()), ("unknown client".into(), "192.0.2.2:22".into())];
        assert_eq!(of(Role::Client, process("ssh", "ssh|-p|22|db")), plain);
        assert_eq!(described(Role::Client, None, Vec::new(), Vec::new()), unknown);
        let other = of(Role::Client, process("python3", "python3|x.py"));
        assert_eq!(other, ("python3".into(), "192.0.2.2:22".into()));
    }

    #[test]
    fn the_program_that_ssh_works_for_is_named() {
        let ssh = || Some(process("ssh", "ssh|db|rsync --server"));
        let rsync = described(Role::Client, ssh(), vec![process("rsync", "rsync|-a|x|db:")], Vec::new());
        assert_eq!(rsync, ("rsync (ssh)".into(), "db".into()));
        let tapped = [process("ssh", "ssh|db"), process("bash", "bash")];
        let tap = described(Role::Client, Some(process("ssh-doctor", "ssh-doctor|tap")), tapped.into(), Vec::new());
        assert_eq!(tap, ("ssh through ssh-doctor".into(), "db".into()));
        let sshfs = process("sshfs", "sshfs|db:/x|/nowhere");
        assert_eq!(described(Role::Client, ssh(), Vec::new(), vec![sshfs]).0, "sshfs on /nowhere");
    }

    #[test]
    fn a_master_counts_those_who_share_it() {
        let master = Some(process("ssh", "ssh: /run/user/0/ctl-db [mux]"));
        let sharing = vec![process("ssh", "ssh|db"), process("ssh", "ssh|db")];
        assert_eq!(described(Role::Client, master, Vec::new(), sharing).0, "ssh master, shared by 2");
    }

    #[test]
    fn a_server_session_names_its_user() {
        assert_eq!(of(Role::Server, process("sshd", "sshd: me@pts/3")).0, "sshd me@pts/3");
        assert_eq!(of(Role::Server, process("sshd-session", "sshd-session: me [priv]")).0, "sshd me");
        assert_eq!(of(Role::Server, process("dropbear", "dropbear|-F")).0, "dropbear");
    }
}
