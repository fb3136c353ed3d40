//! The user's own ssh, run as far as its login, beside the examination.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Check;

/// A run of `ssh -v -N` that was ended as soon as it had logged in.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Witness {
    /// The reason why it was run.
    pub reason: WitnessReason,
    /// The check that it was to come through: auth; channel where it was to set up its forwardings; handshake where no login was wanted.
    pub until: Check,
    /// ssh's version; `null` where it did not say.
    pub ssh: Option<String>,
    /// Milliseconds until it was ended, or ended by itself.
    pub ms: f64,
    /// The last check that it came through; `null` where there is none.
    pub reached: Option<Check>,
    /// The key exchange that it agreed on with the server.
    pub kex: Option<String>,
    /// The message of the key exchange that it was waiting for when it ended.
    pub awaited: Option<String>,
    /// True if the server had begun to take its login.
    pub login_begun: bool,
    /// The method by which it logged in.
    #[serde(default)]
    pub method: Option<String>,
    /// Its exit status; `null` where it was ended by us, or by a signal.
    pub status: Option<i32>,
    /// True if it was ended because the wait was over.
    pub cut: bool,
    /// Its last words that are no debugging output, escaped.
    pub words: Vec<String>,
}

/// The reason why the user's own ssh was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessReason {
    /// By the user's wish (`--with-ssh`).
    Asked,
    /// The examination could not decide, for a limit of its own.
    Undecided,
    /// A setting that could change the outcome is not honoured.
    Settings,
    /// The examination failed before the login, for a reason that ssh may not share.
    BeforeLogin,
}

impl Witness {
    /// True if ssh came as far as it was to.
    #[must_use]
    pub fn came_through(&self) -> bool {
        self.reached >= Some(self.until)
    }

    /// True if ssh logged in.
    #[must_use]
    pub fn logged_in(&self) -> bool {
        self.until >= Check::Auth && self.reached >= Some(Check::Auth)
    }

    /// True if ssh set up its forwardings.
    #[must_use]
    pub fn forwards(&self) -> bool {
        self.until == Check::Channel && self.came_through()
    }

    /// True if ssh stopped because it does not know the host key: it asks no questions in batch mode.
    #[must_use]
    pub fn refused_host_key(&self) -> bool {
        !self.login_begun && self.words.iter().any(|words| words.contains("Host key verification failed"))
    }
}
