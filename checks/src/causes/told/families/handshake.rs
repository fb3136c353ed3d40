//! The key exchange.

use super::family::When::{After, Always, Exchanging, Lists, NothingInCommon, Recorded, Seen};
use super::family::{Family, Writer, is};
use crate::causes::told::algorithms::AlgorithmKind::{Cipher, Compression, HostKey, Kex, Mac};
use crate::facts::Check;
use crate::facts::log::Event;

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
        // PuTTY and what is built on it, where its question about a host key was not answered with yes.
        texts: &["Host key not confirmed", "User aborted at host key verification"],
        is_named: true,
        candidates: &[
            is("hostkey-unknown", Always, "the key is not in the cache: nobody confirmed it, or nobody was asked"),
            is("hostkey-changed", Always, "the warning before it says that the key differs from the cached one"),
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
            is("handshake-kex-failed", Recorded(Event::Algorithm), "the two agreed on algorithms: it stops after that"),
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
