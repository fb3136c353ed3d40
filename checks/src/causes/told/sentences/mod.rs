//! Sentences in which programs tell of a fault in words of their own: the thing that they name, and what happened to it, in either order.

mod ends;
mod handshake;
mod keys;
mod logins;
mod sentence;
mod sessions;
mod things;
mod ways;

use super::families::Candidate;

/// Tells how much words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// A thing of the protocol, and what happened to it.
    Fault,
    /// A thing of the protocol.
    Thing,
    /// An event without a thing: something was lost, closed, or late.
    Event,
}

/// Words for what happens to a thing, by the names that sentences give them.
const EVENTS: &[(&str, &str)] = &[
    (
        "<refused>",
        r"(?:refus\w*|reject\w*|den(?:y|ies|ied)|declin\w*|forbid\w*|prohibit\w*|disallow\w*|disabled|(?:not|n't|never) (?:be )?(?:accept|allow|permit|authori[sz]|enabl)\w*)",
    ),
    (
        "<closed>",
        r"(?:clos(?:e|es|ed|ing)|drop(?:s|ped|ping)?|disconnect\w*|terminat\w*|los(?:t|e|es|ing)|h[au]ngs? up|kick\w*|cut off|abort\w*|interrupt\w*|went away|died|dies)\b",
    ),
    (
        "<missing>",
        r"(?:missing|(?:not|n't) (?:found|installed|available|present|exist\w*|there)|no such|unavailable|cannot be found)",
    ),
    ("<cannot>", r"(?:fail\w*|errors?|cannot|can't|could not|couldn't|unable|refus\w*|did not|didn't)"),
    (
        "<late>",
        r"(?:timed? ?out|timeout|too long|no (?:answer|response|reply)|(?:not|n't|never|stopped|no longer) (?:answer|respond|repl)\w*|unresponsive)",
    ),
    ("<changed>", r"(?:mismatch\w*|changed|differ\w*|(?:not|n't) match|modified|wrong)"),
    ("<frozen>", r"\b(?:hang(?:s|ing)?|hung|stuck|freez\w*|froze\w*|stall\w*|unresponsive)\b"),
];

/// The regular expression for a sentence's words.
pub(super) fn expression(words: &str) -> String {
    EVENTS.iter().fold(words.to_owned(), |words, (name, event)| words.replace(name, event))
}

/// All words that are looked for, the specific ones first.
pub(super) fn sentences() -> impl Iterator<Item = (Says, &'static str, &'static [Candidate])> {
    let all = [
        (Says::Fault, handshake::SENTENCES),
        (Says::Fault, keys::SENTENCES),
        (Says::Fault, logins::SENTENCES),
        (Says::Fault, ways::SENTENCES),
        (Says::Fault, sessions::SENTENCES),
        (Says::Thing, things::THINGS),
        (Says::Event, ends::ENDS),
        (Says::Thing, things::CONNECTIONS),
    ];
    all.into_iter().flat_map(|(says, some)| some.iter().map(move |(words, candidates)| (says, *words, *candidates)))
}
