//! The lists of algorithms that a client offers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Algorithm names as the user's own client offers them, most preferred first.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Algorithms {
    /// Key exchange (`KexAlgorithms`).
    pub kex: Vec<String>,
    /// Host keys (`HostKeyAlgorithms`).
    pub host_key: Vec<String>,
    /// Ciphers (`Ciphers`).
    pub cipher: Vec<String>,
    /// Message authentication codes (`MACs`).
    pub mac: Vec<String>,
    /// True if compression is asked for (`Compression`).
    pub compression: bool,
}
