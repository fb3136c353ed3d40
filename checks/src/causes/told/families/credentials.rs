//! Logins that a library reports as refused, without a word of the methods: the credential that the program uses decides.

use super::family::When::{Always, MethodMissing, Seen};
use super::family::{Candidate, Family, Writer, is};
use super::login::{
    ASKED_PASSPHRASE, GIVEN_PASSWORD, MISSING_METHOD, OFFERED_KEY, REFUSED, SIGNED_UNASKED, TYPED_PASSWORD, UNUSED_KEY,
    UPGRADED,
};

/// Words of a program that logs in with a key: its calls, the frames of its stack, the lines of its library's log.
const KEY_GIVEN: &[&str] = &[
    "authPublickey(",
    "`publickey` auth failed",
    "auth_publickey(",
    "UserAuthPublicKey",
    "addIdentity(",
    "org.eclipse.jgit",
    "PrivateKeyAuthenticationMethod",
    "PrivateKeyFile(",
    "ssh.PublicKeys(",
    "userauth_publickey",
    "key_filename=",
    "IdentityFile=",
];

/// Words of a program that logs in with a password.
const PASSWORD_GIVEN: &[&str] = &[
    "authPassword(",
    "`password` auth failed",
    "password=",
    "passwd=",
    "\"password\":",
    "setPassword(",
    "getpass(",
    "userauth_password(",
    "PasswordAuthenticationMethod",
    "ssh.Password(",
    "sshpass -",
    " -pw ",
    "enter Server password",
];

const KEY: Candidate = is(
    "auth-key-rejected",
    Seen(KEY_GIVEN),
    "the program logs in with a key, which the account does not have, or with another login name",
);
const PASSWORD: Candidate = is(
    "auth-password-rejected",
    Seen(PASSWORD_GIVEN),
    "the program logs in with a password: it, or the login name, is wrong",
);

/// The causes of a login that a library reports as refused.
pub(super) const REFUSED_WITHOUT_METHODS: &[Candidate] = &[
    SIGNED_UNASKED,
    OFFERED_KEY,
    UNUSED_KEY,
    ASKED_PASSPHRASE,
    MISSING_METHOD,
    GIVEN_PASSWORD,
    KEY,
    PASSWORD,
    TYPED_PASSWORD,
    UPGRADED,
    is("auth-key-rejected", Always, "the program has a key, which the account does not have, or another login name"),
    is("auth-password-rejected", Always, "the program logs in with a password: it, or the login name, is wrong"),
    is("auth-no-credentials", Always, "the program has neither a key nor a password"),
    is("auth-method-unavailable", Always, "the server takes no such credential (PasswordAuthentication no)"),
    is("auth-account-refused", Always, "the account is locked, expired, or not in AllowUsers: sshd's log says so"),
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &["mm_answer_keyverify: <text> signature unverified", "signature unverified"],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "auth-signature-algorithm",
                Always,
                "the client's agent (KeeAgent, gpg-agent, Pageant) signs with SHA-1 where SHA-2 was announced",
            ),
            is("auth-agent-refused", Always, "the client's agent signs with another key than the one it offers"),
            is("auth-key-rejected", Always, "the private key on the client is not that of the offered public key"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Authentication failed.",
            "Authentication failed",
            "Authentication has failed",
            "Authentication rejected",
            "All configured authentication methods failed",
            "Unable to connect using the available authentication methods",
            "Unable to authenticate using any of the configured authentication methods",
            "phpseclib: Login Failed",
            "Login Failed:",
            "NotAuthenticated",
            "Authentication failure",
            "Net::SSH::AuthenticationFailed",
            "AuthenticationException",
            "Login denied",
            "Could not login with username",
            "SSH login failed",
            "SFTP login failed",
            "Exhausted available authentication methods",
            "Failed to authenticate against remote server",
        ],
        candidates: REFUSED_WITHOUT_METHODS,
        ..Family::NEW
    },
    Family {
        // Go's library, which tries what it was given only where the server lists it.
        texts: &["attempted methods [none], no supported methods"],
        is_named: true,
        candidates: &[
            is(
                "auth-method-unavailable",
                MethodMissing,
                "the server's list has no method for what the program was given",
            ),
            is(
                "auth-no-credentials",
                Always,
                "the program was given neither a key nor a password, or could not read them",
            ),
            is(
                "auth-method-unavailable",
                Always,
                "the server lists none of the methods that the program was given, such as keyboard-interactive in place of password",
            ),
            is(
                "auth-key-unreadable",
                Always,
                "the program reads its key from a file or a variable that has another format",
            ),
        ],
        ..Family::NEW
    },
    Family {
        // paramiko, of one method.
        texts: &["Authentication (publickey) failed."],
        candidates: &[
            GIVEN_PASSWORD,
            SIGNED_UNASKED,
            is("auth-key-rejected", Always, "the account does not have the key, or the login name is wrong"),
            is("auth-key-file-modes", Always, "the key is there: sshd's log says bad ownership or modes"),
            is(
                "auth-account-refused",
                Always,
                "the account is locked, expired, or not in AllowUsers: sshd's log says so",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["No suitable authentication method found to complete authentication"],
        candidates: &[
            is(
                "auth-method-unavailable",
                Always,
                "the server takes no method that the program was given: often only keyboard-interactive instead of password",
            ),
            is(
                "auth-password-rejected",
                Always,
                "the program logs in with a password: it, or the login name, is wrong",
            ),
            is("auth-key-rejected", Always, "the program logs in with a key, which the account does not have"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Auth fail", "Auth cancel", "JSchAuthCancelException"],
        candidates: &[
            KEY,
            is(
                "auth-password-rejected",
                Seen(&["Next authentication method: password"]),
                "the program logs in with a password: it, or the login name, is wrong",
            ),
            is(
                "auth-signature-algorithm",
                Seen(&["SSH-2.0-JSCH-0.1.", "SSH-2.0-JSCH_0.1."]),
                "the key is RSA and the server OpenSSH 8.8 or later: JSch 0.1 signs with SHA-1 only",
            ),
            is(
                "auth-password-rejected",
                Always,
                "the program logs in with a password: it, or the login name, is wrong",
            ),
            is("auth-key-rejected", Always, "the program logs in with a key, which the account does not have"),
            is(
                "auth-signature-algorithm",
                Always,
                "the key is RSA: JSch 0.1 signs with SHA-1, which OpenSSH 8.8 refuses",
            ),
            is("auth-question-unanswered", Always, "the server asks a question, and the program has no answer"),
            is(
                "auth-method-unavailable",
                Always,
                "the server asks for keyboard-interactive, and the program has no answer",
            ),
        ],
        ..Family::NEW
    },
    Family { texts: &["`publickey` auth failed"], is_wrapper: true, candidates: REFUSED, ..Family::NEW },
    Family {
        texts: &["sshj.userauth.UserAuthException", "SshAuthenticationException"],
        is_wrapper: true,
        candidates: REFUSED_WITHOUT_METHODS,
        ..Family::NEW
    },
    Family {
        // SSHKit, whose library asks for a password once no key is accepted.
        texts: &[
            "Exception while executing on host <host>: Not a tty",
            "Exception while executing as <user>: Not a tty",
            "Exception while executing on host <host>: Inappropriate ioctl for device",
            "Exception while executing as <user>: Inappropriate ioctl for device",
        ],
        candidates: &[
            is(
                "auth-key-rejected",
                Always,
                "a key was meant to do: none was accepted, and no terminal is there to ask",
            ),
            is("auth-no-credentials", Always, "the job has no key and no agent, and no terminal to ask for a password"),
        ],
        ..Family::NEW
    },
];
