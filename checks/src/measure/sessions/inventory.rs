//! This machine's TCP connections that carry SSH, and the programs that they serve.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use crate::facts::live_sessions::{LiveSession, Role};
use crate::facts::processes::{Descriptor, Process};
use crate::facts::sockets::{TcpSocket, TcpState};
use crate::os::{self, files};

/// Programs that open SSH connections.
const CLIENTS: [&str; 4] = ["ssh", "dbclient", "plink", "ssh-doctor"];
/// Programs that accept them.
const SERVERS: [&str; 5] = ["sshd", "sshd-session", "sshd-auth", "dropbear", "tinysshd"];
/// SSH's own port (RFC 4253 section 4.1).
const PORT: u16 = 22;
/// Bytes read of a file of sshd's settings at most.
const FILE_BYTES: u64 = 1 << 20;
/// The number of connections examined; a machine with more has no table that a person reads.
const MAX_SOCKETS: usize = 65_536;
/// Ancestors of a program that are named.
const ANCESTORS: usize = 6;

/// The SSH connections of this machine.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// Each of them.
    pub sessions: Vec<LiveSession>,
    /// True if some processes hide their sockets from us: what they hold is known by its port only, and not whose it is.
    pub hidden: bool,
    /// True if there are more connections than are examined.
    pub cut_short: bool,
}

/// Every SSH connection of this network namespace, of every user.
///
/// Fails with the kind `Unsupported` on systems without a socket table that can be read.
pub fn inventory() -> io::Result<Inventory> {
    let (mut sockets, mut listening, mut cut_short) = (Vec::new(), Vec::new(), false);
    os::for_each_tcp_socket(|socket| match socket.state {
        TcpState::Listen => listening.push(socket),
        TcpState::TimeWait | TcpState::SynSent | TcpState::SynReceived | TcpState::Closed => {}
        _ if sockets.len() == MAX_SOCKETS => cut_short = true,
        _ => sockets.push(socket),
    })?;
    let inodes = sockets.iter().chain(&listening).map(|socket| socket.inode).filter(|inode| *inode != 0);
    let (holders, hidden) = os::socket_holders(&inodes.collect());
    let mut programs = Programs::default();
    let ports = Ports::of(&listening, &holders, &mut programs);
    let of_ssh = sockets.into_iter().filter_map(|socket| {
        let holders = holders.get(&socket.inode).cloned().unwrap_or_default();
        session(socket, holders, &ports, &mut programs)
    });
    let mut sessions: Vec<LiveSession> = of_ssh.collect();
    add_partners(&mut sessions);
    Ok(Inventory { sessions, hidden, cut_short })
}

/// The session on a socket, if it speaks SSH.
fn session(socket: TcpSocket, holders: Vec<Descriptor>, ports: &Ports, programs: &mut Programs) -> Option<LiveSession> {
    let held: Vec<(Descriptor, Process)> =
        holders.iter().filter_map(|holder| Some((*holder, programs.get(holder.pid)?))).collect();
    let by = |names: &[&str]| held.iter().filter(|(_, process)| names.contains(&&*process.name)).collect::<Vec<_>>();
    let (servers, clients) = (by(&SERVERS), by(&CLIENTS));
    let (local, remote) = (socket.local.port(), socket.remote.port());
    let (role, process) = if !servers.is_empty() && ports.ssh.contains(&local) {
        // The process of the logged-in user, and not the one that supervises it, has the user's name in its title.
        let of_user = servers.iter().find(|(_, process)| process.arguments.iter().any(|title| title.contains('@')));
        (Role::Server, Some(of_user.unwrap_or(&servers[0]).1.clone()))
    } else if let Some((holder, client)) = clients.first() {
        // A forwarding's connections belong to the same program: those that it accepted, and those to anywhere else.
        let accepted = ports.listening.contains(&(holder.pid, local));
        let first = holder.fd <= FIRST_DESCRIPTOR || client.name == "ssh-doctor";
        if accepted || !(first || ports.ssh.contains(&remote)) {
            return None;
        }
        (Role::Client, Some(client.clone()))
    } else if !servers.is_empty() {
        return None;
    } else if ports.ssh.contains(&local) && ports.open.contains(&local) {
        (Role::Server, held.first().map(|(_, process)| process.clone()))
    } else if remote == PORT {
        (Role::Client, held.first().map(|(_, process)| process.clone()))
    } else {
        return None;
    };
    let ancestors = process.as_ref().map(|process| programs.ancestors(process)).unwrap_or_default();
    Some(LiveSession { role, socket, holders, process, ancestors, partners: Vec::new(), keepalive: None, probe: None })
}

/// The first descriptor after the three standard ones: ssh opens its connection before anything else that stays open.
const FIRST_DESCRIPTOR: i32 = 3;

/// Ports that tell an SSH connection.
struct Ports {
    /// Ports at which an SSH server listens, or is configured to.
    ssh: HashSet<u16>,
    /// Ports at which anything listens.
    open: HashSet<u16>,
    /// Ports at which a process listens, with its number.
    listening: HashSet<(u32, u16)>,
}

impl Ports {
    fn of(listening: &[TcpSocket], holders: &HashMap<u32, Vec<Descriptor>>, programs: &mut Programs) -> Self {
        let mut ports = Self { ssh: configured(), open: HashSet::new(), listening: HashSet::new() };
        for socket in listening {
            let port = socket.local.port();
            ports.open.insert(port);
            for holder in holders.get(&socket.inode).into_iter().flatten() {
                ports.listening.insert((holder.pid, port));
                if programs.get(holder.pid).is_some_and(|process| SERVERS.contains(&&*process.name)) {
                    ports.ssh.insert(port);
                }
            }
        }
        ports
    }
}

/// The ports in sshd's configuration, for users who may not see which process listens.
fn configured() -> HashSet<u16> {
    let more = fs::read_dir("/etc/ssh/sshd_config.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = more.chain(["/etc/ssh/sshd_config".into()]).filter_map(|path| text(&path).ok().flatten());
    texts.flat_map(|text| ports_in(&text)).chain([PORT]).collect()
}

fn text(file: &Path) -> io::Result<Option<String>> {
    let Some(opened) = files::open(file)? else { return Ok(None) };
    io::read_to_string(opened.take(FILE_BYTES)).map(Some)
}

fn ports_in(sshd_config: &str) -> Vec<u16> {
    let settings = sshd_config.lines().filter_map(|line| {
        let mut words = line.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        words.next().filter(|keyword| keyword.eq_ignore_ascii_case("port")).and(words.next())
    });
    settings.filter_map(|port| port.parse().ok()).collect()
}

/// Processes that were looked up.
#[derive(Default)]
struct Programs(HashMap<u32, Option<Process>>);

impl Programs {
    fn get(&mut self, pid: u32) -> Option<Process> {
        self.0.entry(pid).or_insert_with(|| os::process(pid)).clone()
    }

    fn ancestors(&mut self, process: &Process) -> Vec<Process> {
        let first = self.get(process.parent);
        std::iter::successors(first, |child| self.get(child.parent)).take(ANCESTORS).collect()
    }
}

/// Looks at the other ends of the UNIX sockets of each client; where it is a proxy command, of the ssh that it works for too.
fn add_partners(sessions: &mut [LiveSession]) {
    let Ok(peers) = os::unix_peers() else { return };
    let mut other_ends: HashMap<u32, usize> = HashMap::new();
    for (at, session) in sessions.iter().enumerate().filter(|(_, session)| session.role == Role::Client) {
        let sockets = own_processes(session).into_iter().flat_map(os::sockets_of);
        let ends = sockets.filter_map(|(_, inode)| peers.get(&inode).copied());
        other_ends.extend(ends.map(|end| (end, at)));
    }
    let (holders, _) = os::socket_holders(&other_ends.keys().copied().collect());
    for (end, at) in other_ends {
        let session = &mut sessions[at];
        let mut known = own_processes(session);
        known.extend(session.partners.iter().map(|process| process.pid));
        let pids = holders.get(&end).into_iter().flatten().map(|holder| holder.pid).filter(|pid| !known.contains(pid));
        session.partners.extend(pids.collect::<HashSet<_>>().into_iter().filter_map(os::process));
    }
    for session in sessions {
        session.partners.sort_by_key(|process| process.pid);
    }
}

/// The process that holds the connection, and the ssh that started it as its proxy command.
fn own_processes(session: &LiveSession) -> Vec<u32> {
    let Some(process) = &session.process else { return Vec::new() };
    let ssh = session.ancestors.iter().find(|ancestor| ancestor.name == "ssh" && process.name != "ssh");
    [Some(process), ssh].into_iter().flatten().map(|process| process.pid).collect()
}

#[cfg(test)]
mod tests {
    use super::{inventory, ports_in};

    #[test]
    fn ports_of_a_configuration_are_read() {
        let text = "# Port 1\nPort 2222\n  port=2022\nPermitRootLogin no\nListenAddress 0.0.0.0:99\nPort\n";
        assert_eq!(ports_in(text), [2222, 2022]);
    }

    #[test]
    fn a_machine_can_be_asked_by_anybody() {
        inventory().unwrap();
    }
}
