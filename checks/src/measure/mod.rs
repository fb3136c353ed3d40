//! The measurements: one module for each check, and their shared parts.

pub mod auth;
pub mod channel;
pub mod config;
pub mod context;
pub mod dns;
pub mod exit;
pub mod handles;
pub mod handshake;
pub mod hostkey;
pub mod idle;
pub mod jump;
pub mod progress;
pub mod retest;
pub mod server;
pub mod sessions;
pub mod stall_watch;
pub mod tcp;
pub mod transfer;
pub mod watch;
pub mod witness;
