//! Classes of exceptions, and the reasons of a DISCONNECT (RFC 4253 section 11.1) as libraries spell them. A message beside one counts
//! before it.

use super::family::When::{After, Always, Seen};
use super::family::{Family, is};
use super::login::REFUSED;
use crate::facts::Check;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "asyncssh.misc.KeyExchangeFailed",
            "[KEY_EXCHANGE_FAILED]",
            "(KeyExchangeFailed)",
            "DISCONNECT_KEY_EXCHANGE_FAILED",
            "ERROR_SSH_KEY_EXCHANGE_FAILED",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("handshake-kex-failed", Always, "both ends began the key exchange, and one of them gave it up"),
            is("handshake-no-common-kex", Always, "the message beside it names algorithms that do not match"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "asyncssh.misc.ProtocolError",
            "asyncssh.misc.CompressionError",
            "[PROTOCOL_ERROR]",
            "[COMPRESSION_ERROR]",
            "(ProtocolError)",
            "(CompressionError)",
            "DISCONNECT_PROTOCOL_ERROR",
            "DISCONNECT_COMPRESSION_ERROR",
            "ERROR_SSH_PROTOCOL_ERROR",
            "ERROR_SSH_COMPRESSION_ERROR",
            "ERROR_SSH_INVALID_CRC",
            "ERROR_SSH_INVALID_MAC",
            "ERROR_SSH_INVALID_PACKET",
            "ERROR_SSH_INVALID_MESSAGE_CODE",
            "ssh_exception.MessageOrderError",
            "Disconnected - PROTOCOL_ERROR",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is(
                "transfer-corrupted",
                After(Check::Channel),
                "it comes after a while or with volume: something on the path damages data",
            ),
            is("handshake-protocol-violation", Always, "it comes at every attempt, at the same step"),
            is("transfer-corrupted", Always, "it comes after a while or with volume"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["ERROR_SSH_UNSUPPORTED_CIPHER"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("handshake-no-common-cipher", Always, "ssh -vv shows the ciphers of both ends, with none in common"),
            is("auth-signature-algorithm", Always, "the server says that it refuses ssh-rsa"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "asyncssh.misc.TooManyConnections",
            "[TOO_MANY_CONNECTIONS]",
            "(TooManyConnections)",
            "DISCONNECT_TOO_MANY_CONNECTIONS",
            "ERROR_SSH_TOO_MANY_CONNECTIONS",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("session-limit", Always, "the server counts sessions, as devices do: old ones are still open"),
            is("handshake-max-startups", Always, "some attempts succeed: too many connections wait for a login"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "asyncssh.misc.HostNotAllowed",
            "[HOST_NOT_ALLOWED_TO_CONNECT]",
            "(HostNotAllowedToConnect)",
            "DISCONNECT_HOST_NOT_ALLOWED_TO_CONNECT",
            "ERROR_SSH_HOST_NOT_ALLOWED_TO_CONNECT",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("handshake-source-denied", Always, "other addresses get in: the server has a list of clients"),
            is("tcp-source-banned", Always, "it worked from here a while ago: fail2ban and the like"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "[PROTOCOL_VERSION_NOT_SUPPORTED]",
            "(ProtocolVersionNotSupported)",
            "DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED",
            "ERROR_SSH_PROTOCOL_VERSION_NOT_SUPPORTED",
            "ERROR_SSH_INVALID_VERSION",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("handshake-protocol-version", Always, "one end speaks SSH 1 only, or names a version that is none"),
            is("handshake-not-ssh", Always, "the port is another service's"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "asyncssh.misc.IllegalUserName",
            "[ILLEGAL_USER_NAME]",
            "(IllegalUserName)",
            "DISCONNECT_ILLEGAL_USER_NAME",
            "ERROR_SSH_ILLEGAL_USER_NAME",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("auth-user-unknown", Always, "the server takes no such name"),
            is("auth-account-refused", Always, "the account exists: the server keeps it out"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "ScrapliAuthenticationFailed",
            "Net::SSH::Authentication::DisallowedMethod",
            "[NO_MORE_AUTH_METHODS_AVAILABLE]",
            "(NoMoreAuthenticationMethodsAvailable)",
            "DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE",
            "ERROR_SSH_NO_MORE_AUTH_METHODS_AVAILABLE",
            "ERROR_SSH_AUTHENTICATION_FAILED",
            "ERROR_SSH_INVALID_RSA_CHALLENGE",
            "asyncssh.misc.PermissionDenied",
            "Could not login to '<host>' as '<user>'",
            "ssh_msg_userauth_failure",
            "Cannot log in at <host>",
            "remote rejected authentication",
            "class=Ssh (23); code=Auth (-16)",
            "Received disconnect during authentication",
        ],
        is_wrapper: true,
        candidates: REFUSED,
        ..Family::NEW
    },
    Family {
        texts: &["NetmikoAuthenticationException", "Wrong password. (credentialId:"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("auth-password-rejected", Always, "the password or the login name is wrong"),
            is("auth-key-rejected", Always, "the program logs in with a key"),
            is("auth-account-refused", Always, "the password is right: the account may not log in that way"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["JSchPartialAuthException"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("auth-partial-success", Always, "the first factor was accepted, and the server wants another one"),
            is("auth-question-unanswered", Always, "the client has no answer to the second factor"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["asyncssh.public_key.KeyEncryptionError", "ssh_exception.PasswordRequiredException"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-unreadable", Always, "the passphrase is right: the key is damaged, or of another format"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "channel.OpenFailException",
            "asyncssh.misc.ChannelOpenError",
            "Net::SSH::ChannelOpenFailed",
            "(SSH) Channel open failure",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("channel-open-refused", Always, "the login worked, and the server opens no channel"),
            is("channel-max-sessions", Always, "the connection has many sessions already (MaxSessions)"),
            is("channel-forwarding-prohibited", Always, "the channel was a forwarding"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["Net::SSH::ChannelRequestFailed"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("session-exec-failed", Always, "the account or its key allows no such request"),
            is("session-subsystem-missing", Always, "the request was for sftp"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["asyncssh.misc.ChannelListenError"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("channel-remote-forward-failed", Always, "the server does not listen there for this account (-R)"),
            is("channel-forwarding-prohibited", Always, "the server allows no forwarding at all"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["SshNet.Common.ProxyException", "JSchProxyException", "ssh_exception.ProxyCommandFailure"],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is("jump-proxy-command-failed", Always, "the proxy gives no connection: its own message says why"),
            is("jump-target-unreachable", Always, "the proxy answers, and cannot connect to the target"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "exceptions.ConnectionException: Cannot connect to",
            "ScrapliConnectionError",
            "ScrapliConnectionNotOpened",
            "pysftp.exceptions.ConnectionException",
            "NetmikoTimeoutException",
            "Failed to open TCP connection to <host>",
            "RuntimeSshException: Failed to get the session",
            "failed to connect; class=Ssh (23)",
            "There was a problem while connecting to <host>",
        ],
        is_wrapper: true,
        candidates: &[
            is("handshake-no-banner", Seen(&["Error reading SSH protocol banner"]), "no banner arrives"),
            is("handshake-kex-failed", After(Check::Tcp), "the connection was accepted, and ended before the login"),
            is("tcp-filtered", Always, "it comes after some seconds: nothing answers"),
            is("tcp-refused", Always, "it comes at once: nothing listens on the port"),
            is("dns-nxdomain", Always, "the name does not resolve"),
            is("tcp-unreachable", Always, "no route leads there, or the host is down"),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["The kexTimeout (<n> ms) expired", "kexTimeout"],
        is_named: true,
        candidates: &[
            is("handshake-kex-stalled", Always, "the key exchange stops, or no version comes"),
            is(
                "handshake-slow",
                Always,
                "it goes away with a longer time limit: the server is overloaded, or starting",
            ),
            is("handshake-no-banner", Always, "the connection is accepted, and no version comes"),
        ],
        ..Family::NEW
    },
    Family {
        // JSch's words for whatever ends the key exchange or the login.
        texts: &[
            "JSchException: Session.connect: java.security.<what>",
            "JSchException: Session.connect: java.lang.<what>",
        ],
        is_wrapper: true,
        is_named: true,
        candidates: &[
            is(
                "auth-key-unreadable",
                Seen(&["com.jcraft.jsch.UserAuthPublicKey"]),
                "it comes as the key signs: Java's provider cannot use the key",
            ),
            is("handshake-kex-failed", Always, "Java's provider lacks or refuses what the key exchange needs"),
            is("auth-key-unreadable", Always, "its stack names UserAuthPublicKey: Java's provider cannot use the key"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["asyncssh.misc.DisconnectError"],
        is_wrapper: true,
        candidates: &[
            is("idle-server-disconnect", After(Check::Auth), "the session was open"),
            is("auth-disconnected", Always, "it comes during the login"),
            is("idle-server-disconnect", Always, "the session was open, and idle"),
            is("handshake-kex-failed", Always, "it comes during the key exchange"),
        ],
        ..Family::NEW
    },
];
