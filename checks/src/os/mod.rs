//! What this machine and its kernel know.

pub mod files;
pub mod icmp;
pub mod path;
pub mod socket;
