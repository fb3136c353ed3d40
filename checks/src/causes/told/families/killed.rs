//! Programs on the server that were killed, or that fail by themselves, after a login that works.

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

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: KILLED,
        is_named: true,
        candidates: &[
            is("exit-by-signal", Always, "128 and the number of a signal: 9 is often the kernel's, for lack of memory"),
            is("exit-command-failed", Always, "the command itself ended with that status"),
        ],
        ..Family::NEW
    },
    Family {
        // GitLab's shell, SSHKit and invoke say so of their own commands, and shells of a file.
        texts: &[
            "Internal API unreachable",
            "internal API is not available",
            "GitLab: API is not accessible",
            "Encountered a bad command exit code!",
            "End of file while reading data: nc: invalid option",
            "End of file while reading data: nc: unrecognized option",
            "cannot create .ssh/authorized_keys: Permission denied",
            ".ssh/authorized_keys: Permission denied",
            "cannot create directory '.ssh': Permission denied",
        ],
        is_named: true,
        candidates: &[
            is("exit-command-failed", Always, "the login works, and the command on the server fails by itself"),
            is("session-restricted", Always, "the account may not run that command, or write that file"),
        ],
        ..Family::NEW
    },
];
