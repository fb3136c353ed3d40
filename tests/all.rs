//! All tests in one binary.

mod cli;
