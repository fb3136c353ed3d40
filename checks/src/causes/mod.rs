//! The catalogue: every cause, and the judge that recognises it in the evidence.

pub mod auth;
pub mod cause;
pub mod channel;
pub mod client_log;
pub mod config;
pub mod dns;
pub mod exit;
pub mod handshake;
pub mod hostkey;
pub mod idle;
pub mod jump;
pub mod retest;
pub mod server;
pub mod server_log;
pub mod sessions;
pub mod settings;
pub mod shared;
pub mod software;
pub mod suspects;
pub mod tcp;
pub mod terminal_log;
pub mod testimony;
pub mod timeline;
pub mod told;
pub mod transfer;
pub mod unexplained;
pub mod validity;
pub mod witness;

pub use cause::{Cause, Fix, FixKind, Match, Severity, Side, Testimony};

/// Every cause of every check, in the order of the checks; what stands in when none fits comes last.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    [
        config::CAUSES,
        dns::CAUSES,
        tcp::CAUSES,
        jump::CAUSES,
        retest::CAUSES,
        handshake::CAUSES,
        hostkey::CAUSES,
        auth::CAUSES,
        channel::CAUSES,
        transfer::CAUSES,
        timeline::CAUSES,
        idle::CAUSES,
        exit::CAUSES,
        server::CAUSES,
        witness::CAUSES,
        server_log::CAUSES,
        client_log::CAUSES,
        terminal_log::CAUSES,
        sessions::CAUSES,
        unexplained::CAUSES,
    ]
    .into_iter()
    .flatten()
}
