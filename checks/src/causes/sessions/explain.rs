//! One explanation for each session that broke. Pure.

use super::clusters::cluster;
use crate::facts::connection::Manner;
use crate::facts::idle::{Holds, Sign, What};
use crate::facts::sessions::{Observer, Session, SessionEnd};

/// Shorter idle times explain nothing: no known device has a shorter timer (causes/suspects), and people pause for longer.
pub(super) const LEAST_IDLE_S: f64 = 10.0;
/// The factor by which an idle time must exceed a survived one to count as the reason of an end: acknowledgements may
/// be late.
const LONGER: f64 = 1.02;
/// Sessions that ended by their age have been seen at the same age at least so often.
const SAME_AGE: usize = 3;
/// A limit on age shorter than this is a failed login.
const LEAST_AGE_S: f64 = 20.0;
/// Seconds within which ends count as one event.
const AT_ONCE_S: f64 = 5.0;
/// Keepalives that ssh sends before it gives up, at least, and over what time, seconds: two at an interval of 2 s take 4 s, as the kernel
/// and ssh count them, and tap sees the first of them late where it waits for a processor.
const KEEPALIVES: u32 = 2;
const KEPT_ASKING_S: f64 = 3.0;
/// Ends at one minute of the hour: how many, and how near to each other, seconds.
const SAME_MINUTE: usize = 4;
const MINUTE_S: f64 = 45.0;

/// The explanation of one session's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Explanation {
    /// This machine slept.
    Suspended,
    /// This machine's address went away or another one took over the route.
    AddressChanged,
    /// Nothing came through, new connections included, or several sessions stopped at one moment.
    Outage,
    /// The session was dead and a new connection worked at once, although it had not been idle.
    StateLost,
    /// TCP acknowledged, and the server did not answer.
    Stalled,
    /// Several sessions ended at the same age.
    Lifetime,
    /// Several sessions ended at one moment, or at the same minute of the hour.
    WallClock,
    /// It was idle, and the next data sent got no ACK.
    IdleSilent,
    /// It was idle, and was reset.
    IdleReset,
    /// It was idle, and was closed.
    IdleClosed,
    /// It was idle, and the server said something and closed.
    IdleDisconnected,
    /// It was an idle shell, and the server's side left.
    IdleShell,
    /// The server closed the channel of an idle session, and left the connection.
    ChannelTimeout,
    /// Several sessions were ended by the server's side at one moment, and no new login succeeded then.
    Restarted,
    /// It broke, and nothing here says why.
    Unknown,
}

impl Explanation {
    /// The code of the cause that it stands for.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Suspended => "session-client-suspended",
            Self::AddressChanged => "path-address-changed",
            Self::Outage => "network-outage",
            Self::StateLost => "path-state-lost",
            Self::Stalled => "server-stalled",
            Self::Lifetime => "session-lifetime-limit",
            Self::WallClock => "session-wall-clock-cut",
            Self::IdleSilent => "idle-silent-drop",
            Self::IdleReset => "idle-reset",
            Self::IdleClosed => "idle-closed",
            Self::IdleDisconnected => "idle-server-disconnect",
            Self::IdleShell => "idle-shell-timeout",
            Self::ChannelTimeout => "idle-channel-timeout",
            Self::Restarted => "server-restarted",
            Self::Unknown => "idle-unexplained",
        }
    }
}

/// The explanation of each session; `None` for those that did not break.
pub(super) fn explain(sessions: &[Session]) -> Vec<Option<Explanation>> {
    let broke: Vec<usize> = (0..sessions.len()).filter(|at| is_broken(&sessions[*at])).collect();
    let mut found = vec![None; sessions.len()];
    for at in &broke {
        found[*at] = by_machine(&sessions[*at]);
    }
    let assign = |found: &mut Vec<Option<Explanation>>, members: &[usize], explanation| {
        for at in members {
            found[*at].get_or_insert(explanation);
        }
    };
    let left = |found: &[Option<Explanation>]| -> Vec<usize> {
        broke.iter().copied().filter(|at| found[*at].is_none()).collect()
    };
    for at in left(&found) {
        if let Some((members, explanation)) = event(sessions, &left(&found), at) {
            assign(&mut found, &members, explanation);
        }
    }
    let aged = left(&found);
    assign(&mut found, &same_age(sessions, &aged), Explanation::Lifetime);
    for at in left(&found) {
        found[at] = by_idle_time(sessions, at);
    }
    let timed = left(&found);
    assign(&mut found, &same_minute(sessions, &timed), Explanation::WallClock);
    for at in left(&found) {
        found[at] = Some(alone(&sessions[at]));
    }
    found
}

/// True if a session's end wants an explanation.
fn is_broken(session: &Session) -> bool {
    session.death().is_some() || is_left_by_shell(session) || is_stalled(session)
}

/// A shell that exited by itself after an idle time.
fn is_left_by_shell(session: &Session) -> bool {
    let by_server = session.exchange.is_some_and(|exchange| exchange.by_server && exchange.lasted_s < AT_ONCE_S);
    let shell = session.holds == Some(Holds::Shell) && matches!(session.end, SessionEnd::ClosedHere { .. });
    shell && by_server && session.quiet_s >= LEAST_IDLE_S
}

/// A client that gave up after keepalives that TCP delivered and the server did not answer.
fn is_stalled(session: &Session) -> bool {
    let SessionEnd::ClosedHere { unanswered: Some(unanswered) } = session.end else { return false };
    unanswered.alike && unanswered.packets >= KEEPALIVES && unanswered.for_s >= KEPT_ASKING_S
}

fn by_machine(session: &Session) -> Option<Explanation> {
    let asleep = |what: &What| matches!(what, What::Suspended { .. } | What::ClockJump { .. } | What::NotRun { .. });
    let moved = |what: &What| matches!(what, What::AddressGone { .. } | What::RouteMoved { .. });
    match &session.machine {
        machine if machine.iter().any(moved) => Some(Explanation::AddressChanged),
        machine if machine.iter().any(asleep) => Some(Explanation::Suspended),
        _ if is_stalled(session) => Some(Explanation::Stalled),
        _ => None,
    }
}

/// The time between which a session broke, on the wall clock, seconds: an end by the other side has a moment, a silence a beginning and the
/// first packet without an answer.
fn window(session: &Session) -> (f64, f64) {
    let seen = session.seen_at.as_millisecond() as f64 / 1000.0;
    match &session.end {
        SessionEnd::Died { manner: Manner::Silent | Manner::Errno { .. }, unanswered_s, .. } => {
            let latest = seen - unanswered_s.unwrap_or_default();
            (latest - session.quiet_s, latest)
        }
        _ => (seen, seen),
    }
}

/// Explains the moment at which this session broke, if it broke sharply and all others with it.
fn event(sessions: &[Session], left: &[usize], at: usize) -> Option<(Vec<usize>, Explanation)> {
    let own = &sessions[at];
    own.death().filter(|(manner, _)| manner.is_of_connection())?;
    let (earliest, latest) = window(own);
    if own.others.alive > 0 || latest - earliest > AT_ONCE_S {
        return None;
    }
    let broke_then = |other: &usize| {
        let (from, to) = window(&sessions[*other]);
        sessions[*other].death().is_some() && from <= latest + AT_ONCE_S && to >= earliest - AT_ONCE_S
    };
    let members: Vec<usize> = left.iter().copied().filter(broke_then).collect();
    let idle: Vec<f64> = members.iter().map(|member| sessions[*member].quiet_s).collect();
    let one_timer = cluster(&idle, idle.len()).is_some_and(|(_, idle)| idle >= LEAST_IDLE_S);
    let together = members.len() > 1 && !one_timer || own.others.lost > 0;
    let refused = members.iter().any(|member| sessions[*member].next.is_some_and(|next| !next.answered));
    let answered = members.iter().any(|member| sessions[*member].next.is_some_and(|next| next.answered));
    let (manner, _) = own.death()?;
    let explanation = match manner {
        Manner::Silent | Manner::Errno { .. } if refused => Explanation::Outage,
        _ if !together => return None,
        Manner::Silent | Manner::Errno { .. } if answered => Explanation::StateLost,
        Manner::Silent | Manner::Errno { .. } => Explanation::Outage,
        _ if refused => Explanation::Restarted,
        _ => Explanation::WallClock,
    };
    Some((members, explanation))
}

/// The sessions that were ended by the other side at one age, or stopped sharply at one, if no other became older.
fn same_age(sessions: &[Session], left: &[usize]) -> Vec<usize> {
    let aged: Vec<(usize, f64)> = left.iter().filter_map(|at| Some((*at, age_at_end(&sessions[*at])?))).collect();
    let ages: Vec<f64> = aged.iter().map(|(_, age)| *age).collect();
    let Some((members, age)) = cluster(&ages, SAME_AGE) else { return Vec::new() };
    let members: Vec<usize> = members.into_iter().map(|member| aged[member].0).collect();
    let older = sessions.iter().filter(|session| age_when_heard(session).is_some_and(|own| own > age * 1.1)).count();
    // Sessions that were never used are as idle as they are old.
    let idle: Vec<f64> = members.iter().map(|at| sessions[*at].quiet_s).collect();
    let all_idle = idle.iter().all(|idle| *idle > age * 0.9);
    if age >= LEAST_AGE_S && older == 0 && !all_idle { members } else { Vec::new() }
}

/// The age at which a session stopped; `None` where the moment is not known, and for a channel's own end.
fn age_at_end(session: &Session) -> Option<f64> {
    let (manner, _) = session.death().filter(|(manner, _)| manner.is_of_connection())?;
    if *manner != Manner::Silent {
        return session.age_s;
    }
    let (earliest, latest) = window(session);
    let SessionEnd::Died { unanswered_s, .. } = session.end else { return None };
    (latest - earliest <= AT_ONCE_S).then(|| Some(session.age_s? - unanswered_s.unwrap_or_default())).flatten()
}

/// The age at which a session was alive for sure: one that stopped silently was heard before its idle time.
fn age_when_heard(session: &Session) -> Option<f64> {
    let age = session.age_s?;
    match (&session.end, session.death()) {
        (SessionEnd::Died { unanswered_s, .. }, Some((Manner::Silent | Manner::Errno { .. }, _))) => {
            Some(age - unanswered_s.unwrap_or_default() - session.quiet_s)
        }
        // The end of the watch closes sessions that may have been dead since they were heard.
        (_, None) if session.observer == Observer::Watch => Some(age - session.quiet_s),
        _ => Some(age),
    }
}

/// The explanation by the idle time before the end, if none as long was survived.
fn by_idle_time(sessions: &[Session], at: usize) -> Option<Explanation> {
    let session = &sessions[at];
    let refused = session.next.is_some_and(|next| !next.answered);
    let too_short = session.quiet_s < LEAST_IDLE_S || session.quiet_s <= longest_survived(sessions, session) * LONGER;
    if refused || too_short {
        return None;
    }
    if is_left_by_shell(session) {
        return Some(Explanation::IdleShell);
    }
    let (manner, sign) = session.death()?;
    let spoke = session.exchange.is_some_and(|exchange| exchange.by_server);
    Some(match manner {
        Manner::Silent | Manner::Errno { .. } => Explanation::IdleSilent,
        Manner::Reset => Explanation::IdleReset,
        Manner::Fin if spoke => Explanation::IdleDisconnected,
        // A program that dies of what it is sent closes too: only an end by itself is a timer's.
        Manner::Fin if sign == Sign::BeforeProbe => Explanation::IdleClosed,
        Manner::Disconnect { .. } => Explanation::IdleDisconnected,
        Manner::ExitStatus { .. } if session.holds == Some(Holds::Shell) => Explanation::IdleShell,
        Manner::ChannelClose => Explanation::ChannelTimeout,
        _ => return None,
    })
}

/// The longest idle time that any session from the same address of this machine survived, seconds: elsewhere are other timers. The idle
/// time of a channel compares only with those of channels that hold the same.
pub(super) fn longest_survived(sessions: &[Session], than: &Session) -> f64 {
    let address = |session: &Session| session.local.map(|local| local.ip());
    let of_channel = than.death().is_some_and(|(manner, _)| !manner.is_of_connection()) || is_left_by_shell(than);
    let compares =
        |session: &&Session| address(session) == address(than) && (!of_channel || session.holds == than.holds);
    sessions.iter().filter(compares).map(|session| session.survived_s).fold(0.0, f64::max)
}

/// The sessions that ended at one minute of the hour, in different hours.
fn same_minute(sessions: &[Session], left: &[usize]) -> Vec<usize> {
    let moment = |at: &usize| window(&sessions[*at]).1;
    let near = |one: f64, other: f64| {
        let apart = (one - other).rem_euclid(3600.0);
        apart.min(3600.0 - apart) <= MINUTE_S
    };
    let around = |center: f64| -> Vec<usize> { left.iter().copied().filter(|at| near(moment(at), center)).collect() };
    let largest = left.iter().map(|at| around(moment(at))).max_by_key(Vec::len).unwrap_or_default();
    let mut hours: Vec<f64> = largest.iter().map(|at| (moment(at) / 3600.0).round()).collect();
    hours.sort_by(f64::total_cmp);
    hours.dedup();
    if hours.len() >= SAME_MINUTE { largest } else { Vec::new() }
}

/// The explanation of a session that shares its end with no other.
fn alone(session: &Session) -> Explanation {
    let dead_end = session.next.is_some_and(|next| !next.answered);
    match session.death() {
        Some((Manner::Errno { errno }, _)) if is_unreachable(*errno) => Explanation::Outage,
        Some((Manner::Silent | Manner::Errno { .. }, _)) if dead_end => Explanation::Outage,
        // One flow of several died: of what, nothing here says.
        Some((Manner::Silent | Manner::Errno { .. }, _)) if session.others.alive > 0 => Explanation::Unknown,
        Some((Manner::Silent | Manner::Errno { .. }, _)) if session.next.is_some() => Explanation::StateLost,
        Some((Manner::Silent | Manner::Errno { .. }, _)) => Explanation::Outage,
        _ => Explanation::Unknown,
    }
}

/// ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH (errno(3)).
fn is_unreachable(errno: i32) -> bool {
    [libc::ENETDOWN, libc::ENETUNREACH, libc::EHOSTDOWN, libc::EHOSTUNREACH].contains(&errno)
}
