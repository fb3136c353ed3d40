//! How a proxy command ended.

use serde::{Deserialize, Serialize};

use crate::base::text;

/// How a proxy command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProxyExit {
    /// By itself.
    Status {
        /// Its exit status.
        status: i32,
    },
    /// By a signal.
    Signal {
        /// Its number (signal(7)).
        signal: i32,
    },
}

impl ProxyExit {
    /// In a few words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Status { status } => text::status(u32::try_from(status).unwrap_or_default()),
            Self::Signal { signal } => format!("signal {signal}"),
        }
    }
}
