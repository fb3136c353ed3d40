//! Complaints about SSH in the words of a program that the catalogue does not know: the operation that they name gives candidates.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::candidates::candidates;
use super::families::{Candidate, When, Writer, is};
use super::finding::Told;
use super::foreign::{is_foreign, is_of_a_tool, is_of_ssh};
use super::owners::{family, owners};
use super::sentences::{GENERAL, SENTENCES};
use super::words::{CONDITIONAL_LINES, FILE_DENIED_LINES, HARMLESS_LINES};
use crate::facts::Check;
use crate::facts::log::{Connection, Line, Log, Sighting};

/// Words that name an operation, and the likeliest causes of its failure; the specific ones first.
const OPERATIONS: &[(&str, &[Candidate])] = &[
    (
        r"passphrase|(?:unlock|decrypt).{0,40}\bkey|(?:key|identity).{0,40}\b(?:is|are) (?:encrypted|password.protected)",
        &[
            is("auth-key-encrypted", When::Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-unreadable", When::Always, "the key is of a format that this program does not read"),
        ],
    ),
    (
        r"\bcipher|encryption algorithm",
        &[
            is(
                "handshake-no-common-cipher",
                When::Always,
                "ssh -vv shows the ciphers of both ends, with none in common",
            ),
            is("handshake-kex-failed", When::Always, "the algorithms match, and the exchange fails"),
        ],
    ),
    (
        r"\bhost[ -]?key (?:algorithm|type|format)|key type.{0,40}not supported by",
        &[
            is(
                "handshake-no-common-hostkey",
                When::Always,
                "the server has host keys of types that the client refuses",
            ),
            is("handshake-no-common-kex", When::Always, "ssh -vv shows no key exchange in common"),
        ],
    ),
    (
        r"(?:host[ -]?key|fingerprint|known.?hosts).{0,60}(?:mismatch|(?:not|n't) match|changed|differ|wrong)",
        &[
            is("hostkey-changed", When::Always, "the key that is recorded for this host is another one"),
            is("hostkey-unknown", When::Always, "no key of this host is recorded"),
        ],
    ),
    (
        r"host[ -]?key|known.?hosts?\b|fingerprint|authenticity",
        &[
            is("hostkey-unknown", When::Always, "no key of this host is recorded, and nobody confirmed it"),
            is("hostkey-changed", When::Always, "the key that is recorded for this host is another one"),
        ],
    ),
    (
        r"ssh-agent|auth.?sock|pageant|userauth_agent",
        &[
            is("auth-agent-unreachable", When::Always, "ssh-add -l reaches no agent in the program's environment"),
            is("auth-agent-refused", When::Always, "the agent answers, and refuses to sign"),
        ],
    ),
    (
        r"(?:private|ssh|identity|deploy|pem|rsa|openssh).?key.{0,60}(?:pars|decod|load|read|format|invalid|unsupported|import|not (?:found|exist|access)|no such|corrupt)|(?:pars|decod|load|read|import|invalid|unsupported).{0,40}(?:private|ssh|identity|pem|openssh).?key",
        &[
            is(
                "auth-key-unreadable",
                When::Always,
                "the file is missing, unreadable, or of a format that this program lacks",
            ),
            is("auth-key-encrypted", When::Always, "the key has a passphrase, which the program did not get"),
        ],
    ),
    (
        r"key.?exchange|\bkex|negotiat|algorithm",
        &[
            is("handshake-no-common-kex", When::Always, "ssh -vv shows no algorithm in common: one end is old"),
            is("handshake-kex-failed", When::Always, "the algorithms match, and the exchange fails"),
            is("handshake-kex-stalled", When::Always, "the exchange stops without an answer"),
        ],
    ),
    (
        r"\bbanner|identification|protocol version",
        &[
            is("handshake-no-banner", When::Always, "the connection is accepted, and no version comes"),
            is("handshake-closed-before-banner", When::Always, "the connection is closed before a version"),
            is("handshake-not-ssh", When::Always, "the port is another service's"),
        ],
    ),
    (
        r"password|keyboard.interactive",
        &[
            is("auth-password-rejected", When::Always, "the password or the login name is wrong"),
            is("auth-account-refused", When::Always, "the password is right: the account may not log in with one"),
            is("auth-method-unavailable", When::Always, "the server takes no passwords"),
        ],
    ),
    (
        r"authentic|\bauth\b|libssh2_userauth|unauthor|\blog ?[io]n\b|credential|public.?key|(?:permission|access) denied",
        &[
            is(
                "auth-key-rejected",
                When::Always,
                "the key is not in the account's authorized_keys, or the login name is wrong",
            ),
            is("auth-password-rejected", When::Always, "the program logs in with a password, which is wrong"),
            is("auth-no-credentials", When::Always, "the program has no key and no password"),
        ],
    ),
    (
        r"subsystem|(?:initiali[sz]|start).{0,20}\bsftp|sftp_init\b",
        &[
            is("session-subsystem-missing", When::Always, "ssh works and sftp does not: the server has no sftp-server"),
            is("session-rc-output", When::Always, "ssh HOST true prints something: a start-up file"),
            is("session-restricted", When::Always, "the account is served something else than sftp"),
        ],
    ),
    (
        r"port.?forward|forwarding",
        &[
            is(
                "channel-forwarding-prohibited",
                When::Always,
                "the server forbids it: AllowTcpForwarding, PermitOpen, PermitListen",
            ),
            is("channel-local-forward-failed", When::Always, "the port is on this machine, and taken (-L, -D)"),
            is("channel-remote-forward-failed", When::Always, "the port is on the server, and taken (-R)"),
        ],
    ),
    (
        r"(?:channel|shell|exec|env|pty).{0,10} request",
        &[
            is("session-exec-failed", When::Always, "the account or its key allows no such request"),
            is("session-restricted", When::Always, "the server serves other requests only"),
            is("channel-open-refused", When::Always, "the server opens no channel"),
        ],
    ),
    (
        r"\bchannel|_channel|channel\w*(?:exception|error)|\bpty\b",
        &[
            is("channel-open-refused", When::Always, "the login worked, and the server opens no channel"),
            is("channel-closed-early", When::Always, "the channel opens, and is closed at once"),
            is("channel-max-sessions", When::Always, "the connection has many sessions already"),
        ],
    ),
    (
        r"handshake|session_startup",
        &[
            is(
                "handshake-kex-failed",
                When::Always,
                "ssh by hand works: the program's library and the server disagree",
            ),
            is("handshake-closed-before-banner", When::Always, "ssh by hand is closed at once as well"),
            is("handshake-no-common-kex", When::Always, "ssh -vv shows no algorithm in common: one end is old"),
            is("handshake-not-ssh", When::Always, "the port is another service's"),
        ],
    ),
];

/// As [`OPERATIONS`], for words that name no more than a connection.
const CONNECTIONS: &[(&str, &[Candidate])] = &[
    (
        r"network error|ssh_connect|socket error",
        &[
            is("tcp-filtered", When::Always, "it comes after many seconds: nothing answers"),
            is("tcp-refused", When::Always, "it comes at once: nothing listens on that port"),
            is("tcp-unreachable", When::Always, "this machine has no route to that address"),
            is("handshake-reset", When::Always, "the connection was open: ssh -v shows the step at which it is reset"),
        ],
    ),
    (
        r"(?:connect|establish).{0,40}(?:\bssh\b|\bsftp\b|\bport 22\b|:22\b)|\b(?:ssh|sftp)\b.{0,20}\bconnect(?:ion)?\b.{0,20}(?:fail|error|lost|not )",
        &[
            is("tcp-filtered", When::Always, "it comes after many seconds: nothing answers"),
            is("tcp-refused", When::Always, "it comes at once: nothing listens on that port"),
            is("auth-key-rejected", When::Always, "ssh by hand prints Permission denied"),
            is("handshake-no-common-kex", When::Always, "ssh by hand works: the program's library is old"),
            is("hostkey-unknown", When::Always, "ssh by hand asks about the host key"),
        ],
    ),
    (
        r"connection ?(?:lost|exception)|transport ?exception|\bconnection to \S+ exited:|disconnect(?:ed)?exception",
        &[
            is(
                "handshake-closed-before-banner",
                When::Always,
                "it comes at once: the server, or something before it, closes",
            ),
            is("auth-disconnected", When::Always, "it comes at the login"),
            is("idle-closed", When::Always, "the session was open, and idle"),
            is("network-outage", When::Always, "the session was in use: the path was down"),
        ],
    ),
    (
        r"\b(?:jsch|ssh)exception\W*$",
        &[
            is("handshake-kex-failed", When::Always, "ssh by hand works: the program's library is old"),
            is("auth-key-rejected", When::Always, "ssh by hand prints Permission denied"),
            is("idle-closed", When::Always, "the session was open"),
            is("tcp-filtered", When::Always, "ssh by hand times out"),
        ],
    ),
];

/// Exceptions of interpreters and runtimes about code, names and packages, and complaints of rsync about files.
const BUGS: &str = r"(?x)\b(?:NameError|NoMethodError|AttributeError|ImportError|ModuleNotFoundError|TypeError|IndexError|KeyError|SyntaxError
    |ReferenceError|NullPointerException|NoClassDefFoundError|ClassNotFoundException|NoSuchMethodError|UnsatisfiedLinkError)\b
    |Segmentation\x20fault|uninitialized\x20constant|undefined\x20(?:local\x20variable|method|symbol|reference)|is\x20not\x20a\x20function|Cannot\x20find\x20module
    |Cannot\x20read\x20propert(?:y|ies)\x20of|No\x20module\x20named|cannot\x20load\x20such\x20file|nil\x20pointer\x20dereference
    |^rsync:\x20(?:\[\w+\]\x20)?(?:chown|chgrp|mkstemp|rename|readlink_stat|link_stat|opendir|mkdir|symlink|delete_file|send_files|failed\x20to\x20set)\b
    |has\x20no\x20attribute|unexpected\x20keyword\x20argument|wrong\x20number\x20of\x20arguments|Call\x20to\x20undefined\x20function|unresolved\x20import|unpacking\x20on\x20the\x20remote\x20end";

/// Returns the candidates for the first complaint about SSH that names an operation, where no login succeeded.
pub(super) fn by_operation(log: &Log) -> Vec<Told> {
    static WORDS: LazyLock<RegexSet> = LazyLock::new(|| {
        let words = operations().map(|(_, words, _)| words);
        let set = RegexSetBuilder::new(words).unicode(false).case_insensitive(true).build();
        set.expect("the words of operations compile")
    });
    if log.connections.iter().any(|connection| connection.passed(Check::Auth)) {
        return Vec::new();
    }
    let seen = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let is_of_others = |line: &Line| is_foreign(line.in_english()) || is_a_bug(line.in_english().as_bytes());
    if log.is_brief() && seen.chain(&log.unknown).any(is_of_others) {
        return Vec::new();
    }
    let joined = joined(log);
    let lines = joined.iter().chain(&log.unknown).chain(hints(log));
    let named = lines.filter(|line| is_in_earnest(line)).filter_map(|line| {
        let at = WORDS.matches(line.in_english().as_bytes()).iter().find(|at| is_asked_about(log, line, *at))?;
        Some((line, operations().nth(at)?.2))
    });
    let Some((line, all)) = named.min_by_key(|(line, _)| !is_of_a_program(line)) else { return Vec::new() };
    let seen = Sighting::of(line.clone());
    candidates(&Connection::default(), all, false, &seen)
}

/// Tells how much words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// A thing of the protocol, and what happened to it.
    Fault,
    /// A thing of the protocol.
    Thing,
    /// What happened.
    Event,
}

/// All words that are looked for, the specific ones first.
fn operations() -> impl Iterator<Item = (Says, &'static str, &'static [Candidate])> {
    let all = [(Says::Fault, SENTENCES), (Says::Thing, OPERATIONS), (Says::Event, GENERAL), (Says::Thing, CONNECTIONS)];
    all.into_iter().flat_map(|(says, some)| some.iter().map(move |(words, candidates)| (says, *words, *candidates)))
}

/// True if a line with these words asks about SSH: who asks about a line or two does, and what does not sound like a complaint has to tell of
/// a fault.
fn is_asked_about(log: &Log, line: &Line, at: usize) -> bool {
    let Some((says, ..)) = operations().nth(at) else { return false };
    let is_plain = log.unknown_count == 0 && log.unknown.contains(line);
    let is_enough = match says {
        Says::Fault => true,
        Says::Thing => !is_plain,
        Says::Event => log.is_brief(),
    };
    let text = line.in_english();
    is_enough && (is_of_ssh(text) || log.is_brief() && says != Says::Thing && is_short(text))
}

/// The few lines that somebody asks about as one: a terminal or a mail may have broken a message.
fn joined(log: &Log) -> Option<Line> {
    let (first, rest) = log.unknown.split_first()?;
    if !log.is_brief() || rest.is_empty() || rest.len() as u64 + 1 != log.lines {
        return None;
    }
    let text = log.unknown.iter().map(|line| line.in_english().trim_start_matches("> ")).collect::<Vec<_>>().join(" ");
    is_short(&text).then(|| Line { text, english: None, ..first.clone() })
}

/// Complaints whose only known text is one that tells candidates apart, which names no cause by itself.
fn hints(log: &Log) -> impl Iterator<Item = &Line> {
    static COMPLAINTS: LazyLock<Regex> = LazyLock::new(|| {
        let words = r"(?i)\b(?:error|fail(?:s|ed|ure)?|unable|cannot|could not|denied|refused|rejected)\b";
        RegexBuilder::new(words).unicode(false).build().expect("the words of complaints compile")
    });
    let names_a_cause =
        |symptom: &str| family(symptom, Writer::Anyone).is_some() || !owners(symptom, Writer::Anyone).is_empty();
    log.connections.iter().flat_map(move |connection| {
        let names = move |line: &Line| {
            connection.sightings.iter().any(|seen| seen.line == *line && names_a_cause(&seen.symptom))
        };
        let lines = connection.sightings.iter().map(|seen| &seen.line);
        lines.filter(move |line| COMPLAINTS.is_match(line.in_english().as_bytes()) && !names(line))
    })
}

/// True if a line has the marks of a program's message, which what a person writes around it lacks.
fn is_of_a_program(line: &Line) -> bool {
    static MARKS: LazyLock<Regex> = LazyLock::new(|| {
        let marks = r"\b\w*[A-Za-z](?:Error|Exception|Failure|Failed)\b|(?i:\b(?:error|fatal|panic|failed|failure|warn(?:ing)?)\]?:)";
        RegexBuilder::new(marks).unicode(false).build().expect("the marks compile")
    });
    MARKS.is_match(line.in_english().as_bytes())
}

/// True if a line tells of a fault in a program's own code or installation, or of a file, whatever words of SSH it has.
fn is_a_bug(line: &[u8]) -> bool {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| RegexBuilder::new(BUGS).unicode(false).build().expect("the words of faults in code compile"));
    WORDS.is_match(line)
}

/// True if a cloud's own command line complains of its account or of what it looked up, before any connection.
fn is_of_a_cloud(text: &str) -> bool {
    let rest = text.split_once("(gcloud.").map(|(_, rest)| rest);
    rest.is_some_and(|rest| !rest.contains("SSH into") && !rest.contains("exited with"))
}

/// True for a line of few words.
fn is_short(text: &str) -> bool {
    /// The words of a message that gives no more than its fault.
    const WORDS: usize = 10;
    text.split_whitespace().count() <= WORDS
}

/// True if a line complains in earnest, and of nothing else than SSH: ssh's own debugging tells of much that fails and does not matter.
fn is_in_earnest(line: &Line) -> bool {
    let text = line.in_english();
    let bytes = text.as_bytes();
    let is_harmless = HARMLESS_LINES.is_match(bytes)
        || FILE_DENIED_LINES.is_match(bytes)
        || CONDITIONAL_LINES.is_match(bytes)
        || is_a_bug(bytes)
        || is_of_a_cloud(text);
    !is_foreign(text) && !is_of_a_tool(text) && !is_harmless && !text.contains("debug")
}
