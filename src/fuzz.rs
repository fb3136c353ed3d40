//! Every reader of external input, for the fuzz targets in `fuzz/`, each with its invariants.
//!
//! `cargo test` reads the small corpora with them, so that they never go stale.

use std::time::Duration;

use ssh_doctor_checks::base::ask::Question;
use ssh_doctor_checks::base::text::{escaped, is_unprintable, sanitize};
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::{logs, measure, ssh};

use crate::cli;
use crate::diagnose::diagnose;
use crate::journal;
use crate::plan::fuzz as plan;
use crate::redact::redacted;
use crate::report::{Style, json, text};
use crate::terminal::laid_out;

/// A reader, and the name of its fuzz target and of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 12] = [
    ("stream", ssh::fuzz::stream),
    ("kexinit", ssh::fuzz::kexinit),
    ("known_hosts", |bytes| with_text(bytes, ssh::fuzz::known_hosts)),
    ("certificate", |bytes| with_text(bytes, measure::auth::fuzz::certificate)),
    ("settings", |bytes| with_text(bytes, plan::settings)),
    ("target", |bytes| with_text(bytes, plan::target)),
    ("jump", |bytes| with_text(bytes, plan::jump)),
    ("duration", |bytes| with_text(bytes, durations)),
    ("escaping", |bytes| with_text(bytes, escaping)),
    ("recording", recording),
    ("log", log),
    ("journal", journal),
];

/// Lets one of them read.
///
/// # Panics
/// Panics if an invariant is violated, and if there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, read) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of the list");
    read(bytes);
}

fn with_text(bytes: &[u8], read: fn(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        read(text);
    }
}

fn durations(text: &str) {
    const LONGEST: Duration = Duration::from_hours(24 * 366 * 1000);
    for read in cli::DURATIONS {
        assert!(read(text).is_ok_and(|duration| duration <= LONGEST) || read(text).is_err());
    }
}

fn escaping(text: &str) {
    for safe in [escaped(text), sanitize(text)] {
        assert!(!safe.contains(is_unprintable), "{safe:?}");
    }
    assert!(sanitize(text).len() <= 200 * "\\u{10ffff}".len() + "…".len());
    let question = Question::Server { who: "me@db".to_owned(), words: text.to_owned() };
    let lines = laid_out(&question);
    assert!(lines.lines().count() <= 8 && lines.lines().all(|line| line.starts_with("(me@db) ")), "{lines:?}");
}

/// Whatever is read can be judged, printed and recorded again.
fn recording(bytes: &[u8]) {
    let Ok(evidence) = Evidence::from_json(bytes) else { return };
    let diagnosis = diagnose(&evidence);
    let style = Style { color: false, unicode: true, width: 80 };
    let report = text::render(&evidence, &diagnosis, &style);
    assert!(!report.contains(|c| c != '\n' && is_unprintable(c)), "{report:?}");
    let report = json::render(&evidence, &diagnosis, json::Shape { brief: false, pretty: false });
    assert!(!report.contains(is_unprintable), "{report:?}");
    let _ = redacted(&evidence);
}

fn log(bytes: &[u8]) {
    // It reads from memory, and whatever it contains is no error.
    logs::read(bytes).expect("a log");
}

fn journal(bytes: &[u8]) {
    let journal = journal::records(bytes, false).expect("a journal");
    let histories = journal::by_server(&journal);
    assert!(histories.len() <= journal.records.len());
}
