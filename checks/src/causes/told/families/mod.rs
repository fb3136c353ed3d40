//! Texts that several causes print: the candidates for each, the likeliest first, and the signs that distinguish them.

mod banner;
mod beside;
mod channels;
mod clients;
mod closed;
mod commands;
mod credentials;
mod dropbear;
mod endings;
mod erlang;
mod exceptions;
mod family;
mod finished;
mod forges;
mod general;
mod handshake;
mod hardware;
mod interrupted;
mod jump;
mod killed;
mod libraries;
mod libssh2;
mod login;
mod packets;
mod passwords;
mod programs;
mod reach;
mod refusals;
mod served;
mod services;
mod sessions;
mod sftp;
mod sources;
mod stages;
mod wrappers;

pub(super) use family::is;
pub use family::{Candidate, Family, When, Writer};
pub(super) use jump::NO_PEER;
pub(super) use login::NO_TERMINAL;

use crate::facts::log::Event;

/// Every family, those that say most first: of several in one connection the first counts.
pub fn families() -> impl Iterator<Item = &'static Family> {
    [
        reach::FAMILIES,
        banner::FAMILIES,
        handshake::FAMILIES,
        packets::FAMILIES,
        libraries::FAMILIES,
        clients::FAMILIES,
        dropbear::FAMILIES,
        served::FAMILIES,
        sftp::FAMILIES,
        killed::FAMILIES,
        forges::FAMILIES,
        commands::FAMILIES,
        hardware::FAMILIES,
        passwords::FAMILIES,
        login::FAMILIES,
        refusals::FAMILIES,
        credentials::FAMILIES,
        beside::FAMILIES,
        sessions::FAMILIES,
        closed::FAMILIES,
        endings::FAMILIES,
        channels::FAMILIES,
        finished::FAMILIES,
        jump::FAMILIES,
        erlang::FAMILIES,
        exceptions::FAMILIES,
        services::FAMILIES,
        libssh2::FAMILIES,
        programs::FAMILIES,
        sources::FAMILIES,
        wrappers::FAMILIES,
        general::FAMILIES,
        interrupted::FAMILIES,
        sources::DISCONNECTING,
    ]
    .into_iter()
    .flatten()
}

/// The candidates for a log that ends with a question for a password.
pub(super) static REFUSED_BEFORE: &[Candidate] =
    &[is("auth-key-rejected", When::KeyRefused, "a key was meant to do: it was offered, and not accepted")];

/// The candidates for a log that ends as the server starts a command.
pub(super) static AFTER_A_COMMAND: &[Candidate] = &[
    is(
        "session-start-hangs",
        When::Always,
        "the command prints nothing: a start-up file, or the home's file server, waits",
    ),
    is(
        "exit-hangs",
        When::Always,
        "the command prints all, and never ends: something it started holds its output open",
    ),
    is("path-mtu-blackhole", When::Always, "small commands work, and long output hangs"),
];

/// The candidates for a log that ends at one of these steps without giving a reason.
pub(super) static STOPS: &[(&[Event], &[Candidate])] = &[
    (
        &[Event::Resolving],
        &[
            is("dns-slow", When::Always, "it goes on after some seconds"),
            is("dns-timeout", When::Always, "no name server answers"),
        ],
    ),
    (
        &[Event::Connecting],
        &[
            is("tcp-filtered", When::Always, "nothing answers: a firewall drops the packets, or the host is down"),
            is("tcp-some-addresses-dead", When::Always, "it goes on after a while, with another address"),
        ],
    ),
    (
        &[Event::Connected, Event::VersionSent, Event::IdentityFile, Event::LineBeforeVersion],
        &[
            is("handshake-tarpit", When::Greeting(5), "line after line comes, and never a version"),
            is("handshake-no-banner", When::Always, "the connection is accepted, and no banner arrives"),
            is("handshake-slow", When::Always, "it goes on after some seconds"),
            is("path-mtu-blackhole", When::Always, "a VPN or tunnel is on the path"),
        ],
    ),
    (
        &[Event::KexinitSent, Event::KexReplyAwaited, Event::KexinitReceived, Event::Algorithm, Event::Cipher],
        &[
            is(
                "path-mtu-blackhole",
                When::Always,
                "ssh hangs there, and a VPN or tunnel is on the path: large packets vanish",
            ),
            is(
                "handshake-kex-stalled",
                When::Always,
                "ssh hangs there on any path: a hung server, or a firewall that inspects SSH",
            ),
            is("handshake-slow", When::Always, "it goes on after some seconds"),
        ],
    ),
    (
        &[Event::KeyOffered, Event::KeyAccepted, Event::KeyTried],
        &[
            is("auth-agent-silent", When::Always, "the agent waits for a confirmation, a touch, or hangs"),
            is("auth-slow", When::Always, "it goes on after some seconds: PAM, DNS or the home's file server"),
            is("auth-key-lookup-hangs", When::Always, "the home is on a file server that does not answer"),
        ],
    ),
    (
        &[Event::Rekeying],
        &[
            is("rekey-failed", When::Recorded(Event::KexinitSent), "it stops while keys are exchanged again"),
            is("transfer-stalled", When::Recorded(Event::KexinitSent), "large transfers stop at other moments too"),
        ],
    ),
    (
        &[Event::AgentAsked],
        &[
            is("auth-agent-silent", When::Always, "the agent waits for a confirmation or its card, or hangs"),
            is("auth-slow", When::Always, "it goes on after some seconds: the server looks up this client's name"),
        ],
    ),
    (
        &[Event::LoginBegun, Event::MethodTried, Event::MethodsOffered, Event::NewkeysReceived, Event::NewkeysSent],
        &[
            is(
                "auth-slow",
                When::Always,
                "it goes on after some seconds: the server looks up this client's name, or GSSAPI waits",
            ),
            is("auth-agent-silent", When::Always, "the agent does not answer"),
        ],
    ),
    (
        &[Event::SessionBegun, Event::ChannelAsked, Event::RequestSent],
        &[
            is(
                "path-dscp-dropped",
                When::ShellUnanswered,
                "ssh -o IPQoS=none works: sshd answers a request before the shell's files run, and the answer does not come",
            ),
            is(
                "session-start-hangs",
                When::Always,
                "the home is on a file server that does not answer, or a start-up file waits",
            ),
            is("path-mtu-blackhole", When::Always, "small commands work, and long output hangs"),
            is("path-dscp-dropped", When::Always, "ssh -o IPQoS=none works"),
        ],
    ),
];
