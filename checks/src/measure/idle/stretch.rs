//! One stretch of one session: how it is spent, and what its end means.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use super::control::{Control, Finding};
use super::events::{Line, Order, SessionEvent};
use super::hop_liveness;
use super::idle_session::{Event, IdleSession};
use super::next_probe::NextProbe;
use super::patience;
use super::role::{Role, TCP_KEEPALIVE};
use super::rungs::LATE_LINE;
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, End, Holds, HopState, SessionKind, Sign, Times};
use crate::facts::tcp::TcpInfo;
use crate::os::socket::Socket;
use crate::ssh::connection::Answer;
use crate::ssh::ending::Ending;
use crate::ssh::recorder::Expect;

/// An answer that takes longer than this is in doubt; it is three times OpenSSH's shortest retransmission time-out.
const IN_DOUBT: Duration = Duration::from_millis(600);
/// An answer that takes longer than this, while a fresh connection works at once, came in spite of the path.
const LATE: Duration = Duration::from_millis(1500);

/// All that was seen of one stretch.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    /// What was to be done, after its last change.
    pub(super) probe: NextProbe,
    pub(super) holds: Holds,
    /// When the silence began.
    pub(super) began: Instant,
    /// When it ended: the answer's request, the server's line, the end of the session.
    pub(super) ended: Instant,
    /// The longest time without a byte either way.
    pub(super) quiet: Duration,
    pub(super) channel_quiet: Option<Duration>,
    pub(super) age: Duration,
    /// Bytes that the server sent by itself.
    pub(super) heard_bytes: u64,
    pub(super) outcome: Outcome,
    /// What a fresh connection showed, where there was a doubt.
    pub(super) finding: Option<Finding>,
    /// Whether another session answered after the end of this one.
    pub(super) others_alive: bool,
    /// The kernel's view of a session that does not answer.
    pub(super) tcp: Option<TcpInfo>,
    /// The connections to the hops of a jump when the session was found dead, first hop first.
    pub(super) hops: Vec<HopState>,
}

/// How a stretch came to its end.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// A request of ours was answered after so long.
    Answered(Duration),
    /// A request of ours was not answered; how the connection ended, if it did.
    Unanswered(Option<Manner>),
    /// The server said its line.
    Heard,
    /// The session ended by itself.
    EndedItself(Manner),
    /// There was nothing more to learn from it.
    Dismissed,
}

/// The means of a session to spend a stretch.
pub(super) struct Means<'a> {
    pub(super) line: &'a mut Line,
    pub(super) control: &'a Control,
    pub(super) role: Role,
}

/// Spends one stretch on a session; the coordinator may change its end meanwhile.
pub(super) async fn run_stretch(means: &mut Means<'_>, session: &mut IdleSession, planned: NextProbe) -> Stretch {
    let role = means.role;
    let began = session.begin_silence();
    means.line.tell(SessionEvent::Began(began));
    let (waited, probe) = wait(means, session, planned, began).await;
    if role == Role::TcpKeepalive && matches!(waited, Waited::Due) {
        session.tcp_keepalive(None);
        session.connection().record().expect(Expect::Silence);
    }
    let (quiet, heard_bytes) = session.silence(began);
    // What the server said, and was lost, ended the silence.
    let quiet = match probe {
        NextProbe::ServerFirst(seconds) => quiet.min(Duration::from_secs(seconds.into())),
        _ => quiet,
    };
    let (channel_quiet, age) = session.ages();
    let ended = match &waited {
        Waited::Ended(ending) => ending.at,
        // What the server sends is known to get through only until its last line that did.
        Waited::Due | Waited::Dismissed if role == Role::ServerData => began,
        _ => Instant::now(),
    };
    let mut stretch = Stretch {
        probe,
        holds: session.holds(),
        began,
        ended,
        quiet,
        channel_quiet,
        age,
        heard_bytes,
        outcome: Outcome::Dismissed,
        finding: None,
        others_alive: false,
        tcp: None,
        hops: Vec::new(),
    };
    match waited {
        Waited::Dismissed => {}
        Waited::Heard => stretch.outcome = Outcome::Heard,
        Waited::Ended(ending) => settle_ending(means, &mut stretch, ending).await,
        Waited::Due if role == Role::Data => {
            let mut ending = None;
            let answer = session.echo(&mut ending).await;
            match ending {
                Some(ending) => settle_ending(means, &mut stretch, ending).await,
                None => settle_answer(means, session, &mut stretch, std::future::ready(answer)).await,
            }
        }
        Waited::Due => settle_answer(means, session, &mut stretch, session.ask()).await,
    }
    if stretch.is_dead() {
        stretch.hops = hop_liveness::at_death(means.line.number(), session.connection()).await;
    }
    stretch
}

/// How a wait ended.
enum Waited {
    /// Its time has come.
    Due,
    /// The server said its line.
    Heard,
    /// The session ended by itself.
    Ended(Ending),
    /// There is nothing more to learn from it.
    Dismissed,
}

/// Waits for the session's time, which the coordinator may change meanwhile.
async fn wait(
    means: &mut Means<'_>,
    session: &mut IdleSession,
    planned: NextProbe,
    began: Instant,
) -> (Waited, NextProbe) {
    let mut probe = planned;
    let server_data = means.role == Role::ServerData;
    loop {
        let is_line = server_data || matches!(probe, NextProbe::ServerFirst(_));
        let late = if is_line { LATE_LINE } else { Duration::ZERO };
        let due = probe.length().map(|length| began + Duration::from_secs_f64(length) + late);
        let time = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => {
                let over = session.is_over();
                return (if over { Waited::Ended(session.ended().await) } else { Waited::Due }, probe);
            }
            event = session.event() => match event {
                Event::Ended(ending) => return (Waited::Ended(ending), probe),
                // An earlier line is one that was lost before and found its way now.
                Event::Line if server_data || probe.is_due_to_hear(began.elapsed()) => return (Waited::Heard, probe),
                Event::Line => {}
            },
            order = means.line.redirected() => match order {
                Order::Probe(changed) => probe = changed,
                Order::Reopen | Order::Leave => return (Waited::Dismissed, probe),
            },
        }
    }
}

/// A session that ended by itself: a fresh connection shows whether the path and the server are well.
async fn settle_ending(means: &Means<'_>, stretch: &mut Stretch, Ending { at, manner }: Ending) {
    let finding = means.control.settle(at).await;
    if let Finding::Fine { kept_alive } = finding {
        match stretch.holds {
            Holds::Shell if manner.is_of_connection() => means.line.tell(SessionEvent::TerminalEnded(stretch.quiet)),
            // A shell that leaves has its own reasons.
            Holds::Shell => {}
            Holds::Command | Holds::Nothing => {
                means.line.tell(SessionEvent::Suspected(stretch.probe, stretch.quiet));
            }
        }
        stretch.others_alive = kept_alive || means.line.answers_after(at).await;
    }
    stretch.finding = Some(finding);
    stretch.outcome = Outcome::EndedItself(manner);
}

/// Waits for the answer to a request; a doubt is settled meanwhile.
async fn settle_answer(
    means: &Means<'_>,
    session: &IdleSession,
    stretch: &mut Stretch,
    request: impl Future<Output = Answer>,
) {
    let asked = Instant::now();
    means.line.tell(SessionEvent::Asked);
    let mut request = pin!(request);
    let first = timeout(IN_DOUBT.max(means.line.rtt() * 3), &mut request).await.ok();
    if let Some(Answer::Alive(rtt)) = first {
        stretch.outcome = Outcome::Answered(rtt);
        return;
    }
    let settle = async {
        let finding = means.control.settle(asked).await;
        // A session on which something moves had no silence that could be suspected.
        if let (Finding::Fine { .. }, true) = (&finding, means.role != Role::Data) {
            // From here on it is as good as dead: the others need not wait until the last deadline has passed.
            means.line.tell(SessionEvent::Suspected(stretch.probe, stretch.quiet));
        }
        finding
    };
    let answer = async {
        match first {
            Some(answer) => answer,
            None => request.await,
        }
    };
    let (answer, mut finding) = tokio::join!(answer, settle);
    if let Answer::Alive(rtt) = answer {
        stretch.outcome = Outcome::Answered(rtt);
        stretch.finding = Some(finding);
        return;
    }
    // What was found in the midst of an interruption says nothing of the time after it, in which the session did not answer either.
    if let Some(until) = patience::disturbed_until(session.connection(), asked) {
        stretch.quiet = stretch.quiet.max(until.saturating_duration_since(stretch.began));
        finding = means.control.settle(Instant::now()).await;
    }
    let manner = match session.connection().ending() {
        Some(_) => Some(session.connection_ended().await.manner),
        None => None,
    };
    stretch.outcome = Outcome::Unanswered(manner);
    if let Finding::Fine { kept_alive } = finding {
        stretch.tcp = session.connection().socket().and_then(Socket::tcp_info);
        stretch.others_alive = kept_alive || means.line.answers_after(asked).await;
    }
    stretch.finding = Some(finding);
}

impl Stretch {
    /// Whether the session was found dead while a fresh connection worked.
    fn is_dead(&self) -> bool {
        let ended = matches!(self.outcome, Outcome::Unanswered(_) | Outcome::EndedItself(_));
        ended && matches!(self.finding, Some(Finding::Fine { .. }))
    }
}

/// What the end of a stretch means: an answer usually takes `rtt`, and the session's last one, if it has answered, took `last_rtt_ms`.
pub(super) fn classify(role: Role, stretch: &Stretch, rtt: Duration, last_rtt_ms: Option<f64>) -> End {
    let Stretch { probe, finding, others_alive, tcp, .. } = stretch;
    let died = |manner: Manner, sign| End::Died { manner, sign, others_alive: *others_alive, tcp: *tcp };
    match (&stretch.outcome, finding) {
        // A session on which something moves has been asked a moment ago.
        (Outcome::Dismissed, _) => match last_rtt_ms.filter(|_| matches!(role, Role::Data | Role::ServerData)) {
            Some(rtt_ms) => End::Alive { rtt_ms },
            None => End::Open,
        },
        (Outcome::Heard, _) => End::Alive { rtt_ms: 0.0 },
        // A fresh connection worked at once, and this one only when something else had woken the path: it did not just live.
        (Outcome::Answered(took), Some(Finding::Fine { .. })) if *took > LATE.max(rtt * 4) => End::Void {
            why: format!("it answered only after {:.1} s, while a fresh connection worked at once", took.as_secs_f64()),
        },
        // We have spoken on it, and cannot tell a line that was late from one that was lost.
        (Outcome::Answered(_), _) if role == Role::ServerData => {
            End::Void { why: "a line of the server did not come in time; it answered when we asked".to_owned() }
        }
        // Its line had not come, and our request was answered: only what the server said was lost.
        (Outcome::Answered(took), _) if matches!(probe, NextProbe::ServerFirst(_)) => {
            End::Unheard { rtt_ms: ms(*took) }
        }
        (Outcome::Answered(took), _) => End::Alive { rtt_ms: ms(*took) },
        (_, Some(finding)) if !matches!(finding, Finding::Fine { .. }) => End::Void { why: finding.words() },
        (Outcome::EndedItself(manner), _) => died(manner.clone(), Sign::BeforeProbe),
        (Outcome::Unanswered(manner), _) => died(manner.clone().unwrap_or(Manner::Silent), Sign::AfterProbe),
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Whose stretch it was, and since when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) session: u32,
    pub(super) role: Role,
    /// Since when the session has been kept alive at its interval, where it is.
    pub(super) kept_since: Option<Instant>,
    /// When the test began.
    pub(super) test_began: Instant,
}

impl Stretch {
    /// What is stored of it.
    pub(super) fn arm(&self, owner: Owner, end: End) -> Arm {
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
            channel_quiet_s: self.channel_quiet.map(|quiet| quiet.as_secs_f64()),
            heard_bytes: self.heard_bytes,
            ..Arm::new(owner.session, kind, owner.role.moves(self.probe), times, end)
        }
    }
}
