//! Passwords and answers to prompts.

use super::family::When::{Always, KeyRefusedUnasked, Seen, Unasked};
use super::family::{Family, Writer, is};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "Permission denied, please try again",
            "Password authentication failed",
            "Access denied for 'password'",
            "Access denied for 'keyboard-interactive'",
            "Client: password auth failed",
            "(tried none, password)",
            "(tried none, publickey, password)",
            "attempted methods [none password]",
            "attempted methods [password none]",
            "attempted methods [none keyboard-interactive]",
            "attempted methods [keyboard-interactive none]",
            "attempted methods [none password keyboard-interactive]",
            "attempted methods [none keyboard-interactive password]",
            "attempted methods [password keyboard-interactive none]",
            "attempted methods [keyboard-interactive password none]",
            "pxssh.ExceptionPxssh: password refused",
            "ExceptionPxssh: permission denied",
            "sshpass: detected incorrect password",
            "Keyboard-interactive authentication failed",
            "Configured password was not accepted",
            "Invalid/incorrect password",
            "Please verify that the username and password are correct",
            "% Authentication failed",
            "Login invalid",
            "Authentication by password failed",
            "Authentication to device failed",
            "Unable to authenticate using a password",
            "invalid username, password or second factor",
            "ConnectAuthError",
        ],
        is_named: true,
        candidates: &[
            is(
                "auth-key-rejected",
                Seen(&["Identity added:"]),
                "a key was loaded to log in with, and the account does not have it: ssh asked for a password after it",
            ),
            is(
                "auth-key-rejected",
                KeyRefusedUnasked,
                "the key was refused, and nobody could type a password: ssh has no terminal there",
            ),
            is(
                "auth-method-unavailable",
                Unasked,
                "nobody could type a password: ssh has no terminal there, and no ssh-askpass",
            ),
            is("auth-key-encrypted", Unasked, "the key has a passphrase, and nobody was there to type it"),
            is(
                "auth-password-rejected",
                Always,
                "the password or the login name is wrong, or the code is of another time",
            ),
            is(
                "auth-account-refused",
                Always,
                "the password is right: the account is locked or may not log in with one (PermitRootLogin, AllowUsers)",
            ),
            is("auth-user-unknown", Always, "the server's log says Invalid user: the login name is another one there"),
            is(
                "auth-key-rejected",
                Always,
                "nobody typed a password: a key was meant to log in, and the account does not have it",
            ),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["error: PAM: Permission denied for <user> from"],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "auth-account-refused",
                Always,
                "a module of PAM refuses the account: pam_access, pam_listfile, pam_deny",
            ),
            is("auth-password-rejected", Always, "the password, or the answer to a question, is wrong"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["pam_succeed_if(sshd:auth): requirement \"uid", "pam_succeed_if(sshd:auth): requirement \"gid"],
        writer: Writer::Anyone,
        is_wrapper: true,
        candidates: &[
            is(
                "auth-password-rejected",
                Always,
                "the line above it is pam_unix's failure: with a wrong password, only accounts of a directory go on",
            ),
            is("auth-account-refused", Always, "a rule in /etc/pam.d/sshd keeps accounts with low numbers out"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Exit before auth (user '<user>', 0 fails): Exited normally",
            "Exit before auth from <address> (user '<user>', 0 fails): Exited normally",
        ],
        writer: Writer::Server,
        candidates: &[
            is("auth-key-rejected", Always, "the client has no key that this account accepts, and left"),
            is("auth-disconnected", Always, "the user stopped at the prompt"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Exit before auth (user '<user>', 0 fails)",
            "Exit before auth from <address> (user '<user>', 0 fails)",
        ],
        writer: Writer::Server,
        candidates: &[
            is(
                "auth-disconnected",
                Always,
                "the client left before it tried a key or a password: a prompt, or a time limit",
            ),
            is("auth-key-rejected", Always, "the client has no key that this account accepts, and leaves"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Exit before auth (user '<user>', <n> fails)",
            "Exit before auth from <address> (user '<user>', <n> fails)",
        ],
        writer: Writer::Server,
        candidates: &[
            is("auth-password-rejected", Always, "a password was wrong: dropbear counts no key that it does not know"),
            is("auth-key-rejected", Always, "the key is known, and what was signed with it is not right"),
            is("auth-disconnected", Always, "the user stopped at the prompt"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "login failure for user <user> from <address> via ssh",
            "SSHD_LOGIN_FAILED",
            "SSHD_LOGIN_ATTEMPTS_THRESHOLD",
            "authentication for SSH2 Session from <text> Failed",
            "SSH2_USERAUTH: User '<user>' authentication for SSH2 Session from <text> Failed",
            "LOGIN_FAILED: Login failed [user: <user>",
            "for SSH session failed during password based authentication",
        ],
        writer: Writer::Anyone,
        is_named: true,
        candidates: &[
            is("auth-password-rejected", Always, "the account exists: the password is wrong, or another server's"),
            is(
                "auth-user-unknown",
                Always,
                "the device has no account of this name: a scanner's guess, or a mistyped name",
            ),
            is("auth-key-rejected", Always, "the client logs in with a key, which the account does not have"),
        ],
        ..Family::NEW
    },
];
