//! A cause that a log tells of, and the parts of it that its lines give.

use std::borrow::Cow;

use super::families::Writer;
use crate::base::text::sanitize;
use crate::causes::{Cause, Match, Severity};
use crate::facts::Check;
use crate::facts::log::{Connection, Sighting};

/// A cause that a log tells of.
#[derive(Debug)]
pub struct Told {
    /// The cause.
    pub cause: &'static Cause,
    /// The certainty and the lines.
    pub found: Match,
    /// The sign that distinguishes it from others with the same text; `None` where it is identified.
    pub sign: Option<Cow<'static, str>>,
    /// The connections in which it was found, by their places in the log.
    pub connections: Vec<usize>,
}

/// The program whose log a connection is from.
pub(super) fn writer(connection: &Connection) -> Writer {
    match &connection.program {
        Some(program) if program.is_server() => Writer::Server,
        Some(_) => Writer::Client,
        None => Writer::Anyone,
    }
}

/// The severity of a cause in a log, where that is another than its own is or it is no more than worth knowing: what a log shows to be
/// refused was asked for.
pub(super) fn in_a_log(cause: &Cause) -> Option<Severity> {
    let is_wanted = cause.stage == Check::Channel;
    (cause.severity == Severity::Info).then_some(if is_wanted { Severity::Warning } else { Severity::Info })
}

/// A line as it is quoted.
pub(super) fn quoted(seen: &Sighting) -> String {
    format!("line {}: {}", seen.line.number, sanitize(&seen.line.text))
}
