//! The certainty that the evidence supports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The certainty that the evidence allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The evidence rules out similar causes; of a condition that is named as observed, the reason may be unknown (`reason_open` of its match).
    Certain,
    /// Other causes are possible, less common, and named in the explanation.
    Likely,
    /// One of several that fit.
    Possible,
}
