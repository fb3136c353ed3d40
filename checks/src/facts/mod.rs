//! Plain serde records of what was seen: raw observations without judging words.

pub mod journal;
pub mod live_sessions;
pub mod processes;
pub mod sessions;
pub mod sockets;
