//! Frames of libraries' stack traces that name the stage of a connection: what ends it there has no text of its own.

/// Frames of a login.
pub(super) const OF_A_LOGIN: &[&str] = &[
    "ssh/authentication/session.rb",
    "com.jcraft.jsch.UserAuth",
    "sshj.userauth.UserAuthImpl",
    "TransportImpl.reqService",
    "SSHClient.auth(",
    "/paramiko/auth_handler.py",
    "trilead.ssh2.auth.",
    "ganymed.ssh2.auth.",
    "sshd.client.auth.",
    "SshNet.ClientAuthentication",
];

/// Frames of a key exchange.
pub(super) const OF_A_KEY_EXCHANGE: &[&str] = &[
    "ssh/transport/algorithms.rb",
    "com.jcraft.jsch.KeyExchange",
    "Session.receive_kexinit",
    "trilead.ssh2.transport.KexManager",
    "ganymed.ssh2.transport.KexManager",
    "in _parse_kex_init",
    "sshd.common.kex.",
];

/// Frames of a wait for an agent.
pub(super) const OF_AN_AGENT: &[&str] = &["cSSH2_AGENTC_REQUEST_IDENTITIES", "cSSH2_AGENTC_SIGN_REQUEST"];

/// Frames of a wait for the server's version.
pub(super) const OF_A_VERSION: &[&str] = &["in _check_banner", "ssh/transport/server_version.rb"];

/// Frames of a wait within a session.
pub(super) const OF_A_SESSION: &[&str] =
    &["/paramiko/channel.py", "/paramiko/sftp.py", "ssh/connection/session.rb", "in recv_exit_status"];
