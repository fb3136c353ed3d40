//! The forwardings of the settings: whether ssh could listen where it is to. Nothing is listened for, and no socket is made.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use socket2::{Domain, Socket, Type};

use crate::base::own_ssh::{self, ListenPlace};
use crate::base::target::AddressFamily;
use crate::base::text::sanitize;
use crate::facts::config::{Forwardings, Listener};
use crate::measure::dns;

/// The length of a socket's name at which it is too long, bytes (`sun_path`, unix(7)).
const LIMIT: usize = super::control::LIMIT;

/// The outcome of each; none where there are no forwardings.
pub(super) async fn look(own: &own_ssh::Forwardings, family: AddressFamily) -> Option<Forwardings> {
    if own.listeners.is_empty() && own.requested.is_empty() {
        return None;
    }
    let (mut listeners, mut had) = (Vec::new(), Vec::new());
    for listener in &own.listeners {
        let (works, errors) = match &listener.place {
            ListenPlace::Port { host, port } => port_can_be_had(host.as_deref(), *port, family, &mut had).await,
            ListenPlace::Socket { path, replaces } => match socket_can_be_made(path, *replaces) {
                Ok(()) => (true, Vec::new()),
                Err(error) => (false, vec![error]),
            },
        };
        let listen = sanitize(&listener.listen);
        listeners.push(Listener { keyword: listener.keyword.to_owned(), listen, works, errors });
    }
    let requested = own.requested.iter().map(|keyword| (*keyword).to_owned()).collect();
    Some(Forwardings { required: own.required, listeners, requested, held_by_master: None })
}

/// True if one of the addresses can be bound to, which is enough for ssh; the errors of the others. Those that the forwardings before it
/// have are taken.
async fn port_can_be_had(
    host: Option<&str>,
    port: u16,
    family: AddressFamily,
    had: &mut Vec<SocketAddr>,
) -> (bool, Vec<String>) {
    let addresses = match addresses(host, port, family).await {
        Ok(addresses) => addresses,
        Err(error) => return (false, vec![error]),
    };
    let (mut works, mut errors, mut lacking) = (false, Vec::new(), Vec::new());
    for address in addresses.into_iter().filter(|address| family.includes(address.ip())) {
        let is_had = had.iter().any(|before| meet(*before, address));
        let bound = if is_had { Err(io::ErrorKind::AddrInUse.into()) } else { bind(address) };
        let Err(error) = bound else {
            works = true;
            had.push(address);
            continue;
        };
        // A machine without IPv6 lacks the second of the loopback addresses.
        let is_lacking = error.kind() == io::ErrorKind::AddrNotAvailable && host.is_none();
        if is_lacking { &mut lacking } else { &mut errors }.push(format!("{address}: {}", words(&error)));
    }
    (works, if works || !errors.is_empty() { errors } else { lacking })
}

async fn addresses(host: Option<&str>, port: u16, family: AddressFamily) -> Result<Vec<SocketAddr>, String> {
    let both = |v4: Ipv4Addr, v6: Ipv6Addr| [IpAddr::from(v4), v6.into()].map(|ip| SocketAddr::new(ip, port)).to_vec();
    match host {
        None => Ok(both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST)),
        Some("") => Ok(both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED)),
        Some(host) => dns::addresses_of_own(host, port, family).await,
    }
}

/// True if two sockets cannot listen at both of these.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && one.is_ipv4() == other.is_ipv4() && is_same
}

/// Binds as ssh does (`channel_setup_fwd_listener_tcpip`), and does not listen, so that no client can connect.
fn bind(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())
}

fn socket_can_be_made(path: &Path, replaces: bool) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_there = fs::symlink_metadata(path).ok();
    let replaceable = |there: &fs::Metadata| replaces && !there.is_dir();
    let error = if path.as_os_str().len() >= LIMIT {
        "the name is too long for a socket"
    } else if is_there.as_ref().is_some_and(|there| !replaceable(there)) {
        "something is there already"
    } else if !folder.is_dir() {
        "its folder does not exist"
    } else if access(folder, AccessFlags::W_OK).is_err() {
        "its folder cannot be written"
    } else {
        return Ok(());
    };
    Err(format!("{}: {error}", sanitize(&path.display().to_string())))
}

/// The error without the number of the system.
fn words(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{Path, look, socket_can_be_made};
    use crate::base::own_ssh::{Forwardings, ListenPlace, Listener};
    use crate::base::target::AddressFamily;

    async fn works(host: Option<&str>, port: u16, family: AddressFamily) -> (bool, usize) {
        let place = ListenPlace::Port { host: host.map(Into::into), port };
        let listeners = vec![Listener { keyword: "LocalForward", listen: port.to_string(), place }];
        let own = Forwardings { listeners, ..Forwardings::default() };
        let seen = look(&own, family).await.unwrap().listeners.remove(0);
        (seen.works, seen.errors.len())
    }

    #[tokio::test]
    async fn ssh_is_content_with_one_of_the_two_loopback_addresses() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let has_v6 = TcpListener::bind("[::1]:0").is_ok();
        assert_eq!(works(None, port, AddressFamily::Any).await, (has_v6, 1));
        assert_eq!(works(None, port, AddressFamily::Inet).await, (false, 1));
        assert_eq!(works(Some("127.0.0.1"), port, AddressFamily::Any).await, (false, 1));
        drop(taken);
        assert_eq!(works(Some("127.0.0.1"), port, AddressFamily::Any).await, (true, 0));
        let place = || ListenPlace::Port { host: Some("127.0.0.1".into()), port };
        let twice = ["LocalForward", "DynamicForward"].map(|keyword| Listener {
            keyword,
            listen: String::new(),
            place: place(),
        });
        let own = Forwardings { listeners: twice.into(), ..Forwardings::default() };
        let seen = look(&own, AddressFamily::Any).await.unwrap().listeners;
        assert!(seen[0].works && !seen[1].works, "the first one has it");
        assert!(look(&Forwardings::default(), AddressFamily::Any).await.is_none());
    }

    #[test]
    fn a_socket_needs_a_folder_and_a_free_name() {
        let folder = std::env::temp_dir();
        let fresh = folder.join(format!("ssh-doctor-no-socket-{}", std::process::id()));
        assert_eq!(socket_can_be_made(&fresh, false), Ok(()));
        assert!(socket_can_be_made(&folder, true).is_err());
        assert!(socket_can_be_made(Path::new("/nonexistent/s"), false).unwrap_err().contains("does not exist"));
        assert!(socket_can_be_made(&folder.join("x".repeat(120)), false).unwrap_err().contains("too long"));
        let file = std::env::current_exe().unwrap();
        assert!(socket_can_be_made(&file, false).is_err() && socket_can_be_made(&file, true).is_ok());
    }
}
