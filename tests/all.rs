//! All tests in one binary.

mod catalogue;
mod diagnosis;
mod recording;
mod report;
mod support;
