//! Wordings of clients, libraries and servers that identify a cause, beside those on its record: many programs, one thing said.

mod clients;
mod daemons;
mod devices;
mod dropbear;
mod forwarding;
mod handshake;
mod keys;
mod languages;
mod libraries;
mod libssh;
mod login;
mod modules;
mod programs;
mod reach;
mod reported;
mod server;
mod servers;
mod services;
mod sessions;
mod sources;
mod terminals;
mod tools;
mod wording;

pub(super) use languages::NOT_RECOGNIZED;
use wording::Wordings;

/// The texts that programs print for a cause; nothing where its record has all there is.
pub(super) fn wordings_of(code: &str) -> impl Iterator<Item = &'static str> {
    all().filter(move |(of, _)| *of == code).flat_map(|(_, texts)| texts.iter().copied())
}

/// The texts that were read in the sources of programs.
#[cfg(test)]
pub(super) fn from_sources() -> impl Iterator<Item = &'static str> {
    sources::WORDINGS.iter().chain(server::WORDINGS).flat_map(|(_, texts)| texts.iter().copied())
}

/// Every wording, and the code of its cause.
pub(super) fn all() -> impl Iterator<Item = &'static Wordings> {
    [
        reach::WORDINGS,
        handshake::WORDINGS,
        keys::WORDINGS,
        login::WORDINGS,
        sessions::WORDINGS,
        forwarding::WORDINGS,
        server::WORDINGS,
        languages::WORDINGS,
        clients::WORDINGS,
        libraries::WORDINGS,
        libssh::WORDINGS,
        terminals::WORDINGS,
        tools::WORDINGS,
        services::WORDINGS,
        devices::WORDINGS,
        dropbear::WORDINGS,
        modules::WORDINGS,
        programs::WORDINGS,
        servers::WORDINGS,
        daemons::WORDINGS,
        sources::WORDINGS,
        reported::WORDINGS,
    ]
    .into_iter()
    .flatten()
}
