//! ssh-doctor: finds where SSH sessions die, why, and a fix proven on the user's own path.
//!
//! Data flows one way: arguments become a plan, checks turn it into evidence, the judges turn that into a diagnosis,
//! and a report prints it.

pub mod catalogue;
pub mod cli;
pub mod clients;
mod compare;
pub mod demo;
pub mod diagnose;
pub mod explain;
pub mod fixes;
#[doc(hidden)]
pub mod fuzz;
pub mod guide;
pub mod journal;
mod named_file;
pub mod plan;
pub mod record;
pub mod redact;
pub mod report;
pub mod run;
pub mod serve;
pub mod sessions;
mod shell;
mod ssh_args;
pub mod suspected;
pub mod tap;
pub mod targets;
pub mod terminal;
pub mod watch;
