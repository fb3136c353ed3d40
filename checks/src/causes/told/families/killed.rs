//! Programs on the server that were killed.

use super::family::When::Always;
use super::family::{Family, is};
use crate::causes::told::ordinary::KILLED;

pub(super) static FAMILIES: &[Family] = &[Family {
    texts: KILLED,
    is_named: true,
    candidates: &[
        is("exit-by-signal", Always, "128 and the number of a signal: 9 is often the kernel's, for lack of memory"),
        is("exit-command-failed", Always, "the command itself ended with that status"),
    ],
    ..Family::NEW
}];
