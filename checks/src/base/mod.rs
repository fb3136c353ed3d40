//! The foundation of all other modules: the target, its limits, and text.

pub mod admission;
pub mod algorithms;
pub mod ask;
pub mod elapsed;
pub mod limits;
pub mod masking;
pub mod nonce;
pub mod own_ssh;
pub mod pattern;
pub mod service;
pub mod stop;
pub mod target;
pub mod text;
