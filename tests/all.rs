//! All tests in one binary.

mod idle;
mod lab;
mod real;
mod sick;
