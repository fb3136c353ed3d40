//! The fixes where client and server have no algorithm in common.

use crate::causes::{Fix, Side};

/// The fixes for a missing algorithm: how to find the user's own setting, what to put in its place, and the keyword's line for the
/// client and for the server.
pub(super) const fn fixes(
    find: &'static str,
    own: &'static str,
    client: &'static str,
    server: &'static str,
    mind: &'static str,
) -> [Fix; 5] {
    [
        Fix {
            side: Side::Client,
            summary: "Correct your own setting: it excludes what this server and OpenSSH's defaults have in common \
                ({spoken})",
            file: Some("~/.ssh/config"),
            snippet: Some(own),
            caution: Some("replace the existing line, or put it above; a command-line option overrides both"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Find the file that sets it: without {spoken} it is not ssh's default",
            snippet: Some(find),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Enable what the server supports, for this host only",
            file: Some("~/.ssh/config"),
            snippet: Some(client),
            caution: Some("OpenSSH disabled it because it is weak; upgrade the server when you can"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Upgrade OpenSSH on this machine to {since} or later: the server takes post-quantum key exchanges only",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Upgrade the SSH server, or enable algorithms of current clients on it",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some(server),
            caution: Some(mind),
            ..Fix::CHANGE
        },
    ]
}

/// The caution for changing a line of sshd_config.
pub(super) const MIND: &str = "read what the line that is there was meant for; then sshd -t, and reload sshd";

/// The caution where the server needs another host key.
pub(super) const MIND_THE_KEY: &str =
    "where there is no such key, ssh-keygen -A makes it. Then sshd -t, and reload sshd; clients have to learn the key";
