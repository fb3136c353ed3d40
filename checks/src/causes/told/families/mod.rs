//! Texts that several causes print: the candidates for each, the likeliest first, and what tells them apart.

mod handshake;
mod login;
mod programs;
mod reach;
mod sessions;

use crate::facts::Check;
use crate::facts::log::Event;

/// Texts that mean the same and are printed for several causes.
#[derive(Debug)]
pub struct Family {
    /// The texts, with holes.
    pub texts: &'static [&'static str],
    /// Whose log has them.
    pub writer: Writer,
    /// The causes, the likeliest first.
    pub candidates: &'static [Candidate],
    /// Steps with which the text is no complaint.
    pub unless: &'static [Event],
    /// True where the text only wraps what another program printed.
    pub is_wrapper: bool,
    /// True where the text states what the first candidate is named after, and only its reason is open.
    pub is_named: bool,
}

/// Whose log a text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// A client's, or a line of which that is not known.
    Client,
    /// A server's.
    Server,
    /// Anybody's.
    Anyone,
}

/// A cause that prints a text, among others that do.
#[derive(Debug)]
pub struct Candidate {
    /// Its code.
    pub code: &'static str,
    /// What it looks like, compared with the others: the end of a sentence that begins with "if".
    pub sign: &'static str,
    /// What in the log speaks for it.
    pub when: When,
}

/// What in a log speaks for a candidate or against it.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Nothing does.
    Always,
    /// The log records steps, and this check has not passed when the text appears.
    Before(Check),
    /// TCP is connected, and the server's version has not arrived.
    NoVersion,
    /// At least so many lines came before the server's version.
    Greeting(usize),
    /// Both versions are known, and keys were not exchanged yet.
    Exchanging,
    /// The server accepted a key, and the client did not log in with it.
    KeyNotUsed,
    /// The server offers no method that the client tried.
    MethodMissing,
    /// This check has passed.
    After(Check),
    /// The log records steps; the first check has passed, and the second has not.
    Between(Check, Check),
    /// One of these texts appears in the same connection.
    Seen(&'static [&'static str]),
    /// None of these steps is recorded.
    Without(&'static [Event]),
    /// A key was offered, and none was accepted.
    KeyRefused,
    /// The log records the login, and neither a key nor a password that was offered.
    NothingOffered,
    /// The text comes within so many seconds of the login.
    SoonAfterLogin(u32),
}

const fn is(code: &'static str, when: When, sign: &'static str) -> Candidate {
    Candidate { code, sign, when }
}

/// Every family, those that say most first: of several in one connection the first counts.
pub fn families() -> impl Iterator<Item = &'static Family> {
    [reach::FAMILIES, handshake::FAMILIES, login::FAMILIES, sessions::FAMILIES, programs::FAMILIES]
        .into_iter()
        .flatten()
}

/// What fits a log that ends at one of these steps, without a word on why.
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
        &[Event::Connected, Event::VersionSent, Event::IdentityFile],
        &[
            is("handshake-no-banner", When::Always, "the connection is accepted, and no banner arrives"),
            is("handshake-slow", When::Always, "it goes on after some seconds"),
            is("path-mtu-blackhole", When::Always, "a VPN or tunnel is on the path"),
        ],
    ),
    (
        &[Event::KexinitSent, Event::KexReplyAwaited, Event::KexinitReceived, Event::Algorithm, Event::Cipher],
        &[
            is("path-mtu-blackhole", When::Always, "a VPN or tunnel is on the path: large packets vanish"),
            is("handshake-kex-stalled", When::Always, "a hung server, or a firewall that inspects SSH"),
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
        &[Event::SessionBegun, Event::ChannelAsked, Event::RequestSent, Event::LoggedIn],
        &[
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
