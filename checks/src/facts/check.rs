//! The checks, and their outcomes.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The checks in the order in which they run and are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The user's own ssh and its settings, before any packet.
    Config,
    /// Name look-up.
    Dns,
    /// TCP reachability.
    Tcp,
    /// Version and key exchange.
    Handshake,
    /// The server's identity.
    Hostkey,
    /// Ours.
    Auth,
    /// A session channel and a command in it.
    Channel,
    /// A bounded amount of data each way.
    Transfer,
    /// The silence that sessions survive.
    Idle,
    /// A clean end.
    Exit,
}

impl Check {
    /// All checks, in order.
    pub const ALL: [Self; 10] = [
        Self::Config,
        Self::Dns,
        Self::Tcp,
        Self::Handshake,
        Self::Hostkey,
        Self::Auth,
        Self::Channel,
        Self::Transfer,
        Self::Idle,
        Self::Exit,
    ];

    /// The name in reports and at the front of cause codes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Handshake => "handshake",
            Self::Hostkey => "hostkey",
            Self::Auth => "auth",
            Self::Channel => "channel",
            Self::Transfer => "transfer",
            Self::Idle => "idle",
            Self::Exit => "exit",
        }
    }
}

/// The outcome of a check.
#[derive(Debug, Clone)]
pub enum Step<F> {
    /// It did its job.
    Passed(F),
    /// It ran and what it examined did not work.
    Failed(F),
    /// It ran, and something on our side forbids a verdict on what it saw: what happened to this machine meanwhile, or a login that
    /// only ssh itself can make.
    Void(F),
    /// It did not run; why.
    Skipped(String),
    /// We could not do it, through no fault of the target; why.
    Error(String),
}

impl<F> Step<F> {
    /// Returns the facts, unless the check did not run or nothing of it may be judged.
    pub fn facts(&self) -> Option<&F> {
        match self {
            Self::Passed(facts) | Self::Failed(facts) => Some(facts),
            Self::Void(_) | Self::Skipped(_) | Self::Error(_) => None,
        }
    }

    /// Returns the facts of a check that failed.
    pub fn failed(&self) -> Option<&F> {
        match self {
            Self::Failed(facts) => Some(facts),
            _ => None,
        }
    }

    /// Returns the facts of a check that passed.
    pub fn passed(&self) -> Option<&F> {
        match self {
            Self::Passed(facts) => Some(facts),
            _ => None,
        }
    }
}

/// The facts of one check: plain data with times, no opinions.
pub trait Facts: Serialize + DeserializeOwned {
    /// One line for people: what was seen, not what it means. Text that a server sent is escaped with
    /// [`crate::base::text::sanitize`].
    fn summary(&self) -> String;

    /// True if a failure stands although the run was ended meanwhile: it does not come of that.
    fn outlive_the_stop(&self) -> bool {
        false
    }

    /// The facts as a report shows them: as they are stored, unless a check shows beside them what follows from them.
    fn shown(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// A step and the time it took; `stored.rs` has its form in JSON.
#[derive(Debug, Clone)]
pub struct Timed<F> {
    /// The outcome of it.
    pub step: Step<F>,
    /// Wall time, milliseconds.
    pub duration_ms: f64,
}

impl<F> Default for Timed<F> {
    /// A check that a recording does not have, since it was made before there was one.
    fn default() -> Self {
        Self { step: Step::Skipped("not recorded".to_owned()), duration_ms: 0.0 }
    }
}

impl<F> std::ops::Deref for Timed<F> {
    type Target = Step<F>;
    fn deref(&self) -> &Step<F> {
        &self.step
    }
}
