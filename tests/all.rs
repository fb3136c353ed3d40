//! All tests in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod cases;
mod catalogue;
mod channels;
mod cli;
mod diagnosis;
mod fixtures;
mod handshake;
mod hop;
mod hop_report;
mod idle;
mod jumps;
mod keys;
mod killers;
mod lab;
mod lifelines;
mod logins;
mod mend;
mod names;
mod path;
mod proxies;
mod questions;
mod reach;
mod real;
mod recording;
mod report;
mod server_side;
mod sick;
mod slow;
mod strangers;
mod support;
mod suspected;
mod tidy;
mod voided;
