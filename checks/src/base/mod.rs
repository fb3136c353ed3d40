//! What every other room builds on: the target, its limits, and text.

pub mod ask;
pub mod limits;
pub mod nonce;
pub mod stop;
pub mod target;
pub mod text;
