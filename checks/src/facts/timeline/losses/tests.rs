use super::*;
use crate::facts::timeline::Gap;

/// A connection that was opened at a moment and logged in at once.
fn flow(number: u32, began_s: f64) -> Flow {
    Flow {
        number,
        began_s,
        connected_s: Some(began_s),
        version_s: Some(began_s + 0.1),
        version: Some("SSH-2.0-OpenSSH_9.2".to_owned()),
        logged_in_s: Some(began_s + 0.3),
        source_port: Some(40_000 + u16::try_from(number).unwrap() * 2),
        heard_s: Some(100.0),
        ..Flow::default()
    }
}

fn talking(number: u32) -> Flow {
    Flow { beat_s: Some(1.0), ..flow(number, 0.2) }
}

/// A flow that is never heard again after that moment.
fn lost(flow: Flow, at_s: f64, used_s: f64) -> Flow {
    let gap = Gap { heard_s: at_s, from_s: used_s, until_s: None, acknowledged: Some(false), retransmissions: 5 };
    Flow { gaps: vec![gap], heard_s: Some(at_s), ..flow }
}

/// A flow that ended at a moment after nothing had moved for a time.
fn ended(flow: Flow, manner: Manner, at_s: f64, quiet_s: f64, spoke_last: bool) -> Flow {
    Flow {
        end: Some(FlowEnd { at_s, manner, quiet_s, spoke_last }),
        heard_s: Some(at_s - quiet_s - if spoke_last { 5.0 } else { 0.0 }),
        ..flow
    }
}

fn timeline(flows: Vec<Flow>) -> Timeline {
    Timeline { flows, until_s: 100.0, ..Timeline::default() }
}

#[test]
fn what_was_lost_at_one_moment_is_a_loss_of_state() {
    let lost_all = || {
        vec![
            lost(talking(1), 15.0, 15.0),
            lost(talking(2), 14.6, 15.8),
            lost(flow(3, 0.3), 1.0, 16.0),
            lost(flow(4, 0.3), 1.0, 31.0),
            flow(5, 16.5),
        ]
    };
    let found = timeline(lost_all()).state_loss().unwrap();
    assert_eq!((found.at_s, found.lost, found.busy, found.reset), (15.0, 4, 2, false));
    assert!((found.new_after_s - 1.8).abs() < 0.01, "{found:?}");
    // Sessions on which something moved live on: a timer.
    let mut timer = lost_all();
    timer[0] = talking(1);
    assert_eq!(timeline(timer).state_loss(), None);
    // No new one opens: an outage.
    assert_eq!(timeline(lost_all()[..4].to_vec()).state_loss(), None);
}

#[test]
fn what_is_reset_when_it_is_used_next_has_lost_its_state_too() {
    let reset = |flow, at, quiet| ended(flow, Manner::Reset, at, quiet, true);
    let flows =
        vec![reset(talking(1), 15.2, 0.3), reset(talking(2), 16.1, 1.2), reset(flow(3, 0.3), 20.0, 0.0), flow(5, 16.5)];
    let found = timeline(flows.clone()).state_loss().unwrap();
    assert!(found.reset && found.lost == 3, "{found:?}");
    assert_eq!(timeline(flows).mass_end(), None);
}

#[test]
fn an_end_of_all_without_a_word_of_ours_comes_from_the_server() {
    let fin = |flow| ended(flow, Manner::Fin, 20.0, 9.0, false);
    let refused =
        Flow { failure: Some(NotOpened::Refused), connected_s: None, version: None, version_s: None, ..flow(5, 20.5) };
    let restarted = vec![fin(talking(1)), fin(talking(2)), fin(flow(3, 0.3)), refused, flow(6, 24.0)];
    let found = timeline(restarted.clone()).mass_end().unwrap();
    assert_eq!((found.ended, found.refused, found.versions.clone()), (3, 1, None));
    assert!((found.new_after_s.unwrap() - 4.1).abs() < 0.01, "{found:?}");
    assert_eq!(timeline(restarted.clone()).state_loss(), None);
    let mut upgraded = restarted.clone();
    upgraded[4].version = Some("SSH-2.0-OpenSSH_9.6".to_owned());
    assert!(timeline(upgraded).mass_end().unwrap().versions.is_some());
    let mut one = restarted;
    one[2] = flow(3, 0.3);
    one[1] = talking(2);
    assert_eq!(timeline(one).mass_end(), None);
}

#[test]
fn some_ports_that_get_no_answer_are_dead_flows() {
    let dead = |number: u32, began_s: f64| Flow {
        connected_s: None,
        version_s: None,
        logged_in_s: None,
        failure: Some(NotOpened::Unanswered),
        closed_s: Some(began_s + 8.0),
        source_port: Some(40_001 + u16::try_from(number).unwrap() * 2),
        ..flow(number, began_s)
    };
    let flows = vec![flow(1, 0.2), dead(2, 0.3), flow(3, 5.0), dead(4, 6.0)];
    let found = timeline(flows).dead_flows().unwrap();
    assert_eq!((found.dead.len(), found.alive.len(), found.pattern), (2, 2, Some("odd source ports")));
    // One that was late, or waited for too short a time, may have lost packets.
    let late = Flow { connected_s: Some(3.3), ..dead(2, 0.3) };
    let short = Flow { closed_s: Some(3.0), ..dead(2, 0.3) };
    assert_eq!(timeline(vec![flow(1, 0.2), late, short]).dead_flows(), None);
    assert_eq!(timeline(vec![dead(2, 0.3), dead(4, 6.0)]).dead_flows(), None, "nothing is answered");
    assert_eq!(timeline(vec![flow(1, 0.2), dead(2, 0.3), dead(4, 6.0)]).dead_flows(), None, "a limit on connections");
}

#[test]
fn resets_of_busy_and_idle_sessions_at_different_times_are_random() {
    let reset = |flow, at, quiet| ended(flow, Manner::Reset, at, quiet, false);
    let flows =
        vec![reset(talking(1), 12.0, 0.4), reset(flow(2, 0.3), 21.0, 9.0), reset(talking(3), 33.0, 0.8), talking(4)];
    let found = timeline(flows.clone()).random_resets().unwrap();
    assert_eq!((found.resets.len(), found.busy), (3, 2));
    // Silent ones alone: that is for the idle test to tell.
    let silent = vec![reset(flow(1, 0.3), 12.0, 11.0), reset(flow(2, 0.3), 21.0, 9.0), talking(4)];
    assert_eq!(timeline(silent).random_resets(), None);
    // All at one moment.
    let at_once =
        vec![reset(talking(1), 12.0, 0.4), reset(talking(2), 12.1, 0.4), reset(flow(3, 0.3), 12.2, 9.0), talking(4)];
    assert_eq!(timeline(at_once).random_resets(), None);
}

#[test]
fn busy_sessions_that_are_reset_at_one_age_are_not_reset_at_random() {
    let reset = |number, began| {
        ended(Flow { beat_s: Some(1.0), ..flow(number, began) }, Manner::Reset, began + 20.0, 0.5, false)
    };
    let young = Flow { beat_s: Some(1.0), heard_s: Some(15.0), ..flow(9, 0.0) };
    assert_eq!(timeline(vec![reset(1, 0.0), reset(2, 30.0), young]).random_resets(), None);
}

/// The connection as one behind a hop, carried by `carrier`.
fn through(carrier: u32, flow: Flow) -> Flow {
    Flow { number: flow.number + 100, leg: 1, through: Some(carrier), source_port: None, ..flow }
}

#[test]
fn openings_that_a_hop_gets_no_answer_to_are_dead_flows_without_ports() {
    let dead = |number: u32, began_s: f64| Flow {
        connected_s: None,
        version_s: None,
        logged_in_s: None,
        failure: Some(NotOpened::Unanswered),
        closed_s: Some(began_s + 10.0),
        ..flow(number, began_s)
    };
    let hops = || (1..5).map(|number| flow(number, 0.1));
    let behind =
        || vec![through(1, flow(1, 0.2)), through(2, dead(2, 0.3)), through(3, flow(3, 5.0)), through(4, dead(4, 6.0))];
    let found = timeline(hops().chain(behind()).collect()).dead_flows().unwrap();
    assert_eq!((found.leg, found.unanswered, found.answered, found.dead.len()), (1, 2, 2, 0));
    // The connections to the hop were dead themselves.
    let lost_hops = hops().map(|hop| if hop.number % 2 == 0 { lost(hop, 0.5, 1.0) } else { hop });
    assert_eq!(timeline(lost_hops.chain(behind()).collect()).dead_flows(), None);
}

#[test]
fn what_ends_with_the_connection_that_carries_it_was_not_reset_itself() {
    let reset = |number, at, quiet| ended(flow(number, 0.2), Manner::Reset, at, quiet, false);
    let closed = |number, at| through(number, ended(talking(number), Manner::Fin, at, 0.5, false));
    let flows = vec![
        reset(1, 12.0, 0.4),
        closed(1, 12.01),
        reset(2, 33.0, 3.1),
        // What it carries is busy, if not as often.
        Flow { beat_s: Some(5.0), ..closed(2, 33.01) },
        flow(3, 0.2),
        through(3, talking(3)),
    ];
    let found = timeline(flows).random_resets().unwrap();
    assert_eq!((found.leg, found.resets.len(), found.busy), (0, 2, 2));
}

#[test]
fn a_loss_of_state_is_on_the_leg_of_the_first_connections_that_were_lost() {
    let carried = |number, hop: Flow| [hop, through(number, lost(talking(number), 15.0, 16.0))];
    let leg = |hop: &dyn Fn(u32) -> Flow| {
        let new = [flow(8, 17.0), through(8, flow(9, 17.5))];
        let flows = (1..5).flat_map(|number| carried(number, hop(number))).chain(new).collect();
        timeline(flows).state_loss().unwrap().leg
    };
    assert_eq!(leg(&|number| flow(number, 0.1)), 1);
    assert_eq!(leg(&|number| lost(flow(number, 0.1), 15.0, 16.0)), 0);
}
