//! All tests in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod catalogue;
mod cli;
mod diagnosis;
mod recording;
mod report;
mod support;
