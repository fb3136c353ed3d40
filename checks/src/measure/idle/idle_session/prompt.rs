//! A shell at its prompt, in a session of the idle test of an account that has nothing else.

use std::time::Instant;

use super::{IdleSession, SAYING};
use crate::base::limits::Patience;
use crate::base::text::sanitize;
use crate::facts::connection::NotLoggedIn;
use crate::facts::idle::Holds;
use crate::measure::channel::shell;
use crate::os::pause::timeout;
use crate::ssh::channels::{ChannelKind, Opened};

impl IdleSession {
    /// The shell, once it stands at its prompt.
    pub(super) async fn start_prompt(&mut self, patience: Patience) -> Result<(), NotLoggedIn> {
        let session = match self.connection.open([ChannelKind::Session], patience.silence).await {
            [Opened::Open(session)] => session,
            [Opened::Refused(refused)] => return Err(NotLoggedIn::NoCommand(sanitize(&refused.text))),
            [Opened::Gone | Opened::Silent] => return Err(NotLoggedIn::NoAnswer),
        };
        let (_, running) = shell::open(session, patience).await;
        let Some(running) = running else {
            return Err(if self.connection.is_closed() {
                NotLoggedIn::NoAnswer
            } else {
                NotLoggedIn::NoCommand("the shell did not come to its prompt".to_owned())
            });
        };
        self.channel = Some(running.into_channel());
        self.holds = Holds::Prompt;
        Ok(())
    }

    /// Types an empty line, which a prompt answers with itself.
    pub(super) async fn press_enter(&mut self) {
        if let Some(channel) = &self.channel {
            // A channel that is gone shows while the session waits.
            let _ = timeout(SAYING, channel.data_bytes("\r".as_bytes().to_vec())).await;
            self.channel_quiet_since = Some(Instant::now());
        }
    }
}
