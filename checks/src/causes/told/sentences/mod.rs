//! Sentences in which programs tell of a fault in words of their own: the thing that they name, and what happened to it, in either order.

mod ends;
mod handshake;
mod logins;
mod sentence;
mod sessions;
mod things;

use super::families::Candidate;

/// Tells how much words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// A thing of the protocol, and what happened to it.
    Fault,
    /// A thing of the protocol.
    Thing,
    /// What happened.
    Event,
}

/// All words that are looked for, the specific ones first.
pub(super) fn sentences() -> impl Iterator<Item = (Says, &'static str, &'static [Candidate])> {
    let all = [
        (Says::Fault, handshake::SENTENCES),
        (Says::Fault, logins::SENTENCES),
        (Says::Fault, sessions::SENTENCES),
        (Says::Thing, things::THINGS),
        (Says::Event, ends::ENDS),
        (Says::Thing, things::CONNECTIONS),
    ];
    all.into_iter().flat_map(|(says, some)| some.iter().map(move |(words, candidates)| (says, *words, *candidates)))
}
