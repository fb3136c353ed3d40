//! The server does not come back from looking a key up.

use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::auth::{Attempt, AuthAnswer};
use crate::facts::certainty::Certainty;

/// A lookup that is done takes less, milliseconds: the wait is not that of a loaded server.
const LONG_MS: f64 = 3000.0;

pub(super) const KEY_LOOKUP_HANGS: Cause = Cause {
    code: "auth-key-lookup-hangs",
    stage: Check::Auth,
    title: "The server hangs while it looks up the user's keys",
    severity: Severity::Critical,
    explanation: "The server answered the login request, but not the offer of a key. At that moment it reads \
        authorized_keys, or runs AuthorizedKeysCommand: a home directory on a file server that does not answer, or a \
        directory server behind the command, blocks it there. sshd ends the connection when LoginGraceTime is over \
        (120 s where nothing else is set).\n\n\
        A server that stops altogether, or a path that fails at that moment, looks the same. Passwords are not \
        affected where only the keys hang.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether the file with the keys can be read at once, and on which file system it is",
            snippet: Some(
                "findmnt -T ~{user}; time timeout 10 cat ~{user}/.ssh/authorized_keys >/dev/null; echo status $?",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Show which file or command sshd takes keys from, and time the command",
            snippet: Some(
                "sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -iE '^authorized(keys|principals)'; journalctl -u ssh -u sshd --since -10min -o short-precise",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Keep keys for administrators on the server itself, so that they can log in when the file server is gone",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("AuthorizedKeysFile /etc/ssh/authorized_keys/%u .ssh/authorized_keys"),
            caution: Some("sshd takes one line; put the keys there first, then reload it"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[],
    hides: &["auth-disconnected"],
    judge: |evidence| {
        let facts = evidence.auth.failed()?;
        let last = facts.attempts.last().filter(|last| waits_for_look_up(last))?;
        let key = last.key.as_ref()?;
        let end = match &facts.end {
            Some(manner) => format!("and the connection ended with {}", manner.words()),
            None => "until we stopped waiting".to_owned(),
        };
        let because = [
            format!("the offer of {} was not answered for {}, {end}", key.words(), seconds(last.ms / 1000.0)),
            format!("the request to log in had been answered after {}", seconds(facts.first_answer_ms / 1000.0)),
        ];
        Some(Match::new(Certainty::Likely, because))
    },
    ..Cause::NEW
};

/// True if a key was offered, and the server let much time pass without saying whether it would take it.
fn waits_for_look_up(attempt: &Attempt) -> bool {
    let unanswered = matches!(attempt.answer, AuthAnswer::Silence | AuthAnswer::Ended);
    unanswered && attempt.key.is_some() && attempt.steps.signing_ms.is_none() && attempt.ms > LONG_MS
}
