mod before;

use super::CAUSES;
use crate::causes::Severity;
use crate::facts::Evidence;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::timeline::{Flow, FlowEnd, Gap, NotOpened, Timeline};

/// A session that was opened at the beginning and heard until the end.
fn session(number: u32, beat_s: Option<f64>) -> Flow {
    Flow {
        number,
        beat_s,
        began_s: 0.1,
        connected_s: Some(0.1),
        version_s: Some(0.2),
        logged_in_s: Some(0.5),
        opened_s: Some(0.6),
        heard_s: Some(119.0),
        answered_s: Some(119.0),
        ..Flow::default()
    }
}

/// A flow on which nothing came through, or nothing was answered, at these times.
fn frozen(number: u32, acknowledged: bool, times: &[(f64, Option<f64>)]) -> Flow {
    let gaps = times.iter().map(|(heard_s, until_s)| Gap {
        heard_s: *heard_s,
        from_s: heard_s + 1.0,
        until_s: *until_s,
        acknowledged: Some(acknowledged),
        retransmissions: 3,
    });
    let last = times.last().map(|(heard_s, until_s)| if until_s.is_some() { 119.0 } else { *heard_s });
    Flow { gaps: gaps.collect(), heard_s: last, answered_s: last, ..session(number, Some(1.0)) }
}

fn fired(flows: Vec<Flow>) -> Vec<(&'static str, Certainty, Severity)> {
    let timeline = Box::new(Timeline { flows, until_s: 120.0, ..Timeline::default() });
    let evidence = Evidence { timeline, ..Evidence::unexamined() };
    let matched = CAUSES.iter().filter_map(|cause| Some((cause, (cause.judge)(&evidence)?)));
    matched.map(|(cause, found)| (cause.code, found.certainty, found.severity.unwrap_or(cause.severity))).collect()
}

#[test]
fn sessions_that_freeze_together_and_go_on_are_a_warning_and_one_short_time_is_none() {
    let times = [(20.0, Some(26.0)), (40.0, Some(46.0))];
    let both = || vec![frozen(1, false, &times), frozen(2, false, &times)];
    assert_eq!(fired(both()), [("path-unstable", Certainty::Certain, Severity::Warning)]);
    let short = [(20.0, Some(22.0))];
    assert!(fired(vec![frozen(1, false, &short), frozen(2, false, &short)]).is_empty());
    assert!(fired(vec![session(1, Some(1.0)), session(2, None)]).is_empty());
}

#[test]
fn a_server_that_acknowledges_and_does_not_answer_is_stalled() {
    let times = [(20.0, Some(26.0))];
    let stalled = || vec![frozen(1, true, &times), frozen(2, true, &times)];
    assert_eq!(fired(stalled()), [("server-stalled", Certainty::Certain, Severity::Warning)]);
    // One session alone may be slow, where others are answered.
    assert!(fired(vec![frozen(1, true, &times), session(2, Some(1.0))]).is_empty());
    let for_good = [(60.0, None)];
    let found = fired(vec![frozen(1, true, &for_good), frozen(2, true, &for_good)]);
    assert_eq!(found, [("server-stalled", Certainty::Certain, Severity::Critical)]);
}

#[test]
fn sessions_that_are_all_dead_while_new_ones_work_have_lost_their_state() {
    let dead = |number| frozen(number, false, &[(30.0, None)]);
    let new = Flow { began_s: 34.0, connected_s: Some(34.0), logged_in_s: Some(34.5), ..session(9, Some(1.0)) };
    let found = fired(vec![dead(1), dead(2), dead(3), dead(4), new]);
    assert_eq!(found, [("path-state-lost", Certainty::Certain, Severity::Critical)]);
}

#[test]
fn an_end_of_all_with_refusals_after_it_is_a_restart_and_without_them_it_is_not() {
    let ended = |number| Flow {
        end: Some(FlowEnd { at_s: 30.0, manner: Manner::Fin, quiet_s: 0.5, spoke_last: false }),
        heard_s: Some(30.0),
        answered_s: Some(30.0),
        ..session(number, Some(1.0))
    };
    let new = |began_s: f64| Flow {
        began_s,
        connected_s: Some(began_s),
        version_s: Some(began_s + 0.1),
        logged_in_s: Some(began_s + 0.5),
        ..session(9, Some(1.0))
    };
    let refused =
        Flow { number: 8, began_s: 31.0, failure: Some(NotOpened::Refused), closed_s: Some(31.0), ..Flow::default() };
    let found = fired(vec![ended(1), ended(2), ended(3), refused, new(36.0)]);
    assert_eq!(found, [("server-restarted", Certainty::Certain, Severity::Critical)]);
    // Whoever ends sessions, and lets new ones in at once, has not restarted.
    assert!(fired(vec![ended(1), ended(2), ended(3), new(30.4)]).is_empty());
}
