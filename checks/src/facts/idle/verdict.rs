//! The hop that forgets.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::facts::certainty::Certainty;
use crate::facts::path::Path;

/// The hop that forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The nearest hop up to which a session had to be refreshed to stay alive.
    pub hop: u8,
    /// The furthest hop up to which that was not enough; 0 when only a session that nothing refreshed died.
    pub after: u8,
    /// How sure.
    pub certainty: Certainty,
    /// Why it is no surer; `null` where there is no reason but those that every search has.
    #[serde(default)]
    pub doubt: Option<Doubt>,
}

/// Why a hop is not more than possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// No session was refreshed up to some hop in between.
    #[error(
        "not every hop in between was tried: the test was ended first, or no more sessions were to be had (see --sessions)"
    )]
    Untried,
    /// Sessions refreshed up to the hops in between have nothing to tell.
    #[error(
        "sessions that were refreshed up to the hops in between told nothing: the server spoke on them, or they ended by themselves"
    )]
    Mute,
    /// What should have ended on the way was answered.
    #[error(
        "a keepalive that should have ended there was answered: the path became shorter, or there are several routes of different length"
    )]
    CameFurther,
    /// What the server says first comes through after the silence, and what we say does not.
    #[error(
        "what the server says first comes through after the same silence, so that it is rather a firewall before the server whose inside \
         the server is, as those of clouds are"
    )]
    ServerRenews,
}

impl Verdict {
    /// The hops of which it is one.
    #[must_use]
    pub fn hops(&self) -> RangeInclusive<u8> {
        self.after + 1..=self.hop
    }

    /// The same, less sure where there is a doubt that it did not have.
    #[must_use]
    pub fn doubted(self, doubt: Option<Doubt>) -> Self {
        let certainty = if doubt.is_some() { Certainty::Possible } else { self.certainty };
        Self { certainty, doubt: self.doubt.or(doubt), ..self }
    }

    /// Which machine that is, and why that is not sure.
    #[must_use]
    pub fn words(&self, path: &Path) -> String {
        let machine = if self.hops().count() == 1 {
            path.words(self.hop)
        } else {
            let hops: Vec<String> = [self.after + 1, self.hop].iter().map(|hop| path.words(*hop)).collect();
            format!("one of the machines from {} to {}", hops[0], hops[1])
        };
        match self.doubt {
            Some(doubt) => format!("{machine}; {doubt}"),
            None => machine,
        }
    }
}
