//! The TCP connection, made as ssh makes it: one address after the other, each for as long as the system tries.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use socket2::{Domain, Socket, TcpKeepalive, Type};
use ssh_doctor_checks::facts::journal::FailedAddress;
use ssh_doctor_checks::os::socket::errno_name;

use super::args::TapArgs;
use crate::journal::milliseconds;

/// A connection, and how it came about.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) resolve_ms: f64,
    pub(super) connect_ms: f64,
    pub(super) failed: Vec<FailedAddress>,
}

/// The reason why there is none.
pub(super) struct Failure {
    /// The outcome of each address.
    pub(super) failed: Vec<FailedAddress>,
    /// The reason why the name has no address.
    pub(super) resolve_error: Option<String>,
    /// The last error, in the system's words.
    pub(super) error: io::Error,
}

/// Looks the host up and connects to the first of its addresses that answers.
pub(super) fn connect(args: &TapArgs) -> Result<Connection, Failure> {
    let began = Instant::now();
    let unresolved = |error: io::Error| Failure { failed: Vec::new(), resolve_error: Some(error.to_string()), error };
    let addresses = (args.host.as_str(), args.port).to_socket_addrs().map_err(unresolved)?;
    let resolve_ms = ms(began);
    let usable = addresses.filter(|address| if address.is_ipv4() { !args.inet6 } else { !args.inet });
    let (mut failed, mut last) = (Vec::new(), None);
    for address in usable {
        let tried = Instant::now();
        match connect_to(address, args) {
            Ok(stream) => return Ok(Connection { stream, resolve_ms, connect_ms: ms(tried), failed }),
            Err(error) => {
                let name = errno_name(&error).unwrap_or_else(|| error.to_string());
                failed.push(FailedAddress { address: address.ip(), error: name, ms: ms(tried) });
                last = Some(error);
            }
        }
    }
    let no_address = || io::Error::new(io::ErrorKind::AddrNotAvailable, "it has no address of this family");
    Err(Failure { failed, resolve_error: None, error: last.unwrap_or_else(no_address) })
}

fn connect_to(address: SocketAddr, args: &TapArgs) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let Some(bind) = args.bind {
        socket.bind(&SocketAddr::new(bind, 0).into())?;
    }
    socket.connect(&address.into())?;
    // As ssh itself sets them (TCPKeepAlive, ssh_config(5)).
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(true)?;
    if let Some(idle) = args.keep_alive {
        socket.set_tcp_keepalive(&keepalive(idle))?;
    }
    Ok(socket.into())
}

/// Linux looks again only an interval after each keepalive, so both are the same. The count is the kernel's most: a connection that a client
/// set no limit to lives through a long outage as it did before.
fn keepalive(idle: Duration) -> TcpKeepalive {
    TcpKeepalive::new().with_time(idle).with_interval(idle).with_retries(127)
}

/// The interface that has an address.
pub(super) fn interface(address: IpAddr) -> Option<String> {
    let of_address = |of: &nix::ifaddrs::InterfaceAddress| {
        let own = of.address.as_ref();
        let own = own.and_then(|own| {
            let v4 = own.as_sockaddr_in().map(|own| IpAddr::V4(own.ip()));
            v4.or_else(|| own.as_sockaddr_in6().map(|own| IpAddr::V6(own.ip())))
        });
        own == Some(address)
    };
    getifaddrs().ok()?.find(of_address).map(|of| of.interface_name)
}

fn ms(since: Instant) -> f64 {
    milliseconds(since.elapsed().as_secs_f64() * 1000.0)
}
