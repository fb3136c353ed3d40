//! A log as read: each connection that it records, step by step, with the lines that say so.

mod event;
mod views;

use std::collections::BTreeMap;

pub use event::{Event, Part};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::Check;

/// A log that was read to its end.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Log {
    /// Bytes that were read.
    pub bytes: u64,
    /// Lines that were read.
    pub lines: u64,
    /// True if it began with its newest line: lines are numbered from the oldest.
    #[serde(default)]
    pub newest_first: bool,
    /// The programs that wrote it, the one named first first.
    pub programs: Vec<Program>,
    /// The first and the last time stamp, as the log has them.
    pub first: Option<String>,
    /// See `first`.
    pub last: Option<String>,
    /// The connections, those that went alike as one, in the order of their first lines.
    pub connections: Vec<Connection>,
    /// Connections of further kinds, which are only counted.
    pub uncounted: u64,
    /// Complaints that no text of the catalogue matches: the first ones.
    pub unknown: Vec<Line>,
    /// The number of such complaints.
    pub unknown_count: u64,
    /// Lines that were written within others, as JSON quotes them.
    #[serde(skip)]
    pub quoted_lines: u64,
    /// The message of a line or two in a letter about it, read as if it stood alone.
    #[serde(skip)]
    pub message: Option<Box<Log>>,
    /// True if it has lines of a stack trace.
    #[serde(skip)]
    pub has_stack_frames: bool,
    /// True if it tells of a connection to a port of FTP, Telnet, mail or the web.
    #[serde(skip)]
    pub connects_elsewhere: bool,
    /// True if somebody says around it that something hangs.
    #[serde(skip)]
    pub is_said_to_hang: bool,
    /// True if `su` to an account without a shell is refused.
    #[serde(skip)]
    pub changes_the_account: bool,
    /// True if a line names SSH, a URL of it, or a program that works over SSH alone.
    #[serde(skip)]
    pub names_ssh: bool,
}

/// A connection in a log, and how many others went like it.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Connection {
    /// The program that wrote it; `null` where no line names it.
    pub program: Option<Program>,
    /// The number of connections that went like this one, itself included.
    pub count: u64,
    /// The addresses at the other end, the most frequent first, with the connections of each.
    pub peers: Vec<(String, u64)>,
    /// The time stamps of the first and the last of them, as the log has them.
    pub first: Option<String>,
    /// See `first`.
    pub last: Option<String>,
    /// The steps of the first of them, in order; of a long one the first and the last steps.
    pub entries: Vec<Entry>,
    /// Steps between those that are not kept.
    pub omitted: u64,
    /// The lines of it that have a text of the catalogue.
    pub sightings: Vec<Sighting>,
    /// The longest waits between two of its lines, the longest first; empty where lines have no times.
    pub gaps: Vec<Gap>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its text: bounded, secrets masked, not escaped.
    pub text: String,
    /// Its text in English, where it has words of another language that are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub english: Option<String>,
}

impl Line {
    /// Returns its text in English, as far as the words are known.
    #[must_use]
    pub fn in_english(&self) -> &str {
        self.english.as_deref().unwrap_or(&self.text)
    }
}

/// A text of the catalogue in a line.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Sighting {
    /// The text, with its holes.
    pub symptom: String,
    /// The line.
    pub line: Line,
    /// The last check that had passed by then; `null` where the log shows none.
    pub after: Option<Check>,
    /// Seconds since the line before it; `null` where lines have no times.
    pub waited_s: Option<f64>,
    /// True if the line before it is plain output: neither a step, nor a complaint, nor a command that runs ssh.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follows_output: bool,
}

impl Sighting {
    /// A line without a text of the catalogue.
    #[must_use]
    pub fn of(line: Line) -> Self {
        Self { symptom: String::new(), line, after: None, waited_s: None, follows_output: false }
    }
}

/// A wait between two lines of one connection.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Gap {
    /// Its length, seconds.
    pub seconds: f64,
    /// The line that ended it.
    pub line: Line,
    /// The step before it; `null` where none was recorded.
    pub after: Option<Event>,
    /// The step that the line records; `null` where it records none.
    pub before: Option<Event>,
}

/// A program that writes logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
pub struct Program {
    /// The product, such as `OpenSSH`.
    pub name: String,
    /// The version that the log states.
    pub version: Option<String>,
}

/// Programs whose log is a server's.
const SERVERS: [&str; 9] =
    ["sshd", "dropbear", "fail2ban", "Twisted server", "SFTPGo", "ProFTPD", "RouterOS", "Cisco IOS", "Junos"];

impl Program {
    /// True if its log is a server's.
    #[must_use]
    pub fn is_server(&self) -> bool {
        SERVERS.contains(&self.name.as_str())
    }
}

/// One step of a connection.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Entry {
    /// The number of its line, from 1.
    pub line: u64,
    /// Seconds since the connection's first line with a time; `null` where its lines have none.
    #[serde(default)]
    pub at_s: Option<f64>,
    /// The step.
    pub event: Event,
    /// The values in the line, by the names that [`Event`] lists; bounded, secrets masked, not escaped.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
}

impl Entry {
    /// A value of the line.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

impl Connection {
    /// The first entry of an event.
    #[must_use]
    pub fn first(&self, event: Event) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.event == event)
    }

    /// All entries of an event.
    pub fn all(&self, event: Event) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.event == event)
    }

    /// The last entry that is not one of an end, and so the step at which the connection stood.
    #[must_use]
    pub fn last_step(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| !matches!(entry.event.place(), Some((_, Part::Ends)) | None))
    }

    /// The entry of the connection's end, where the log has it.
    #[must_use]
    pub fn end(&self) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| matches!(entry.event.place(), Some((_, Part::Ends | Part::Fails))))
    }

    /// True if the log shows that a check did its job.
    #[must_use]
    pub fn passed(&self, check: Check) -> bool {
        let passes = |entry: &Entry| match entry.event.place() {
            Some((at, Part::Passes)) => at >= check,
            // A session moved the data.
            _ if entry.event == Event::Transferred => check <= Check::Channel,
            // What comes later stands on what came before.
            Some((at, Part::Step | Part::Fails)) => at > check && at != Check::Exit && at != Check::Idle,
            _ => false,
        };
        self.entries.iter().any(passes)
    }
}
