//! UNIX sockets: which one is connected to which (`ss -x`).

use std::collections::HashMap;
use std::io;

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::unix::nlas::Nla;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest};

use super::diag;

/// The inode of each connected UNIX socket, and that of the other end.
pub fn unix_peers() -> io::Result<HashMap<u32, u32>> {
    let question = UnixRequest {
        state_flags: StateFlags::ESTABLISHED,
        inode: 0,
        show_flags: ShowFlags::PEER,
        // As for every question about all sockets.
        cookie: [0xff; 8],
    };
    let mut peers = HashMap::new();
    diag::dump(SockDiagMessage::UnixRequest(question), |answer| {
        if let SockDiagMessage::UnixResponse(response) = answer {
            let peer = response.nlas.iter().find_map(|attribute| match attribute {
                Nla::Peer(inode) => Some(*inode),
                _ => None,
            });
            peers.extend(peer.map(|peer| (response.header.inode, peer)));
        }
    })?;
    Ok(peers)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn both_ends_of_a_pair_are_found() {
        let (one, other) = UnixStream::pair().unwrap();
        let inode = |stream: &UnixStream| {
            let link = std::fs::read_link(format!("/proc/self/fd/{}", stream.as_raw_fd())).unwrap();
            link.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().unwrap()
        };
        let peers = super::unix_peers().unwrap();
        assert_eq!((peers[&inode(&one)], peers[&inode(&other)]), (inode(&other), inode(&one)));
    }
}
