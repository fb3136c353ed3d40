//! From journals to sessions: the facts that the causes judge.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ssh_doctor_checks::facts::idle::Facts;
use ssh_doctor_checks::facts::journal::{Event, Record};
use ssh_doctor_checks::facts::sessions::{Next, Observer, Others, Session, SessionEnd};
use ssh_doctor_checks::facts::{Evidence, Examined, Step};

use super::folder::files;
use super::read::{Journal, NEWEST, first, read};

/// Journals that are read at the most, the newest ones.
const READ: usize = 2000;
/// A connection to the same server so soon after an end tells whether the path worked, seconds.
const SOON_S: f64 = 120.0;

/// A server that sessions went to, and all that is recorded of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The sessions, in the order in which they ended or were last seen.
    pub sessions: Vec<Session>,
    /// Connections that were tried, and whether the server answered.
    attempts: Vec<(f64, bool)>,
}

/// Every server in the journals of a folder: host and port, and its sessions.
#[must_use]
pub fn histories(folder: &Path, of: impl Fn(&str, u16) -> bool) -> BTreeMap<(String, u16), History> {
    let mut names = files(folder).unwrap_or_default();
    names.sort();
    let mut found: BTreeMap<(String, u16), History> = BTreeMap::new();
    for name in newest(&names).iter().rev() {
        let Some(Event::Started(started)) = first(name).map(|record| record.event) else { continue };
        if !of(&started.host, started.port) {
            continue;
        }
        // One that goes away or cannot be read meanwhile is none.
        let Ok(journal) = read(name) else { continue };
        for (server, history) in by_server(&journal) {
            let known = found.entry(server).or_default();
            known.sessions.extend(history.sessions);
            known.attempts.extend(history.attempts);
        }
    }
    found.values_mut().for_each(History::complete);
    found
}

/// The newest journals, from the newest on, as many as are read.
fn newest(names: &[PathBuf]) -> Vec<&PathBuf> {
    let mut left = NEWEST;
    let plain = names.iter().rev().take(READ).filter(|name| {
        let Some(length) = name.metadata().ok().filter(Metadata::is_file).map(|file| file.len()) else { return false };
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    plain.collect()
}

/// The sessions of one journal by their server.
#[must_use]
pub fn by_server(journal: &Journal) -> BTreeMap<(String, u16), History> {
    let mut found: BTreeMap<(String, u16), History> = BTreeMap::new();
    let mut server = (String::new(), 0);
    let (mut holds, mut observer) = (None, Observer::Tap);
    let mut open: BTreeMap<u32, (Timestamp, Session)> = BTreeMap::new();
    for Record { at, event, .. } in &journal.records {
        let history = found.entry(server.clone()).or_default();
        match event {
            Event::Started(started) => {
                // What was open when an earlier writer stopped was not seen to its end.
                history.sessions.extend(std::mem::take(&mut open).into_values().map(|(_, session)| session));
                server = (started.host.clone(), started.port);
                holds = started.holds;
                observer = if started.command == "watch" { Observer::Watch } else { Observer::Tap };
            }
            Event::NotConnected(_) => history.attempts.push((seconds(*at), false)),
            Event::Controlled(control) => history.attempts.push((seconds(*at), control.answered)),
            Event::Connected(connected) => {
                history.attempts.push((seconds(*at), true));
                let session = Session {
                    observer,
                    traffic: connected.traffic,
                    holds: connected.holds.or(holds),
                    host: server.0.clone(),
                    port: server.1,
                    local: connected.local,
                    remote: connected.remote,
                    seen_at: *at,
                    age_s: Some(0.0),
                    survived_s: 0.0,
                    quiet_s: 0.0,
                    exchange: None,
                    end: SessionEnd::Unknown,
                    machine: Vec::new(),
                    others: Others::default(),
                    next: None,
                };
                open.insert(connected.session, (*at, session));
            }
            Event::Alive(alive) => {
                if let Some((began, session)) = open.get_mut(&alive.session) {
                    session.seen_at = *at;
                    session.age_s = Some(seconds(*at) - seconds(*began));
                    session.survived_s = session.survived_s.max(alive.survived_s);
                    session.quiet_s = alive.quiet_s;
                }
            }
            Event::Ended(ended) => {
                open.remove(&ended.session);
                history.sessions.push(ended.facts.clone());
            }
            Event::Negotiated(_)
            | Event::Stalled(_)
            | Event::Recovered(_)
            | Event::Machine(_)
            | Event::Watching
            | Event::Lost(_)
            | Event::Stopped
            | Event::Unknown => {}
        }
    }
    let left = open.into_values().map(|(_, session)| session);
    let end = if journal.in_use { SessionEnd::Open } else { SessionEnd::Unknown };
    found.entry(server).or_default().sessions.extend(left.map(|session| Session { end: end.clone(), ..session }));
    found.retain(|_, history| !history.sessions.is_empty() || !history.attempts.is_empty());
    found
}

impl History {
    /// Sorts the sessions, and tells each that broke which connection came next.
    fn complete(&mut self) {
        self.sessions.sort_by_key(|session| session.seen_at);
        for session in &mut self.sessions {
            if let (Some(_), None) = (session.death(), session.next) {
                session.next = next(session, &self.attempts);
            }
        }
    }

    /// The evidence that the causes judge.
    #[must_use]
    pub fn evidence(&self, host: &str, port: u16) -> Evidence {
        evidence(host, port, self.sessions.clone())
    }
}

/// Evidence of recorded sessions alone.
#[must_use]
pub fn evidence(host: &str, port: u16, sessions: Vec<Session>) -> Evidence {
    let broken = sessions.iter().any(|session| session.death().is_some());
    let first = sessions.first().map_or(Timestamp::UNIX_EPOCH, |session| session.seen_at);
    let facts = Facts { sessions, complete: true, ..Facts::default() };
    let mut evidence = Evidence { started_at: first, ..Evidence::unexamined() };
    evidence.idle.step = if broken { Step::Failed(facts) } else { Step::Passed(facts) };
    evidence.target = Examined { input: host.to_owned(), host: host.to_owned(), port, ..Examined::default() };
    evidence
}

/// The first connection after the session had stopped: after its end, or while nothing was acknowledged on it.
fn next(session: &Session, attempts: &[(f64, bool)]) -> Option<Next> {
    let ended = seconds(session.seen_at);
    let stopped = match &session.end {
        SessionEnd::Died { unanswered_s: Some(unanswered), .. } => ended - unanswered,
        _ => ended,
    };
    let began = session.age_s.map_or(stopped, |age| ended - age);
    let later = attempts.iter().filter(|(at, _)| *at >= stopped && *at > began + 0.5 && *at <= ended + SOON_S);
    let (at, answered) = later.min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(Next { after_s: at - ended, answered: *answered })
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::facts::journal::{Alive, Connected, NotConnected, Started};
    use ssh_doctor_checks::facts::sessions::Traffic;

    use super::*;

    fn record(seq: u64, at: i64, event: Event) -> Record {
        Record { seq, at: Timestamp::from_second(1_767_000_000 + at).unwrap(), boot_s: None, boot: None, event }
    }

    fn started() -> Event {
        Event::Started(Started {
            journal: 1,
            command: "tap".into(),
            version: "0".into(),
            pid: 1,
            host: "db".into(),
            port: 22,
            holds: None,
            keep_alive_s: None,
        })
    }

    fn connected() -> Event {
        Event::Connected(Connected {
            session: 1,
            traffic: Traffic::Use,
            holds: None,
            remote: "192.0.2.2:22".parse().ok(),
            local: "192.0.2.1:5000".parse().ok(),
            interface: None,
            resolve_ms: 0.0,
            connect_ms: 0.0,
            failed: Vec::new(),
        })
    }

    fn alive(quiet_s: f64) -> Event {
        Event::Alive(Alive {
            session: 1,
            received: 0,
            sent: 0,
            reads: 0,
            survived_s: 40.0,
            quiet_s,
            rtt_ms: None,
            retransmits: None,
        })
    }

    fn journal(records: Vec<Record>, in_use: bool) -> Journal {
        Journal { records, in_use, ..Journal::default() }
    }

    #[test]
    fn a_session_whose_recorder_was_killed_is_not_called_dead() {
        let records = vec![record(0, 0, started()), record(1, 0, connected()), record(2, 60, alive(20.0))];
        for (in_use, end) in [(false, SessionEnd::Unknown), (true, SessionEnd::Open)] {
            let found = by_server(&journal(records.clone(), in_use));
            let sessions = &found[&("db".to_owned(), 22)].sessions;
            assert_eq!((sessions.len(), &sessions[0].end), (1, &end));
            assert_eq!((sessions[0].age_s, sessions[0].survived_s), (Some(60.0), 40.0));
            assert!(sessions[0].death().is_none());
        }
    }

    #[test]
    fn the_next_connection_tells_whether_the_path_worked() {
        use ssh_doctor_checks::facts::connection::Manner;
        use ssh_doctor_checks::facts::idle::Sign;
        let mut session = by_server(&journal(vec![record(0, 0, started()), record(1, 0, connected())], false))
            .remove(&("db".to_owned(), 22))
            .unwrap()
            .sessions
            .remove(0);
        session.seen_at = Timestamp::from_second(1_767_000_100).unwrap();
        session.age_s = Some(100.0);
        let (manner, sign) = (Manner::Silent, Sign::AfterProbe);
        session.end = SessionEnd::Died { manner, sign, unanswered_s: Some(30.0), tcp: None };
        let base = 1_767_000_000.0;
        let after = |attempts: &[(f64, bool)]| {
            let attempts: Vec<_> = attempts.iter().map(|(at, answered)| (base + at, *answered)).collect();
            next(&session, &attempts).map(|next| (next.after_s, next.answered))
        };
        // Its own, one from before it stopped, one while it was dead, one later, and one much later.
        assert_eq!(after(&[(0.0, true), (50.0, true)]), None);
        assert_eq!(after(&[(0.0, true), (80.0, true), (110.0, false)]), Some((-20.0, true)));
        assert_eq!(after(&[(110.0, false)]), Some((10.0, false)));
        assert_eq!(after(&[(1000.0, true)]), None);
    }

    #[test]
    fn a_host_that_was_never_reached_is_remembered_without_a_session() {
        let failed = Event::NotConnected(NotConnected { failed: Vec::new(), resolve_error: None, reason: None });
        let found = by_server(&journal(vec![record(0, 0, started()), record(1, 1, failed)], false));
        let history = &found[&("db".to_owned(), 22)];
        assert_eq!((history.sessions.len(), history.attempts.len()), (0, 1));
    }
}
