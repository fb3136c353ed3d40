//! Credentials that no key file holds: security keys, tickets of Kerberos, codes, and the modules of PAM that ask for them.

use super::family::When::{Always, InLine, SaidOfMethods, Seen};
use super::family::{Candidate, Family, Writer, is};

/// A login with a ticket of Kerberos was meant.
pub(super) const MEANT_KERBEROS: Candidate = is(
    "auth-no-credentials",
    SaidOfMethods(
        &["gssapi"],
        &["kinit ", "ssh -K ", "Ticket cache: ", "krbtgt/", "New ticket is stored in cache file", "-o GSSAPI"],
    ),
    "a ticket of Kerberos was meant: ssh has none for this host's name (klist), or reads another cache than kinit",
);

/// cloud-init writes a file without keys, or somebody tells that none logs in. Most machines that boot without a key are meant to.
const NO_KEYS: &[&str] = &[
    "authorized_keys - wb: [<n>] 0 bytes",
    "Permission denied (publickey",
    "authorized_keys is empty",
    "authorized_keys file is empty",
];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // OpenSSH's helper, of the signature.
        texts: &[
            "sk_sign: fido_dev_get_assert: FIDO_ERR_<what>",
            "sk_sign: fido_dev_open failed",
            "sk_sign: fido_dev_open: FIDO_ERR_<what>",
            "sshsk_sign: sk_sign failed with code",
            "sk_sign failed with code",
            "process_sign: Unable to sign:",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "auth-agent-refused",
                Always,
                "the security key does not sign: a touch or its PIN is missing, or its driver lacks what the key needs",
            ),
            is(
                "auth-key-unreadable",
                Always,
                "the file belongs to another security key than the one that is plugged in",
            ),
        ],
        ..Family::NEW
    },
    Family {
        // pam_google_authenticator, which records each code that was used.
        texts: &["Failed to update secret file"],
        writer: Writer::Anyone,
        candidates: &[
            is("server-disk-full", InLine(&["No space left", "quota"]), "the disk of the home is full"),
            is(
                "auth-password-rejected",
                Always,
                "a right code is refused each time: the module cannot note that it was used",
            ),
            is("server-disk-full", Always, "df shows no room where the homes are"),
            is(
                "auth-account-refused",
                Always,
                "sshd may not write there: SELinux, a read-only home, or ProtectHome in its unit",
            ),
        ],
        ..Family::NEW
    },
    Family {
        // OpenPAM (FreeBSD, macOS) does not start with a module that is missing.
        texts: &[
            "in openpam_load_module(): no <file> found",
            "in openpam_dynamic(): No such file or directory",
            "in openpam_read_chain():",
            "in openpam_parse_chain():",
            "in openpam_configure():",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "auth-disconnected",
                Always,
                "the connection ends during the login: a module in /etc/pam.d/sshd is missing",
            ),
            is("auth-account-refused", Always, "every password is refused, and keys work"),
            is("session-pam-refused", Always, "the login works, and the session ends at once"),
        ],
        ..Family::NEW
    },
    Family {
        // cloud-init, as a new machine starts.
        texts: &["no authorized ssh keys fingerprints found for user", "no authorized_keys file found for user"],
        writer: Writer::Anyone,
        candidates: &[
            is("auth-key-rejected", Seen(NO_KEYS), "the machine was made without a public key for that account"),
            is(
                "auth-user-unknown",
                Seen(NO_KEYS),
                "the key is that of another account: the image has a login name of its own",
            ),
        ],
        ..Family::NEW
    },
];
