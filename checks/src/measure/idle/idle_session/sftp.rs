//! The sftp server of an account that runs no commands, in a session of the idle test.

use std::time::Instant;

use super::{Event, IdleSession, SAYING};
use crate::base::limits::Patience;
use crate::facts::connection::NotLoggedIn;
use crate::facts::idle::Holds;
use crate::os::pause::timeout;
use crate::ssh::ending::Ending;
use crate::ssh::sftp::{self, SftpSession};

impl IdleSession {
    /// The sftp server, once it has told its version.
    pub(super) async fn start_sftp(&mut self, patience: Patience) -> Result<(), NotLoggedIn> {
        let Some(sftp) = SftpSession::open(&self.connection, patience).await else {
            return Err(if self.connection.is_closed() {
                NotLoggedIn::NoAnswer
            } else {
                NotLoggedIn::NoCommand("no sftp server answered".to_owned())
            });
        };
        self.channel = Some(sftp.into_channel());
        self.holds = Holds::Sftp;
        Ok(())
    }

    /// Has the sftp server list the first names of a directory, which servers that wait for a transfer take for one (ProFTPD's
    /// TimeoutNoTransfer); nothing of it is kept.
    pub(super) async fn list(&mut self) -> Event {
        let opened = match self.exchange(sftp::open_directory).await {
            Ok(answer) => answer,
            Err(ended) => return Event::Ended(ended),
        };
        let Some(handle) = sftp::handle(&opened).map(<[u8]>::to_vec) else { return Event::Line };
        for request in [sftp::read_directory, sftp::close] {
            if let Err(ended) = self.exchange(|id| request(id, &handle)).await {
                return Event::Ended(ended);
            }
        }
        Event::Line
    }

    /// Sends a request to the sftp server, and waits for the whole of its answer; returns its first bytes.
    async fn exchange(&mut self, request: impl FnOnce(u32) -> Vec<u8>) -> Result<Vec<u8>, Ending> {
        self.requests += 1;
        if let Some(channel) = &self.channel {
            // A channel that is gone shows while we wait for the answer.
            let _ = timeout(SAYING, channel.data_bytes(request(self.requests))).await;
            self.channel_quiet_since = Some(Instant::now());
        }
        self.said.clear();
        self.said_bytes = 0;
        while !sftp::is_whole(&self.said, self.said_bytes) {
            if let Event::Ended(ending) = self.event().await {
                return Err(ending);
            }
        }
        Ok(std::mem::take(&mut self.said))
    }
}
