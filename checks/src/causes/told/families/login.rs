//! The host key and the login.

use super::family::When::{Always, KeyNotUsed, KeyRefused, MethodMissing, NothingOffered, Seen, Without};
use super::family::{Family, Writer, is};
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "Host key verification failed",
            "Host key not verified",
            "HOST_KEY_NOT_VERIFIABLE",
            "The remote SSH server rejected host key",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is("hostkey-unknown", Always, "known_hosts has no line for this name, and nobody could confirm the key"),
            is("hostkey-changed", Always, "ssh printed REMOTE HOST IDENTIFICATION HAS CHANGED before it"),
            is("hostkey-revoked", Always, "ssh printed REVOKED HOST KEY DETECTED before it"),
        ],
    },
    Family {
        texts: &[
            "Permission denied (<methods>",
            "Permission denied",
            "Authentication failed.",
            "Authentication failed",
            "All configured authentication methods failed",
            "No supported authentication methods available",
            "ssh: unable to authenticate",
            "attempted methods [none publickey]",
            "attempted methods [publickey none]",
            "Unable to connect using the available authentication methods",
            "Permission denied for user <user> on host",
            "Server refused our key",
            "Auth fail",
            "Auth cancel",
            "Access denied.",
            "No more authentication methods to try",
            "No auth methods could be used",
            "No more authentication methods available",
            "Authentication failure",
            "Net::SSH::AuthenticationFailed",
            "AuthenticationException",
            "No suitable authentication method found to complete authentication",
            "Login denied",
        ],
        writer: Writer::Client,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is(
                "auth-key-rejected",
                KeyRefused,
                "the key is not in the account's authorized_keys, or the login name is wrong",
            ),
            is("auth-key-encrypted", KeyNotUsed, "the key has a passphrase, and nobody was there to type it"),
            is(
                "auth-method-unavailable",
                MethodMissing,
                "the list in brackets lacks the method that was meant (publickey, password)",
            ),
            is(
                "auth-password-rejected",
                Seen(&[
                    "Next authentication method: password",
                    "Next authentication method: keyboard-interactive",
                    "Sent password",
                    "Trying password auth",
                    "Outbound: Sending USERAUTH_REQUEST (password",
                    "auth_password(",
                    "password authentication",
                    "Permission denied (password)",
                    "Permission denied (keyboard-interactive)",
                    "Permission denied (password,keyboard-interactive)",
                    "Permission denied (keyboard-interactive,password)",
                ]),
                "the password, or an answer to a question, is wrong",
            ),
            is(
                "auth-signature-algorithm",
                Seen(&["SSH-2.0-JSCH-0.1.", "SSH-2.0-JSCH_0.1."]),
                "the key is RSA and the server OpenSSH 8.8 or later: JSch 0.1 signs with SHA-1 only",
            ),
            is("auth-no-credentials", NothingOffered, "no key was offered at all"),
            is(
                "auth-key-rejected",
                Always,
                "the key is not in the account's authorized_keys, or the login name is wrong",
            ),
            is("auth-key-file-modes", Always, "the key is there: sshd's log says bad ownership or modes"),
            is(
                "auth-account-refused",
                Always,
                "the account is locked, expired, or not in AllowUsers: sshd's log says so",
            ),
            is(
                "auth-no-credentials",
                Without(&[Event::KeyOffered, Event::KeyAccepted]),
                "ssh -v shows no line Offering public key",
            ),
            is(
                "auth-method-unavailable",
                Without(&[Event::KeyOffered]),
                "the list in brackets lacks the method that was meant (publickey, password)",
            ),
        ],
    },
    Family {
        texts: &[
            "Connection closed by authenticating user <user> <address> port",
            "Connection reset by authenticating user <user> <address> port",
            "Disconnected from authenticating user <user> <address> port",
        ],
        writer: Writer::Server,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is("auth-key-rejected", Always, "the client had no key that this account accepts, and left"),
            is("auth-no-credentials", Always, "LogLevel VERBOSE shows no key offered"),
            is("auth-account-refused", Always, "the account may not log in that way (PermitRootLogin)"),
            is("auth-disconnected", Always, "the user stopped at the prompt"),
        ],
    },
    Family {
        texts: &[
            "kex_exchange_identification: Connection closed by remote host",
            "kex_exchange_identification: read: Connection reset by peer",
            "kex_exchange_identification: write: Broken pipe",
            "ssh_dispatch_run_fatal: Connection from <address> port <port>: <why>",
        ],
        writer: Writer::Server,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is(
                "handshake-probed",
                Always,
                "the address is a scanner's, or a load balancer's or monitor's that checks the port",
            ),
            is("handshake-reset", Always, "real clients fail too: something on the path cuts the connection"),
            is("path-mtu-blackhole", Always, "real clients stop in the key exchange"),
        ],
    },
    Family {
        texts: &[
            "for invalid user <user> from",
            "for illegal user <user> from",
            "by invalid user <user> <address> port",
            "from invalid user <user> <address> port",
            "input_userauth_request: invalid user",
            "invalid user <user> <address> port",
        ],
        writer: Writer::Server,
        unless: &[],
        is_wrapper: false,
        is_named: false,
        candidates: &[
            is("auth-user-unknown", Always, "getent passwd does not know the name"),
            is(
                "auth-account-refused",
                Always,
                "the account exists: it is locked, or AllowUsers and the like keep it out",
            ),
        ],
    },
];
