//! What a log, or a line of one, says of causes: texts that one cause prints identify it; texts that several print give candidates.

mod families;
mod judge;
mod words;

pub use families::{Candidate, Family, When, Writer, families};
pub use judge::{Told, judge};
pub use words::{symptoms_of, texts};
