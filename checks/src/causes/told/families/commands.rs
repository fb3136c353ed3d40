//! Commands that programs run on the server, which complain in their own words.

use super::family::When::Always;
use super::family::{Family, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // libvirt over ssh, which runs netcat or a helper of its own there, and quotes what it prints.
        texts: &[
            "End of file while reading data: nc: unix connect failed",
            "End of file while reading data: nc: invalid option",
            "End of file while reading data: usage: nc",
            "End of file while reading data: Ncat: No such file or directory",
            "End of file while reading data: Ncat: Permission denied",
            "End of file while reading data: virt-ssh-helper:",
            "Cannot recv data: nc: unix connect failed",
            "Cannot recv data: nc: invalid option",
            "Cannot recv data: usage: nc",
            "Cannot recv data: Ncat: No such file or directory",
            "Cannot recv data: Ncat: Permission denied",
            "Cannot recv data: virt-ssh-helper:",
        ],
        is_named: true,
        candidates: &[
            is(
                "exit-command-failed",
                Always,
                "the login works: netcat there has no option -U, or libvirt's socket is missing or closed to this account",
            ),
            is("session-forced-command", Always, "the account or its key runs another command than libvirt's"),
        ],
        ..Family::NEW
    },
    Family {
        // Docker over ssh, whose command there says why it fails: ssh's own status is 255.
        texts: &[
            "docker system dial-stdio] has exited with exit status 1,",
            "failed to open the raw stream connection: dial unix",
        ],
        is_named: true,
        candidates: &[
            is(
                "exit-command-failed",
                Always,
                "the login works: docker on the server runs, and may not speak to its daemon, or finds none",
            ),
            is("session-command-missing", Always, "docker on the server is older than 18.09, and has no dial-stdio"),
        ],
        ..Family::NEW
    },
    Family {
        // The extensions for remote SSH of Cursor, VSCodium and others, whose script on the server gave up.
        texts: &["install script returned non-zero exit status"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is(
                "exit-command-failed",
                Always,
                "the login works: the script's own lines tell why, often a download that the server cannot reach",
            ),
            is("session-command-missing", Always, "the host lacks tar, wget or curl"),
            is("server-disk-full", Always, "df or quota on the host shows no room in the home directory"),
            is("session-home-missing", Always, "the account may not write to its home folder"),
        ],
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
