//! One target of a list.

use std::collections::BTreeMap;

/// One target of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The target as it is written.
    pub input: String,
    /// Its labels: what a list says of it beside its name.
    pub labels: BTreeMap<String, String>,
    /// The reason why it cannot be used; it gets a report all the same.
    pub fault: Option<String>,
}
