//! Time limits, and limits on how much of the server may be used.

use std::time::Duration;

use super::service::Service;

/// The time that a command may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without any message of the channel.
    pub silence: Duration,
    /// Altogether.
    pub total: Duration,
}

/// Deadlines and how much of the server's patience we may spend.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest wait for a TCP connection, and for the handshake on it (`ConnectTimeout`).
    pub connect: Duration,
    /// Longest wait for a server that says nothing at all, where `connect` does not bound it: [`Limits::AS_SSH`] where nobody has set a limit.
    pub first_word: Option<Duration>,
    /// Longest wait for any other stage (`--timeout`).
    pub stage: Duration,
    /// Longest idle time to test (`--idle`); zero for none.
    pub idle: Duration,
    /// Bytes moved each way by the transfer check.
    pub transfer_bytes: usize,
    /// Sessions open at the same time.
    pub sessions: usize,
    /// Connections that may be unauthenticated at the same time; sshd starts to refuse at 10
    /// (MaxStartups, sshd_config(5)).
    pub handshakes: usize,
    /// Connections opened in the whole run.
    pub connections: u32,
    /// True if the server itself is queried (`--server`).
    pub ask_server: bool,
    /// True if commands of the settings, and their output, are shown and recorded as they are (`--record-plain`).
    pub plain: bool,
    /// True if the user's own ssh is run too (`--with-ssh`).
    pub with_ssh: bool,
    /// True if many connections or channels may be opened, and much data moved (`--deep`).
    pub deep: bool,
    /// The services that the account must serve (`--expect`); empty where nothing is demanded.
    pub expected: Vec<Service>,
}

impl Limits {
    /// ssh without ConnectTimeout waits for ever; sshd ends a connection without a login after 2 min (LoginGraceTime, sshd_config(5)).
    pub const AS_SSH: Duration = Duration::from_mins(2);

    /// True if the idle test opens its sessions a few at a time: it takes long enough for them to come one after the other, and a burst of
    /// connections would keep the user out for a while where a firewall limits new ones.
    #[must_use]
    pub fn spreads_connections(&self) -> bool {
        /// All sessions are open after three windows of such a limit; a test that is not much longer has no use for the late ones.
        const LONG: Duration = Duration::from_mins(2);
        self.idle >= LONG
    }

    /// The time that a command on the server may take: no silence over 10 s, and no more than a stage in all.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience { silence: self.stage.min(Duration::from_secs(10)), total: self.stage }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_word: None,
            stage: Duration::from_secs(30),
            idle: Duration::from_mins(6),
            transfer_bytes: 1 << 20,
            sessions: 16,
            handshakes: 4,
            connections: 60,
            ask_server: false,
            plain: false,
            with_ssh: false,
            deep: false,
            expected: Vec::new(),
        }
    }
}
