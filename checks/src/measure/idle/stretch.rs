//! One stretch of one session: its observations, and the meaning of its end.

use std::time::{Duration, Instant};

use super::control::Finding;
use super::next_probe::NextProbe;
use super::role::{Role, TCP_KEEPALIVE};
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, Holds, HopState, SessionKind, Sign, StretchEnd, Times};
use crate::facts::tcp::TcpInfo;

/// An answer that takes longer than this, while a fresh connection works at once, came in spite of the path, or late.
pub(super) const LATE: Duration = Duration::from_millis(1500);

/// All that was seen of one stretch.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    /// The probe, after its last change.
    pub(super) probe: NextProbe,
    pub(super) holds: Holds,
    /// The time at which the silence began.
    pub(super) began: Instant,
    /// The time at which it ended: the answer's request, the server's line, the end of the session.
    pub(super) ended: Instant,
    /// The longest time without a byte either way.
    pub(super) quiet: Duration,
    pub(super) channel_quiet: Option<Duration>,
    pub(super) age: Duration,
    /// Bytes that the server sent by itself.
    pub(super) heard_bytes: u64,
    pub(super) outcome: StretchOutcome,
    /// The result of a fresh connection, where there was a doubt.
    pub(super) finding: Option<Finding>,
    /// True if the path was interrupted, or the server silent, while the answer or the line was waited for.
    pub(super) was_disturbed: bool,
    /// True if nothing that we sent for a late answer was lost: the path delivered it late.
    pub(super) only_late: bool,
    /// True if the server's line had come when our request was answered: what is sent first arrives first.
    pub(super) line_came: bool,
    /// True if another session answered after the end of this one.
    pub(super) others_alive: bool,
    /// The kernel's view of a session that does not answer.
    pub(super) tcp: Option<TcpInfo>,
    /// The connections to the hops of a jump when the session was found dead, first hop first.
    pub(super) hops: Vec<HopState>,
}

/// The way a stretch came to its end.
#[derive(Debug, Clone)]
pub(super) enum StretchOutcome {
    /// A request from us was answered after this time.
    Answered(Duration),
    /// A request from us was not answered; the end of the connection, if there was one.
    Unanswered(Option<Manner>),
    /// The server said its line.
    Heard,
    /// The session ended by itself.
    EndedItself(Manner),
    /// There was nothing more to learn from it.
    Dismissed,
}

impl Stretch {
    /// True if the session lives, although the stretch on it cannot be judged.
    pub(super) fn goes_on(&self) -> bool {
        self.was_disturbed && self.has_answered()
    }

    /// True if a request on it was answered.
    pub(super) fn has_answered(&self) -> bool {
        matches!(self.outcome, StretchOutcome::Answered(_))
    }

    /// True if the session ended by itself.
    pub(super) fn has_ended_itself(&self) -> bool {
        matches!(self.outcome, StretchOutcome::EndedItself(_))
    }

    /// True if the session was found dead while a new connection worked.
    pub(super) fn is_dead(&self) -> bool {
        let ended = matches!(self.outcome, StretchOutcome::Unanswered(_) | StretchOutcome::EndedItself(_));
        ended && matches!(self.finding, Some(Finding::Fine { .. })) && !self.has_lost_an_answer()
    }

    /// True if our request arrived, and the path was interrupted when the answer was due: the server sends it again, later each time.
    fn has_lost_an_answer(&self) -> bool {
        let arrived = self.tcp.as_ref().is_some_and(TcpInfo::is_acknowledged);
        self.was_disturbed && arrived && matches!(self.outcome, StretchOutcome::Unanswered(None))
    }
}

/// Classifies the end of a stretch: an answer usually takes `rtt`, and the session's last one, if it has answered, took
/// `last_rtt_ms`.
pub(super) fn classify(role: Role, stretch: &Stretch, rtt: Duration, last_rtt_ms: Option<f64>) -> StretchEnd {
    let Stretch { probe, finding, others_alive, tcp, .. } = stretch;
    let died = |manner: Manner, sign| StretchEnd::Died { manner, sign, others_alive: *others_alive, tcp: *tcp };
    match (&stretch.outcome, finding) {
        // A session on which something moves has been asked a moment ago.
        (StretchOutcome::Dismissed, _) => match last_rtt_ms.filter(|_| matches!(role, Role::Data | Role::ServerData)) {
            Some(rtt_ms) => StretchEnd::Alive { rtt_ms },
            None => StretchEnd::Open,
        },
        (StretchOutcome::Heard, _) => StretchEnd::Alive { rtt_ms: 0.0 },
        // A fresh connection worked at once, and what was sent on this one was lost until something else had woken the path: it did not just live.
        (StretchOutcome::Answered(took), None | Some(Finding::Fine { .. }))
            if *took > LATE.max(rtt * 4) && !stretch.was_disturbed && !stretch.only_late =>
        {
            let took = took.as_secs_f64();
            let beside = if finding.is_some() { ", while a new connection worked at once" } else { "" };
            StretchEnd::Void { why: format!("it answered only after {took:.1} s{beside}") }
        }
        (StretchOutcome::Answered(_), _) if stretch.was_disturbed && matches!(probe, NextProbe::ServerFirst(_)) => {
            StretchEnd::Void { why: "the path was interrupted when the server's line was due".to_owned() }
        }
        // We have spoken on it, and cannot tell a line that was late from one that was lost.
        (StretchOutcome::Answered(_), _) if role == Role::ServerData && !stretch.was_disturbed => {
            StretchEnd::Void { why: "a line of the server did not come in time; it answered when we asked".to_owned() }
        }
        // The path delivers late, and the line may have been so too.
        (StretchOutcome::Answered(took), _) if stretch.only_late && matches!(probe, NextProbe::ServerFirst(_)) => {
            StretchEnd::Void { why: format!("its line and its answer were late, by {:.1} s", took.as_secs_f64()) }
        }
        // A line that had been sent, and was lost, is sent again before any answer to what was asked later.
        (StretchOutcome::Answered(_), _) if !stretch.line_came && matches!(probe, NextProbe::ServerFirst(_)) => {
            StretchEnd::Void { why: "the server said its line late: it had not when it answered us".to_owned() }
        }
        // Its line had not come before we spoke: only what the server said was lost.
        (StretchOutcome::Answered(took), _) if matches!(probe, NextProbe::ServerFirst(_)) => {
            StretchEnd::Unheard { rtt_ms: ms(*took) }
        }
        (StretchOutcome::Answered(took), _) => StretchEnd::Alive { rtt_ms: ms(*took) },
        (_, Some(finding)) if !matches!(finding, Finding::Fine { .. }) => StretchEnd::Void { why: finding.words() },
        _ if stretch.has_lost_an_answer() => {
            StretchEnd::Void { why: "the path was interrupted when its answer was due".to_owned() }
        }
        (StretchOutcome::EndedItself(manner), _) => died(manner.clone(), Sign::BeforeProbe),
        (StretchOutcome::Unanswered(manner), _) => died(manner.clone().unwrap_or(Manner::Silent), Sign::AfterProbe),
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The session of a stretch, and its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) session: u32,
    pub(super) role: Role,
    /// The time since which the session has been kept alive at its interval, where it is.
    pub(super) kept_since: Option<Instant>,
    /// The time at which the test began.
    pub(super) test_began: Instant,
}

impl Stretch {
    /// Returns its record.
    pub(super) fn arm(&self, owner: Owner, end: StretchEnd) -> Arm {
        let since = owner.kept_since.unwrap_or(self.began);
        let lasted = owner.kept_since.map_or(self.quiet, |since| self.ended.saturating_duration_since(since));
        let kind = if owner.role == Role::Main { SessionKind::Main } else { SessionKind::FirstRound };
        let times = Times {
            started_s: since.saturating_duration_since(owner.test_began).as_secs_f64(),
            lasted_s: lasted.as_secs_f64(),
            age_s: self.age.as_secs_f64(),
        };
        Arm {
            holds: self.holds,
            speaks_first: self.probe.speaker(),
            interval_s: match (owner.role, self.probe) {
                (_, NextProbe::Keep(interval)) => Some(interval),
                (Role::TcpKeepalive, _) => u32::try_from(TCP_KEEPALIVE.as_secs()).ok(),
                _ => None,
            },
            ended_s: Some(self.ended.saturating_duration_since(owner.test_began).as_secs_f64()),
            channel_quiet_s: self.channel_quiet.map(|quiet| quiet.as_secs_f64()),
            heard_bytes: self.heard_bytes,
            ..Arm::new(owner.session, kind, owner.role.moves(self.probe), times, end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of the server was awaited in vain, and the session answered when it was asked then.
    fn asked_in_vain(line_came: bool) -> StretchEnd {
        let now = Instant::now();
        let stretch = Stretch {
            probe: NextProbe::ServerFirst(11),
            holds: Holds::Command,
            began: now,
            ended: now + Duration::from_secs(13),
            quiet: Duration::from_secs(11),
            channel_quiet: None,
            age: Duration::from_secs(13),
            heard_bytes: 0,
            outcome: StretchOutcome::Answered(Duration::from_millis(3)),
            finding: None,
            was_disturbed: false,
            only_late: false,
            line_came,
            others_alive: false,
            tcp: None,
            hops: Vec::new(),
        };
        classify(Role::Ladder, &stretch, Duration::from_millis(1), None)
    }

    #[test]
    fn a_line_that_had_not_been_sent_when_the_session_answered_was_not_lost() {
        assert!(matches!(asked_in_vain(true), StretchEnd::Unheard { .. }), "it was sent again");
        assert!(matches!(asked_in_vain(false), StretchEnd::Void { .. }));
    }
}
