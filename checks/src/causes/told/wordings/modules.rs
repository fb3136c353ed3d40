//! Messages that PAM's modules and the kernel's security modules log for sshd: Linux-PAM 1.7, pam_google_authenticator 1.10, pam_ldap,
//! pam_duo, SELinux and AppArmor.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    (
        "auth-account-refused",
        &[
            "(sshd:account): <text>denied",
            "Access denied by pam_",
            "(sshd:account): <text>rejected",
            "(sshd:account): <text>not allowed",
            "(sshd:account): account <text> has expired",
            "(sshd:account): could not identify user",
            "(sshd:account): <text> failed: exit code <n>",
            "(sshd:account): helper binary execve failed",
            "(sshd:auth): access denied: tty",
            "(sshd:auth): <text> inactive for <n> days - denied",
            "Failed to update secret file",
            "Failed to read \"<file>google_authenticator\" for",
            "Secret file \"<file>\" must be owned by",
            "Secret file \"<file>\" permissions (<n>)",
            "Secret file \"<file>\" must only be accessible by",
            "Secret file \"<file>\" is not a regular file",
            "Could not find a valid BASE32 encoded secret in",
            "Failed to compute location of secret file",
            "(pam_google_authenticator): Failed to change user id to",
            "Too many concurrent login attempts (",
            "Dummy password supplied by PAM",
            "error: PAM: Authentication service cannot retrieve authentication info for",
            "error: PAM: Authentication service cannot retrieve user credentials for",
            "error: PAM: Insufficient credentials to access authentication data for",
            "error: PAM: Have exhausted maximum number of retries for service for",
            "error: PAM: System error for",
            "error: PAM: Error in service module for",
            "error: PAM: Critical error - immediate abort for",
        ],
    ),
    (
        "auth-password-rejected",
        &[
            "Trying to reuse a previously used time-based code",
            "pam_ldap: error trying to bind as user",
            "Failed Duo login for",
            "denied access (incorrect password)",
            "auth fail: Password incorrect. user:",
            "error: PAM: Cannot make/remove an entry for the specified session for <user> from",
            "error: PAM: authentication error for",
            "error: PAM: Authentication failed for",
        ],
    ),
    ("auth-user-unknown", &["error: PAM: User not known to the underlying authentication module for"]),
    ("auth-disconnected", &["error: PAM: Conversation error for"]),
    (
        "auth-key-file-modes",
        &[
            "apparmor=\"DENIED\" <text>sshd<text>/authorized_keys",
            "apparmor=\"DENIED\" <text>/authorized_keys<text>sshd",
        ],
    ),
    (
        "auth-key-rejected",
        &[
            "Could not open authorized keys '<file>': No such file",
            "Could not open user '<user>' authorized keys '<file>': No such file",
            "Could not open <user> authorized keys '<file>': No such file",
        ],
    ),
    (
        "session-pam-refused",
        &[
            "(sshd:session): No logins allowed for",
            "(sshd:session): Error writing /proc/self/loginuid",
            "(sshd:session): required running auditd not detected",
            "(sshd:session): namespace setup failed",
            "(sshd:session): Unable to get valid context for",
            "(sshd:session): <text> failed: exit code <n>",
        ],
    ),
    ("session-chroot-failed", &["Failed to create session: Failed to add required mount \"<text>/./"]),
];
