//! Complaints about SSH in the words of a program that the catalogue does not know: the operation that they name gives candidates.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::candidates::candidates;
use super::families::Writer;
use super::finding::Told;
use super::foreign::{is_foreign, is_of_a_tool, is_of_others, is_of_ssh};
use super::owners::{family, owners};
use super::sentences::{Says, expression, sentences};
use super::words::{CONDITIONAL_LINES, FILE_DENIED_LINES, HARMLESS_LINES};
use crate::facts::Check;
use crate::facts::log::{Connection, Line, Log, Sighting};

/// The words of all sentences.
static WORDS: LazyLock<RegexSet> = LazyLock::new(|| {
    let words = sentences().map(|(_, words, _)| expression(words));
    let set = RegexSetBuilder::new(words).unicode(false).case_insensitive(true).build();
    set.expect("the words of operations compile")
});

/// The words of complaints.
static COMPLAINTS: LazyLock<Regex> = LazyLock::new(|| {
    let words = r"(?i)\b(?:error|fail(?:s|ed|ure)?|unable|cannot|could not|denied|refused|rejected)\b";
    RegexBuilder::new(words).unicode(false).build().expect("the words of complaints compile")
});

/// Exceptions of interpreters and runtimes about code, names and packages, and complaints of rsync about files.
const BUGS: &str = r"(?x)\b(?:NameError|NoMethodError|AttributeError|ImportError|ModuleNotFoundError|TypeError|IndexError|KeyError|SyntaxError
    |ReferenceError|NullPointerException|NoClassDefFoundError|ClassNotFoundException|NoSuchMethodError|UnsatisfiedLinkError)\b
    |Segmentation\x20fault|uninitialized\x20constant|undefined\x20(?:local\x20variable|method|symbol|reference)|is\x20not\x20a\x20function|Cannot\x20find\x20module
    |Cannot\x20read\x20propert(?:y|ies)\x20of|No\x20module\x20named|cannot\x20load\x20such\x20file|nil\x20pointer\x20dereference
    |^rsync:\x20(?:\[\w+\]\x20)?(?:chown|chgrp|mkstemp|rename|readlink_stat|link_stat|opendir|mkdir|symlink|delete_file|send_files|failed\x20to\x20set)\b
    |has\x20no\x20attribute|unexpected\x20keyword\x20argument|wrong\x20number\x20of\x20arguments|Call\x20to\x20undefined\x20function|unresolved\x20import|unpacking\x20on\x20the\x20remote\x20end";

/// Returns the candidates for the first complaint about SSH that names an operation, where no login succeeded, and how much its words say.
pub(super) fn by_operation(log: &Log) -> Option<(Says, Vec<Told>)> {
    if log.connections.iter().any(|connection| connection.passed(Check::Auth)) {
        return None;
    }
    let seen = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let is_others = |line: &Line| is_of_others(line.in_english()) || is_a_bug(line.in_english().as_bytes());
    if log.is_brief() && seen.chain(&log.unknown).any(is_others) {
        return None;
    }
    let joined = joined(log);
    let lines = joined.iter().chain(&log.unknown).chain(hints(log));
    let named = lines.filter(|line| is_in_earnest(line)).filter_map(|line| {
        let at = WORDS.matches(line.in_english().as_bytes()).iter().find(|at| is_asked_about(log, line, *at))?;
        Some((line, sentences().nth(at)?))
    });
    let (line, (says, _, all)) = named.min_by_key(|(line, _)| !is_of_a_program(line))?;
    let told = candidates(&Connection::default(), all, false, &Sighting::of(line.clone()));
    (!told.is_empty()).then_some((says, told))
}

/// True if a line with these words asks about SSH: who asks about a line or two does, and what does not sound like a complaint has to tell of
/// a fault.
fn is_asked_about(log: &Log, line: &Line, at: usize) -> bool {
    let Some((says, ..)) = sentences().nth(at) else { return false };
    let complains =
        log.unknown_count > 0 && log.unknown.contains(line) || COMPLAINTS.is_match(line.in_english().as_bytes());
    let is_enough = match says {
        Says::Fault => true,
        Says::Thing => complains,
        Says::Event => log.is_brief(),
    };
    let text = line.in_english();
    is_enough && (is_of_ssh(text) || log.is_brief() && says != Says::Thing && is_short(text))
}

/// Texts of the catalogue that say no more than that something ended or took too long: the rest of the line tells what.
const BARE: &[&str] = &[
    "timed out",
    "connection timed out",
    ": connection timeout",
    "* timeout",
    "session timed out",
    "Connection closed",
    "Connection terminated",
    "connection lost",
];

/// Returns the candidates for a fault that a short line names, of whose words the catalogue knows no more than its end.
pub(super) fn by_sentence(log: &Log) -> Vec<Told> {
    if !is_bare(log) {
        return Vec::new();
    }
    let seen = log.connections.iter().flat_map(|connection| &connection.sightings);
    let lines = seen.map(|seen| &seen.line).filter(|line| is_short(line.in_english()) && is_in_earnest(line));
    let mut named = lines.filter_map(|line| {
        let (says, _, all) = sentences().nth(WORDS.matches(line.in_english().as_bytes()).iter().next()?)?;
        (says == Says::Fault).then_some((line, all))
    });
    let Some((line, all)) = named.next() else { return Vec::new() };
    candidates(&Connection::default(), all, false, &Sighting::of(line.clone()))
}

/// True if the catalogue knows no more of a log than that something ended or took too long.
pub(super) fn is_bare(log: &Log) -> bool {
    let mut seen = log.connections.iter().flat_map(|connection| &connection.sightings);
    seen.all(|seen| BARE.contains(&seen.symptom.as_str()))
}

/// The few lines that somebody asks about as one: a terminal or a mail may have broken a message.
fn joined(log: &Log) -> Option<Line> {
    let (first, rest) = log.unknown.split_first()?;
    if !log.is_brief() || rest.is_empty() || rest.len() as u64 + 1 != log.lines {
        return None;
    }
    let text = log.unknown.iter().map(|line| line.in_english().trim_start_matches("> ")).collect::<Vec<_>>().join(" ");
    let is_one = is_short(&text) || is_of_ssh(&text) && text.split_whitespace().count() <= 2 * SHORT;
    is_one.then(|| Line { text, english: None, ..first.clone() })
}

/// Complaints whose only known text is one that tells candidates apart, which names no cause by itself.
fn hints(log: &Log) -> impl Iterator<Item = &Line> {
    let names_a_cause =
        |symptom: &str| family(symptom, Writer::Anyone).is_some() || !owners(symptom, Writer::Anyone).is_empty();
    log.connections.iter().flat_map(move |connection| {
        let names = move |line: &Line| {
            connection.sightings.iter().any(|seen| seen.line == *line && names_a_cause(&seen.symptom))
        };
        let lines = connection.sightings.iter().map(|seen| &seen.line);
        let complains = |line: &&Line| log.is_brief() || COMPLAINTS.is_match(line.in_english().as_bytes());
        lines.filter(complains).filter(move |line| !names(line))
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

/// True if a program other than ssh is missing on this machine, of which no server knows.
fn is_missing_here(line: &[u8]) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        let words = r"(?i)\b[\w.+-]+ (?:was |is )?not (?:found|installed|available) (?:on|in|at) (?:the |your |this |my )?(?:local|this)(?: machine| host| system| computer| path)\b";
        RegexBuilder::new(words).unicode(false).build().expect("the words of a missing program compile")
    });
    WORDS.is_match(line) && !line.windows(4).any(|word| word == b"ssh " || word == b"scp " || word == b"sftp")
}

/// True if a cloud's own command line complains of its account or of what it looked up, before any connection.
fn is_of_a_cloud(text: &str) -> bool {
    let rest = text.split_once("(gcloud.").map(|(_, rest)| rest);
    rest.is_some_and(|rest| !rest.contains("SSH into") && !rest.contains("exited with"))
}

/// The words of a message that gives no more than its fault.
const SHORT: usize = 12;

/// True for a line of few words.
fn is_short(text: &str) -> bool {
    text.split_whitespace().count() <= SHORT
}

/// True if a line complains in earnest, and of nothing else than SSH: ssh's own debugging tells of much that fails and does not matter.
pub(super) fn is_in_earnest(line: &Line) -> bool {
    let text = line.in_english();
    let bytes = text.as_bytes();
    let is_harmless = HARMLESS_LINES.is_match(bytes)
        || FILE_DENIED_LINES.is_match(bytes)
        || CONDITIONAL_LINES.is_match(bytes)
        || is_a_bug(bytes)
        || is_of_a_cloud(text);
    !is_foreign(text) && !is_of_a_tool(text) && !is_harmless && !is_missing_here(bytes) && !text.contains("debug")
}
