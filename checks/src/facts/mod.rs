//! The facts: one plain record for each check, and the evidence that they form together.

pub mod auth;
pub mod certainty;
pub mod channel;
pub mod check;
pub mod config;
pub mod connection;
pub mod dns;
pub mod evidence;
pub mod exit;
pub mod handshake;
pub mod hostkey;
pub mod idle;
pub mod journal;
pub mod live_sessions;
pub mod log;
pub mod path;
pub mod processes;
pub mod proxy;
pub mod retest;
pub mod server;
pub mod sessions;
pub mod sockets;
mod stored;
pub mod tcp;
pub mod timeline;
pub mod transfer;
pub mod witness;

pub use check::{Check, Facts, Step, Timed};
pub use evidence::{CheckView, ConnectionLimit, Evidence, Examined, Forward, Hop, Lag, Pause, Spent, VERSION};
pub use stored::Unreadable;
