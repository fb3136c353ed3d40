//! Spends one stretch on a session.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::control::{Control, Finding};
use super::events::{Line, Order, SessionEvent};
use super::hop_liveness;
use super::idle_session::{Event, IdleSession};
use super::lateness::Lateness;
use super::next_probe::NextProbe;
use super::patience;
use super::role::Role;
use super::rungs::LATE_LINE;
use super::stretch::{LATE, Stretch, StretchOutcome};
use crate::facts::idle::Holds;
use crate::os::pause::timeout;
use crate::os::socket::Socket;
use crate::ssh::ending::Ending;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::recorder::Expect;

/// An answer that takes longer than this is in doubt; it is three times OpenSSH's shortest retransmission time-out.
const IN_DOUBT: Duration = Duration::from_millis(600);

/// The longest time that is waited before a doubt where the path delivers late: an interruption is to be noticed all the same.
const LATEST: Duration = Duration::from_secs(4);

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
    let (channel_quiet, age) = session.ages(match &waited {
        Waited::Ended(ending) => ending.at,
        _ => Instant::now(),
    });
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
        outcome: StretchOutcome::Dismissed,
        finding: None,
        was_disturbed: false,
        only_late: false,
        line_came: false,
        others_alive: false,
        tcp: None,
        hops: Vec::new(),
    };
    match waited {
        Waited::Dismissed => {}
        Waited::Heard => stretch.outcome = StretchOutcome::Heard,
        Waited::Ended(ending) => settle_ending(means, &mut stretch, ending).await,
        Waited::Due if role == Role::Data || probe.is_silence() && session.is_asked_by_line() => {
            let (asked, mut ending) = (Instant::now(), None);
            let answer = session.echo(&mut ending).await;
            match ending {
                Some(ending) => settle_ending(means, &mut stretch, ending).await,
                None => settle_answer(means, session, &mut stretch, asked, std::future::ready(answer)).await,
            }
        }
        Waited::Due => {
            settle_answer(means, session, &mut stretch, Instant::now(), session.ask()).await;
            stretch.line_came = session.has_line().await;
        }
    }
    if stretch.is_dead() {
        stretch.hops = hop_liveness::at_death(means.line.number(), session.connection()).await;
    }
    stretch
}

/// The time that a path is given which is known to deliver the first packet after a silence late.
fn patient(line: &Line) -> Duration {
    let late = line.late_by().min(LATEST);
    late + late / 4
}

/// The way a wait ended.
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
    let (mut probe, mut since) = (planned, began);
    let server_data = means.role == Role::ServerData;
    loop {
        let is_line = server_data || matches!(probe, NextProbe::ServerFirst(_));
        // Our request has to get there first, and the line back, over a path that may have to wake up for it.
        let late = if is_line { LATE_LINE + means.line.rtt() * 2 + patient(means.line) } else { Duration::ZERO };
        let due = probe.length().map(|length| since + Duration::from_secs_f64(length) + late);
        let time = async {
            match due {
                Some(due) => sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = time => {
                if session.is_over() {
                    return (Waited::Ended(session.ended().await), probe);
                }
                match session.connection().quiet_since() {
                    last if since == began && probe == planned && matches!(probe, NextProbe::Silence(_)) && was_late_to_begin(began, last) => {
                        since = last;
                        means.line.tell(SessionEvent::Began(since));
                    }
                    _ => return (Waited::Due, probe),
                }
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

/// True if the last bytes of a silence that ends now arrived in its first half, like those of a late prompt: the silence then begins anew with
/// them. A server that speaks at an interval is heard in the second half too.
fn was_late_to_begin(began: Instant, last: Instant) -> bool {
    /// Bytes this soon after the previous answer belong to it.
    const WITH_IT: Duration = Duration::from_millis(100);
    let before = last.saturating_duration_since(began);
    before > WITH_IT && before < last.elapsed()
}

/// A session that ended by itself: a fresh connection shows whether the path and the server are well.
async fn settle_ending(means: &Means<'_>, stretch: &mut Stretch, Ending { at, manner }: Ending) {
    means.line.tell(SessionEvent::Asked);
    let finding = means.control.settle(at).await;
    if let Finding::Fine { kept_alive } = finding {
        // A shell that leaves has its own reasons.
        if stretch.holds == Holds::Shell && manner.is_of_connection() {
            means.line.tell(SessionEvent::TerminalEnded(stretch.quiet));
        }
        stretch.others_alive = kept_alive || means.line.answers_after(at).await;
    }
    stretch.finding = Some(finding);
    stretch.outcome = StretchOutcome::EndedItself(manner);
}

/// Waits for the answer to a request that was sent at `sent`; a doubt is settled meanwhile.
async fn settle_answer(
    means: &Means<'_>,
    session: &IdleSession,
    stretch: &mut Stretch,
    sent: Instant,
    request: impl Future<Output = KeepaliveReply>,
) {
    let asked = Instant::now();
    means.line.tell(SessionEvent::Asked);
    // A line of the server that did not come was due earlier.
    let due = match stretch.probe {
        NextProbe::ServerFirst(seconds) => stretch.began + Duration::from_secs(seconds.into()),
        _ if means.role == Role::ServerData => stretch.began,
        _ => sent,
    };
    let is_disturbed = || patience::is_disturbed_since(session.connection(), due);
    let mut request = pin!(request);
    let lateness = Lateness::begin(session.connection(), sent);
    // Where the path is known to deliver the first packet late, a session is in doubt only after that.
    let in_doubt = IN_DOUBT.max(means.line.rtt() * 3).max(patient(means.line));
    let first = timeout(in_doubt, &mut request).await.ok();
    if let Some(KeepaliveReply::Alive(rtt)) = first {
        stretch.outcome = StretchOutcome::Answered(rtt);
        stretch.was_disturbed = is_disturbed();
        stretch.only_late = rtt > LATE && !stretch.was_disturbed && lateness.was_all().await;
        return;
    }
    let answered = AtomicBool::new(false);
    let settle = async {
        let finding = means.control.settle(asked).await;
        if matches!(finding, Finding::NoPath { .. }) {
            // The test is over, and no answer is worth waiting for.
            means.line.tell(SessionEvent::Doubt(finding.clone()));
        }
        // A session on which something moves had no silence that could be suspected, and one that an interruption hit may yet answer.
        let in_doubt = !answered.load(Ordering::Relaxed) && !is_disturbed();
        if let (Finding::Fine { .. }, true) = (&finding, in_doubt && means.role != Role::Data) {
            // From here on it is as good as dead: the others need not wait until the last deadline has passed.
            means.line.tell(SessionEvent::Suspected(stretch.probe, stretch.quiet));
        }
        finding
    };
    let answer = async {
        let answer = match first {
            Some(answer) => answer,
            None => request.await,
        };
        answered.store(matches!(answer, KeepaliveReply::Alive(_)), Ordering::Relaxed);
        answer
    };
    let (answer, mut finding) = tokio::join!(answer, settle);
    if let KeepaliveReply::Alive(rtt) = answer {
        stretch.outcome = StretchOutcome::Answered(rtt);
        stretch.finding = Some(finding);
        stretch.was_disturbed = is_disturbed();
        stretch.only_late = rtt > LATE && !stretch.was_disturbed && lateness.was_all().await;
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
    stretch.outcome = StretchOutcome::Unanswered(manner);
    stretch.was_disturbed = is_disturbed();
    if let Finding::Fine { kept_alive } = finding {
        stretch.tcp = session.connection().socket().and_then(Socket::tcp_info);
        stretch.others_alive = kept_alive || means.line.answers_after(asked).await;
    }
    stretch.finding = Some(finding);
}
