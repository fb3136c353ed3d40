//! How sure the evidence makes us.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How sure the evidence makes us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The evidence excludes the look-alikes; of what is only named as it was seen, its reasons may be open ([`Match::reason_open`]).
    Certain,
    /// The look-alikes are rarer, and named in the explanation.
    Likely,
    /// One of several that fit.
    Possible,
}
