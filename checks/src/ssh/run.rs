//! A command in a session channel of its own.

use std::time::{Duration, Instant};

use russh::client::Msg;
use russh::{Channel, ChannelMsg, Sig};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::yield_now;

use super::connection::Connection;
use crate::base::elapsed::ms_since;
use crate::base::limits::Patience;
use crate::facts::channel::HungUp;
use crate::facts::connection::{GaveUp, Ran};
use crate::os::pause::timeout;

/// The time that sending may take: it takes no time except on a connection whose packets no longer pass.
const SAYING: Duration = Duration::from_secs(2);

/// The number of times as long as a stage a transfer may take in which something moves all the time: slow links do.
const PROGRESSING: u32 = 10;

/// A command that runs; dropping it leaves its channel open.
pub struct Running {
    channel: Channel<Msg>,
}

impl Connection {
    /// Opens a session channel and asks for `command` in it; the answer is still to come. What went wrong is in `ran`.
    pub async fn start(&self, command: &str, patience: Patience, ran: &mut Ran) -> Option<Running> {
        let channel = self.open_session(patience, ran).await?;
        exec(channel, command, ran).await
    }

    /// Starts `command` on a terminal (RFC 4254 section 6.2) of 80 by 24; a refusal of the terminal counts as one of the command.
    pub async fn start_on_terminal(&self, command: &str, patience: Patience, ran: &mut Ran) -> Option<Running> {
        let mut channel = self.open_session(patience, ran).await?;
        let asking = channel.request_pty(true, "dumb", 80, 24, 0, 0, &[]);
        if !matches!(timeout(SAYING, asking).await, Ok(Ok(()))) {
            ran.connection_lost = true;
            return None;
        }
        while ran.accepted.is_none() && !ran.is_over() {
            match timeout(patience.silence, channel.wait()).await {
                Err(_) => ran.gave_up = Some(GaveUp::Silence),
                Ok(None) => ran.connection_lost = true,
                Ok(Some(message)) => {
                    let now = ran.duration_ms;
                    take(ran, message, 0, now);
                }
            }
        }
        if ran.is_over() {
            return None;
        }
        exec(channel, command, ran).await
    }

    async fn open_session(&self, patience: Patience, ran: &mut Ran) -> Option<Channel<Msg>> {
        let (began, awaited) = (Instant::now(), self.record().awaits());
        let opened = timeout(patience.silence, self.handle.channel_open_session()).await;
        drop(awaited);
        ran.duration_ms = ms_since(began);
        match opened {
            Err(_) => ran.gave_up = Some(GaveUp::Silence),
            Ok(Err(russh::Error::ChannelOpenFailure(_))) => {
                let failure = self.observations().read().open_failures.back().cloned();
                ran.refused = Some(failure.map(|failure| (failure.code, failure.text)).unwrap_or_default());
            }
            Ok(Err(_)) => ran.connection_lost = true,
            Ok(Ok(channel)) => {
                ran.open_ms = Some(ms_since(began));
                return Some(channel);
            }
        }
        None
    }

    /// Runs `command` without input to its end, and keeps the first `keep` bytes of each output.
    pub async fn run(&self, command: &str, keep: usize, patience: Patience) -> Ran {
        let mut ran = Ran::default();
        if let Some(running) = self.start(command, patience, &mut ran).await {
            running.finish(keep, patience, &mut ran).await;
        }
        ran
    }
}

impl From<Channel<Msg>> for Running {
    /// A session channel in which something was asked for; the answer is still to come.
    fn from(channel: Channel<Msg>) -> Self {
        Self { channel }
    }
}

impl Running {
    /// Reads until `enough`, or until nothing more can come; adds to what is in `ran`.
    pub async fn read(&mut self, keep: usize, patience: Patience, ran: &mut Ran, mut enough: impl FnMut(&Ran) -> bool) {
        let began = Instant::now();
        let before = ran.duration_ms;
        let reading = async {
            while !enough(ran) && !ran.is_over() {
                match timeout(patience.silence, self.channel.wait()).await {
                    Err(_) => ran.gave_up = Some(GaveUp::Silence),
                    Ok(None) => ran.connection_lost = true,
                    Ok(Some(message)) => {
                        let now = before + ms_since(began);
                        take(ran, message, keep, now);
                        if ran.accepted.is_some() || ran.stdout_bytes > 0 {
                            ran.answered_ms.get_or_insert(now);
                        }
                    }
                }
            }
        };
        if timeout(patience.total, reading).await.is_err() {
            ran.gave_up = Some(GaveUp::Total);
        }
        ran.duration_ms = before + ms_since(began);
    }

    /// Writes `data`; false where the server does not take it in time.
    pub async fn write(&self, data: impl Into<Vec<u8>>, patience: Patience) -> bool {
        matches!(timeout(patience.silence, self.channel.data_bytes(data.into())).await, Ok(Ok(())))
    }

    /// Writes `data` and reads until `enough` has come back; keeps a good deal more than was sent.
    pub async fn exchange(
        &mut self,
        data: Vec<u8>,
        patience: Patience,
        connection: &Connection,
        enough: impl Fn(&Ran) -> bool,
    ) -> Ran {
        let (count, (feed, parts)) = (data.len(), unbounded_channel());
        let _ = feed.send(data);
        self.exchange_parts(parts, count, patience, connection, enough).await
    }

    /// Writes the parts as they come, `most` bytes in all, each in packets of its own, and reads until `enough` has come back. A command that
    /// takes all before it answers is not silent while it is fed, which its connection tells; while something moves, it takes `PROGRESSING`
    /// times as long.
    pub(crate) async fn exchange_parts(
        &mut self,
        mut parts: UnboundedReceiver<Vec<u8>>,
        most: usize,
        patience: Patience,
        connection: &Connection,
        mut enough: impl FnMut(&Ran) -> bool,
    ) -> Ran {
        /// Text of other processes that is kept with the data; an answer of sftp is longer than its request.
        const MORE: usize = 512 * 1024;
        let (mut ran, began) = (Ran::default(), Instant::now());
        let mut writer = self.channel.make_writer();
        // The writer must not hold up the reader: a server that answers while it is being fed would fill both windows.
        let write = async {
            while let Some(part) = parts.recv().await {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut writer, &part).await;
                // What is asked beside it goes out between the parts.
                yield_now().await;
            }
            std::future::pending::<()>().await;
        };
        let read = async {
            loop {
                let before = connection.delivered();
                let total = (patience.total * PROGRESSING).saturating_sub(began.elapsed());
                let left = Patience { total, ..patience };
                self.read(most + MORE, left, &mut ran, &mut enough).await;
                if ran.gave_up != Some(GaveUp::Silence) || !connection.delivered().goes_on_since(before) {
                    break;
                }
                ran.gave_up = None;
            }
        };
        tokio::select! { () = write => {}, () = read => {} }
        ran
    }

    /// Ends the command's input and reads until the server closes the channel.
    pub async fn finish(mut self, keep: usize, patience: Patience, ran: &mut Ran) {
        self.end_input(keep, patience, ran, |_| false).await;
        self.close().await;
    }

    /// Ends the command's input and reads until `enough`, or until the server closes the channel; closes nothing.
    pub async fn end_input(
        &mut self,
        keep: usize,
        patience: Patience,
        ran: &mut Ran,
        enough: impl FnMut(&Ran) -> bool,
    ) {
        if !matches!(timeout(SAYING, self.channel.eof()).await, Ok(Ok(()))) {
            ran.connection_lost = true;
        }
        self.read(keep, patience, ran, enough).await;
    }

    /// Sends SIGTERM (RFC 4254 section 6.9) and closes the channel; true if the command ended by it, false if it went on, `None` where the
    /// connection was lost meanwhile.
    pub async fn terminate(mut self, patience: Patience) -> Option<bool> {
        let sent = timeout(SAYING, self.channel.signal(Sig::TERM)).await;
        let mut ran = Ran { connection_lost: !matches!(sent, Ok(Ok(()))), ..Ran::default() };
        self.read(0, patience, &mut ran, |ran| ran.closed).await;
        let ended = ran.closed && ran.signal.is_some();
        let is_told = !ran.connection_lost;
        self.close().await;
        is_told.then_some(ended)
    }

    /// Sends SIGHUP (RFC 4254 section 6.9), as a terminal does that is closed, and closes the channel; what ended by it, `None` where the connection was
    /// lost meanwhile.
    pub async fn hang_up(mut self, patience: Patience) -> Option<HungUp> {
        let sent = timeout(SAYING, self.channel.signal(Sig::HUP)).await;
        let mut ran = Ran { connection_lost: !matches!(sent, Ok(Ok(()))), ..Ran::default() };
        self.read(0, patience, &mut ran, |ran| ran.closed).await;
        let has_ended = ran.signal.is_some() || ran.status.is_some();
        let is_told = !ran.connection_lost;
        self.close().await;
        is_told.then_some(match (has_ended, ran.closed) {
            (false, false) => HungUp::Nothing,
            (_, true) => HungUp::All,
            (true, false) => HungUp::ShellAlone,
        })
    }

    /// Ends the command without keeping its output: a server that does not end with the input is not waited for.
    pub async fn end(mut self, patience: Patience) -> Ran {
        /// The time that sftp servers take to end with their input.
        const SOON: Duration = Duration::from_secs(2);
        let said = matches!(timeout(SAYING, self.channel.eof()).await, Ok(Ok(())));
        let mut ran = Ran { connection_lost: !said, ..Ran::default() };
        self.read(0, Patience { silence: SOON.min(patience.silence), ..patience }, &mut ran, |_| false).await;
        if !ran.connection_lost {
            let _ = timeout(SAYING, self.channel.close()).await;
        }
        ran
    }

    /// Ends the input and closes the channel, and waits for nothing.
    pub(crate) async fn leave(self) {
        let _ = timeout(SAYING, self.channel.eof()).await;
        self.close().await;
    }

    /// Closes the channel without waiting for the command's end.
    pub async fn close(self) {
        // A connection that is gone has no channel left, and one that is stuck takes no word more.
        let _ = timeout(SAYING, self.channel.close()).await;
    }

    /// The channel itself, for callers that wait on it.
    #[must_use]
    pub fn into_channel(self) -> Channel<Msg> {
        self.channel
    }
}

/// Writes down one message of the server.
fn take(ran: &mut Ran, message: ChannelMsg, keep: usize, now_ms: f64) {
    if matches!(message, ChannelMsg::Data { .. } | ChannelMsg::ExtendedData { .. }) {
        let second = |ms: f64| (ms / 1000.0).floor();
        ran.seconds_with_output += u32::from(ran.last_output_ms.is_none_or(|last| second(last) < second(now_ms)));
        ran.last_output_ms = Some(now_ms);
    }
    match message {
        ChannelMsg::Data { data } => {
            ran.stdout_bytes += data.len() as u64;
            ran.first_output_ms.get_or_insert(now_ms);
            keep_first(&mut ran.stdout, &data, keep);
        }
        ChannelMsg::ExtendedData { data, .. } => keep_first(&mut ran.stderr, &data, keep),
        ChannelMsg::Success => ran.accepted = Some(true),
        ChannelMsg::Failure => ran.accepted = Some(false),
        ChannelMsg::ExitStatus { exit_status } => ran.status = Some(exit_status),
        ChannelMsg::ExitSignal { signal_name, .. } => ran.signal = Some(format!("{signal_name:?}")),
        ChannelMsg::Eof => ran.eof = true,
        ChannelMsg::Close => ran.closed = true,
        _ => {}
    }
}

async fn exec(channel: Channel<Msg>, command: &str, ran: &mut Ran) -> Option<Running> {
    if matches!(timeout(SAYING, channel.exec(true, command)).await, Ok(Ok(()))) {
        return Some(Running { channel });
    }
    ran.connection_lost = true;
    None
}

fn keep_first(kept: &mut Vec<u8>, data: &[u8], keep: usize) {
    let room = keep.saturating_sub(kept.len()).min(data.len());
    kept.extend_from_slice(data.get(..room).unwrap_or_default());
}
