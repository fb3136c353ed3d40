//! One session of the idle test: logged in, with a command in a channel that says nothing and waits.

mod command;
mod prompt;
mod sftp;

use std::time::{Duration, Instant};

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::time::{sleep, sleep_until};

use super::channel_use::ChannelUse;
use super::patience::{self, Patience};
use super::rungs::SERVER_INTERVAL;
use super::starting::Starting;
use crate::facts::connection::{Manner, NotLoggedIn};
use crate::facts::idle::Holds;
use crate::os::pause::timeout;
use crate::os::socket::SocketKeepalive;
use crate::ssh::connection::Connection;
use crate::ssh::ending::Ending;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::login::Login;

/// The bounds of a verdict's deadline: five retransmissions at RTO, 2, 4, 8 and 16 RTO fit in 31 RTO (RFC 6298 section 5.5).
const VERDICT: (Duration, Duration) = (Duration::from_secs(7), Duration::from_secs(45));
/// Linux's shortest retransmission time-out (TCP_RTO_MIN).
const RTO_MIN: Duration = Duration::from_millis(200);
/// The time that the library may take to note why a connection ended.
const NOTED_WITHIN: Duration = Duration::from_millis(100);

/// Bytes kept of what a session says while it waits.
const KEPT: usize = 512;

/// The time that a line of ours may take to be said: no time but on a connection whose packets no longer pass.
const SAYING: Duration = Duration::from_secs(2);
/// Unanswered TCP keepalives that the kernel puts up with: Linux's most.
const KEEPALIVES: u32 = 127;
/// Time between the close of the last channel and the end of the connection, where a server means both.
const GOODBYE: Duration = Duration::from_millis(300);

/// Something that happens on a quiet session.
pub(in crate::measure) enum Event {
    /// The server said something in the channel.
    Line,
    /// The session ended.
    Ended(Ending),
}

/// A session that is open and quiet.
pub(in crate::measure) struct IdleSession {
    connection: Connection,
    channel: Option<Channel<Msg>>,
    opened: Instant,
    channel_quiet_since: Option<Instant>,
    /// Process numbers of the waiting command and of its parent on the server.
    pub(in crate::measure) pids: Option<(u32, u32)>,
    received: u64,
    holds: Holds,
    /// Requests to the sftp server, and the first bytes and the length of its last answer.
    requests: u32,
    said: Vec<u8>,
    said_bytes: usize,
    /// The exit status of what ran in the channel, and when the channel was closed: kept here, since a wait for an event may be given up.
    status: Option<u32>,
    closed_at: Option<Instant>,
}

impl IdleSession {
    /// Logs in and opens what the session is to hold.
    ///
    /// With `shell` it holds a login shell on a terminal instead of a command, where the server gives one.
    pub(in crate::measure) async fn open(
        login: &Login,
        channel_use: &ChannelUse,
        shell: bool,
        deadline: Duration,
    ) -> Result<Self, NotLoggedIn> {
        let (opened, deadline) = (Instant::now(), login.patience(deadline));
        let connection = login.open(deadline).await?;
        let mut held = Self {
            connection,
            channel: None,
            opened,
            channel_quiet_since: None,
            pids: None,
            received: 0,
            holds: Holds::Nothing,
            requests: 0,
            said: Vec::new(),
            said_bytes: 0,
            status: None,
            closed_at: None,
        };
        let starting = Starting::of(login, deadline);
        match channel_use {
            ChannelUse::Nothing => return Ok(held),
            ChannelUse::Sftp => held.start_sftp(starting.usual()).await?,
            ChannelUse::Prompt => held.start_prompt(starting.usual()).await?,
            ChannelUse::Command { lead, mark } => {
                let has_shell = shell && held.start_shell(mark, starting).await;
                if shell && !has_shell && held.connection.is_closed() {
                    // Some servers end the connection where they cannot start what is to run on a terminal.
                    held.connection = login.open(deadline).await?;
                }
                if !has_shell {
                    held.start_command(*lead, mark, starting).await?;
                }
            }
        }
        held.channel_quiet_since = Some(held.connection.quiet_since());
        Ok(held)
    }

    /// True if it holds something that answers what is sent in its channel.
    pub(in crate::measure) fn has_channel(&self) -> bool {
        self.channel.is_some()
    }

    /// The channel that the session holds.
    pub(in crate::measure) fn holds(&self) -> Holds {
        self.holds
    }

    /// Asks the server for a line after so many seconds.
    pub(in crate::measure) async fn ask_for_line(&mut self, seconds: u32) {
        if let Some(channel) = &self.channel {
            // A channel that is gone shows while we wait for the line.
            let _ = timeout(SAYING, channel.data_bytes(format!("{seconds}\n"))).await;
            self.channel_quiet_since = Some(Instant::now());
        }
    }

    /// Asks the server for lines, one every [`SERVER_INTERVAL`], to which nothing is answered.
    pub(in crate::measure) async fn ask_for_lines(&mut self) {
        if let Some(channel) = &self.channel {
            let _ = timeout(SAYING, channel.data_bytes(format!("{SERVER_INTERVAL}s\n"))).await;
        }
    }

    /// Sends a line and waits until the server has sent it back, has an sftp server list a directory, or presses Enter at a prompt and asks for
    /// any answer; how the session ended, if it did meanwhile.
    pub(in crate::measure) async fn echo(&mut self, ended: &mut Option<Ending>) -> KeepaliveReply {
        if self.holds == Holds::Prompt {
            self.press_enter().await;
            return self.ask().await;
        }
        let (asked, patience) = (Instant::now(), Patience::new(&self.connection, self.verdict_deadline()));
        let line = async {
            let answer = if self.holds == Holds::Sftp {
                self.list().await
            } else {
                self.ask_for_line(0).await;
                self.event().await
            };
            match answer {
                Event::Line => KeepaliveReply::Alive(asked.elapsed()),
                Event::Ended(ending) => {
                    *ended = Some(ending);
                    KeepaliveReply::Gone
                }
            }
        };
        let answer = patience.wait(line).await;
        if matches!(answer, KeepaliveReply::Alive(_)) {
            self.channel_quiet_since = Some(Instant::now());
        }
        answer
    }

    /// Switches the kernel's TCP keepalives on or off, where the connection is a socket of ours.
    pub(in crate::measure) fn tcp_keepalive(&self, interval: Option<Duration>) {
        if let Some(socket) = self.connection.socket() {
            // A kernel that cannot leaves the session silent, which the arm then shows.
            let keepalive = |interval| SocketKeepalive { idle: interval, interval, retries: KEEPALIVES };
            let _ = socket.set_tcp_keepalive(interval.map(keepalive));
        }
    }

    /// Begins a silence, which counts from the last byte that moved: what was heard before no longer matters.
    pub(in crate::measure) fn begin_silence(&mut self) -> Instant {
        let began = self.connection.quiet_since();
        let mut seen = self.connection.watch().seen();
        seen.longest_quiet = Duration::ZERO;
        self.received = seen.received;
        began
    }

    /// The longest time without a byte either way since the silence began, and the bytes that came by themselves.
    pub(in crate::measure) fn silence(&self, began: Instant) -> (Duration, u64) {
        let seen = self.connection.watch().seen();
        let last = seen.last_received.max(seen.last_sent).unwrap_or(seen.opened).max(began);
        let until = seen.end.map_or_else(Instant::now, |end| end.at).max(last);
        (seen.longest_quiet.max(until - last).min(until - began), seen.received - self.received)
    }

    /// The time in which nothing had moved in the channel at that moment, and the age of the connection.
    pub(in crate::measure) fn ages(&self, at: Instant) -> (Option<Duration>, Duration) {
        let until = |since: Instant| at.saturating_duration_since(since);
        (self.channel_quiet_since.map(until), until(self.opened))
    }

    /// Returns when the server says something in the channel, or the session ends by itself. May be given up and called again.
    pub(in crate::measure) async fn event(&mut self) -> Event {
        while let (Some(channel), None) = (&mut self.channel, self.closed_at) {
            match channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    let room = KEPT.saturating_sub(self.said.len()).min(data.len());
                    self.said.extend_from_slice(&data[..room]);
                    self.said_bytes += data.len();
                    return Event::Line;
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => self.status = Some(exit_status),
                Some(ChannelMsg::Close) => self.closed_at = Some(Instant::now()),
                Some(_) => {}
                None => self.channel = None,
            }
        }
        if let Some(at) = self.closed_at {
            // Some servers close the channels first and say goodbye then.
            sleep_until((at + GOODBYE).into()).await;
            let manner = self.status.map_or(Manner::ChannelClose, |status| Manner::ExitStatus { status });
            return Event::Ended(self.connection.ending().unwrap_or(Ending { at, manner }));
        }
        while !self.connection.is_closed() {
            sleep(NOTED_WITHIN).await;
        }
        Event::Ended(self.connection_ended().await)
    }

    /// True if the server has said something in the channel that nobody has read yet; reads it.
    pub(in crate::measure) async fn has_line(&mut self) -> bool {
        matches!(timeout(Duration::ZERO, self.event()).await, Ok(Event::Line))
    }

    /// True if it has ended by itself, whoever has heard of it.
    pub(in crate::measure) fn is_over(&self) -> bool {
        self.closed_at.is_some() || self.connection.ending().is_some()
    }

    /// Returns when the session ends by itself.
    pub(in crate::measure) async fn ended(&mut self) -> Ending {
        loop {
            if let Event::Ended(ending) = self.event().await {
                return ending;
            }
        }
    }

    /// The way the connection ended, once the library has noted it.
    pub(in crate::measure) async fn connection_ended(&self) -> Ending {
        let began = Instant::now();
        loop {
            let ending = self.connection.ending();
            let said = matches!(&ending, Some(Ending { manner: Manner::Disconnect { .. }, .. }));
            if said || began.elapsed() > NOTED_WITHIN {
                return ending.unwrap_or(Ending { at: began, manner: Manner::Protocol { error: "closed".to_owned() } });
            }
            sleep(NOTED_WITHIN / 10).await;
        }
    }

    /// Asks whether the session is alive.
    pub(in crate::measure) async fn ask(&self) -> KeepaliveReply {
        patience::keepalive(&self.connection, self.verdict_deadline()).await
    }

    /// True if a line in its channel asks it, and no request: where requests are not answered, and at a prompt, so that a silence of the
    /// connection is one of the keyboard too.
    pub(super) fn is_asked_by_line(&self) -> bool {
        self.holds == Holds::Prompt || self.holds.is_plain() && self.connection.replies().are_missing()
    }

    /// The connection itself.
    pub(in crate::measure) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Ends the session in good order.
    pub(in crate::measure) async fn close(self) {
        self.connection.close(Duration::from_secs(1)).await;
    }

    fn verdict_deadline(&self) -> Duration {
        verdict_deadline(&self.connection)
    }
}

/// The time that an answer may take before a connection counts as dead.
pub(in crate::measure) fn verdict_deadline(connection: &Connection) -> Duration {
    let info = connection.socket().and_then(crate::os::socket::Socket::tcp_info);
    let rto = info.map_or(RTO_MIN, |info| Duration::from_micros(u64::from(info.rto_us)).max(RTO_MIN));
    (rto * 31).clamp(VERDICT.0, VERDICT.1)
}
