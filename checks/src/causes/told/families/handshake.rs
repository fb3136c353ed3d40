//! The version exchange and the key exchange.

use super::family::When::{After, Always, Before, Exchanging, Greeting, NothingInCommon, Seen, ThroughProxy};
use super::family::{Family, Writer, is};
use crate::facts::Check;
use crate::facts::log::Event;

pub(super) static FAMILIES: &[Family] = &[
    Family {
        texts: &[
            "kex_exchange_identification: Connection closed by remote host",
            "ssh_exchange_identification: Connection closed by remote host",
            "Warning: Remote connection disconnect. Retrying",
            "kex_exchange_identification: Connection closed",
            "ssh_exchange_identification: Connection closed",
            "kex_exchange_identification: write: Broken pipe",
            "ssh_exchange_identification: write: Broken pipe",
            "ssh: handshake failed: EOF",
            "Connection lost before handshake",
            "ssh: handshake failed: <text>use of closed network connection",
            "connection is closed by foreign host",
            "End of IO Stream Read",
            "Failed getting banner",
            "Failure establishing ssh session: -2,",
            "Failure establishing ssh session: -13,",
            "Failed to get banner",
            "Socket error: disconnected",
            "Session has been closed: [CLOSED]",
        ],
        candidates: &[
            is(
                "config-proxy-command",
                Seen(&["command not found", "sh: <n>: <what>: not found"]),
                "the shell does not find the program of the ProxyCommand",
            ),
            is("jump-proxy-command-failed", Seen(&["nc: connect to", "Ncat: "]), "the proxy gives no connection"),
            is("auth-key-rejected", Seen(&["Permission denied (<methods>"]), "the jump host refuses the login"),
            is(
                "auth-password-rejected",
                Seen(&["Permission denied, please try again"]),
                "the jump host refuses the login",
            ),
            is("hostkey-unknown", Seen(&["Host key verification failed"]), "the jump host's key is not known"),
            is("handshake-reset", Seen(&["Failure establishing ssh session: -43"]), "the connection is reset"),
            is(
                "handshake-max-startups",
                Seen(&["banner line <n>: Exceeded MaxStartups"]),
                "some attempts succeed: too many connections wait for a login",
            ),
            is(
                "handshake-mac-mismatch",
                Seen(&["jsch.Session.start_discard"]),
                "a packet came that JSch could not decrypt",
            ),
            is("auth-disconnected", Seen(&["jsch.UserAuth"]), "the stack trace names the login"),
            is("idle-closed", Seen(&["jsch.Channel"]), "the stack trace names a channel: the session was open"),
            is("handshake-kex-failed", Exchanging, "it happens after both versions were exchanged"),
            is(
                "jump-proxy-command-failed",
                ThroughProxy,
                "the ProxyCommand or jump host ended without a connection; a line that it printed stands before this one",
            ),
            is(
                "handshake-closed-before-banner",
                Always,
                "every attempt ends so: a load balancer without a healthy server, or an sshd that cannot start a session",
            ),
            is(
                "handshake-max-startups",
                Always,
                "some attempts succeed, and more do when fewer clients connect at once",
            ),
            is("handshake-source-denied", Always, "other addresses get in: hosts.deny, DenyHosts"),
            is(
                "handshake-source-penalty",
                Always,
                "failed logins from this address came before it (OpenSSH 9.8 and later)",
            ),
            is("tcp-source-banned", Always, "other addresses get in: fail2ban and the like"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "kex_exchange_identification: read: Connection reset by peer",
            "ssh_exchange_identification: read: Connection reset by peer",
            "ssh_exchange_identification: Connection reset by peer",
            "ssh: handshake failed: read tcp <address>: read: connection reset by peer",
            "ssh: handshake failed: read tcp <text> connection reset by peer",
            "Error reading SSH protocol banner[Errno 104] Connection reset by peer",
            "Failure establishing ssh session: -43",
            "Session.connect: java.net.SocketException: Connection reset",
        ],
        candidates: &[
            is("handshake-reset", Always, "every attempt ends so: a firewall or an intrusion prevention resets SSH"),
            is("handshake-max-startups", Always, "some attempts succeed: too many connections wait for a login"),
            is(
                "handshake-source-penalty",
                Always,
                "failed logins from this address came before it (OpenSSH 9.8 and later)",
            ),
            is("handshake-source-denied", Always, "other addresses get in: hosts.deny, DenyHosts"),
            is("server-start-failed", Always, "the server's log names missing host keys or /run/sshd"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Connection timed out during banner exchange",
            "Error reading SSH protocol banner",
            "kex_exchange_identification: read: Connection timed out",
            "kex_exchange_identification: read: Operation timed out",
            "ssh_exchange_identification: read: Connection timed out",
            "ssh_exchange_identification: read: Operation timed out",
            "banner exchange: Connection to <address> port <port>: Connection timed out",
            "Timed out while waiting for handshake",
            "timeout during server version negotiating",
            "SocketTimeoutException: Read timed out",
            "Operation timed out after <n> milliseconds with 0",
            "Socket read operation has timed out",
            "No SSH identification string received",
            "Failure establishing ssh session: -9,",
            "ssh: handshake failed: read tcp <text>: connection timed out",
            "ssh: handshake failed: read tcp <text>: operation timed out",
        ],
        is_named: true,
        candidates: &[
            is("handshake-tarpit", Greeting(5), "line after line comes, and never a version"),
            is(
                "handshake-no-banner",
                Seen(&[
                    "exchange_identification: read: Operation timed out",
                    "exchange_identification: read: Connection timed out",
                ]),
                "the connection is accepted, and no banner arrives",
            ),
            is("handshake-closed-before-banner", Seen(&["EOFError"]), "the connection was closed, not silent"),
            is(
                "tcp-filtered",
                Before(Check::Tcp),
                "the connection was never accepted: the same limit covers connecting",
            ),
            is(
                "handshake-no-banner",
                Always,
                "no banner ever arrives: a hung sshd, a dead backend, or another service",
            ),
            is("handshake-slow", Always, "the banner arrives late: an overloaded server, or many connections at once"),
            is("tcp-filtered", Always, "the connection was never accepted: the same limit covers connecting"),
            is("handshake-closed-before-banner", Always, "the connection is closed without a banner"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Algorithm negotiation fail",
            "Unable to exchange encryption keys",
            "Failure establishing ssh session: -5,",
            "Failure establishing ssh session: -8,",
            "KEY_EXCHANGE_FAILURE",
            "LIBSSH2_ERROR_KEX_FAILURE",
            "Failed to exchange encryption keys",
            "Key exchange negotiation failed",
            "Unable to reach a settlement:",
            "Failed to negotiate key exchange algorithm",
            "Cannot negotiate, proposals do not match",
            "Key exchange failed",
            "KEX negotiation failed",
            "Could not agree on key exchange parameters",
            "couldn't match all kex parts",
            "no common algorithm",
            "kex error : no match for method",
        ],
        candidates: &[
            is("handshake-no-common-kex", NothingInCommon(&[0]), "the lists of key exchanges have no name in common"),
            is("handshake-no-common-hostkey", NothingInCommon(&[1]), "the lists of host keys have no name in common"),
            is("handshake-no-common-cipher", NothingInCommon(&[2, 3]), "the lists of ciphers have no name in common"),
            is("handshake-no-common-mac", NothingInCommon(&[4, 5]), "the lists of MACs have no name in common"),
            is(
                "handshake-no-common-kex",
                Always,
                "an old library meets a server of today: sshd's log names what has no match",
            ),
            is("handshake-no-common-hostkey", Always, "sshd's log says no matching host key type found"),
            is("handshake-no-common-cipher", Always, "sshd's log says no matching cipher found"),
            is("handshake-no-common-mac", Always, "sshd's log says no matching MAC found"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "expecting SSH2_MSG_KEX<text>",
            "expecting SSH_MSG_KEX<text>",
            "Key-exchange timed out waiting for key negotiation",
        ],
        unless: &[Event::KexReply, Event::HostKey],
        candidates: &[
            is(
                "handshake-reset",
                Seen(&["Connection reset by <address> port <port>", "Connection reset by peer"]),
                "the connection is reset: a firewall that inspects SSH, or sshd dies",
            ),
            is(
                "path-mtu-blackhole",
                Always,
                "a VPN or tunnel is on the path, and ssh -o KexAlgorithms=curve25519-sha256 gets further",
            ),
            is(
                "handshake-kex-stalled",
                Always,
                "small and large exchanges stop alike: a hung server or an inspecting firewall",
            ),
            is("handshake-slow", Always, "the reply comes after seconds"),
            is("handshake-kex-failed", Always, "the connection is closed at once: sshd's log says why"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &[
            "Corrupted MAC on input",
            "message authentication code incorrect",
            "Incorrect MAC received on packet",
            "Mismatched MAC",
            "Wrong packet authentication code",
            "ssh: MAC failure",
            "Invalid MAC",
            "MAC Error",
            "corrupted mac detected",
            "corrupted hmac detected",
            "HMAC error",
            "Integrity error",
            "Packet corrupt",
            "Connection corrupted",
            "Bad packet length <n>",
            "Message Authentication Code did not verify",
            "Incoming packet was garbled on decryption",
            "Out-of-range packet length from remote suggests data stream corruption",
            "Bad packet length: <n>",
            "Packet len too high",
            "ssh: packet too large",
            "ssh: max packet length exceeded",
            "Indicated packet length <n> too large",
            "Invalid packet length",
            "AEADBadTagException",
            "Invalid HMAC",
            "Failure establishing ssh session: -4,",
            "Failure establishing ssh session: -12,",
            "Illegal packet size! (<n>)",
            "Packet length <n> exceeds max length",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "transfer-corrupted",
                After(Check::Auth),
                "it comes after a while or with volume: a bad cable, NIC offload, memory, or device on the path",
            ),
            is(
                "handshake-mac-mismatch",
                Before(Check::Auth),
                "it fails at the first encrypted packet every time, and not with another cipher or MAC (-c, -m)",
            ),
            is(
                "handshake-mac-mismatch",
                Always,
                "it fails at the first encrypted packet every time, and not with another cipher or MAC (-c, -m)",
            ),
            is(
                "transfer-corrupted",
                Always,
                "it comes after a while or with volume: a bad cable, NIC offload, memory, or device on the path",
            ),
            is("handshake-protocol-violation", Always, "something else prints into the connection"),
        ],
        ..Family::NEW
    },
    Family {
        texts: &["ssh_dispatch_run_fatal: Connection to <address> port <port>: <why>"],
        is_wrapper: true,
        candidates: &[
            is("handshake-kex-failed", Exchanging, "it comes during the key exchange"),
            is("transfer-corrupted", After(Check::Auth), "it comes in a session that worked"),
            is(
                "handshake-kex-failed",
                Always,
                "it comes at every attempt: the server and this ssh disagree over the key exchange",
            ),
            is("handshake-protocol-violation", Always, "it comes at every attempt, and with other clients too"),
            is("transfer-corrupted", Always, "it comes after a while or with volume"),
        ],
        ..Family::NEW
    },
];
