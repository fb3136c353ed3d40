//! The TCP sockets of this network namespace, of all owners.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags, Timer};

use super::{diag, tcp_info};
use crate::facts::sockets::{TcpSocket, TcpState, TcpTimer, TimerKind};

/// Passes on every TCP socket of both address families; a dump may miss one that was opened meanwhile.
pub fn for_each_tcp_socket(mut each: impl FnMut(TcpSocket)) -> io::Result<()> {
    for (family, id) in [(AF_INET, SocketId::new_v4()), (AF_INET6, SocketId::new_v6())] {
        let answered = diag::dump(request(family, id), |answer| each_socket(answer, &mut each));
        match answered {
            // A kernel without IPv6 knows no such family.
            Err(error) if family == AF_INET6 && error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

/// Returns the current state of the same socket; `None` when it is gone.
pub fn tcp_socket(known: &TcpSocket) -> io::Result<Option<TcpSocket>> {
    let (family, id) = identity(known);
    let mut now = None;
    if let Some(answer) = diag::one(request(family, id))? {
        each_socket(answer, &mut |socket| now = Some(socket));
    }
    Ok(now)
}

fn request(family: u8, socket_id: SocketId) -> SockDiagMessage {
    let extensions = ExtensionFlags::INFO;
    SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions,
        states: StateFlags::all(),
        socket_id,
    })
}

/// The kernel's name for a socket: an IPv4 connection of an IPv6 socket is known by its mapped addresses.
fn identity(socket: &TcpSocket) -> (u8, SocketId) {
    let family = if socket.local.is_ipv4() { AF_INET } else { AF_INET6 };
    let id = SocketId {
        source_port: socket.local.port(),
        destination_port: socket.remote.port(),
        source_address: socket.local.ip(),
        destination_address: socket.remote.ip(),
        interface_id: 0,
        cookie: socket.cookie.to_ne_bytes(),
    };
    (family, id)
}

fn each_socket(answer: SockDiagMessage, each: &mut impl FnMut(TcpSocket)) {
    if let SockDiagMessage::InetResponse(response) = answer
        && let Some(socket) = read(&response)
    {
        each(socket);
    }
}

fn read(response: &InetResponse) -> Option<TcpSocket> {
    let header = &response.header;
    let id = &header.socket_id;
    let info = response.nlas.iter().find_map(|attribute| match attribute {
        Nla::TcpInfo(bytes) => tcp_info::read(bytes),
        _ => None,
    });
    let state = state(header.state)?;
    Some(TcpSocket {
        state,
        local: address(id.source_address, id.source_port),
        remote: address(id.destination_address, id.destination_port),
        timer: header.timer.as_ref().map(timer),
        receive_queue: header.recv_queue,
        send_queue: header.send_queue,
        uid: header.uid,
        inode: header.inode,
        cookie: u64::from_ne_bytes(id.cookie),
        info: info.filter(|_| state != TcpState::Listen),
    })
}

fn address(ip: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(ip, port)
}

fn timer(timer: &Timer) -> TcpTimer {
    let milliseconds = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (kind, expires_ms) = match timer {
        Timer::Retransmit(time, _) => (TimerKind::Retransmit, milliseconds(time)),
        Timer::KeepAlive(time) => (TimerKind::Keepalive, milliseconds(time)),
        Timer::Probe(time) => (TimerKind::WindowProbe, milliseconds(time)),
        Timer::TimeWait => (TimerKind::TimeWait, 0),
    };
    TcpTimer { kind, expires_ms }
}

/// The states as include/net/tcp_states.h numbers them.
fn state(number: u8) -> Option<TcpState> {
    Some(match number {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        3 | 12 => TcpState::SynReceived,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        7 => TcpState::Closed,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::{for_each_tcp_socket, tcp_socket};
    use crate::facts::sockets::{TcpSocket, TcpState};

    fn find(local: SocketAddr, state: TcpState) -> Option<TcpSocket> {
        let mut found = None;
        for_each_tcp_socket(|socket| {
            if socket.local == local && socket.state == state {
                found = Some(socket);
            }
        })
        .unwrap();
        found
    }

    #[test]
    fn a_connection_is_found_with_its_counters_and_followed_to_its_end() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(any) else { continue };
            let at = listener.local_addr().unwrap();
            let mut client = TcpStream::connect(at).unwrap();
            let (server, _) = listener.accept().unwrap();
            client.write_all(b"12345").unwrap();
            let own = client.local_addr().unwrap();
            let seen = find(own, TcpState::Established).expect("our connection");
            assert_eq!((seen.remote, seen.receive_queue), (at, 0), "{seen:?}");
            assert!(seen.info.is_some_and(|info| info.mss > 0), "{seen:?}");
            assert!(find(at, TcpState::Listen).is_some_and(|listening| listening.info.is_none()));
            let peer = find(at, TcpState::Established).expect("the server's end");
            assert_eq!((peer.receive_queue, peer.remote), (5, own), "{peer:?}");
            let again = tcp_socket(&seen).unwrap().expect("still there");
            assert_eq!((again.inode, again.cookie), (seen.inode, seen.cookie));
            drop(server);
            drop(client);
            assert!(tcp_socket(&seen).unwrap().is_none_or(|gone| gone.inode == 0));
        }
    }
}
