//! The form of a list of wordings.

/// A cause's code, and what programs print for it.
pub(super) type Wordings = (&'static str, &'static [&'static str]);
