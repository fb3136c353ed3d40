//! A line or two that no rule understands: texts that have their words may have their cause.

use super::finding::{Told, in_a_log, quoted};
use super::foreign::is_of_ssh;
use super::known::Known;
use super::operations::is_in_earnest;
use super::signs::has_steps;
use crate::base::text::sanitize;
use crate::causes::{self, Match, Severity};
use crate::facts::certainty::Certainty;
use crate::facts::log::{Connection, Line, Log, Sighting};

/// The share of the texts that are alike which must have their first cause, from 0 to 1.
const AGREED: f64 = 0.5;
/// The share that it takes to say more than rules do.
const AGREED_OVER_RULES: f64 = 0.6;
/// The share that it takes where nothing shows that SSH is what is asked about.
const AGREED_IN_DOUBT: f64 = 0.7;

/// The characters of a known text that are quoted: those of all but the longest.
const QUOTED: usize = 240;

/// Returns the causes of the known texts that are like a log of a line or two, none where those are harmless, and `None` where no text is like
/// it; `is_vague` where rules say little of it.
pub(super) fn by_likeness(log: &Log, known: &Known, is_vague: bool) -> Option<Vec<Told>> {
    let lines = lines(log);
    let first = lines.first().filter(|_| log.is_brief() && lines.iter().all(|line| is_in_earnest(line)))?;
    let text = lines.iter().map(|line| line.in_english()).collect::<Vec<_>>().join(" ");
    let agreement = match is_of_ssh(&text) || names_keys(&text) {
        true if is_vague => AGREED,
        true => AGREED_OVER_RULES,
        false => AGREED_IN_DOUBT,
    };
    let alike = known.alike(&text, agreement)?;
    let causes: Vec<_> =
        alike.iter().filter_map(|alike| causes::all().find(|cause| cause.code == alike.code)).collect();
    // The likeliest says how grave the text is.
    let is_minor = causes.first().is_some_and(|cause| in_a_log(cause) == Some(Severity::Info));
    let told = causes.into_iter().zip(&alike).map(|(cause, alike)| {
        let line = quoted(&Sighting::of((*first).clone()));
        let severity = if is_minor { Some(Severity::Info) } else { in_a_log(cause) };
        let found = Match { severity, ..Match::new(Certainty::Possible, [line]) };
        let sign = format!("it means what \"{}\" means", shortened(alike.text));
        Told { cause, found, sign: Some(sign.into()), connections: Vec::new() }
    });
    Some(told.collect())
}

/// True if a text is about the keys of a login, which people and programs name without SSH, and not about those of other protocols.
fn names_keys(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&["public key", "private key", "host key", "identity file", "key pair", "keypair", "passphrase"])
        && !has(&[
            "ssl",
            "tls",
            "https",
            "certificate",
            "gpg",
            "pgp",
            "jwt",
            "token",
            "wireguard",
            "signed",
            "wallet",
            "apt ",
        ])
}

/// A known text as it is quoted, on one line and without its end where it is long.
fn shortened(text: &str) -> String {
    let text = sanitize(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{} …", text[..end].rsplit_once(' ').map_or(&text[..end], |(text, _)| text)),
        None => text,
    }
}

/// True if something in a short text is of SSH: what is asked about as one is about it.
pub(super) fn is_about_ssh(log: &Log) -> bool {
    let has_steps = |connection: &Connection| connection.program.is_some() || has_steps(connection);
    log.is_brief()
        && (log.names_ssh
            || log.connections.iter().any(has_steps)
            || lines(log).iter().any(|line| is_of_ssh(line.in_english())))
}

/// The lines of a log that are kept, in order.
pub(super) fn lines(log: &Log) -> Vec<&Line> {
    let seen = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let mut lines: Vec<_> = log.unknown.iter().chain(seen).collect();
    lines.sort_by_key(|line| line.number);
    lines.dedup_by_key(|line| line.number);
    lines
}
