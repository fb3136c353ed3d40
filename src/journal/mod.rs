//! Journals on disk: one JSON object a line, safe against crashes, full disks and a second writer.
//!
//! A record is written by one `write` and stands whole in the file, or not at all: what a crash or a full disk cut short is taken out again.

mod clock;
mod folder;
mod history;
mod read;
mod seal;
mod write;

pub use clock::milliseconds;
pub use folder::{folder, new_file, prune};
pub use history::{History, by_server, evidence, histories};
pub(crate) use read::records;
pub use read::{Journal, read};
pub use write::{OpenError, Sync, Writer};
