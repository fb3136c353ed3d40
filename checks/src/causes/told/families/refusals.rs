//! Logins and connections that end before a session, as a server's log has them.

use super::family::When::{Always, OfServer};
use super::family::{Family, Writer, is};
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // sshd on Windows, of a file of keys that others than its owner may write; elsewhere it names the file.
        texts: &["Authentication refused.<end>"],
        writer: Writer::Server,
        candidates: &[
            is(
                "auth-key-file-modes",
                OfServer,
                "others than the user, SYSTEM and the administrators may write to authorized_keys or administrators_authorized_keys",
            ),
            is("auth-key-rejected", Always, "another program says so: the account has no such key"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection closed by authenticating user <user> <address> port",
            "Connection reset by authenticating user <user> <address> port",
            "Disconnected from authenticating user <user> <address> port",
        ],
        writer: Writer::Server,
        candidates: &[
            is("auth-key-rejected", Always, "the client had no key that this account accepts, and left"),
            is("auth-no-credentials", Always, "LogLevel VERBOSE shows no key offered"),
            is("auth-account-refused", Always, "the account may not log in that way (PermitRootLogin)"),
            is("auth-disconnected", Always, "the user stopped at the prompt"),
        ],
        ..Family::NEW
    },
    Family {
        // JSch logs in with a password more often than with a key.
        texts: &[
            "JSchException: Auth fail",
            "JSchException: Auth cancel",
            ": Auth fail [preauth]",
            ": Auth cancel [preauth]",
        ],
        writer: Writer::Server,
        candidates: &[
            is("auth-password-rejected", Always, "the client logs in with a password, which is wrong"),
            is("auth-key-rejected", Always, "the client logs in with a key, which this account does not have"),
            is("auth-signature-algorithm", Always, "the line above it says that ssh-rsa is not accepted"),
        ],
        ..Family::NEW
    },
    Family {
        // Clients say as they leave that nothing they had was accepted.
        texts: &[
            "No supported authentication methods available [preauth]",
            "No more auth methods available [preauth]",
            "No more authentication methods to try [preauth]",
            "Unable to authenticate [preauth]",
            "Authentication failed [preauth]",
        ],
        writer: Writer::Server,
        candidates: &[
            is("auth-key-rejected", Always, "the client logs in with a key, which this account does not have"),
            is("auth-password-rejected", Always, "the client logs in with a password, which is wrong"),
            is("auth-signature-algorithm", Always, "the line above it says that ssh-rsa is not accepted"),
            is("auth-method-unavailable", Always, "the server takes no passwords, and the client has nothing else"),
        ],
        ..Family::NEW
    },
    Family {
        // The kernel's audit, of a login that no later record lets in.
        texts: &["op=pubkey <text>sshd<text>res=failed", "op=key <text>sshd<text>res=failed"],
        writer: Writer::Server,
        is_named: true,
        candidates: &[
            is("auth-key-rejected", Always, "the account has no such key: sshd's own log says more"),
            is("auth-key-file-modes", Always, "sshd's log says bad ownership or modes"),
            is("auth-account-refused", Always, "sshd's log says that the account may not log in"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["op=PAM:authentication <text>sshd<text>res=failed", "op=password <text>sshd<text>res=failed"],
        writer: Writer::Server,
        is_named: true,
        candidates: &[
            is("auth-password-rejected", Always, "the account exists: the password is wrong"),
            is("auth-user-unknown", Always, "the account does not exist (acct=\"(unknown)\")"),
            is("auth-account-refused", Always, "sshd's log says that the account may not log in"),
        ],
        ..Family::NEW
    },
    Family {
        // sshd 7 says no more of a client whose keys are all refused, later ones name the user.
        texts: &["Connection closed by <address> port <port> [preauth]", "Connection closed by <address> [preauth]"],
        writer: Writer::Server,
        is_wrapper: true,
        candidates: &[
            is("handshake-probed", Always, "the address is a scanner's, or a load balancer's or monitor's"),
            is("auth-key-rejected", Always, "somebody fails to log in from there: the account has no such key"),
            is("hostkey-unknown", Always, "the client asks its user about the host key, and ends there"),
        ],
        ..Family::NEW
    },
    Family {
        // Clients that end by themselves before they are in.
        texts: &[
            "Received disconnect from <address> port <port>:11: <text> [preauth]",
            "Received disconnect from <address>: 11: <text> [preauth]",
        ],
        writer: Writer::Server,
        unless: &[Event::UnknownUser, Event::LoginRefused],
        is_wrapper: true,
        candidates: &[
            is("handshake-probed", Always, "the address is a scanner's, or a monitor's that checks the server"),
            is("hostkey-unknown", Always, "the client asks its user about the host key, and ends there"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "kex_exchange_identification: Connection closed by remote host",
            "kex_exchange_identification: read: Connection reset by peer",
            "kex_exchange_identification: read: Connection reset",
            "kex_exchange_identification: read: Connection aborted",
            "kex_exchange_identification: write: Broken pipe",
            "ssh_dispatch_run_fatal: Connection from <address> port <port>: <why>",
        ],
        writer: Writer::Server,
        is_wrapper: true,
        candidates: &[
            is(
                "handshake-probed",
                Always,
                "the address is a scanner's, or a load balancer's or monitor's that checks the port",
            ),
            is("handshake-reset", Always, "real clients fail too: something on the path cuts the connection"),
            is("path-mtu-blackhole", Always, "real clients stop in the key exchange"),
        ],
        ..Family::NEW
    },
    Family {
        // Tailscale, whose policy was not found to allow the login.
        texts: &["failed to evaluate SSH policy"],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-account-refused", Always, "no rule under ssh in the tailnet's policy allows this user"),
            is("auth-disconnected", Always, "a rule does: the release of Tailscale on either end is at fault"),
        ],
        ..Family::NEW
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
        is_named: true,
        candidates: &[
            is("auth-user-unknown", Always, "getent passwd does not know the name"),
            is(
                "auth-account-refused",
                Always,
                "the account exists: it is locked, or AllowUsers and the like keep it out",
            ),
        ],
        ..Family::NEW
    },
];
