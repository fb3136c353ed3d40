//! Causes in a log, or in a line of one: texts that one cause prints identify it; texts that several print give
//! candidates.

mod families;
mod judge;
mod words;

pub use families::{Candidate, Family, When, Writer, families};
pub use judge::{Told, judge};
pub use words::{symptoms_of, texts};
