//! Questions to the kernel's socket table (sock_diag(7)); any user may ask.

use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};

/// Bytes read at a time: the kernel fills at most this much per read of a dump.
const CHUNK: usize = 32 * 1024;

/// Asks for everything that matches, and hands each answer on.
pub(super) fn dump(question: SockDiagMessage, each: impl FnMut(SockDiagMessage)) -> io::Result<()> {
    ask(question, NLM_F_REQUEST | NLM_F_DUMP, each)
}

/// Asks for one socket; `None` when it no longer exists.
pub(super) fn one(question: SockDiagMessage) -> io::Result<Option<SockDiagMessage>> {
    let mut answer = None;
    match ask(question, NLM_F_REQUEST, |message| answer = Some(message)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(|()| answer),
    }
}

fn ask(question: SockDiagMessage, flags: u16, mut each: impl FnMut(SockDiagMessage)) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    let mut request = NetlinkMessage::new(header, NetlinkPayload::from(question));
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        chunk.clear();
        socket.recv(&mut chunk, 0)?;
        let mut rest = chunk.as_slice();
        while !rest.is_empty() {
            let length = length_of_first(rest);
            // A message that the library cannot read is not one that was asked for.
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).map(|message| message.payload);
            match message {
                Ok(NetlinkPayload::InnerMessage(answer)) => each(answer),
                Ok(NetlinkPayload::Done(_)) => return Ok(()),
                Ok(NetlinkPayload::Error(error)) => return Err(error.to_io()),
                _ => {}
            }
            if flags & NLM_F_DUMP != NLM_F_DUMP {
                return Ok(());
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

/// The length of a message and what fills it up to a multiple of four bytes (netlink(7)).
fn length_of_first(messages: &[u8]) -> usize {
    let length = messages.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes) as usize);
    if length == 0 { messages.len() } else { length.next_multiple_of(4) }
}
