//! The few lines about a session that ended badly.

use ssh_doctor_checks::base::text::{escaped, seconds};
use ssh_doctor_checks::causes::{FixKind, sessions};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::connection::Manner;
use ssh_doctor_checks::facts::sessions::{Session, SessionEnd};

use crate::diagnose::{Finding, diagnose};
use crate::fixes::FilledFix;
use crate::journal::{evidence, folder, histories};

/// The longest text to paste that fits into a line.
const PASTED: usize = 90;

/// At most four lines: how it ended, why, what to do, where there is more. None for a session that ended in order.
pub(super) fn words(session: &Session) -> Vec<String> {
    let mut known = earlier(session);
    known.push(session.clone());
    let Some(code) = sessions::codes(&known).pop().flatten() else { return Vec::new() };
    let known_cause = |found: &Finding| found.code == code && !code.ends_with("-unexplained");
    let host = escaped(&session.host);
    let found = diagnose(&evidence(&session.host, session.port, known)).findings.into_iter().find(known_cause);
    let mut lines = vec![format!("ssh-doctor: {host}: {}", how(session))];
    if let Some(found) = found {
        lines.push(format!("ssh-doctor: {}: {} ({code})", certainty(found.certainty), found.title));
        lines.extend(fix(&found).map(|fix| format!("ssh-doctor: to fix it: {fix}")));
    }
    let explain = if lines.len() > 1 { format!(", ssh-doctor explain {code}") } else { String::new() };
    lines.push(format!("ssh-doctor: more: ssh-doctor sessions --past{explain}"));
    lines
}

/// Returns the records of earlier sessions to the same server.
fn earlier(session: &Session) -> Vec<Session> {
    let same = |host: &str, port: u16| host == session.host && port == session.port;
    let recorded = folder("tap").map(|folder| histories(&folder, same));
    let sessions = recorded.into_iter().flatten().flat_map(|(_, history)| history.sessions);
    // This one's own journal is not closed yet.
    sessions.filter(|other| other.end != SessionEnd::Open || other.local != session.local).collect()
}

fn how(session: &Session) -> String {
    let age = session.age_s.map(|age| format!(" after {}", seconds(age))).unwrap_or_default();
    let idle = if session.quiet_s >= 1.0 {
        format!("{} of idle time before", seconds(session.quiet_s))
    } else {
        "in use until then".to_owned()
    };
    let end = match &session.end {
        SessionEnd::Died { manner: Manner::Silent, unanswered_s, .. } => {
            format!("lost{age}: no ACK for {}", seconds(unanswered_s.unwrap_or_default()))
        }
        SessionEnd::Died { manner: Manner::Reset, .. } => format!("reset{age} (TCP RST)"),
        SessionEnd::Died { manner: Manner::Fin, .. } => format!("closed by the other side{age} (TCP FIN)"),
        SessionEnd::Died { manner, .. } => format!("lost{age}: {}", manner.words()),
        _ => format!("ended from the server's side{age}"),
    };
    format!("session {end}; {idle}")
}

fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "confirmed",
        Certainty::Likely => "likely",
        Certainty::Possible => "possible",
    }
}

/// The first change that one line has room for.
fn fix(found: &Finding) -> Option<String> {
    let change = found.fixes.iter().find(|fix| fix.kind == FixKind::Change)?;
    Some(change.summary.clone() + &pasted(change).map(|text| format!(": {text}")).unwrap_or_default())
}

fn pasted(fix: &FilledFix) -> Option<String> {
    let lines = fix.snippet.as_ref()?.lines().map(str::trim).filter(|line| !line.starts_with("Host "));
    let text = lines.collect::<Vec<_>>().join(", ");
    (text.len() <= PASTED).then_some(text)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use ssh_doctor_checks::facts::idle::Sign;
    use ssh_doctor_checks::facts::sessions::{Observer, Others, Traffic};

    use super::*;

    fn session(end: SessionEnd) -> Session {
        Session {
            observer: Observer::Tap,
            traffic: Traffic::Use,
            holds: None,
            host: "db\u{1b}[2J".into(),
            port: 1,
            local: None,
            remote: None,
            seen_at: Timestamp::UNIX_EPOCH,
            age_s: Some(2520.0),
            survived_s: 60.0,
            quiet_s: 720.0,
            exchange: None,
            end,
            machine: Vec::new(),
            others: Others::default(),
            next: None,
        }
    }

    #[test]
    fn a_bad_end_has_four_lines_and_a_good_one_has_none() {
        let (manner, sign) = (Manner::Silent, Sign::AfterProbe);
        let lines = words(&session(SessionEnd::Died { manner, sign, unanswered_s: Some(31.0), tcp: None }));
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert_eq!(
            lines[0],
            "ssh-doctor: db\\u{1b}[2J: session lost after 42 min: no ACK for 31 s; 12 min of idle time before"
        );
        assert!(lines[1].contains("likely: ") && lines[1].ends_with("(idle-silent-drop)"), "{lines:#?}");
        assert!(lines[2].contains("ServerAliveInterval 15, ServerAliveCountMax 7"), "{lines:#?}");
        assert_eq!(words(&session(SessionEnd::ClosedHere { unanswered: None })), Vec::<String>::new());
    }
}
