//! A cause that a log tells of, and the parts of it that its lines give.

use std::borrow::Cow;

use super::families::Writer;
use super::foreign::{SHARED_WITH_OTHERS, is_of_ssh, is_said_of_others_too};
use super::owners::is_one_of;
use crate::base::text::sanitize;
use crate::causes::{Cause, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
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

/// Texts on one cause's record that are sometimes printed for another: OpenSSH 9.8 and later says the same at MaxStartups, and Windows lacks a
/// right for more reasons than one.
const MOSTLY: &[&str] = &[
    "Not allowed at this time",
    "CreateProcessAsUserW failed error:1314",
    "CreateProcessAsUserW failed error:740",
    // The new master may have ended at once.
    "Failed to connect to new control master",
    // A client of somebody's own that is broken does so too.
    "userauth_pubkey: parse publickey packet: incomplete message",
];

/// The certainty that a text gives, which this many causes have on their records.
pub(super) fn certainty(connection: &Connection, seen: &Sighting, owners: usize) -> Certainty {
    let is_of_ssh = connection.program.is_some() || !connection.entries.is_empty() || is_of_ssh(seen.line.in_english());
    // rsync copies between folders of one machine too, and complains of files in the same words.
    let is_of_ssh = is_of_ssh && !(is_one_of(SHARED_WITH_OTHERS, seen) && is_rsync_alone(connection, seen));
    match owners {
        1 if is_one_of(MOSTLY, seen) => Certainty::Likely,
        1 if is_of_ssh || !is_one_of(SHARED_WITH_OTHERS, seen) && !is_said_of_others_too(&seen.symptom) => {
            Certainty::Certain
        }
        1 => Certainty::Likely,
        _ => Certainty::Possible,
    }
}

/// True for a complaint of rsync in a log without a step of ssh.
fn is_rsync_alone(connection: &Connection, seen: &Sighting) -> bool {
    seen.line.in_english().starts_with("rsync: ")
        && connection.entries.is_empty()
        && connection.program.as_ref().is_none_or(|program| program.name == "rsync")
}
