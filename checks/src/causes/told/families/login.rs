//! The host key and the login.

use super::family::When::{
    Always, InLine, KeyNotUsed, KeyRefused, MethodMissing, NothingOffered, OfServer, Recorded, Said, SaidOfMethods,
    Seen, SeenWithout, Without,
};
use super::family::{Candidate, Family, Writer, is};
use super::hardware::MEANT_KERBEROS;
use crate::facts::log::Event;

/// The words of ssh where it can ask nobody for a password.
pub(in crate::causes::told) const NO_TERMINAL: &[&str] =
    &["ssh_askpass: exec(", "ssh_askpass: posix_spawnp:", "read_passphrase: can't open /dev/tty"];

/// Messages of ssh after a host certificate that it rejects.
const OF_THE_HOST: &[&str] = &["Host key verification failed", "can't be established", "Server host certificate"];

/// paramiko signs an RSA key with SHA-2 where an old server, which has no list of algorithms, knows SHA-1 alone.
pub(super) const SIGNED_UNASKED: Candidate = is(
    "auth-signature-algorithm",
    SeenWithout(
        &["Server did not send a server-sig-algs list"],
        &[
            "Authentication (password) failed",
            "Authentication (keyboard-interactive) failed",
            "Attempting password auth",
        ],
    ),
    "the key is RSA and the server old: paramiko signs with SHA-2, which it does not know (disabled_algorithms)",
);
/// Words of a server's upgrade to OpenSSH 8.8 or later, which refuses RSA keys with SHA-1.
pub(super) const UPGRADED: Candidate = is(
    "auth-signature-algorithm",
    Said(&[
        "upgrade to Ubuntu 22.04",
        "upgraded to Ubuntu 22.04",
        "upgrading to Ubuntu 22.04",
        "upgrade to RHEL 9",
        "upgraded to RHEL 9",
        "upgrading to RHEL 9",
        "upgrade to Debian 12",
        "upgraded to Debian 12",
        "upgrading to Debian 12",
        "upgrade to OpenSSH 8.8",
        "upgraded to OpenSSH 8.8",
        "upgrading to OpenSSH 8.8",
    ]),
    "the key is RSA, and the program signs with SHA-1, which a server of today refuses",
);
/// The server refused the key that was offered.
pub(super) const OFFERED_KEY: Candidate =
    is("auth-key-rejected", KeyRefused, "the key is not in the account's authorized_keys, or the login name is wrong");
/// A key was accepted, and not used.
pub(super) const UNUSED_KEY: Candidate =
    is("auth-key-encrypted", KeyNotUsed, "the key has a passphrase, and nobody was there to type it");
/// A passphrase was asked for.
pub(super) const ASKED_PASSPHRASE: Candidate = is(
    "auth-key-encrypted",
    Seen(&["Enter passphrase for key"]),
    "the server accepts the key: its passphrase was wrong, or not given",
);
/// The server does not take the method that was meant.
pub(super) const MISSING_METHOD: Candidate = is(
    "auth-method-unavailable",
    MethodMissing,
    "the list in brackets lacks the method that was meant (publickey, password)",
);
/// A password was given, as lines of many programs say.
pub(super) const GIVEN_PASSWORD: Candidate = is(
    "auth-password-rejected",
    Seen(&[
        "Next authentication method: password",
        "Next authentication method: keyboard-interactive",
        "Sent password",
        "Pass: **",
        "AuthenticationException: Authentication failure: unable to connect",
        "Authenticating with pre-entered password",
        "Trying password auth",
        "Trying keyboard-interactive auth",
        "Outbound: Sending USERAUTH_REQUEST (password",
        "auth_password(",
        "password authentication",
        "Authentication (password) failed",
        "Permission denied (password)",
        "Permission denied (keyboard-interactive)",
        "Permission denied (password,keyboard-interactive)",
        "Permission denied (keyboard-interactive,password)",
        "Access denied for 'password'",
        "Access denied for 'keyboard-interactive'",
    ]),
    "the password, or an answer to a question, is wrong",
);

/// Somebody tells of a password that is typed, where the server takes one.
pub(super) const TOLD_PASSWORD: Candidate = is(
    "auth-password-rejected",
    SaidOfMethods(
        &["password", "keyboard-interactive"],
        &[
            "asks for the password",
            "prompted for the password",
            "prompts for the password",
            "prompts me for the password",
            "entering the password",
            "enter my password",
            "entering my password",
            "typing the password",
            "type my password",
        ],
    ),
    "a password was typed: it, or an answer to a question, is wrong",
);

/// A password was asked for.
pub(super) const TYPED_PASSWORD: Candidate = is(
    "auth-password-rejected",
    Recorded(Event::Asked),
    "a password was asked for, and the one that was typed is wrong",
);

/// The server's answer about a file, as the stacks of node's libraries show.
const OF_A_FILE: Candidate = is(
    "session-restricted",
    Seen(&[
        "protocol/SFTP.js:",
        "protocol\\SFTP.js:",
        "ssh2-streams/lib/sftp.js:",
        "ssh2-streams\\lib\\sftp.js:",
        "lib/SFTP/SFTPv3.js:",
        "lib\\SFTP\\SFTPv3.js:",
    ]),
    "the login works: the account may not write or read that file or folder",
);

/// The causes of a login that is refused without a reason.
pub(super) const REFUSED: &[Candidate] = &[
    SIGNED_UNASKED,
    OFFERED_KEY,
    UNUSED_KEY,
    ASKED_PASSPHRASE,
    MISSING_METHOD,
    GIVEN_PASSWORD,
    is(
        "auth-signature-algorithm",
        Seen(&["SSH-2.0-JSCH-0.1.", "SSH-2.0-JSCH_0.1."]),
        "the key is RSA and the server OpenSSH 8.8 or later: JSch 0.1 signs with SHA-1 only",
    ),
    is("auth-no-credentials", NothingOffered, "no key was offered at all"),
    TYPED_PASSWORD,
    MEANT_KERBEROS,
    TOLD_PASSWORD,
    is("auth-key-rejected", Always, "the key is not in the account's authorized_keys, or the login name is wrong"),
    is("auth-key-file-modes", Always, "the key is there: sshd's log says bad ownership or modes"),
    is("auth-account-refused", Always, "the account is locked, expired, or not in AllowUsers: sshd's log says so"),
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
    OF_A_FILE,
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["SSL peer certificate or SSH remote key was not OK"],
        candidates: &[
            is("hostkey-changed", Seen(&["SSH host check: 1"]), "the recorded key is another one (SSH host check: 1)"),
            is("hostkey-unknown", Always, "no key of this host is recorded (SSH host check: 2)"),
            is("hostkey-changed", Always, "the recorded key is another one (SSH host check: 1)"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["No supported authentication methods available (server sent: <methods>"],
        candidates: &[
            is(
                "auth-key-rejected",
                Seen(&["Server refused our key"]),
                "the key is not in the account's authorized_keys",
            ),
            is("auth-key-rejected", KeyRefused, "the key is not in the account's authorized_keys"),
            is("auth-method-unavailable", MethodMissing, "the list in brackets lacks the method that was meant"),
            is(
                "auth-method-unavailable",
                InLine(&["(server sent: )"]),
                "the server's list is empty: it takes no login at all",
            ),
            is("auth-no-credentials", Always, "no key is loaded: Pageant, -i, or Connection > SSH > Auth"),
            is("auth-method-unavailable", Always, "a password was meant, and the list in brackets lacks password"),
            is("auth-key-rejected", Always, "PuTTY printed Server refused our key before it"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["name is not a listed principal"],
        candidates: &[
            is(
                "hostkey-cert-invalid",
                Seen(OF_THE_HOST),
                "the certificate is the server's: ssh goes on to its host key",
            ),
            // To syslog, sshd writes the level of a message before it.
            is("auth-cert-principal", OfServer, "the certificate is the user's: it is sshd's log"),
            is("auth-cert-principal", InLine(&["error: Certificate invalid"]), "the certificate is the user's"),
            is("hostkey-cert-invalid", Always, "the certificate is the server's: ssh itself says so"),
            is("auth-cert-principal", Always, "the certificate is the user's: sshd's log says so"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Certificate invalid: expired", "Certificate invalid: not yet valid"],
        is_named: true,
        candidates: &[
            is(
                "hostkey-cert-invalid",
                Seen(OF_THE_HOST),
                "the certificate is the server's: ssh goes on to its host key",
            ),
            is("auth-cert-invalid", OfServer, "the certificate is the user's: it is sshd's log"),
            is("auth-cert-invalid", InLine(&["error: Certificate invalid"]), "the certificate is the user's"),
            is("auth-cert-invalid", Always, "the certificate is the user's: sshd's log says so"),
            is("hostkey-cert-invalid", Always, "the certificate is the server's: ssh itself says so"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Access denied", "Access denied."],
        is_named: true,
        candidates: &[
            is(
                "auth-key-rejected",
                Seen(&["Server refused our key"]),
                "the key is not in the account's authorized_keys",
            ),
            is("auth-password-rejected", Always, "a password, or an answer to a question, was wrong (PuTTY, WinSCP)"),
            is(
                "auth-account-refused",
                Always,
                "the password is right: the account may not log in that way (PermitRootLogin)",
            ),
            is("auth-method-unavailable", Always, "the server takes no passwords"),
        ],
        ..Family::NEW
    },
    Family {
        texts: NO_TERMINAL,
        // ssh for Windows asks at its console all the same.
        unless: &[Event::Asked],
        candidates: &[
            is("hostkey-unknown", Seen(&["Host key verification failed"]), "ssh asked about the host key"),
            is("auth-key-encrypted", KeyNotUsed, "the key has a passphrase, and nobody was there to type it"),
            is(
                "auth-question-unanswered",
                Seen(&["Next authentication method: password", "Next authentication method: keyboard-interactive"]),
                "the server asks for a password or a code, and ssh has no terminal to ask at",
            ),
            is("auth-key-encrypted", Always, "the key has a passphrase, and nobody was there to type it"),
            is("hostkey-unknown", Always, "ssh asked about the host key"),
            is("auth-question-unanswered", Always, "the server asks for a password or a code"),
        ],
        ..Family::NEW
    },
    Family {
        // Trilead SSH2: Jenkins refuses a host key so, after a line of its own.
        texts: &["Key exchange was not finished, connection is closed"],
        candidates: &[
            is(
                "hostkey-unknown",
                Seen(&[
                    "hudson.plugins.",
                    "[SSH] ",
                    "SSH Connection failed with IOException:",
                    "hostkey was not accepted by the verifier callback",
                ]),
                "the program has no key for this host, and nobody could confirm the one that it has",
            ),
            is("handshake-kex-failed", Always, "the server closes the connection, before its banner or after it"),
            is("hostkey-unknown", Always, "the program verifies host keys, and nobody could confirm this one"),
            is(
                "handshake-closed-before-banner",
                Always,
                "ssh by hand ends before any version: no sshd is behind the port yet",
            ),
            is("hostkey-changed", Always, "the program knows another key of this host"),
        ],
        ..Family::NEW
    },
    Family {
        // sshj, whose reader of known_hosts refuses a key that has changed in the same words.
        texts: &["Could not verify `<text>` host key with fingerprint", "none of the configured Host key verifiers ("],
        is_named: true,
        candidates: &[
            is("hostkey-unknown", Always, "known_hosts has no line for this name, or the program has no verifier"),
            is("hostkey-changed", Always, "ssh by hand says that the host key has changed"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Host key verification failed",
            "Host key not verified",
            "JSchException: reject HostKey",
            "HOST_KEY_NOT_VERIFIABLE",
            "The remote SSH server rejected host key",
            "hostkey was not accepted by the verifier callback",
        ],
        candidates: &[
            is("hostkey-unknown", Always, "known_hosts has no line for this name, and nobody could confirm the key"),
            is("hostkey-changed", Always, "ssh printed REMOTE HOST IDENTIFICATION HAS CHANGED before it"),
            is("hostkey-revoked", Always, "ssh printed REVOKED HOST KEY DETECTED before it"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Permission denied (<methods>",
            "Permission denied",
            "(tried none, publickey",
            "failed to authenticate SSH session",
            "Unable to send userauth-publickey request",
            "No supported authentication methods available",
            "ssh: unable to authenticate",
            "attempted methods [none publickey]",
            "attempted methods [publickey none]",
            "Permission denied for user <user> on host",
            "Server refused our key",
            "Public-key authentication with the server",
            "Publickey authentication failed",
            "Authentication failed. Remaining authentication methods",
            "Permission denied (<methods>).: Connection reset by peer",
            "Auth fail for methods '<methods>'",
            "USERAUTH fail",
            "Needed to prompt for a connection or sudo password",
            "abort-on-prompts was set to True",
            "Cannot recv data: Permission denied (<methods>",
            "Access denied for '<user>'. Authentication that can continue: <methods>",
            "Access denied. Authentication that can continue: <methods>",
            "Not yet authenticated",
            "Auth cancel for methods '<methods>'",
            "No more authentication methods to try",
            "No remaining authentication methods",
            "No auth methods could be used",
            "No more authentication methods available",
            "Failed to authenticate as <user> with credential",
            "remaining methods MethodSet",
            "Unable to authenticate using a private key",
            "Unable to authenticate using an SSH agent",
            "Server refused our public key",
            "Error: NoAuthMethod",
            "too many redirects or authentication replays",
        ],
        candidates: REFUSED,
        ..Family::NEW
    },
    Family {
        // NppFTP, which tries the methods that it was told to use.
        texts: &["None of the server's authentication methods were accepted"],
        candidates: &[
            is("auth-method-unavailable", Always, "the server takes other methods than those that the client tries"),
            is("auth-password-rejected", Always, "the server takes passwords, and this one is wrong"),
            is("auth-key-rejected", Always, "the server takes keys, and the account does not have this one"),
        ],
        ..Family::NEW
    },
    Family {
        // libnetconf2's server, which names the kind of each attempt before.
        texts: &["Failed user \"<user>\" authentication attempt"],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-password-rejected", Seen(&["of subtype \"password\""]), "the line before it names a password"),
            is("auth-key-rejected", Always, "the line before it names a public key"),
            is("auth-password-rejected", Always, "the line before it names a password, or questions"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Packer experienced an authentication error"],
        is_wrapper: true,
        candidates: REFUSED,
        ..Family::NEW
    },
];
