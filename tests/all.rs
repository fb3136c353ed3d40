//! All tests in one binary.
mod catalogue;
mod cli;
mod diagnosis;
mod idle;
mod lab;
mod real;
mod recording;
mod report;
mod sick;
mod support;
