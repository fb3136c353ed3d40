//! A command in a session channel of its own.

use std::time::{Duration, Instant};

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use serde::{Deserialize, Serialize};
use tokio::time::{timeout, timeout_at};

use super::Connection;

/// How long a command may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without any message of the channel.
    pub silence: Duration,
    /// Altogether.
    pub total: Duration,
}

/// Which patience ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GaveUp {
    /// Nothing came any more.
    Silence,
    /// It went on, and took too long.
    Total,
}

/// What became of a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// Why the channel was not opened: reason code and text (RFC 4254 section 5.1).
    pub refused: Option<(u32, String)>,
    /// Milliseconds until the channel was open.
    pub open_ms: Option<f64>,
    /// Whether the server agreed to run the command.
    pub accepted: Option<bool>,
    /// Standard output; the first bytes of it.
    #[serde(skip)]
    pub stdout: Vec<u8>,
    /// Standard error; the first bytes of it.
    #[serde(skip)]
    pub stderr: Vec<u8>,
    /// Bytes of standard output in all.
    pub stdout_bytes: u64,
    /// Exit status.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
    /// The server said that no more output comes.
    pub eof: bool,
    /// The server closed the channel.
    pub closed: bool,
    /// The connection ended before the channel did.
    pub connection_lost: bool,
    /// We stopped waiting.
    pub gave_up: Option<GaveUp>,
    /// Milliseconds from the request until the end.
    pub duration_ms: f64,
}

/// A command that goes on running in its channel.
pub struct Held {
    /// The open channel.
    pub channel: Channel<Msg>,
    /// The command's first output.
    pub greeting: Vec<u8>,
}

impl Connection {
    /// Runs `command`, feeds it `input` and then end of file, and keeps the first `keep` bytes of each output.
    pub async fn run(&self, command: &str, input: Vec<u8>, keep: usize, patience: Patience) -> Ran {
        let began = Instant::now();
        let mut ran = Ran::default();
        let all = self.run_to_end(command, input, keep, patience.silence, &mut ran, began);
        if timeout(patience.total, all).await.is_err() {
            ran.gave_up = Some(GaveUp::Total);
        }
        ran.duration_ms = began.elapsed().as_secs_f64() * 1000.0;
        ran
    }

    async fn run_to_end(
        &self,
        command: &str,
        input: Vec<u8>,
        keep: usize,
        silence: Duration,
        ran: &mut Ran,
        began: Instant,
    ) {
        let Ok(opened) = timeout(silence, self.open_session(ran, began)).await else {
            ran.gave_up = Some(GaveUp::Silence);
            return;
        };
        let Some(channel) = opened else { return };
        if channel.exec(true, command).await.is_err() {
            ran.connection_lost = true;
            return;
        }
        let (mut output, to_server) = channel.split();
        // The writer must not hold up the reader: a server that answers while it is being fed would fill both windows.
        let feed = async {
            let fed = input.is_empty() || to_server.data_bytes(input).await.is_ok();
            if fed {
                let _ = to_server.eof().await;
            }
            std::future::pending::<()>().await;
        };
        let read = async {
            loop {
                match timeout(silence, output.wait()).await {
                    Err(_) => ran.gave_up = Some(GaveUp::Silence),
                    Ok(None) => ran.connection_lost = true,
                    Ok(Some(message)) => {
                        ran.take(message, keep);
                        if !ran.closed && ran.accepted != Some(false) {
                            continue;
                        }
                    }
                }
                return;
            }
        };
        tokio::select! { () = feed => {}, () = read => {} }
        let _ = to_server.close().await;
    }

    /// Opens a session channel; a refusal goes into `ran`.
    async fn open_session(&self, ran: &mut Ran, began: Instant) -> Option<Channel<Msg>> {
        match self.handle.channel_open_session().await {
            Ok(channel) => {
                ran.open_ms = Some(began.elapsed().as_secs_f64() * 1000.0);
                Some(channel)
            }
            Err(russh::Error::ChannelOpenFailure(_)) => {
                ran.refused = Some(self.notes.read().open_failure.clone().unwrap_or_default());
                None
            }
            Err(_) => {
                ran.connection_lost = true;
                None
            }
        }
    }

    /// Starts `command` and leaves it running once it has written a line.
    pub async fn hold(&self, command: &str, deadline: Duration) -> Result<Held, Ran> {
        let began = Instant::now();
        let mut ran = Ran::default();
        let until = tokio::time::Instant::now() + deadline;
        let start = async {
            let mut channel = self.open_session(&mut ran, began).await?;
            if channel.exec(true, command).await.is_err() {
                ran.connection_lost = true;
                return None;
            }
            while let Some(message) = channel.wait().await {
                ran.take(message, 512);
                if ran.stdout.contains(&b'\n') {
                    return Some(Held { channel, greeting: std::mem::take(&mut ran.stdout) });
                }
                if ran.closed || ran.accepted == Some(false) {
                    return None;
                }
            }
            ran.connection_lost = true;
            None
        };
        match timeout_at(until, start).await {
            Ok(Some(held)) => Ok(held),
            Ok(None) => Err(ran),
            Err(_) => Err(Ran { gave_up: Some(GaveUp::Silence), ..ran }),
        }
    }
}

impl Ran {
    /// Writes down one message of the server.
    pub fn take(&mut self, message: ChannelMsg, keep: usize) {
        match message {
            ChannelMsg::Data { data } => {
                self.stdout_bytes += data.len() as u64;
                keep_first(&mut self.stdout, &data, keep);
            }
            ChannelMsg::ExtendedData { data, .. } => keep_first(&mut self.stderr, &data, keep),
            ChannelMsg::Success => self.accepted = Some(true),
            ChannelMsg::Failure => self.accepted = Some(false),
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => self.signal = Some(format!("{signal_name:?}")),
            ChannelMsg::Eof => self.eof = true,
            ChannelMsg::Close => self.closed = true,
            _ => {}
        }
    }
}

fn keep_first(kept: &mut Vec<u8>, data: &[u8], keep: usize) {
    let room = keep.saturating_sub(kept.len()).min(data.len());
    kept.extend_from_slice(data.get(..room).unwrap_or_default());
}
