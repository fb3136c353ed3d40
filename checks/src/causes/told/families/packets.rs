//! Packets that do not verify or cannot be decrypted.

use super::family::When::{After, Always, Before, InLine, Said, Seen};
use super::family::{Candidate, Family, Writer, is};
use super::stages::{OF_A_KEY_EXCHANGE, OF_A_LOGIN};
use crate::facts::Check;

/// Packets do not verify from the first encrypted one.
const AT_FIRST: &str = "it fails at the first encrypted packet every time, and not with another cipher or MAC (-c, -m)";
/// Packets do not verify in a session that worked.
const AFTER_A_WHILE: &str =
    "it comes after a while or with volume: a bad cable, NIC offload, memory, or device on the path";
/// Lines of a session that worked before: a login, a copy under way, and the session's end in the server's log.
const OF_A_SESSION: &[&str] = &[
    "Connection from user <user> <address> port <port>: <why>",
    "Disconnecting user <user> <address> port <port>: <why>",
    "(sshd:session): session opened for user",
    "(sshd:session): session closed for user",
    "Compressing objects: <text>(",
    "Receiving objects: <text>(",
    "Resolving deltas: <text>(",
    "rsync: writefd_unbuffered failed to write <n> bytes",
    "rsync: [<who>] write error: Broken pipe",
    "rsync: [<who>] writefd_unbuffered failed",
    "KB/s ",
    "MB/s ",
    "kB/s ",
    "tar: Unexpected EOF",
    "tar: Removing leading",
    "close_fds r <n>",
    "destroying unclosed channel ID <n>",
    "unclosed file handle",
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
/// Frames of a library that connects.
const OF_A_CONNECT: &[&str] = &[
    "com.jcraft.jsch.Session.connect",
    "Renci.SshNet.Session.Connect(",
    "Renci.SshNet.BaseClient.Connect(",
    "client.py\", line <n>, in connect",
    "start_client",
    "Session.connect:",
    "Could not connect to server",
    "SSHClient.connect(",
    "ssh/transport/session.rb:<n>:in `initialize'",
];

/// The candidates that the rest of the log speaks for, in their order.
const FILES_HAD_COME: Candidate = is(
    "transfer-corrupted",
    Seen(&["tar: Removing leading `", "sending incremental file list", "receiving incremental file list"]),
    "data had come: a bad cable or adapter, NIC offload, memory, or device on the path damages it",
);
const NOTHING_HAD_COME: Candidate = is("handshake-mac-mismatch", Seen(&["closed (0 bytes received so far)"]), AT_FIRST);
const BYTES_HAD_COME: Candidate = is("transfer-corrupted", Seen(&["bytes received so far)"]), AFTER_A_WHILE);
const LINES_BEFORE_THE_VERSION: Candidate = is(
    "handshake-protocol-violation",
    Seen(&["exchange_identification: banner line <n>:"]),
    "lines come before the version: the ProxyCommand, or something on the way, prints into the connection",
);
const PAST_THE_LOGIN: Candidate = is("transfer-corrupted", After(Check::Auth), AFTER_A_WHILE);
const BEFORE_THE_LOGIN: Candidate = is("handshake-mac-mismatch", Before(Check::Auth), AT_FIRST);
const IN_THE_LOGIN: Candidate =
    is("handshake-mac-mismatch", InLine(&["[preauth]", "before auth", "handshake failed"]), AT_FIRST);
const OF_SOMEBODY: Candidate = is("transfer-corrupted", Seen(OF_A_SESSION), AFTER_A_WHILE);
const FRAMES_OF_A_LOGIN: Candidate = is("handshake-mac-mismatch", Seen(OF_A_LOGIN), AT_FIRST);
const FRAMES_OF_KEYS: Candidate = is("handshake-mac-mismatch", Seen(OF_A_KEY_EXCHANGE), AT_FIRST);
const FRAMES_OF_A_CONNECT: Candidate = is("handshake-mac-mismatch", Seen(OF_A_CONNECT), AT_FIRST);
const OF_THIS_MACHINE: Candidate = is(
    "handshake-mac-mismatch",
    InLine(&["Connection to 127.0.0.1 ", "Connection to ::1 ", "Connection to localhost "]),
    "no path damages what stays on this machine: it fails at the first encrypted packet",
);
const SAID_OF_A_SESSION: Candidate = is("transfer-corrupted", Said(TOLD_OF_A_SESSION), AFTER_A_WHILE);

/// The candidates of which nothing in a log tells.
const IN_A_SESSION: Candidate = is("transfer-corrupted", Always, AFTER_A_WHILE);
const AT_THE_BEGIN: Candidate = is("handshake-mac-mismatch", Always, AT_FIRST);
const PRINTED_INTO: Candidate = is("handshake-protocol-violation", Always, "something else prints into the connection");

pub(super) static FAMILIES: &[Family] = &[
    // OpenSSH's words, which its builds for Windows print with UMAC, and what other programs say as they connect.
    Family {
        texts: &[
            "Corrupted MAC on input",
            "message authentication code incorrect",
            "Received disconnect from <address>: 2: Corrupted MAC on input",
            "Received disconnect from <address> port <port>:2: Corrupted MAC on input",
            "ssh: MAC failure",
            "Incoming packet was garbled on decryption",
            "BAD_PACK_LEN: Bad packet length",
            "Packet len too high",
            "ssh: packet too large",
            "ssh: max packet length exceeded",
            "Indicated packet length <n> too large",
            "Invalid packet length",
            "Failure establishing ssh session: -4,",
            "Failure establishing ssh session: -12,",
            "Illegal packet size! (<n>)",
            // ProFTPD's mod_sftp.
            "client sent buggy/malicious packet payload length",
            "client sent buggy/malicious packet padding length",
            "client sent buggy/malicious packet length",
            "JSchSessionDisconnectException: SSH_MSG_DISCONNECT: 5 Invalid MAC",
        ],
        writer: Writer::Anyone,
        candidates: &[
            FILES_HAD_COME,
            NOTHING_HAD_COME,
            BYTES_HAD_COME,
            LINES_BEFORE_THE_VERSION,
            PAST_THE_LOGIN,
            BEFORE_THE_LOGIN,
            IN_THE_LOGIN,
            OF_SOMEBODY,
            FRAMES_OF_A_LOGIN,
            FRAMES_OF_KEYS,
            FRAMES_OF_A_CONNECT,
            OF_THIS_MACHINE,
            SAID_OF_A_SESSION,
            AT_THE_BEGIN,
            IN_A_SESSION,
            PRINTED_INTO,
        ],
        ..Family::NEW
    },
    // Without a sign of the handshake, it is a session that worked.
    Family {
        texts: &[
            "Incorrect MAC received on packet",
            "Incorrect CRC received on packet",
            "Mismatched MAC",
            "Wrong packet authentication code",
            "Invalid MAC",
            "MAC Error",
            "corrupted mac detected",
            "corrupted hmac detected",
            "HMAC error",
            "Integrity error",
            "Packet corrupt",
            "Received disconnect from <address>: 2: Packet corrupt",
            "Received disconnect from <address> port <port>:2: Packet corrupt",
            "Connection corrupted",
            "Bad packet length <n>",
            "Bad packet length: <n>",
            "Message Authentication Code did not verify",
            "Out-of-range packet length from remote suggests data stream corruption",
            "AEADBadTagException",
            "Invalid HMAC",
            "asyncssh.misc.MACError",
            "[MAC_ERROR]",
            "(MacError)",
            "DISCONNECT_MAC_ERROR",
            "MAC verification failed",
            "Remote sent corrupt MAC",
            "Failed to decrypt a packet",
            "Failed MAC check",
            "ssh_packet: Decryption error",
            "MAC from client differs from expected MAC",
        ],
        writer: Writer::Anyone,
        candidates: &[
            FILES_HAD_COME,
            NOTHING_HAD_COME,
            BYTES_HAD_COME,
            LINES_BEFORE_THE_VERSION,
            PAST_THE_LOGIN,
            BEFORE_THE_LOGIN,
            IN_THE_LOGIN,
            OF_SOMEBODY,
            FRAMES_OF_A_LOGIN,
            FRAMES_OF_KEYS,
            FRAMES_OF_A_CONNECT,
            OF_THIS_MACHINE,
            IN_A_SESSION,
            AT_THE_BEGIN,
            PRINTED_INTO,
        ],
        ..Family::NEW
    },
];
