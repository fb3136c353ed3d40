//! The texts of a connection's lines that count, and the causes that own them.

use super::families::{Family, Writer, families};
use super::foreign::{SHARED_WITH_OTHERS, is_foreign, is_of_ssh, is_said_of_others_too};
use super::signs::is_of_anybody;
use super::words::{self, own_texts};
use crate::causes::{self, Cause};
use crate::facts::Check;
use crate::facts::log::{Connection, Entry, Event, Sighting};

/// Causes later than the settings that only a client's log tells of.
const OF_CLIENTS: [&str; 4] =
    ["tcp-bind-address", "channel-local-forward-failed", "auth-key-unreadable", "auth-key-encrypted"];
/// The last words of sshd's processes, which git and others begin their own with.
const FATAL: &str = "fatal: <why>";
/// Words of sshd for a login that took too many tries, which databases have too.
const TOO_MANY: &str = "Too many authentication failures";

/// The causes with a text on their records, of which there is one where the text identifies it; none where it is a family's. What comes
/// before any packet is a client's alone.
pub(super) fn owners(text: &str, writer: Writer) -> Vec<&'static Cause> {
    if family(text, writer).is_some() {
        return Vec::new();
    }
    let may =
        |cause: &&Cause| writer != Writer::Server || cause.stage != Check::Config && !OF_CLIENTS.contains(&cause.code);
    causes::all().filter(may).filter(|cause| own_texts(cause).any(|own| own == text)).collect()
}

/// The family of a text in a log of this writer's, and its rank.
pub(super) fn family(text: &str, writer: Writer) -> Option<(usize, &'static Family)> {
    let fits = |family: &Family| family.writer == writer || family.writer == Writer::Anyone || writer == Writer::Anyone;
    let has = |family: &Family| family.texts.iter().any(|known| known.eq_ignore_ascii_case(text));
    families().enumerate().find(|(_, family)| fits(family) && has(family))
}

/// Of the texts in each line the closest: one that identifies a cause before one that several print, the longer before the shorter,
/// and any before one that only wraps another program's words.
pub(super) fn closest(
    connection: &Connection,
    writer: Writer,
    is_of_another: bool,
    is_about_ssh: bool,
) -> Vec<&Sighting> {
    let closeness = |seen: &Sighting| {
        let length = literal(&seen.symptom);
        if !owners(&seen.symptom, writer).is_empty() {
            return Some(if is_notice(seen) { (0, 0) } else { (2, length) });
        }
        family(&seen.symptom, writer).map(|(_, family)| (u8::from(!family.is_wrapper), length))
    };
    let mut closest: Vec<(&Sighting, (u8, usize))> = Vec::new();
    for seen in &connection.sightings {
        let Some(close) = closeness(seen) else { continue };
        let is_general = close.0 < 2 || is_one_of(SHARED_WITH_OTHERS, seen);
        if is_of_the_server(seen, writer)
            || seen.symptom == FATAL && writer != Writer::Server
            || is_harmless(seen)
            || is_a_file_of_many(connection, seen)
            || !is_about_ssh && is_of_anybody(connection, seen)
            || is_of_another_login(seen, writer)
            || seen.symptom.eq_ignore_ascii_case(TOO_MANY)
                && (is_of_another || is_foreign(seen.line.in_english()))
                && !is_of_ssh(seen.line.in_english())
                && !seen.line.in_english().contains("isconnect")
            || is_general && (is_of_another && !is_of_ssh(seen.line.in_english()) || is_foreign(seen.line.in_english()))
        {
            continue;
        }
        match closest.iter_mut().find(|(known, _)| known.line == seen.line) {
            Some(known) if known.1 < close => *known = (seen, close),
            Some(_) => (),
            None => closest.push((seen, close)),
        }
    }
    closest.into_iter().map(|(seen, _)| seen).collect()
}

/// True if a line about an account is of a login by another program.
fn is_of_another_login(seen: &Sighting, writer: Writer) -> bool {
    let is_of_a_login = |cause: &&Cause| cause.stage == Check::Auth;
    is_said_of_others_too(&seen.symptom)
        && is_foreign(seen.line.in_english())
        && owners(&seen.symptom, writer).iter().all(is_of_a_login)
}

/// True if a text complains of nothing.
pub(super) fn is_notice(seen: &Sighting) -> bool {
    words::NOTICES.contains(&seen.symptom.as_str())
}

/// True if a text of a client's settings is about those of the server.
fn is_of_the_server(seen: &Sighting, writer: Writer) -> bool {
    let is_of_settings = |cause: &&Cause| cause.stage == Check::Config;
    let owners = owners(&seen.symptom, writer);
    seen.line.text.contains("sshd_config") && !owners.is_empty() && owners.iter().all(is_of_settings)
}

/// True if a line has a text that makes it harmless.
fn is_harmless(seen: &Sighting) -> bool {
    let line = seen.line.in_english().as_bytes();
    words::HARMLESS_LINES.is_match(line)
        || is_said_of_others_too(&seen.symptom) && words::CONDITIONAL_LINES.is_match(line)
        || seen.symptom.starts_with("Permission denied")
            && !seen.symptom.ends_with("please try again")
            && words::FILE_DENIED_LINES.is_match(line)
        || seen.symptom.contains("onnection to <host> closed")
            && !seen.line.text.contains("closed by remote host")
            && ["FAILED! =>", "failed: [", "\"module_stderr\": \""]
                .iter()
                .any(|of_ansible| seen.line.text.contains(of_ansible))
        || is_of_a_remote_status(seen)
        || seen.symptom.ends_with("load host key") && words::SPARE_KEY_LINES.is_match(line)
        || seen.symptom == "incomplete message" && seen.line.text.contains("buffer error")
}

/// True for a line of ansible -vvv after a command that ended with a status of its own, 1 to 254: the task goes on with what it printed. Of ssh's own
/// status, 255, Ansible tells in the result of the task.
fn is_of_a_remote_status(seen: &Sighting) -> bool {
    const WORDS: &str = "Failed to connect to the host via ssh:";
    let is_its_wrapper = seen.symptom.starts_with(WORDS) || seen.symptom.contains("onnection to <host> closed");
    let line = seen.line.text.trim_start();
    let rest = line.strip_prefix('<').and_then(|line| line.split_once("> "));
    is_its_wrapper && rest.is_some_and(|(host, rest)| !host.contains(' ') && rest.starts_with(WORDS))
}

/// True if a key file is missing that ssh only looks for by itself, and another credential was refused.
fn is_a_file_of_many(connection: &Connection, seen: &Sighting) -> bool {
    let is_typed = |entry: &Entry| matches!(entry.value("method"), Some("password" | "keyboard-interactive"));
    seen.line.text.contains("debug3: no such identity")
        && (connection.first(Event::KeyOffered).is_some() || connection.all(Event::MethodTried).any(is_typed))
}

/// The characters of a text without its holes.
fn literal(text: &str) -> usize {
    text.split('<')
        .enumerate()
        .map(|(at, piece)| if at == 0 { piece.len() } else { piece.split_once('>').map_or(0, |(_, rest)| rest.len()) })
        .sum()
}

pub(super) fn is_one_of(texts: &[&str], seen: &Sighting) -> bool {
    texts.iter().any(|text| seen.symptom.eq_ignore_ascii_case(text))
}
