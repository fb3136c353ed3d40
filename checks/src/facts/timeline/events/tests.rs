use super::*;
use crate::facts::timeline::HopSample;

/// A connection that was open for two minutes, with these gaps: heard before, expected since, heard again, acknowledged.
fn flow(number: u32, beat_s: Option<f64>, gaps: &[(f64, f64, Option<f64>, Option<bool>)]) -> Flow {
    let gap =
        |&(heard_s, from_s, until_s, acknowledged)| Gap { heard_s, from_s, until_s, acknowledged, retransmissions: 3 };
    Flow {
        number,
        beat_s,
        began_s: 0.1,
        connected_s: Some(0.1),
        version_s: Some(0.2),
        logged_in_s: Some(0.5),
        opened_s: Some(0.6),
        gaps: gaps.iter().map(gap).collect(),
        ..Flow::default()
    }
}

fn opening(began_s: f64, connected_s: Option<f64>, version_s: Option<f64>) -> Flow {
    Flow { number: 99, began_s, connected_s, version_s, logged_in_s: version_s, ..Flow::default() }
}

fn events(flows: Vec<Flow>) -> Vec<(EventKind, f64, Option<f64>)> {
    let timeline = Timeline { flows, until_s: 120.0, ..Timeline::default() };
    timeline.events().iter().map(|event| (event.kind, event.from_s, event.until_s)).collect()
}

const NO_ACK: Option<bool> = Some(false);
const ACKNOWLEDGED: Option<bool> = Some(true);

#[test]
fn what_all_missed_at_one_time_is_an_interruption_of_the_path() {
    let flows = || {
        vec![
            flow(1, Some(1.0), &[(10.0, 10.0, Some(14.2), NO_ACK), (26.1, 26.1, Some(30.0), NO_ACK)]),
            flow(2, Some(2.0), &[(9.5, 11.0, Some(15.1), NO_ACK), (25.0, 27.0, Some(31.0), NO_ACK)]),
            // A silent session that was asked in its midst.
            flow(3, None, &[(1.0, 12.0, Some(14.6), NO_ACK)]),
        ]
    };
    let both = [(EventKind::Interrupted, 10.0, Some(14.2)), (EventKind::Interrupted, 26.1, Some(30.0))];
    assert_eq!(events(flows()), both);
    // A session that talks all the time and missed nothing: it was not the path.
    let spared = flow(4, Some(1.0), &[]);
    assert!(events(flows().into_iter().chain([spared]).collect()).is_empty());
    // One that was opened meanwhile ends it.
    let opened = opening(11.9, Some(12.0), Some(12.1));
    assert_eq!(events(flows().into_iter().chain([opened]).collect())[0], (EventKind::Interrupted, 10.0, Some(12.0)));
}

#[test]
fn one_connection_alone_tells_nothing_unless_a_new_one_meets_the_same() {
    let alone = || flow(1, Some(2.0), &[(10.0, 11.0, Some(15.0), NO_ACK)]);
    assert!(events(vec![alone()]).is_empty());
    let waited = opening(12.0, Some(15.0), Some(15.1));
    // It was heard at 10.0, and missed at 11.0.
    assert_eq!(events(vec![alone(), waited]), [(EventKind::Interrupted, 10.5, Some(15.0))]);
}

#[test]
fn sessions_that_a_timer_ended_one_after_the_other_are_no_interruption() {
    let dead = |number, used_s| flow(number, None, &[(5.0, used_s, None, NO_ACK)]);
    // A keepalive that is due much later, in an interruption of its own.
    let later = flow(3, Some(15.0), &[(40.0, 58.0, Some(62.0), NO_ACK)]);
    let opened = opening(52.0, Some(52.1), Some(52.2));
    let found = events(vec![dead(1, 50.0), dead(2, 51.0), later, opened]);
    assert!(found.iter().all(|(_, from_s, _)| *from_s > 52.0), "{found:?}");
}

#[test]
fn a_server_that_is_silent_is_told_from_a_path_that_is_interrupted() {
    let flows = || {
        vec![
            flow(1, Some(1.0), &[(10.0, 10.0, Some(16.0), ACKNOWLEDGED)]),
            flow(2, Some(2.0), &[(9.0, 11.0, Some(16.1), ACKNOWLEDGED)]),
            // The kernel's keepalives go on.
            Flow { is_kernels: true, ..flow(3, Some(1.0), &[]) },
            opening(12.0, Some(12.0), Some(16.0)),
        ]
    };
    assert_eq!(events(flows()), [(EventKind::Stalled, 10.0, Some(16.0))]);
    let mut spoken = flows();
    spoken[3] = opening(12.0, Some(12.0), Some(12.1));
    assert!(events(spoken).is_empty(), "a new session was answered: only these were slow");
}

#[test]
fn a_request_that_was_acknowledged_just_before_an_interruption_was_hit_by_it() {
    let kept = || flow(1, Some(2.0), &[(10.0, 12.0, Some(16.8), NO_ACK)]);
    // Three versions of ours that were acknowledged, and no answer until the path was back.
    let login = |number| Flow {
        began_s: 10.0,
        connected_s: Some(10.0),
        version_s: Some(16.8),
        logged_in_s: Some(17.0),
        opened_s: Some(17.1),
        ..flow(number, None, &[(10.0, 10.0, Some(17.0), ACKNOWLEDGED)])
    };
    let interrupted = [(EventKind::Interrupted, 10.0, Some(16.8))];
    assert_eq!(events(vec![kept(), login(2), login(3), login(4)]), interrupted);
    // A session that talks all the time was not spared because its last request had come through.
    let talking = flow(2, Some(1.0), &[(10.0, 10.0, Some(17.2), ACKNOWLEDGED)]);
    let other = flow(3, Some(2.0), &[(9.5, 11.0, Some(17.0), NO_ACK)]);
    assert_eq!(events(vec![kept(), other, talking])[0].0, EventKind::Interrupted);
}

#[test]
fn an_opening_that_gets_no_answer_shows_that_it_is_not_the_server_that_is_silent() {
    let asked = || flow(1, Some(2.0), &[(10.0, 10.0, Some(17.1), ACKNOWLEDGED)]);
    let opened = || opening(16.4, Some(16.4), Some(16.5));
    let repeated = Flow { repeated_syns: 4, ..opening(12.7, Some(16.8), None) };
    assert_eq!(events(vec![asked(), repeated, opened()]), [(EventKind::Interrupted, 10.0, Some(16.4))]);
    // One that was open at once, and only then waited.
    let waited = opening(12.7, Some(12.7), Some(16.5));
    assert_eq!(events(vec![asked(), waited, opened()])[0].0, EventKind::Stalled);
}

#[test]
fn a_session_that_was_dead_makes_no_interruption_of_a_silent_server() {
    let dead = flow(3, None, &[(1.0, 10.2, None, NO_ACK)]);
    // Its requests were acknowledged long after the last answer.
    let asked_later = flow(2, Some(2.0), &[(10.0, 12.0, Some(16.1), ACKNOWLEDGED)]);
    let asked = flow(1, Some(1.0), &[(10.0, 10.0, Some(16.0), ACKNOWLEDGED)]);
    assert!(events(vec![asked, asked_later, dead]).iter().all(|(kind, ..)| *kind == EventKind::Stalled));
    // As it was seen: kept sessions ask, one after the other, and new ones are open and wait, while the timer of another one is over.
    let kept = |number, heard_s, from_s| flow(number, Some(2.0), &[(heard_s, from_s, Some(20.9), ACKNOWLEDGED)]);
    let waiting = |at| Flow {
        gaps: vec![Gap {
            heard_s: at,
            from_s: at,
            until_s: Some(20.9),
            acknowledged: ACKNOWLEDGED,
            retransmissions: 0,
        }],
        ..opening(at, Some(at), Some(20.9))
    };
    let dead = flow(7, None, &[(2.6, 18.1, None, NO_ACK)]);
    let kernels = Flow { is_kernels: true, ..flow(9, Some(1.0), &[]) };
    let flows = vec![
        kept(1, 14.1, 16.2),
        kept(2, 15.3, 17.4),
        kept(3, 15.1, 17.1),
        dead,
        kernels,
        waiting(16.7),
        waiting(18.9),
    ];
    assert_eq!(events(flows), [(EventKind::Stalled, 15.75, Some(20.9))]);
}

#[test]
fn connections_that_died_while_new_ones_open_were_not_interrupted() {
    let dead = |number, beat| flow(number, Some(beat), &[(10.0, 10.0, None, NO_ACK)]);
    let opened = |at| opening(at, Some(at + 0.01), Some(at + 0.1));
    assert!(events(vec![dead(1, 1.0), dead(2, 2.0), opened(10.7), opened(14.0), opened(20.0)]).is_empty());
    // None opens any more: it lasts.
    let unanswered = Flow { failure: Some(NotOpened::Unanswered), ..opening(11.0, None, None) };
    assert_eq!(events(vec![dead(1, 1.0), dead(2, 2.0), unanswered]), [(EventKind::Interrupted, 10.0, None)]);
}

#[test]
fn a_session_that_a_timer_killed_is_no_event() {
    let killed = flow(3, None, &[(1.0, 31.0, None, NO_ACK)]);
    assert!(events(vec![flow(1, Some(1.0), &[]), flow(2, Some(2.0), &[]), killed]).is_empty());
}

#[test]
fn what_this_process_slept_through_is_no_event() {
    let flows = vec![
        flow(1, Some(1.0), &[(10.0, 10.0, Some(14.2), ACKNOWLEDGED)]),
        flow(2, Some(2.0), &[(9.5, 11.0, Some(15.1), ACKNOWLEDGED)]),
    ];
    let blind = vec![Span { from_s: 11.0, until_s: 14.0 }];
    let timeline = Timeline { flows, blind, until_s: 120.0, ..Timeline::default() };
    assert!(timeline.events().is_empty());
}

#[test]
fn hops_that_were_asked_as_the_path_came_back_are_not_those_that_answered_meanwhile() {
    let interruption = Event { kind: EventKind::Interrupted, leg: 0, flows: 4, from_s: 27.9, until_s: Some(32.2) };
    let sample = |at_s, answered: &[u8]| HopSample { at_s, asked: (1..=16).collect(), answered: answered.to_vec() };
    let where_it_breaks = |samples: &[HopSample]| {
        let timeline = Timeline { hops: samples.to_vec(), until_s: 60.0, ..Timeline::default() };
        timeline.last_hop_that_answered(None, std::slice::from_ref(&interruption))
    };
    assert_eq!(where_it_breaks(&[sample(29.5, &[1]), sample(32.1, &[1, 2, 3])]), Some((1, 2)));
    assert_eq!(where_it_breaks(&[sample(32.1, &[1, 2, 3])]), None, "nobody was asked meanwhile");
}

/// A connection through a hop, whose acknowledgements cannot be seen here.
fn behind(number: u32, from_s: f64, until_s: f64) -> Flow {
    Flow { leg: 1, ..flow(number, Some(1.0), &[(from_s, from_s, Some(until_s), None)]) }
}

#[test]
fn behind_a_hop_the_openings_tell_what_it_was() {
    let to_hop = || Flow { leg: 0, beat_s: None, ..flow(9, None, &[]) };
    let kinds = |more: Vec<Flow>| {
        let flows = [vec![to_hop(), behind(1, 10.0, 16.0), behind(2, 10.2, 16.1)], more].concat();
        events(flows).into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(vec![]), [EventKind::Silent]);
    let opened = |connected_s| Flow { leg: 1, ..opening(11.0, connected_s, Some(16.2)) };
    assert_eq!(kinds(vec![opened(Some(11.1))]), [EventKind::Stalled]);
    assert_eq!(kinds(vec![opened(Some(16.1))]), [EventKind::Interrupted]);
    // The way to the hop was interrupted: that is all.
    let first_leg = |number| flow(number, Some(1.0), &[(10.0, 10.0, Some(16.0), NO_ACK)]);
    assert_eq!(kinds(vec![first_leg(11), first_leg(12)]), [EventKind::Interrupted]);
}

/// Logins that were all begun at 6 s and answered 3.6 s later, beside the session before them, whose login took as long as said.
fn logins(first_s: f64, until_s: f64) -> Vec<Flow> {
    let opened_s = Some(first_s + 0.2);
    let login = |number| Flow {
        began_s: 6.0,
        connected_s: Some(6.0),
        version_s: Some(6.05),
        logged_in_s: Some(until_s + 0.1),
        opened_s: Some(until_s + 0.2),
        ..flow(number, None, &[(6.1, 6.1, Some(until_s), ACKNOWLEDGED)])
    };
    let before = Flow { logged_in_s: Some(first_s), opened_s, ..flow(1, Some(2.0), &[]) };
    [vec![before], (2..6).map(login).collect()].concat()
}

#[test]
fn logins_that_are_slow_together_are_no_stall_of_the_server() {
    for (first_s, until_s) in [(0.5, 9.7), (3.1, 10.0), (0.2, 9.0)] {
        assert!(events(logins(first_s, until_s)).is_empty(), "{first_s} s, {until_s} s");
    }
    // The session that was open before got its answer late as well, as the server had the logins to see to.
    let mut busy = logins(0.5, 9.7);
    busy[0].gaps = flow(1, None, &[(6.0, 7.9, Some(9.7), ACKNOWLEDGED)]).gaps;
    assert!(events(busy).is_empty());
    // It got none for longer than that.
    let mut stalled = logins(0.5, 14.0);
    stalled[0].gaps = flow(1, None, &[(6.1, 8.0, Some(14.0), ACKNOWLEDGED)]).gaps;
    assert_eq!(events(stalled), [(EventKind::Stalled, 6.1, Some(14.0))]);
}

#[test]
fn slow_logins_behind_a_hop_are_no_interruption() {
    let behind_hop = |flow: Flow| {
        let gaps = flow.gaps.iter().map(|gap| Gap { acknowledged: None, ..*gap }).collect();
        Flow { leg: 1, gaps, ..flow }
    };
    assert!(events(logins(0.5, 9.7).into_iter().map(behind_hop).collect()).is_empty());
}

/// The flow as one behind a hop, where no acknowledgement is seen.
fn carried_by(through: u32, flow: Flow) -> Flow {
    let gaps = flow.gaps.iter().map(|gap| Gap { acknowledged: None, ..*gap }).collect();
    Flow { number: flow.number + 100, leg: 1, through: Some(through), gaps, ..flow }
}

fn legs(flows: Vec<Flow>) -> Vec<(EventKind, u8)> {
    let timeline = Timeline { flows, until_s: 120.0, ..Timeline::default() };
    timeline.events().iter().map(|event| (event.kind, event.leg)).collect()
}

#[test]
fn a_hop_that_sends_no_identification_meanwhile_was_silent_itself() {
    let carried = || {
        vec![
            flow(1, None, &[]),
            carried_by(1, flow(1, Some(1.0), &[(10.0, 11.0, Some(16.0), None)])),
            carried_by(2, flow(2, Some(2.0), &[(9.0, 11.0, Some(16.1), None)])),
        ]
    };
    let with = |opened: Flow| legs(carried().into_iter().chain([opened]).collect());
    assert_eq!(with(opening(12.0, Some(12.0), Some(16.1))), [(EventKind::Stalled, 0)]);
    // It greets and goes no further: it is behind it.
    let greeted = opening(12.0, Some(12.0), Some(12.1));
    assert_eq!(with(greeted.clone()), [(EventKind::Silent, 1)]);
    let onward = |connected_s| {
        let onward = Flow { version_s: None, ..opening(12.2, connected_s, None) };
        legs(carried().into_iter().chain([greeted.clone(), carried_by(99, onward)]).collect())
    };
    assert_eq!(onward(Some(16.1)), [(EventKind::Interrupted, 1)]);
    assert_eq!(onward(Some(12.3)), [(EventKind::Stalled, 1)]);
}

#[test]
fn an_onward_connection_that_opened_only_when_it_was_over_tells_of_an_interruption_before_the_old_ones_go_on() {
    let frozen = |number| carried_by(number, flow(number, Some(1.0), &[(10.0, 11.0, None, None)]));
    // Another one was asked for beside it, and won as the path came back.
    let abandoned = Flow { closed_s: Some(16.1), ..opening(12.2, None, None) };
    let opened = opening(15.9, Some(16.0), Some(16.05));
    let flows = [flow(1, None, &[]), frozen(1), frozen(2), carried_by(50, abandoned), carried_by(60, opened)];
    let timeline = Timeline { flows: flows.to_vec(), until_s: 17.0, ..Timeline::default() };
    assert_eq!(timeline.events().iter().map(|event| event.until_s).collect::<Vec<_>>(), [Some(16.05)]);
}

#[test]
fn silent_sessions_that_each_wake_their_path_at_one_time_are_no_interruption() {
    let late = |number, heard_s| flow(number, None, &[(heard_s, 25.0, Some(28.0), NO_ACK)]);
    let both = || vec![late(1, 9.0), late(2, 24.6)];
    let talking = flow(3, Some(2.0), &[]);
    assert!(events(both().into_iter().chain([talking]).collect()).is_empty());
    // Where nothing else moves, they are all that tells; and a new connection tells more.
    assert_eq!(events(both()).len(), 1);
    let waited = opening(25.5, Some(28.0), Some(28.1));
    let talking = flow(3, Some(2.0), &[]);
    assert_eq!(events(both().into_iter().chain([talking, waited]).collect()).len(), 1);
}

#[test]
fn a_session_that_was_dead_before_does_not_tell_when_an_interruption_began() {
    // It was asked at 10.1, just before; the others missed something at 11 s.
    let dead = flow(4, None, &[(1.0, 10.1, None, NO_ACK)]);
    let frozen = |number| flow(number, Some(1.0), &[(10.0, 11.0, Some(16.0), NO_ACK)]);
    let begins = |flows| events(flows).first().map(|(_, from_s, _)| *from_s);
    assert_eq!(begins(vec![frozen(1), frozen(2), dead]), Some(10.5));
}

#[test]
fn silence_that_only_sessions_tell_which_nobody_kept_any_more_is_no_interruption() {
    // The one that was kept was let go at 13 s, and asked once more when the others had been found dead.
    let dead = |number, from_s| flow(number, None, &[(0.6, from_s, None, NO_ACK)]);
    let left = |until| Flow { beat_until_s: until, ..flow(0, Some(2.0), &[(13.2, 22.3, None, NO_ACK)]) };
    assert_eq!(events(vec![left(Some(13.3)), dead(2, 13.21), dead(3, 13.22)]), []);
    assert_eq!(events(vec![left(None), dead(2, 13.21), dead(3, 13.22)]).len(), 1);
}

#[test]
fn a_hop_that_carries_many_connections_is_not_opening_them() {
    let slow = |number| Flow { number, opened_s: None, version_s: Some(0.35), ..flow(number, None, &[]) };
    let frozen = |number| carried_by(number, flow(number, Some(1.0), &[(10.0, 11.0, Some(16.0), None)]));
    let waited = opening(12.0, Some(12.01), Some(16.01));
    let flows = (1..12).flat_map(|number| [slow(number), frozen(number)]).chain([waited]);
    assert_eq!(legs(flows.collect()), [(EventKind::Stalled, 0)]);
}

#[test]
fn a_request_that_is_never_answered_is_no_stall_although_connections_follow_that_nobody_waits_on() {
    // The services of a server that is well are asked for on a connection of their own: it leaves one request unanswered, and goes on with others.
    let asked = || Flow { opened_s: None, closed_s: Some(22.0), ..flow(1, None, &[(12.0, 12.0, None, ACKNOWLEDGED)]) };
    // Then the port is tried again: each connection is closed as soon as it is open, or after this time.
    let port =
        |began_s, wait_s| Flow { closed_s: Some(began_s + 0.001 + wait_s), ..opening(began_s, Some(began_s), None) };
    let tried = |wait_s| vec![asked(), port(22.1, wait_s), port(22.4, wait_s), port(22.7, wait_s)];
    assert_eq!(events(tried(0.0)), []);
    assert_eq!(events(tried(0.5)), [], "the identification was not due yet");
    // Connections that waited for the server's identification in vain tell a stall.
    assert_eq!(events(tried(10.0)), [(EventKind::Stalled, 12.0, None)]);
    // One that was answered tells that the server is well.
    let answered = opening(22.1, Some(22.1), Some(22.11));
    assert_eq!(events([tried(0.0), vec![answered]].concat()), []);
    // Behind a hop as well.
    let behind = |flow: Flow| {
        let gaps = flow.gaps.iter().map(|gap| Gap { acknowledged: None, ..*gap }).collect();
        Flow { leg: 1, gaps, ..flow }
    };
    assert_eq!(events(tried(0.0).into_iter().map(behind).collect()), []);
}

#[test]
fn an_opening_that_was_given_up_at_once_is_no_sign_of_an_interruption() {
    let alone = || flow(1, Some(2.0), &[(10.0, 11.0, Some(15.0), NO_ACK)]);
    let given_up =
        |closed_s| Flow { closed_s: Some(closed_s), failure: Some(NotOpened::Unanswered), ..opening(12.0, None, None) };
    assert_eq!(events(vec![alone(), given_up(12.01)]), []);
    assert_eq!(events(vec![alone(), given_up(15.0)]).len(), 1);
    // The system knows no way for as long as it lasts.
    let no_way = NotOpened::Other { error: "no route to host".into() };
    let no_way = Flow { closed_s: Some(12.01), failure: Some(no_way), ..opening(12.0, None, None) };
    assert_eq!(events(vec![alone(), no_way]).len(), 1);
}

#[test]
fn what_waits_for_its_turn_behind_a_connection_with_an_unanswered_request_is_no_stall() {
    let served = |answered_s: f64, closed_s: f64| Flow {
        answered_s: Some(answered_s),
        closed_s: Some(closed_s),
        ..flow(0, None, &[(14.0, 14.0, Some(24.0), ACKNOWLEDGED)])
    };
    let waiting = |version_s: Option<f64>| Flow {
        gaps: vec![Gap { heard_s: 16.7, from_s: 16.7, until_s: version_s, ..served(24.0, 24.0).gaps[0] }],
        ..opening(16.6, Some(16.7), version_s)
    };
    let stalls = |flows: Vec<Flow>| events(flows).len();
    // The server was answering again, and the one that waits was not greeted.
    let overlooked = Flow { closed_s: Some(36.1), ..waiting(None) };
    assert_eq!(stalls(vec![served(26.0, 36.0), overlooked]), 0);
    // A server that is back greets it.
    assert_eq!(stalls(vec![served(26.0, 36.0), waiting(Some(24.3))]), 1);
    // It was greeted as soon as we had closed the one before it, on which nothing was answered any more.
    let unanswered = |closed_s: f64| {
        let gaps = vec![Gap { until_s: None, ..served(24.0, 24.0).gaps[0] }];
        Flow { gaps, ..served(14.0, closed_s) }
    };
    assert_eq!(stalls(vec![unanswered(24.0), waiting(Some(24.1))]), 0);
    assert_eq!(stalls(vec![unanswered(24.0), waiting(Some(27.0))]), 1);
}
