//! Processes of this machine.

use serde::{Deserialize, Serialize};

/// One process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's number.
    pub parent: u32,
    /// The program's name, at most 15 bytes (proc(5), comm).
    pub name: String,
    /// Its arguments, or the title that it gave itself; empty where they cannot be read.
    pub arguments: Vec<String>,
    /// The real user id.
    pub uid: u32,
    /// Seconds since it was started, the machine's sleep included.
    pub age_s: f64,
    /// True if it is stopped by a signal (Ctrl-Z, SIGSTOP) or a debugger.
    pub stopped: bool,
}

/// A descriptor of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Descriptor {
    /// The process.
    pub pid: u32,
    /// Its number in that process.
    pub fd: i32,
}
