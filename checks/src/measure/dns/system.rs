//! The system's own resolver, asked with the hints that ssh gives it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use dns_lookup::{AddrInfoHints, LookupError, getaddrinfo};
use tokio::sync::oneshot;

use crate::base::elapsed::ms_since;
use crate::base::target::AddressFamily;
use crate::facts::dns::{System, SystemAnswer};
use crate::os::pause::timeout;

/// Addresses that are kept: a hostile answer may hold thousands.
const ADDRESSES: usize = 32;

/// The address that `host` already is; the system decides, for it also takes zones and forms such as `127.1`.
pub(super) fn literal(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    ask(host, port, AddressFamily::Any, libc::AI_NUMERICHOST).ok()
}

/// Looks `host` up as ssh does: one call for the families it may use, for stream sockets.
pub(super) async fn look_up(host: &str, port: u16, family: AddressFamily, deadline: Duration) -> System {
    let began = Instant::now();
    let (sender, receiver) = oneshot::channel();
    let name = host.to_owned();
    // getaddrinfo cannot be called off: a thread of its own, unlike one of the runtime's, does not hold up the exit.
    std::thread::spawn(move || {
        let result = ask(&name, port, family, 0);
        let other = match &result {
            Err(error) if family != AddressFamily::Any && error.code != "EAI_AGAIN" => {
                ask(&name, port, AddressFamily::Any, 0)
            }
            _ => Ok(Vec::new()),
        };
        // Nobody listens any more when the deadline has passed.
        let _ = sender.send((result, other.unwrap_or_default(), ms_since(began)));
    });
    match timeout(deadline, receiver).await {
        Ok(Ok((Ok(addresses), _, ms))) => {
            System { ms, answer: SystemAnswer::Addresses { addresses }, other_family: Vec::new() }
        }
        Ok(Ok((Err(Error { code, text }), other, ms))) => System {
            ms,
            answer: SystemAnswer::Error { code, text },
            other_family: other.iter().map(SocketAddr::ip).collect::<Vec<IpAddr>>(),
        },
        Ok(Err(_)) | Err(_) => System { ms: ms_since(began), answer: SystemAnswer::TimedOut, other_family: Vec::new() },
    }
}

struct Error {
    code: String,
    text: String,
}

fn ask(host: &str, port: u16, family: AddressFamily, flags: i32) -> Result<Vec<SocketAddr>, Error> {
    let address = match family {
        AddressFamily::Any => libc::AF_UNSPEC,
        AddressFamily::Inet => libc::AF_INET,
        AddressFamily::Inet6 => libc::AF_INET6,
    };
    let hints = AddrInfoHints { flags, address, socktype: libc::SOCK_STREAM, protocol: 0 };
    let found = getaddrinfo(Some(host), Some(&port.to_string()), Some(hints)).map_err(error)?;
    let mut addresses = Vec::new();
    for info in found.flatten().take(ADDRESSES) {
        if !addresses.contains(&info.sockaddr) {
            addresses.push(info.sockaddr);
        }
    }
    Ok(addresses)
}

fn error(error: LookupError) -> Error {
    let code = match error.error_num() {
        libc::EAI_AGAIN => "EAI_AGAIN",
        libc::EAI_NONAME => "EAI_NONAME",
        libc::EAI_NODATA => "EAI_NODATA",
        libc::EAI_FAIL => "EAI_FAIL",
        libc::EAI_FAMILY => "EAI_FAMILY",
        libc::EAI_SYSTEM => "EAI_SYSTEM",
        // netdb.h of the GNU C library; the libc crate does not name it.
        #[cfg(target_os = "linux")]
        -9 => "EAI_ADDRFAMILY",
        _ => "",
    };
    let number = error.error_num();
    let text = std::io::Error::from(error).to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned();
    Error { code: if code.is_empty() { format!("error {number}") } else { code.to_owned() }, text }
}
