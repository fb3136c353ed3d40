//! All tests in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod catalogue;
mod channels;
mod cli;
mod diagnosis;
mod fixtures;
mod idle;
mod lab;
mod real;
mod recording;
mod report;
mod sick;
mod support;
