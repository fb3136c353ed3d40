//! A program that the connection needs on this machine, and that is not there: only a log tells of it.

use crate::causes::{Cause, Fix, Severity};
use crate::facts::Check;

/// The cause.
pub(super) const CLIENT_MISSING: Cause = Cause {
    code: "config-client-missing",
    stage: Check::Config,
    title: "The client program is missing on this machine (ssh, sshpass)",
    severity: Severity::Critical,
    explanation: "A program on this machine wants to start ssh, or sshpass to type a password for it, and does not find it: it \
        is not installed, or it is not on the PATH of the user, service or container that runs the program. Windows has ssh \
        as an optional feature. Ansible needs sshpass for every password. No server was involved.",
    fixes: &[
        Fix {
            summary: "See what is there, as the user that runs the program",
            snippet: Some("command -v ssh scp sshpass; echo \"$PATH\""),
            ..Fix::LOOK
        },
        Fix {
            summary: "Install the client (Debian and Ubuntu; others have openssh-clients or openssh)",
            snippet: Some("sudo apt-get install openssh-client"),
            caution: Some("in a container, in its image: what is installed in a running one is lost with it"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "For Ansible with a password: install sshpass on this machine",
            snippet: Some("sudo apt-get install sshpass"),
            caution: Some("a key instead of the password needs no further program"),
            ..Fix::CHANGE
        },
    ],
    ..Cause::NEW
};
