//! The key exchange, and packets that do not verify.

use super::family::When::{After, Always, Before, Exchanging, InLine, Lists, NothingInCommon, Said, Seen};
use super::family::{Family, Writer, is};
use crate::causes::told::algorithms::AlgorithmKind::{Cipher, Compression, HostKey, Kex, Mac};
use crate::facts::Check;
use crate::facts::log::Event;

/// Packets do not verify from the first encrypted one.
const AT_FIRST: &str = "it fails at the first encrypted packet every time, and not with another cipher or MAC (-c, -m)";
/// Packets do not verify in a session that worked.
const AFTER_A_WHILE: &str =
    "it comes after a while or with volume: a bad cable, NIC offload, memory, or device on the path";
/// Lines of a session that worked before: a copy under way, and the session's end in the server's log.
const OF_A_SESSION: &[&str] = &[
    "(sshd:session): session closed for user",
    "KB/s ",
    "MB/s ",
    "kB/s ",
    "tar: Unexpected EOF",
    "tar: Removing leading",
    "close_fds r <n>",
];
/// Words of people about a session that worked before.
const TOLD_OF_A_SESSION: &[&str] = &[
    "large file",
    "big file",
    "lot of data",
    "lots of data",
    "lot of output",
    "lots of output",
    "large amount",
    "after a while",
    "after some time",
    "after a few",
    "after several",
    "at random",
    "randomly",
    "in the middle of",
    "while copying",
    "while transferring",
    "during transfer",
    "during the transfer",
    "during a transfer",
    "during file transfer",
    "transferring files",
    "file larger than",
    "files larger than",
    "разрывается",
    "обрывается",
    "nach einer Weile",
    "au bout de quelques",
    "después de un rato",
];

/// OpenSSH's words for an RSA key below its minimum, as it checks a signature.
const RSA_TOO_SMALL: &[&str] = &["ssh_rsa_verify: RSA modulus too small: <n>", "ssh_rsa_verify: n too small: <n> bits"];

pub(super) static FAMILIES: &[Family] = &[
    Family {
        // OpenSSH up to 7.9, of a signature: a client checks the server's key, and a server the user's.
        texts: RSA_TOO_SMALL,
        is_named: true,
        candidates: &[
            is("hostkey-too-short", Always, "it is a client that says so: the server's host key is too short"),
            is("auth-key-too-short", Always, "it is in the server's log: the user's key is too short"),
        ],
        ..Family::NEW
    },
    Family {
        texts: RSA_TOO_SMALL,
        writer: Writer::Server,
        is_named: true,
        candidates: &[
            is("auth-key-too-short", Always, "the key that a user logs in with is too short"),
            is("auth-key-rejected", Always, "the user's longer keys are refused too: the account has none of them"),
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
            "Unable to reach a settlement:",
            "Unable to reach a settlement: [<what>] and [<what>]",
            "Failed to negotiate key exchange algorithm",
            "Cannot negotiate, proposals do not match",
            "connection is closed.Cannot negotiate, proposals do not match",
            "Cannot negotiate algorithms, proposals do not match",
            "russh::Error: NoCommonAlgo",
            "Key exchange failed",
            "KEX negotiation failed",
            "Could not agree on key exchange parameters",
            "couldn't match all kex parts",
            "no common algorithm",
            "keyExchangeNegotiationFailure",
            "The encryption key exchange with the remote host has failed",
            "kex error : no match for method",
            "[Connection to <host> aborted: error status",
        ],
        candidates: &[
            is("handshake-no-common-kex", NothingInCommon(&[0]), "the lists of key exchanges have no name in common"),
            is("handshake-no-common-hostkey", NothingInCommon(&[1]), "the lists of host keys have no name in common"),
            is("handshake-no-common-cipher", NothingInCommon(&[2, 3]), "the lists of ciphers have no name in common"),
            is("handshake-no-common-mac", NothingInCommon(&[4, 5]), "the lists of MACs have no name in common"),
            is("handshake-no-common-kex", Lists(Kex), "the lists on the line are those of key exchanges"),
            is("handshake-no-common-hostkey", Lists(HostKey), "the lists on the line are those of host keys"),
            is("handshake-no-common-cipher", Lists(Cipher), "the lists on the line are those of ciphers"),
            is("handshake-no-common-mac", Lists(Mac), "the lists on the line are those of MACs"),
            is("handshake-no-common-compression", Lists(Compression), "the lists on the line are those of compression"),
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
        // SSH.NET says so of a host key that the program rejects, too.
        texts: &["Key exchange negotiation failed"],
        candidates: &[
            is(
                "hostkey-changed",
                Seen(&["Fingerprint for <host>:", "SSHTrustedHost", "CategoryInfo          : SecurityError"]),
                "the program compares the host key with one that it trusts (Remove-SSHTrustedHost)",
            ),
            is(
                "handshake-no-common-kex",
                Always,
                "an old library meets a server of today: sshd's log names what has no match",
            ),
            is("hostkey-changed", Always, "the program compares the host key, and it is another one than before"),
            is("handshake-no-common-hostkey", Always, "sshd's log says no matching host key type found"),
            is("handshake-kex-failed", Always, "the exchange itself fails, in this library alone"),
        ],
        ..Family::NEW
    },
    Family {
        // Cisco's ASA, which gives one reason for many faults.
        texts: &[
            "disconnected by SSH server<text>\"Invalid message length\"",
            "disconnected by SSH server<text>\"Invalid message type\"",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "handshake-protocol-version",
                Seen(&["Exchanging versions - SSH-1.5"]),
                "the server offers the obsolete SSH-1 alone, and the client speaks SSH-2",
            ),
            is("handshake-protocol-violation", Always, "the client sends what the server does not read"),
            is("handshake-protocol-version", Always, "one end speaks SSH-1 alone"),
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
                "ssh hangs there, a VPN or tunnel is on the path, and ssh -o KexAlgorithms=curve25519-sha256 gets further",
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
            "Incorrect CRC received on packet",
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
            "BAD_PACK_LEN: Bad packet length",
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
            "asyncssh.misc.MACError",
            "[MAC_ERROR]",
            "(MacError)",
            "DISCONNECT_MAC_ERROR",
            "MAC verification failed",
            "Remote sent corrupt MAC",
            "Failed to decrypt a packet",
            "Failed MAC check",
            "ssh_packet: Decryption error",
        ],
        writer: Writer::Anyone,
        candidates: &[
            is(
                "transfer-corrupted",
                Seen(&["tar: Removing leading `", "sending incremental file list", "receiving incremental file list"]),
                "data had come: a bad cable or adapter, NIC offload, memory, or device on the path damages it",
            ),
            is("handshake-mac-mismatch", Seen(&["closed (0 bytes received so far)"]), AT_FIRST),
            is("transfer-corrupted", Seen(&["bytes received so far)"]), AFTER_A_WHILE),
            is(
                "handshake-protocol-violation",
                Seen(&["exchange_identification: banner line <n>:"]),
                "lines come before the version: the ProxyCommand, or something on the way, prints into the connection",
            ),
            is("transfer-corrupted", After(Check::Auth), AFTER_A_WHILE),
            is("handshake-mac-mismatch", Before(Check::Auth), AT_FIRST),
            is("transfer-corrupted", Seen(OF_A_SESSION), AFTER_A_WHILE),
            is("transfer-corrupted", InLine(&["Connection from user ", "Connection to user "]), AFTER_A_WHILE),
            is("handshake-mac-mismatch", InLine(&["[preauth]"]), AT_FIRST),
            is("transfer-corrupted", Said(TOLD_OF_A_SESSION), AFTER_A_WHILE),
            is("handshake-mac-mismatch", Always, AT_FIRST),
            is("transfer-corrupted", Always, AFTER_A_WHILE),
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
