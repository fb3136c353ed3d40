//! A log as the checks of a report.

use std::fmt::Write as _;

use serde_json::json;

use super::{Connection, Entry, Event, Log, Part};
use crate::base::text::sanitize;
use crate::facts::{Check, CheckView, Step};

/// The reason of a check of which a log tells nothing.
const SILENT: &str = "not in the log";

/// The most lines of what somebody typed or copied to ask about it.
const BRIEF: u64 = 3;

impl Log {
    /// True for a few lines, which are no log but what somebody asks about.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        self.lines + self.quoted_lines <= BRIEF
    }

    /// The log with its lines numbered as those of a text that has so many lines before them.
    #[must_use]
    pub fn after(mut self, before: u64) -> Self {
        let sightings = self.connections.iter_mut().flat_map(|connection| &mut connection.sightings);
        for line in sightings.map(|seen| &mut seen.line).chain(&mut self.unknown) {
            line.number += before;
        }
        self
    }

    /// One check as the log shows it: passed where any connection got past it, failed where all that reached it ended there.
    #[must_use]
    pub fn view(&self, check: Check) -> CheckView {
        let any = |is: &dyn Fn(&Connection) -> bool| self.connections.iter().any(is);
        let entries = self.connections.iter().flat_map(|connection| &connection.entries);
        let own: Vec<_> = entries.filter(|entry| matches!(entry.event.place(), Some((at, _)) if at == check)).collect();
        let passed = own.iter().rev().find(|entry| matches!(entry.event.place(), Some((_, Part::Passes))));
        let (step, summary) = if any(&|connection| connection.passed(check)) {
            (Step::Passed(()), passed.or(own.last()).map_or_else(|| "passed".to_owned(), |entry| words(entry)))
        } else if any(&|connection| connection.stopped_at() == Some(check)) {
            let ends = self.connections.iter().filter(|connection| connection.stopped_at() == Some(check));
            let end = ends.filter_map(Connection::end).next_back();
            (Step::Failed(()), end.map_or_else(|| "not passed".to_owned(), words))
        } else {
            (Step::Skipped(SILENT.to_owned()), SILENT.to_owned())
        };
        let facts = if own.is_empty() { serde_json::Value::Null } else { json!({ "entries": own }) };
        CheckView { check, step, summary, duration_ms: 0.0, facts }
    }
}

impl Connection {
    /// The check at which the log shows the connection's end; `None` where it shows none.
    #[must_use]
    pub fn stopped_at(&self) -> Option<Check> {
        match self.end()?.event.place()? {
            (check, Part::Fails) => Some(check),
            // A bare line tells nothing of the steps before it.
            _ if !self.has_steps() => None,
            _ => Check::ALL.into_iter().filter(|check| *check <= Check::Channel).find(|check| !self.passed(*check)),
        }
    }
}

impl Connection {
    /// True if any step is recorded that is no end.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        let is_step = |entry: &Entry| matches!(entry.event.place(), Some((_, Part::Step | Part::Passes)));
        self.entries.iter().any(is_step)
    }
}

/// An entry in words: the event, and the values in its line.
fn words(entry: &Entry) -> String {
    let mut text = entry.event.name();
    for (name, value) in &entry.values {
        // Writing to a string does not fail.
        let _ = write!(text, "{} {name} {}", if text.contains(':') { "," } else { ":" }, sanitize(value));
    }
    format!("line {}: {text}", entry.line)
}

impl Event {
    /// The event in words.
    #[must_use]
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().replace('-', " ")
    }
}
