//! Every connection of an examination on one clock: when it opened, when it froze, when it ended. Times are seconds since the
//! examination began.

mod before;
pub mod events;
pub mod losses;
mod silence;

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::connection::{Manner, NotForwarded};
use super::path::Path;

pub use events::{Event, EventKind};
pub use losses::{DeadFlows, MassEnd, RandomResets, StateLoss};
pub use silence::{LASTING_S, Lost};

/// Seconds after a path's return within which hops probed before it may answer: their answers are awaited for nearly as
/// long.
const HOPS_ANSWER_WITHIN_S: f64 = 1.0;

/// All that was noted.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    /// The connections, in the order in which they were tried.
    pub flows: Vec<Flow>,
    /// The hops that answered while the path was interrupted, and at other times.
    pub hops: Vec<HopSample>,
    /// Times in which this process did not run, and saw nothing.
    pub blind: Vec<Span>,
    /// The time of the last note of it.
    pub until_s: f64,
    /// Records beyond what is kept.
    pub left_out: u32,
}

/// A time from a moment to another one.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Span {
    /// Its beginning.
    pub from_s: f64,
    /// Its end.
    pub until_s: f64,
}

/// One connection: a TCP connection of this machine, or one that a hop was asked for.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Flow {
    /// Its number.
    pub number: u32,
    /// The hops of a ProxyJump that it goes through; 0 for a TCP connection of this machine.
    pub leg: u8,
    /// The number of the connection to a hop that carries it; `null` for a TCP connection of this machine.
    pub through: Option<u32>,
    /// The address that it leads to; `null` where a hop looks it up.
    #[schemars(with = "Option<String>")]
    pub to: Option<SocketAddr>,
    /// Its port on this machine.
    pub source_port: Option<u16>,
    /// The time at which it was requested.
    pub began_s: f64,
    /// The time at which it was open.
    pub connected_s: Option<f64>,
    /// The number of retransmissions of its first packet (SYN); 0 where the system does not tell.
    pub repeated_syns: u32,
    /// The reason why it did not open.
    pub failure: Option<NotOpened>,
    /// The server's identification string.
    pub version: Option<String>,
    /// The time at which that came.
    pub version_s: Option<f64>,
    /// The time at which the login on it succeeded.
    pub logged_in_s: Option<f64>,
    /// The time at which the session on it had given its first answer, and was put to use: how long each step takes until then is up to the server.
    pub opened_s: Option<f64>,
    /// The longest time after which something is expected from the other end, on a connection on which something moves all the time.
    pub beat_s: Option<f64>,
    /// Until when it was so; `null` where it was until the end.
    pub beat_until_s: Option<f64>,
    /// True if only the kernels speak on it all the time: TCP keepalives.
    pub is_kernels: bool,
    /// Its round-trip time, seconds; 0 where the system does not tell.
    pub rtt_s: f64,
    /// The times in which something was expected and did not come.
    pub gaps: Vec<Gap>,
    /// The time at which the other end was last heard: data, or an acknowledgement.
    pub heard_s: Option<f64>,
    /// The time of its last data.
    pub answered_s: Option<f64>,
    /// The manner of its end, where it was not us who closed it.
    pub end: Option<FlowEnd>,
    /// The time at which we closed it.
    pub closed_s: Option<f64>,
}

/// The reason why a connection did not open.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NotOpened {
    /// Nothing came back for as long as it was waited for.
    Unanswered,
    /// A TCP reset came back.
    Refused,
    /// Anything else; the system's words.
    Other {
        /// The words.
        error: String,
    },
}

impl NotOpened {
    /// The reason why a hop did not open it.
    #[must_use]
    pub fn of_hop(failure: &NotForwarded) -> Self {
        /// RFC 4254 section 5.1: SSH_OPEN_CONNECT_FAILED.
        const CONNECT_FAILED: u32 = 2;
        match failure {
            NotForwarded::Deadline => Self::Unanswered,
            NotForwarded::Refused { code: CONNECT_FAILED, text } if text.contains("refused") => Self::Refused,
            failure => Self::Other { error: failure.to_string() },
        }
    }
}

/// A time in which something was expected and did not come.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Gap {
    /// The time at which the other end was last heard before; where TCP had acknowledged all, the time of its last data.
    pub heard_s: f64,
    /// Since when something was overdue: when the other end would have spoken by itself, or when we sent what was not answered.
    pub from_s: f64,
    /// The time at which it was heard again; `null` where it never was.
    pub until_s: Option<f64>,
    /// True if TCP had acknowledged all that we sent: the packets came through, and the program on the other side did not answer.
    /// `null` where the system does not tell.
    pub acknowledged: Option<bool>,
    /// Retransmissions of the oldest packet, the most that were seen at once.
    pub retransmissions: u8,
}

/// An end that came from elsewhere.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FlowEnd {
    /// The time.
    pub at_s: f64,
    /// The manner.
    #[schemars(with = "serde_json::Value")]
    pub manner: Manner,
    /// For how long the other end had not been heard.
    pub quiet_s: f64,
    /// True if the last word before it was ours, a moment earlier: it may be the answer.
    pub spoke_last: bool,
}

/// The hops to the server that answered at a moment.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct HopSample {
    /// The time at which they were asked.
    pub at_s: f64,
    /// Hops that were asked.
    pub asked: Vec<u8>,
    /// Hops that answered.
    pub answered: Vec<u8>,
}

impl Gap {
    /// Its end; without one, that of all time.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.until_s.unwrap_or(f64::INFINITY)
    }
}

impl Flow {
    /// Returns the time at which it was gone: it ended or was closed by us; infinity while the notes show neither.
    #[must_use]
    pub fn over_s(&self) -> f64 {
        let ended = self.end.as_ref().map_or(f64::INFINITY, |end| end.at_s);
        ended.min(self.closed_s.unwrap_or(f64::INFINITY))
    }

    /// True if it was open at that moment.
    #[must_use]
    pub fn is_open_at(&self, at_s: f64) -> bool {
        self.connected_s.is_some_and(|connected| connected <= at_s) && self.over_s() > at_s
    }
}

impl Timeline {
    /// Returns the connection to a hop that carries this one.
    #[must_use]
    pub fn carrier(&self, flow: &Flow) -> Option<&Flow> {
        let through = flow.through?;
        self.flows.iter().find(|other| other.number == through)
    }

    /// The connections that were open at that moment.
    pub fn open_at(&self, at_s: f64) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| flow.is_open_at(at_s))
    }

    /// The last hop that answered in every interruption, and the first one behind it that answered at other times (when the `path` was
    /// traced, too) and never then; `None` where the hops were not asked meanwhile, or all answered.
    #[must_use]
    pub fn last_hop_that_answered(&self, path: Option<&Path>, interruptions: &[Event]) -> Option<(u8, u8)> {
        let covers = |event: &Event, sample: &HopSample| {
            event.leg == 0 && event.covers(sample.at_s) && event.covers(sample.at_s + HOPS_ANSWER_WITHIN_S)
        };
        let is_meanwhile = |sample: &HopSample| interruptions.iter().any(|event| covers(event, sample));
        let (meanwhile, otherwise): (Vec<_>, Vec<_>) = self.hops.iter().partition(|sample| is_meanwhile(sample));
        let answers = |samples: &[&HopSample], hop: u8| samples.iter().any(|sample| sample.answered.contains(&hop));
        let traced =
            |hop: u8| path.is_some_and(|path| path.hops.iter().any(|it| it.number == hop && it.address.is_some()));
        let known: Vec<u8> = (1..=u8::MAX).filter(|hop| answers(&otherwise, *hop) || traced(*hop)).collect();
        let first_dead = known.iter().copied().find(|hop| !answers(&meanwhile, *hop));
        let first_dead = first_dead.filter(|_| !meanwhile.is_empty())?;
        // Nothing behind the first dead hop may answer, or it was only slow.
        if (first_dead..=u8::MAX).any(|hop| answers(&meanwhile, hop)) {
            return None;
        }
        let last_alive = known.into_iter().filter(|hop| *hop < first_dead).max().unwrap_or(0);
        Some((last_alive, first_dead))
    }

    /// The way a hop is called, where its address is known.
    #[must_use]
    pub fn hop_words(path: Option<&Path>, hop: u8) -> String {
        path.map_or_else(|| format!("hop {hop}"), |path| path.words(hop))
    }
}
