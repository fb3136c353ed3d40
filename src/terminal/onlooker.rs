//! The one who looks on while an examination runs, and tells the person at the terminal.

use std::time::{Duration, Instant};

use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::measure::progress::{CheckOutcome, Event, IdleState, Progress, SessionState};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::frame::{Known, lines};
use super::live_display::LiveDisplay;
use super::remark;
use crate::diagnose::{Verdict, diagnose};
use crate::report::Style;

/// The interval at which the board is drawn.
const FRAME: Duration = Duration::from_millis(100);

/// Looks on until the examination has dropped its end.
#[derive(Debug)]
pub struct Onlooker(Option<JoinHandle<()>>);

impl Onlooker {
    /// Starts to observe: live on a board, or in plain lines where there is none. `is_told` says whether the result before the idle
    /// test is printed.
    #[must_use]
    pub fn of(title: String, board: &LiveDisplay, verbose: u8, is_told: bool) -> (Self, Progress) {
        let (sender, receiver) = unbounded_channel();
        let task = match (board.is_live(), verbose) {
            (true, _) => tokio::spawn(live(title, receiver, board.clone(), is_told)),
            (false, level) if level > 0 || is_told => tokio::spawn(plain(receiver, verbose, is_told)),
            (false, _) => return (Self(None), Progress::default()),
        };
        (Self(Some(task)), Progress::to(sender))
    }

    /// Waits until everything was reported and the board is clean.
    pub async fn done(self) {
        if let Some(task) = self.0 {
            // A board that could not be drawn takes nothing from the report.
            let _ = task.await;
        }
    }
}

async fn live(title: String, mut events: UnboundedReceiver<Event>, board: LiveDisplay, is_told: bool) {
    let mut known = Known { title, ..Known::default() };
    let (mut began, mut heard) = (Instant::now(), Instant::now());
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                None => break,
                Some(Event::Hop(name)) => known.hop = Some(name),
                Some(Event::HopFinished { name, ending, summary }) => {
                    (known.hop, known.running) = (None, None);
                    known.finished.clear();
                    known.hops.push((name, ending, summary));
                }
                Some(Event::Started(check)) => {
                    (known.running, known.idle, began) = (Some(check), None, Instant::now());
                }
                Some(Event::Finished { check, ending, summary }) => {
                    known.running = None;
                    known.finished.push((check, ending, summary));
                }
                Some(Event::Unanswered { silent, most }) => {
                    board.wipe();
                    remark(waiting(silent, most));
                }
                Some(Event::SoFar { evidence, idle }) if is_told => {
                    board.wipe();
                    let style = Style { unicode: true, width: board.frame_style().width, ..Style::default() };
                    remark(style.wrapped("", "  ", &so_far(&evidence, idle)));
                }
                Some(Event::SoFar { .. }) => {}
                Some(Event::Idle(state)) => (known.idle, heard) = (Some(state), Instant::now()),
            },
            _ = frames.tick() => {
                known.tick += 1;
                (known.elapsed, known.heard, known.ending) = (began.elapsed(), heard.elapsed(), board.is_ending());
                board.draw(&lines(&known, board.frame_style()));
            }
        }
    }
    board.wipe();
}

/// Tells in a line that a silent server is waited for.
fn waiting(silent: Duration, most: Duration) -> String {
    format!(
        "Nothing from the server in {}. ssh waits without a limit; this waits up to {}. Ctrl-C reports.",
        seconds(silent.as_secs_f64()),
        seconds(most.as_secs_f64())
    )
}

/// The result of the checks before the idle test, in a line.
fn so_far(evidence: &Evidence, idle: Duration) -> String {
    let diagnosis = diagnose(evidence);
    let first = diagnosis.findings.first().filter(|_| diagnosis.verdict != Verdict::Healthy);
    let found = first.map_or_else(String::new, |found| format!(": {} ({})", found.title, found.code));
    format!(
        "{} so far ({}){found}. Testing idle up to {}; Ctrl-C reports.",
        diagnosis.verdict.name().to_uppercase(),
        seconds(evidence.duration_ms / 1000.0),
        seconds(idle.as_secs_f64())
    )
}

async fn plain(mut events: UnboundedReceiver<Event>, verbose: u8, is_told: bool) {
    let mut before: Option<IdleState> = None;
    // What the lines of a hop's checks begin with.
    let mut at = String::new();
    while let Some(event) = events.recv().await {
        match event {
            Event::Hop(name) => at = format!("hop {}: ", sanitize(&name)),
            Event::Unanswered { silent, most } => remark(waiting(silent, most)),
            Event::SoFar { evidence, idle } if is_told => {
                remark(Style::default().wrapped("", "  ", &so_far(&evidence, idle)));
            }
            Event::HopFinished { ending, summary, .. } if verbose > 0 => {
                remark(format_args!("{at}{}: {summary}", word(ending)));
                at.clear();
            }
            Event::Finished { check, ending, summary } if verbose > 0 => {
                remark(format_args!("{at}{}: {}: {summary}", check.name(), word(ending)));
            }
            Event::Idle(state) if verbose > 1 => {
                news(before.as_ref(), &state).into_iter().for_each(remark);
                before = Some(state);
            }
            Event::HopFinished { .. } => at.clear(),
            Event::Started(_) | Event::Finished { .. } | Event::SoFar { .. } | Event::Idle(_) => {}
        }
    }
}

fn word(ending: CheckOutcome) -> &'static str {
    match ending {
        CheckOutcome::Passed => "passed",
        CheckOutcome::Failed => "failed",
        CheckOutcome::Skipped => "skipped",
    }
}

/// Lists the changes in the idle test, one line each.
fn news(before: Option<&IdleState>, now: &IdleState) -> Vec<String> {
    let mut news = Vec::new();
    let at = now.elapsed.as_secs();
    if before.is_none_or(|before| before.phase != now.phase) {
        news.push(format!("idle: {at} s: {}", now.phase));
    }
    for (number, row) in now.rows.iter().enumerate() {
        let known = before.and_then(|before| before.rows.get(number)).map(|row| &row.state);
        let state = match &row.state {
            SessionState::Alive => "alive".to_owned(),
            SessionState::Dead(how) => format!("dead: {how}"),
            SessionState::Waiting | SessionState::Probing => continue,
        };
        if known != Some(&row.state) {
            news.push(format!("idle: {at} s: {} after {} s: {state}", row.label, row.idle.as_secs()));
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ssh_doctor_checks::measure::progress::{IdleState, SessionRow, SessionState};

    use super::news;

    #[test]
    fn only_what_changed_is_news() {
        let state = |lane_state| IdleState {
            phase: "first round".into(),
            elapsed: Duration::from_secs(9),
            left: Duration::ZERO,
            rows: vec![SessionRow {
                label: "silent".into(),
                idle: Duration::from_secs(8),
                until: None,
                state: lane_state,
            }],
        };
        let (waiting, dead) = (state(SessionState::Waiting), state(SessionState::Dead("reset".into())));
        assert_eq!(news(None, &waiting), ["idle: 9 s: first round"]);
        assert!(news(Some(&waiting), &waiting).is_empty());
        assert_eq!(news(Some(&waiting), &dead), ["idle: 9 s: silent after 8 s: dead: reset"]);
        assert!(news(Some(&dead), &dead).is_empty());
    }
}
