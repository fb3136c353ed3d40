//! Causes in a log, or in a line of one: texts that one cause prints identify it; texts that several print give
//! candidates.

mod algorithms;
mod answered;
mod candidates;
mod families;
mod finding;
mod foreign;
mod judge;
mod known;
mod lengths;
mod likeness;
mod noise;
mod operations;
mod ordinary;
mod overcome;
mod owners;
mod ranking;
mod remote_command;
mod sentences;
mod served;
mod signs;
mod statuses;
mod strangers;
mod unfinished;
mod wordings;
mod words;

pub use families::{Candidate, Family, When, Writer, families};
pub use finding::Told;
pub use judge::judge;
pub use known::Known;
pub use unfinished::LAST_STEP;
pub use words::{is_harmless, symptoms_of, texts};
