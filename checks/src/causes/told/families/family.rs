//! A family: a text that several causes print, and its candidates.

use crate::causes::told::algorithms::AlgorithmKind;
use crate::facts::Check;
use crate::facts::log::Event;

/// Texts that mean the same and are printed for several causes.
#[derive(Debug)]
pub struct Family {
    /// The texts, with holes.
    pub texts: &'static [&'static str],
    /// The program whose log has them.
    pub writer: Writer,
    /// The causes, the likeliest first.
    pub candidates: &'static [Candidate],
    /// Steps with which the text is no complaint.
    pub unless: &'static [Event],
    /// True where the text only wraps what another program printed.
    pub is_wrapper: bool,
    /// True where the text states what the first candidate is named after, and only its reason is open.
    pub is_named: bool,
    /// True where the text is the end of every session: after the session's output it is no complaint.
    pub is_an_end: bool,
}

impl Family {
    /// A family of a client's texts, each a complaint of its own that gives no reason; a record states what is different.
    pub(super) const NEW: Self = Self {
        texts: &[],
        writer: Writer::Client,
        candidates: &[],
        unless: &[],
        is_wrapper: false,
        is_named: false,
        is_an_end: false,
    };

    /// True if a text has a cause without anything else in the log.
    #[must_use]
    pub fn speaks_alone(&self) -> bool {
        self.candidates.iter().any(|candidate| matches!(candidate.when, When::Always))
    }
}

/// The program whose log a text is from.
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
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its code.
    pub code: &'static str,
    /// The sign that distinguishes it from the others: the end of a sentence that begins with "if".
    pub sign: &'static str,
    /// The evidence in the log for it.
    pub when: When,
}

/// The evidence in a log for a candidate or against it.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Nothing does.
    Always,
    /// The log is a server's.
    OfServer,
    /// The log records steps, and this check has not passed when the text appears.
    Before(Check),
    /// TCP is connected, and the server's version has not arrived.
    NoVersion,
    /// At least this many lines came before the server's version.
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
    /// Somebody writes one of these texts in the same connection. It moves a candidate before those that nothing in the log tells apart, and no further.
    Said(&'static [&'static str]),
    /// As `Said`, of a login whose list of methods has one of the first words.
    SaidOfMethods(&'static [&'static str], &'static [&'static str]),
    /// The server's version names Windows.
    OnWindows,
    /// The line itself has one of these words.
    InLine(&'static [&'static str]),
    /// A shell was asked for, to which a detailed log shows no answer.
    ShellUnanswered,
    /// One of the first texts appears in the same connection, and none of the second.
    SeenWithout(&'static [&'static str], &'static [&'static str]),
    /// The line names algorithms of this kind alone.
    Lists(AlgorithmKind),
    /// rsync says that it had received data when the connection ended.
    MidTransfer,
    /// This step is recorded.
    Recorded(Event),
    /// None of these steps is recorded.
    Without(&'static [Event]),
    /// A key was offered, and none was accepted.
    KeyRefused,
    /// ssh could not ask for a password: it has no terminal and no askpass, and shows no prompt.
    Unasked,
    /// As `Unasked`, of a login whose key was refused.
    KeyRefusedUnasked,
    /// The log records the login, and neither a key nor a password that was offered.
    NothingOffered,
    /// A ProxyCommand or a jump host was started, and no server's version has come.
    ThroughProxy,
    /// The last step is a request in a channel, and the server has not answered it.
    RequestPending,
    /// The log records no step of the session after its beginning, and no time that passed in it.
    JustBegun,
    /// The text comes within this many seconds of the login.
    SoonAfterLogin(u32),
    /// A shell that ran no command, on a terminal of its own, ended with another status than 0 within this many seconds of the login.
    ShellFailed(u32),
    /// The line states this number as the reason of a disconnect (RFC 4253 section 11.1).
    Reason(u32),
    /// As `Reason`, and this check has passed.
    ReasonAfter(u32, Check),
    /// The lists of both ends that stand at these places of their KEXINITs, from 0, have no name in common.
    NothingInCommon(&'static [usize]),
}

/// A candidate.
pub(in crate::causes::told) const fn is(code: &'static str, when: When, sign: &'static str) -> Candidate {
    Candidate { code, sign, when }
}
