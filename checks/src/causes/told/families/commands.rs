//! Commands that programs run on the server in place of a prompt, and which complain in words of their own.

use super::family::When::Always;
use super::family::{Family, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // libvirt over ssh, which runs netcat or a helper of its own there, and quotes what it prints.
        texts: &[
            "End of file while reading data: nc: ",
            "End of file while reading data: ncat: ",
            "End of file while reading data: netcat: ",
            "End of file while reading data: usage: nc",
            "End of file while reading data: virt-ssh-helper: ",
            "Cannot recv data: nc: ",
            "Cannot recv data: ncat: ",
            "Cannot recv data: netcat: ",
            "Cannot recv data: usage: nc",
            "Cannot recv data: virt-ssh-helper: ",
        ],
        is_named: true,
        candidates: &[is(
            "exit-command-failed",
            Always,
            "the login works: netcat there lacks the option -U, or libvirt's socket is not there or closed to this account",
        )],
        ..Family::NEW
    },
    Family {
        texts: &[
            "End of file while reading data: <text>Segmentation fault",
            "Cannot recv data: <text>Segmentation fault",
            "End of file while reading data: <text>Killed <text>nc",
            "End of file while reading data: <text>Aborted <text>nc",
        ],
        is_named: true,
        candidates: &[
            is("exit-by-signal", Always, "the login works: the program that libvirt runs on the server crashes"),
            is("exit-command-failed", Always, "the command itself ended with a status of failure"),
        ],
        ..Family::NEW
    },
];
