//! A client of sftp that touches no file: it asks for the protocol's version and has paths resolved
//! (draft-ietf-secsh-filexfer-02).

use std::time::Duration;

use russh::Channel;
use russh::client::Msg;

use super::channels::{ChannelKind, Opened};
use super::connection::Connection;
use super::run::Running;
use crate::base::limits::Patience;
use crate::base::text::sanitize_bytes;
use crate::facts::channel::{Capability, Sftp};
use crate::facts::connection::{GaveUp, Ran};

/// SSH_FXP_INIT with version 3, the one that OpenSSH speaks (section 4).
const INIT: [u8; 9] = [0, 0, 0, 5, 1, 0, 0, 0, 3];
/// SSH_FXP_REALPATH.
const REALPATH: u8 = 16;
/// SSH_FXP_OPENDIR, SSH_FXP_READDIR, SSH_FXP_CLOSE and SSH_FXP_HANDLE.
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const CLOSE: u8 = 4;
const HANDLE: u8 = 102;
/// Bytes of the first answer that are kept: a version packet names extensions.
const KEPT: usize = 4096;

/// A session in which an sftp server speaks.
pub struct SftpSession {
    running: Running,
    requests: u32,
}

/// Asks for the subsystem; `None` where the connection is gone.
async fn started(session: Channel<Msg>, patience: Patience) -> Option<(Ran, Running)> {
    if session.request_subsystem(true, "sftp").await.is_err() {
        return None;
    }
    let (mut ran, mut running) = (Ran::default(), Running::from(session));
    // sshd opens the window only for what it has started: data sent before would wait for ever.
    running.read(KEPT, patience, &mut ran, |ran| ran.accepted.is_some()).await;
    Some((ran, running))
}

impl SftpSession {
    /// Asks for the subsystem in an open session, and for its version: the server's answer, what came first, and the session where
    /// that was the protocol. Where it was not, the session is closed.
    pub(crate) async fn begin(session: Channel<Msg>, patience: Patience) -> (Capability, Option<Sftp>, Option<Self>) {
        let Some((ran, running)) = started(session, patience).await else { return (Capability::of(None), None, None) };
        Self::asked(running, ran, patience).await
    }

    /// As [`begin`](Self::begin), on a terminal that alters nothing: a program that is forced and needs one shows itself there, and is then
    /// sent nothing. With what it printed by itself.
    pub(crate) async fn begin_on_terminal(
        session: Channel<Msg>,
        patience: Patience,
    ) -> (Capability, Option<Sftp>, Option<Self>, Option<Ran>) {
        /// A program that has printed nothing for so long waits for input.
        const SETTLED: Duration = Duration::from_millis(700);
        let Some((mut ran, mut running)) = started(session, patience).await else {
            return (Capability::of(None), None, None, None);
        };
        if ran.accepted == Some(true) {
            running.read(KEPT, Patience { silence: SETTLED, ..patience }, &mut ran, |_| false).await;
        }
        if ran.gave_up == Some(GaveUp::Silence) && ran.stdout_bytes > 0 {
            running.close().await;
            return (Capability::of(ran.accepted), Some(Sftp::of(&ran.stdout)), None, Some(ran));
        }
        ran.gave_up = None;
        let (outcome, said, sftp) = Self::asked(running, ran, patience).await;
        (outcome, said, sftp, None)
    }

    /// Asks what was started for its version, where it was accepted and has not ended.
    async fn asked(mut running: Running, mut ran: Ran, patience: Patience) -> (Capability, Option<Sftp>, Option<Self>) {
        if ran.accepted == Some(true) && !ran.is_over() && running.write(INIT, patience).await {
            running.read(KEPT, patience, &mut ran, |ran| Sftp::is_told(&ran.stdout)).await;
        }
        let outcome = Capability::of(ran.accepted);
        if ran.accepted != Some(true) {
            running.close().await;
            return (outcome, None, None);
        }
        let said = Sftp {
            status: ran.status,
            is_silent: ran.gave_up == Some(GaveUp::Silence) && ran.stdout_bytes == 0 && ran.stderr.is_empty(),
            stderr: (!ran.stderr.is_empty()).then(|| sanitize_bytes(&ran.stderr)),
            ..Sftp::of(&ran.stdout)
        };
        if said.version.is_none() || ran.is_over() {
            running.end(patience).await;
            return (outcome, Some(said), None);
        }
        (outcome, Some(said), Some(Self { running, requests: 0 }))
    }

    /// Begins in a session of its own; none where there is no session, or no sftp server in it.
    pub(crate) async fn open(connection: &Connection, patience: Patience) -> Option<Self> {
        match connection.open([ChannelKind::Session], patience.silence).await {
            [Opened::Open(session)] => Self::begin(session, patience).await.2,
            _ => None,
        }
    }

    /// Has these paths resolved, all of them requested at once; returns the answers, and the bytes sent.
    pub(crate) async fn resolve(
        &mut self,
        paths: &[Vec<u8>],
        patience: Patience,
        connection: &Connection,
    ) -> (Ran, u64) {
        let mut requests = Vec::new();
        for path in paths {
            self.requests += 1;
            requests.extend(realpath(self.requests, path));
        }
        let (sent, count) = (requests.len() as u64, paths.len());
        let ran = self.running.exchange(requests, patience, connection, |ran| packets(&ran.stdout) >= count).await;
        (ran, sent)
    }

    /// Returns the channel.
    pub(crate) fn into_channel(self) -> Channel<Msg> {
        self.running.into_channel()
    }

    /// Ends the session in good order, as sftp itself does: the end of the input, and then the server's own close.
    pub(crate) async fn end(self, patience: Patience) -> Ran {
        self.running.end(patience).await
    }

    /// Ends the session as well, without waiting for the server's close.
    pub(crate) async fn leave(self) {
        self.running.leave().await;
    }
}

/// A request to resolve a path (section 6.11).
fn realpath(id: u32, path: &[u8]) -> Vec<u8> {
    request(REALPATH, id, path)
}

/// A request to begin a listing of the directory in which the session begins (section 6.7).
pub(crate) fn open_directory(id: u32) -> Vec<u8> {
    request(OPENDIR, id, b".")
}

/// A request for the first names of a listing.
pub(crate) fn read_directory(id: u32, handle: &[u8]) -> Vec<u8> {
    request(READDIR, id, handle)
}

/// A request to end a listing (section 6.3).
pub(crate) fn close(id: u32, handle: &[u8]) -> Vec<u8> {
    request(CLOSE, id, handle)
}

/// A request with one string.
fn request(kind: u8, id: u32, text: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    [&length(1 + 4 + 4 + text.len()), &[kind][..], &id.to_be_bytes(), &length(text.len()), text].concat()
}

/// True if an answer of this many bytes, which begins with these, has come in whole.
pub(crate) fn is_whole(begin: &[u8], bytes: usize) -> bool {
    let length = begin.first_chunk::<4>().and_then(|length| usize::try_from(u32::from_be_bytes(*length)).ok());
    length.is_some_and(|length| bytes >= length.saturating_add(4))
}

/// The handle in an answer (section 7), at most 256 bytes.
pub(crate) fn handle(answer: &[u8]) -> Option<&[u8]> {
    let (&[.., kind, _, _, _, _], text) = answer.split_first_chunk::<9>()?;
    let (length, rest) = text.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= 256)?;
    rest.get(..length).filter(|_| kind == HANDLE)
}

/// Returns the number of whole packets.
pub(crate) fn packets(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some(behind) = usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| rest.get(length..))
        else {
            break;
        };
        count += 1;
        bytes = behind;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{handle, packets, realpath, request};

    #[test]
    fn a_handle_is_read_from_its_answer_alone() {
        let answer = request(super::HANDLE, 1, b"h0");
        assert_eq!(handle(&answer), Some(&b"h0"[..]));
        assert_eq!(handle(&answer[..14]), None);
        assert_eq!(handle(&request(101, 1, b"no")), None, "a status");
        assert_eq!(handle(&request(super::HANDLE, 1, &[0; 300])), None);
        assert_eq!(handle(&[]), None);
    }

    #[test]
    fn whole_packets_are_counted_and_half_ones_are_not() {
        let one = realpath(1, b"/x");
        assert_eq!(one, [0, 0, 0, 11, 16, 0, 0, 0, 1, 0, 0, 0, 2, b'/', b'x']);
        assert_eq!(packets(&one), 1);
        assert_eq!(packets(&[one.clone(), realpath(2, b"")].concat()), 2);
        assert_eq!(packets(&one[..14]), 0);
        assert_eq!(packets(&[0, 0]), 0);
        assert_eq!(packets(&[255; 40]), 0);
    }
}
