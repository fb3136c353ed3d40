//! Messages of servers other than OpenSSH: SFTPGo 2.6, ProFTPD 1.3.9 with mod_sftp, and Gerrit.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    ("handshake-no-common-kex", &["no shared key exchange algorithm found", "reason: couldn't match all kex parts"]),
    ("handshake-no-common-hostkey", &["no shared server hostkey algorithm found"]),
    (
        "handshake-no-common-cipher",
        &[
            "no shared client-to-server encryption algorithm found",
            "no shared server-to-client encryption algorithm found",
        ],
    ),
    (
        "handshake-no-common-mac",
        &["no shared client-to-server MAC algorithm found", "no shared server-to-client MAC algorithm found"],
    ),
    (
        "handshake-no-common-compression",
        &[
            "no shared client-to-server compression algorithm found",
            "no shared server-to-client compression algorithm found",
        ],
    ),
    (
        "handshake-protocol-violation",
        &["rejecting invalid length (<text>) client <kind> key", "rejecting invalid ECDH client public key"],
    ),
    (
        "handshake-probed",
        &[
            "no_auth_tried",
            "no_auth_tryed",
            "failed to accept an incoming connection: EOF",
            "failed to accept an incoming connection from ip <text>: EOF",
            // russh: what scanners leave in a server's log.
            "russh::server<text>Invalid SSH version string",
            "russh::server<text>Disconnected",
            "russh::server<text>early eof",
            "russh::server<text>Unexpected kex message at this stage",
            "russh::server<text>Connection reset by peer",
            "russh server<text>invalid SSH version",
            "russh server<text>Disconnected",
            "russh server<text>Connection reset by peer",
        ],
    ),
    ("hostkey-unknown", &["ssh: disconnect, reason <n>: com.jcraft.jsch.JSchException: verify: false"]),
    (
        "auth-password-rejected",
        &[
            "could not validate password credentials",
            "error authenticating user <user>: invalid credentials",
            "could not validate keyboard interactive credentials",
            "no auth passed yet, could not validate credentials",
            "\"login_type\":\"password\",\"protocol\":\"SSH\",\"error\"",
            "\"login_type\":\"keyboard-interactive\",\"protocol\":\"SSH\",\"error\"",
            "password authentication for user '<user>' failed: Incorrect password",
        ],
    ),
    ("auth-user-unknown", &["user: unknown user <user>"]),
    ("auth-password-expired", &["password authentication for user '<user>' failed: Password expired"]),
    (
        "auth-key-rejected",
        &[
            "could not validate public key credentials",
            "AUTH FAILURE FROM <address> no-matching-key",
            "AUTH FAILURE FROM <address> key-list-empty",
            "\"login_type\":\"publickey\",\"protocol\":\"SSH\",\"error\"",
            "authentication for user '<user>' failed: User not authorized",
            "for user '<user>' via '<kind>' public key failed",
        ],
    ),
    (
        "auth-account-refused",
        &[
            "cannot login user \"<user>\", protocol SSH is not allowed",
            "AUTH FAILURE FROM <address> user-inactive",
            "cannot login user \"<user>\", login method",
            "cannot login user \"<user>\", remote address is not allowed",
            "cannot login user \"<user>\", second factor authentication is not set",
            "password authentication for user '<user>' failed: Account disabled",
            "authentication for user '<user>' failed: Invalid shell",
            "authentication for user '<user>' failed: User in",
            "root login attempted, denied by RootLogin configuration",
        ],
    ),
    (
        "auth-user-unknown",
        &[
            "password authentication for user '<user>' failed: No such user",
            "no account for user '<user>' found",
            "AUTH FAILURE FROM <address> user-not-found",
            "error authenticating user: <user>, error: Not found",
            "error authenticating user \"<user>\": Not found",
            "error authenticating user \"<user>\": user does not exist",
            "\"error\":\"user does not exist\"",
            "\"login_type\":\"no_auth_tryed\",\"protocol\":\"SSH\",\"error\":\"not found",
        ],
    ),
    ("session-limit", &["authentication refused for user: <text>, too many open sessions"]),
    ("session-home-missing", &["has an invalid home dir: <text>, login not allowed"]),
];
