//! A line or two that no rule understands: texts that have their words may have their cause.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::finding::{Told, in_a_log, quoted};
use super::foreign::is_of_ssh;
use super::known::Known;
use super::operations::is_in_earnest;
use crate::base::text::sanitize;
use crate::causes::{self, Match};
use crate::facts::certainty::Certainty;
use crate::facts::log::{Line, Log, Sighting};

/// The share of the texts that are alike which must have their first cause, from 0 to 1, and the share that it takes to say more than rules
/// do, or where nothing shows that SSH is what is asked about.
const AGREED: f64 = 0.5;
const AGREED_IN_DOUBT: f64 = 0.7;

/// Words of somebody, or of a program, that has trouble.
const TROUBLE: &str = r"(?ix)
    \b(?:no|not|never|none|nothing|without|cannot|cant|\w+n't|dont|doesnt|didnt|wont|isnt|un\w+|dis\w+|fail\w*|errors?|fatal|den(?:y|ies|ied)|refus\w*
    |reject\w*|los[et]\w*|clos(?:e|es|ed|ing)|drop\w*|h[au]ng\w*|fr[eo]+z\w*|stuck|slow\w*|stall\w*|time[ds]?\ ?out\w*|timeouts?|wrong|bad|invalid
    |incorrect|br[eo]+k\w*|die[sd]?|dead|dying|kill\w*|kick\w*|reset\w*|mis\w+|chang\w+|differ\w*|expire\w*|lock\w*|too|only|violat\w*|corrupt\w*
    |abort\w*|block\w*|bann?\w*|limit\w*|exceed\w*|garbl\w*|warn\w*|complain\w*|ask(?:s|ed|ing)?|still|instead|stop\w*|gone|goes|away|end(?:s|ed)?
    |exit\w*|quit\w*|full|old|outdated|deprecated|weak\w*|tak(?:e|es|ing)|took|wait\w*|long|lag\w*|minutes?|seconds|hours?|crash\w*|interrupt\w*
    |terminat\w*|problem\w*|trouble\w*|issues?|stale|prohibit\w*|forbid\w*|retr\w*|truncat\w*|partial|suddenly|since|already|busy|overload\w*
    |required|needs?|restrict\w*|odd|gets?|declin\w*|loss)\b";

/// The characters of a known text that are quoted.
const QUOTED: usize = 70;

/// Returns the causes of the known texts that are like a log of a line or two, none where those are harmless, and `None` where no text is like
/// it; `is_vague` where rules say little of it.
pub(super) fn by_likeness(log: &Log, known: &Known, is_vague: bool) -> Option<Vec<Told>> {
    let lines = lines(log);
    let first = lines.first().filter(|_| log.is_brief() && lines.iter().all(|line| is_in_earnest(line)))?;
    let text = lines.iter().map(|line| line.in_english()).collect::<Vec<_>>().join(" ");
    let agreement = if is_vague && is_of_ssh(&text) { AGREED } else { AGREED_IN_DOUBT };
    let alike = known.alike(&text, agreement)?;
    if !alike.is_empty() && !is_of_trouble(&text) {
        return None;
    }
    let told = alike.into_iter().filter_map(|alike| {
        let cause = causes::all().find(|cause| cause.code == alike.code)?;
        let line = quoted(&Sighting::of((*first).clone()));
        let found = Match { severity: in_a_log(cause), ..Match::new(Certainty::Possible, [line]) };
        let sign = format!("it means what \"{}\" means", shortened(alike.text));
        Some(Told { cause, found, sign: Some(sign.into()), connections: Vec::new() })
    });
    Some(told.collect())
}

/// A known text as it is quoted, on one line and without its end where it is long.
fn shortened(text: &str) -> String {
    let text = sanitize(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{} …", text[..end].rsplit_once(' ').map_or(&text[..end], |(text, _)| text)),
        None => text,
    }
}

/// True if a text has a word of trouble.
fn is_of_trouble(text: &str) -> bool {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| RegexBuilder::new(TROUBLE).unicode(false).build().expect("the words of trouble compile"));
    WORDS.is_match(text)
}

/// The lines of a log that are kept, in order.
fn lines(log: &Log) -> Vec<&Line> {
    let seen = log.connections.iter().flat_map(|connection| &connection.sightings).map(|seen| &seen.line);
    let mut lines: Vec<_> = log.unknown.iter().chain(seen).collect();
    lines.sort_by_key(|line| line.number);
    lines.dedup_by_key(|line| line.number);
    lines
}
