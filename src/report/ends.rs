//! The ends of recorded sessions, one a line.

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::causes::sessions::codes;
use ssh_doctor_checks::facts::connection::Manner;
use ssh_doctor_checks::facts::idle::Holds;
use ssh_doctor_checks::facts::sessions::{Observer, Session, SessionEnd, Traffic};

use super::Style;

/// Ends that are listed, the last ones.
const LISTED: usize = 12;

/// The last of `listed`, each with the code that explains it among `all` recorded sessions.
pub(crate) fn lines(listed: &[Session], all: &[Session], style: Style) -> String {
    let explained: Vec<_> = all.iter().zip(codes(all)).collect();
    let code = |session: &Session| explained.iter().find(|(other, _)| *other == session).and_then(|(_, code)| *code);
    let last = &listed[listed.len().saturating_sub(LISTED)..];
    let lines = last.iter().map(|session| {
        let code = code(session).map(|code| format!("  {code}")).unwrap_or_default();
        let when = session.seen_at.strftime("%Y-%m-%d %H:%M:%S");
        style.safe(&format!("  {when}Z  {}{code}", columns(session)))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// True if a session was lost: it broke, or sshd no longer answered.
pub(crate) fn is_loss(session: &Session) -> bool {
    session.death().is_some() || matches!(session.end, SessionEnd::ClosedHere { unanswered: Some(_) })
}

/// One session in one line.
pub(crate) fn words(session: &Session) -> String {
    let age = session.age_s.map(|age| format!(" after {}", seconds(age))).unwrap_or_default();
    format!("{}{age}, idle for {}: {}", traffic(session), seconds(session.quiet_s), end(session).trim_end())
}

fn columns(session: &Session) -> String {
    let age = session.age_s.map(seconds).unwrap_or_default();
    let what = match session.observer {
        Observer::Watch => format!("{:<16}  ", traffic(session)),
        Observer::Tap | Observer::SocketTable => String::new(),
    };
    format!("{what}age {age:>8}  idle {:>8}  {}", seconds(session.quiet_s), end(session))
}

fn traffic(session: &Session) -> String {
    match (session.traffic, session.holds) {
        (_, Some(Holds::Shell)) => "shell".to_owned(),
        (Traffic::Use, _) => "in use".to_owned(),
        (Traffic::Nothing, _) => "silent".to_owned(),
        (Traffic::Keepalive { interval_s }, _) => format!("keepalive {}", seconds(interval_s)),
        (Traffic::Data { .. }, _) => "data".to_owned(),
    }
}

fn end(session: &Session) -> &'static str {
    match &session.end {
        SessionEnd::Open => "open",
        SessionEnd::ClosedHere { unanswered: Some(_) } if session.observer == Observer::Watch => "no answer",
        SessionEnd::ClosedHere { .. } => "ended  ",
        SessionEnd::Unknown => "not recorded to its end",
        SessionEnd::Died { manner: Manner::Silent, .. } => "no ACK ",
        SessionEnd::Died { manner: Manner::Reset, .. } => "RST    ",
        SessionEnd::Died { manner: Manner::Fin, .. } => "FIN    ",
        SessionEnd::Died { manner: Manner::ChannelClose, .. } => "channel closed",
        SessionEnd::Died { manner: Manner::ExitStatus { .. }, .. } => "exit   ",
        SessionEnd::Died { .. } => "failed ",
    }
}
