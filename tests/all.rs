//! All tests in one binary.

mod lab;
mod sick;
