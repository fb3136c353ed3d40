//! Programs on the server that were killed.

use super::family::When::Always;
use super::family::{Family, is};

/// Programs by whose end the system or somebody killed them: 128 and the number of the signal.
const KILLED: &[&str] = &[
    "Exit status 137",
    "exit status from master 137",
    "Exit status 143",
    "exit status from master 143",
    "Exit status 139",
    "exit status from master 139",
    "Exit status 134",
    "\"rc\": 137",
    "\"rc\": 143",
    "\"rc\": 139",
];

pub(super) static FAMILIES: &[Family] = &[Family {
    texts: KILLED,
    is_named: true,
    candidates: &[
        is("exit-by-signal", Always, "128 and the number of a signal: 9 is often the kernel's, for lack of memory"),
        is("exit-command-failed", Always, "the command itself ended with that status"),
    ],
    ..Family::NEW
}];
