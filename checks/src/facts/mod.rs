//! What was seen: plain records without an opinion.

pub mod log;
