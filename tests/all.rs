//! All tests in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod catalogue;
mod diagnosis;
mod fixtures;
mod recording;
mod report;
mod support;
