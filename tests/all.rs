//! All tests in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod catalogue;
mod cli;
mod diagnosis;
mod fixtures;
mod hop;
mod idle;
mod killers;
mod lab;
mod lifelines;
mod names;
mod path;
mod reach;
mod real;
mod recording;
mod report;
mod sick;
mod support;
mod suspected;
