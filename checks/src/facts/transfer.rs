//! The observations of data sent there and back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::connection::{GaveUp, Manner, Ran};
use super::retest::{Retest, RetestOutcome};
use super::tcp::TcpInfo;
use crate::base::service::Service;
use crate::base::text::{bytes, sanitize, seconds};
use crate::facts;

/// A key exchange that we asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rekey {
    /// While data was under way.
    pub under_load: bool,
    /// Milliseconds until it was done; `null` where it was not done in time.
    pub ms: Option<f64>,
    /// The time that we waited, milliseconds.
    pub deadline_ms: f64,
    /// The way the connection ended, where it did.
    pub ending: Option<Manner>,
}

/// The observations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The service that the data went through, where no command runs.
    #[serde(default)]
    pub of: Option<Service>,
    /// The requests that the data was in, where it was not sent back as it came.
    #[serde(default)]
    pub requests: Option<Requests>,
    /// Bytes sent, and wanted back.
    pub sent_bytes: u64,
    /// Bytes that came back, without text that was not sent.
    pub returned_bytes: u64,
    /// SHA-256 of what was sent.
    pub sent_sha256: String,
    /// SHA-256 of what came back.
    pub returned_sha256: String,
    /// Text that was not sent, and behind which what was sent went on.
    #[serde(default)]
    pub inserted: Vec<Inserted>,
    /// The offset of the first byte that differs from the data sent, inserted text aside; `null` where none does.
    pub first_difference: Option<u64>,
    /// The content at that offset.
    #[serde(default)]
    pub difference: Option<Difference>,
    /// Bytes per second, there and back.
    pub rate: Option<f64>,
    /// Bytes per second to the server: until the first byte came back, which the command sends when it has all of them.
    pub up_rate: Option<f64>,
    /// Bytes per second from the server: from the first byte to the last.
    pub down_rate: Option<f64>,
    /// A byte there and back through the channel.
    pub echo: Option<Echo>,
    /// The compression agreed on.
    pub compression: Option<String>,
    /// The key exchanges that we asked for (`--deep`).
    pub rekeys: Vec<Rekey>,
    /// Bytes per second of the longer transfer (`--deep`), both ways at once.
    pub deep_rate: Option<f64>,
    /// Milliseconds that more than a window of data took there and back for a command that left it unread for a second (`--deep`).
    pub unread_ms: Option<f64>,
    /// The outcome of the command that returns the data.
    pub ran: Ran,
    /// The way the connection ended, if it did.
    pub ending: Option<Manner>,
    /// The kernel's view at the end.
    pub tcp: Option<TcpInfo>,
    /// Standard error, escaped.
    pub stderr: Option<String>,
    /// Less of it on connections of their own in packets of other sizes, where this one stalled.
    #[serde(default)]
    pub arms: Vec<Retest>,
    /// As much of it one way at a time, on connections of their own, where both ways at once stalled although nothing was lost.
    #[serde(default)]
    pub one_way: Option<OneWay>,
    /// True if as much passed both ways without new keys, on a connection of its own, where it stalled after they were asked for in its middle;
    /// `null` where that was not tried.
    #[serde(default)]
    pub without_rekey: Option<bool>,
    /// True if as much passed on another connection with new keys in its middle, where it had passed without them; `None` where that was not tried.
    #[serde(default)]
    pub with_rekey: Option<bool>,
}

/// Data moved one way at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneWay {
    /// Bytes each way.
    pub bytes: u64,
    /// True if all of the output of a command that reads nothing arrived.
    pub from_server: bool,
    /// True if a command that writes nothing meanwhile read all that was sent.
    pub to_server: bool,
}

/// Requests of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Sent, all at once.
    pub sent: u64,
    /// Answered.
    pub answered: u64,
}

/// Text that was not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inserted {
    /// Bytes of the data sent that had come back before it.
    pub at: u64,
    /// The text, escaped.
    pub text: String,
}

/// The bytes that came back in place of those sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// True if the data sent continues after it at its own offset.
    pub in_place: bool,
    /// True if each LF that was sent came back as CR LF, and nothing else differs.
    #[serde(default)]
    pub line_ends: bool,
    /// The first bytes that were sent there, hexadecimal.
    pub sent: String,
    /// The first bytes that came back there, hexadecimal.
    pub returned: String,
}

/// The time of a byte there and back through the channel, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Echo {
    /// The number of bytes sent, one after the other.
    pub samples: usize,
    /// The shortest.
    pub min_ms: f64,
    /// The median.
    pub median_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let moved = format!("{} of {} came back", bytes(self.returned_bytes as f64), bytes(self.sent_bytes as f64));
        let took = seconds(self.ran.duration_ms / 1000.0);
        if let Some(Requests { sent, answered }) = self.requests {
            let amount = format!("{} up, {} down", bytes(self.sent_bytes as f64), bytes(self.returned_bytes as f64));
            let rate = self.rate.map(|rate| format!(", {}/s", bytes(rate))).unwrap_or_default();
            let echo = self.echo.map(|echo| format!(", a request in {}", seconds(echo.median_ms / 1000.0)));
            return format!("{answered} of {sent} sftp requests answered, {amount}{rate}{}", echo.unwrap_or_default());
        }
        if let (Some(one_way), true) = (self.one_way, self.passes_each_way()) {
            return format!("{moved}, both ways at once; {} each way alone", bytes(one_way.bytes as f64));
        }
        match (self.first_difference, self.rate) {
            (Some(at), _) => format!("{moved}, different from byte {at} on"),
            (None, Some(_)) if self.rekeys.iter().any(|rekey| rekey.ms.is_none()) => {
                format!("{moved}, and no new keys were agreed on")
            }
            (None, Some(rate)) if self.returned_bytes == self.sent_bytes => {
                let rates = match (self.up_rate, self.down_rate) {
                    (Some(up), Some(down)) => format!("{}/s up, {}/s down", bytes(up), bytes(down)),
                    _ => format!("{}/s", bytes(rate)),
                };
                let echo = self.echo.map(|echo| format!(", round trip {}", seconds(echo.median_ms / 1000.0)));
                let compression = self.compression.as_deref().filter(|name| *name != "none");
                let compression = compression.map(|name| format!(", compressed ({})", sanitize(name)));
                let inserted = if self.inserted.is_empty() { "" } else { ", with other output in between" };
                format!(
                    "{} there and back unaltered{inserted}, {rates}{}{}",
                    bytes(self.sent_bytes as f64),
                    echo.unwrap_or_default(),
                    compression.unwrap_or_default()
                )
            }
            _ if self.with_rekey == Some(true) => format!("{moved} in {took}, and all of it on another connection"),
            _ => format!("{moved} in {took}"),
        }
    }
}

impl Facts {
    /// Adds a further transfer, which failed, to the earlier facts.
    pub(crate) fn and_failed(self, further: Self) -> Self {
        let inserted = [self.inserted, further.inserted].concat();
        let Self { echo, compression, rekeys, deep_rate, .. } = self;
        Self { inserted, echo, compression, rekeys, deep_rate, ..further }
    }

    /// True if nothing more came back although TCP delivered all that we sent, on a connection that stood: lost packets are not to blame, nor
    /// new keys.
    pub(crate) fn is_held_back(&self) -> bool {
        let rekeyed = self.rekeys.iter().all(|rekey| rekey.ms.is_some());
        let delivered = self.tcp.is_some() && self.is_silent();
        delivered && (rekeyed && self.without_rekey.is_none() || self.without_rekey == Some(false))
    }

    /// True if data stopped after new keys were asked for in its middle, or the connection ended before they were agreed on: they may be the
    /// reason, and the amount may.
    pub(crate) fn stops_after_rekey(&self) -> bool {
        let quiet_passed = self.rekeys.iter().filter(|rekey| !rekey.under_load).all(|rekey| rekey.ms.is_some());
        let mut loaded = self.rekeys.iter().filter(|rekey| rekey.under_load);
        quiet_passed && loaded.any(|rekey| self.is_silent() || self.ending.is_some() && rekey.ms.is_none())
    }

    /// True if nothing came any more, and no packet of ours is known to be lost: behind a jump host the jump host's kernel alone knows that.
    fn is_silent(&self) -> bool {
        let silent = self.ran.gave_up == Some(GaveUp::Silence) && self.first_difference.is_none();
        silent && self.ending.is_none() && !self.is_size_decisive() && self.tcp.is_none_or(|tcp| tcp.backoff == 0)
    }

    /// True if nothing failed but an exchange of new keys that we asked for, or the data under way at that moment.
    #[must_use]
    pub fn fails_by_rekey(&self) -> bool {
        match self.without_rekey {
            // A connection that ended once did not end for them, nor was it merely slow.
            Some(true) => self.with_rekey != Some(true) || self.ending.is_none(),
            Some(false) => false,
            None => self.rekeys.iter().any(|rekey| rekey.ms.is_none()),
        }
    }

    /// True if both ways at once stalled, and each alone took as much: the path carries it, and so does either direction.
    #[must_use]
    pub fn passes_each_way(&self) -> bool {
        self.is_held_back() && self.one_way.is_some_and(|one_way| one_way.from_server && one_way.to_server)
    }

    /// True if the same stalled once more in packets of full size, and was through in small ones.
    pub(crate) fn is_size_decisive(&self) -> bool {
        let ended = |small: bool, outcome: &RetestOutcome| {
            self.arms.iter().any(|arm| arm.segment.is_some() == small && arm.outcome == *outcome)
        };
        ended(true, &RetestOutcome::Through) && ended(false, &RetestOutcome::Silent)
    }

    /// Adds the rate of each direction, where the command has stored what it sent back: all data took so long to the server, and so long back.
    pub(crate) fn tell_directions(&mut self, up: Duration, down: Duration) {
        // A server without head or tail says so, and returns the data as it comes.
        if self.stderr.is_some() || up.is_zero() || down.is_zero() {
            return;
        }
        let count = self.sent_bytes as f64;
        (self.up_rate, self.down_rate) = (Some(count / up.as_secs_f64()), Some(count / down.as_secs_f64()));
    }
}
