//! What looks: one module for each check, and what they share.

pub mod auth;
pub mod channel;
pub mod dns;
pub mod examination;
pub mod exit;
pub mod handshake;
pub mod hostkey;
pub mod idle;
pub mod jump;
pub mod progress;
pub mod retest;
pub mod server;
pub mod tcp;
pub mod transfer;
