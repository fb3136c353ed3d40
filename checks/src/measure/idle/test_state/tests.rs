use super::strays::STRAYS;
use super::*;
use crate::facts::idle::{Sign, Speaker};
use crate::measure::idle::events::Order;
use crate::measure::idle::ladder::longer;
use crate::measure::idle::next_probe::NextProbe;

/// A test in which 6 s of silence killed and 5 s did not, and a session was kept every second for 20 s.
fn proven(now: Instant) -> TestState {
    let mut state = TestState::new(60.0, (1..=10).map(|session| (session, Role::Ladder)), false, now);
    state.ladder.alive(5.0, Speaker::Client);
    state.ladder.dead(6.0);
    state.kept.keep(7, 1, now);
    state.kept.answered(7, 1, now, now + Duration::from_secs(20));
    state
}

fn found_dead(moves: Moves, at: Instant) -> MovingDeath {
    MovingDeath { moves, at, by_itself: false }
}

#[test]
fn busy_sessions_that_ended_by_themselves_one_after_the_other_were_not_cut_off() {
    let now = Instant::now();
    let mut state = TestState::new(60.0, [(1, Role::Ladder), (2, Role::Data)], false, now);
    let ended = |moves, seconds| MovingDeath { moves, at: now + Duration::from_secs(seconds), by_itself: true };
    state.moving_deaths = vec![ended(Moves::ChannelData, 10), ended(Moves::Keepalive, 14)];
    assert!(!state.is_cut());
    state.moving_deaths.push(ended(Moves::Keepalive, 11));
    assert!(state.is_cut());
    // Each of those that do not answer has its own deadline.
    state.moving_deaths =
        vec![found_dead(Moves::ChannelData, now), found_dead(Moves::Keepalive, now + Duration::from_secs(9))];
    assert!(state.is_cut());
}

#[test]
fn a_proof_is_longer_than_every_silence_that_was_survived() {
    let mut state = proven(Instant::now());
    assert_eq!(state.proven(6.0), Some(1));
    state.ladder.alive(21.0, Speaker::Client);
    assert_eq!(state.proven(6.0), None);
}

#[test]
fn a_death_that_another_ones_late_answer_undid_is_known_again_when_it_is_recorded() {
    let mut state = proven(Instant::now());
    state.ladder.undo_death();
    let end = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
    state.learn(&Arm::sample(Moves::Nothing, 6.0, end), Instant::now());
    assert_eq!(state.ladder.bracket(), (5.0, Some(6.0)));
}

#[test]
fn a_session_with_data_is_watched_a_little_longer_where_one_that_was_kept_alive_died() {
    let now = Instant::now();
    let after = |seconds: f64| now + Duration::from_secs_f64(seconds);
    let ended = |state: &mut TestState| {
        state.left(1, now);
        state.last_death = Some(after(18.0));
        state.take(1, SessionEvent::Left, after(18.1));
        state.is_over()
    };
    let roles = || [(0, Role::Main), (1, Role::Ladder), (2, Role::Data)];
    let mut silent_only = TestState::new(40.0, roles(), false, now);
    assert!(ended(&mut silent_only), "nothing but silence kills here");
    let mut state = TestState::new(40.0, roles(), false, now);
    state.moving_deaths.push(found_dead(Moves::Keepalive, after(10.5)));
    assert!(!ended(&mut state), "what ended the kept session may end the one with data too");
    state.take(2, SessionEvent::Asked, after(20.1));
    assert!(state.is_over(), "it lives on");
}

#[test]
fn tcp_keepalives_are_judged_only_by_what_outlasts_the_silence_that_kills() {
    let now = Instant::now();
    let after = |seconds: f64| now + Duration::from_secs_f64(seconds);
    let mut state = TestState::new(60.0, [(1, Role::Ladder), (2, Role::TcpKeepalive)], false, now);
    state.take(2, SessionEvent::Opened(None), now);
    state.take(2, SessionEvent::Began(now), now);
    state.ladder.alive(5.2, Speaker::Client);
    for died in [5.97, 5.89] {
        state.dead(died);
        state.redirect_all(after(5.5));
        let probe = state.sessions[&2].probe.and_then(NextProbe::length);
        assert!(probe.is_some_and(|length| length > died), "{probe:?} after {died}");
    }
}

#[test]
fn the_test_is_not_over_while_the_session_for_the_longest_silence_is_opened_again() {
    let now = Instant::now();
    let mut state = TestState::new(20.0, [(1, Role::Ladder), (2, Role::Longest(20.0))], false, now);
    for session in [1, 2] {
        state.take(session, SessionEvent::Opened(None), now);
    }
    while state.ladder.next(None).is_some() {}
    for session in [1, 2] {
        state.order(session, Order::Reopen);
    }
    state.take(1, SessionEvent::Left, now);
    assert!(!state.is_over(), "the longest silence has not been tried");
    state.take(2, SessionEvent::Opened(None), now);
    assert!(!state.is_over(), "it is under way");
    state.take(2, SessionEvent::Left, now);
    assert!(state.is_over());
}

#[test]
fn sessions_that_end_after_less_than_others_survive_do_not_end_the_test_at_once() {
    let mut state = TestState::new(60.0, (1..=10).map(|session| (session, Role::Ladder)), false, Instant::now());
    state.ladder.alive(5.3, Speaker::Client);
    let end = |sign| StretchEnd::Died { manner: Manner::Reset, sign, others_alive: true, tcp: None };
    for _ in 0..STRAYS {
        state.learn(&Arm::sample(Moves::Nothing, 2.2, end(Sign::BeforeProbe)), Instant::now());
        assert_eq!(state.ladder.bracket().1, None);
    }
    state.learn(&Arm::sample(Moves::Nothing, 2.2, end(Sign::BeforeProbe)), Instant::now());
    assert_eq!(state.ladder.bracket().1, Some(2.2), "a table that is cleaned now and then");
    let mut asked = TestState::new(60.0, (1..=10).map(|session| (session, Role::Ladder)), false, Instant::now());
    asked.ladder.alive(5.3, Speaker::Client);
    asked.learn(&Arm::sample(Moves::Nothing, 2.2, end(Sign::AfterProbe)), Instant::now());
    assert_eq!(asked.ladder.bracket().1, Some(2.2));
}

#[test]
fn after_a_cut_a_silent_session_is_probed_once() {
    let now = Instant::now();
    let after = |seconds: f64| now + Duration::from_secs_f64(seconds);
    let mut state = TestState::new(60.0, [(1, Role::Ladder), (2, Role::Data)], false, now);
    state.take(1, SessionEvent::Opened(None), now);
    state.take(1, SessionEvent::Began(now), now);
    let dead = [found_dead(Moves::ChannelData, after(7.0)), found_dead(Moves::Keepalive, after(7.2))];
    state.moving_deaths.extend(dead);
    let orders = |state: &TestState| state.directives().map(|(_, directive)| directive.order).collect::<Vec<_>>();
    state.redirect_all(after(7.2));
    assert!(
        matches!(orders(&state)[..], [Order::Probe(NextProbe::Silence(length))] if length < 7.5),
        "{:?}",
        orders(&state)
    );
    // It answered, and is silent anew.
    state.direct(1, Some(NextProbe::Linger), after(7.3));
    state.take(1, SessionEvent::Began(after(7.3)), after(7.3));
    assert!(
        !matches!(orders(&state)[..], [Order::Probe(NextProbe::Silence(length))] if length < 1.0),
        "{:?}",
        orders(&state)
    );
}

#[test]
fn a_rung_that_an_interruption_voids_is_tried_again_in_its_whole_length() {
    let now = Instant::now();
    let mut state = TestState::new(60.0, (1..=10).map(|session| (session, Role::Ladder)), false, now);
    for session in 1..=4 {
        state.take(session, SessionEvent::Opened(None), now);
    }
    let rung = state.sessions[&4].rung.unwrap();
    assert!(rung > 4.0, "{rung}");
    let void = Arm { session: 4, ..Arm::sample(Moves::Nothing, 2.0, StretchEnd::Void { why: String::new() }) };
    state.learn(&void, Instant::now());
    assert_eq!(state.ladder.next(None), Some(NextProbe::Silence(rung)));
}

/// A session of the ladder that has been silent for so many seconds at `now`.
fn silent(state: &mut TestState, session: u32, goal: f64, age: f64, now: Instant) {
    let began = now.checked_sub(Duration::from_secs_f64(age)).expect("a machine that is up");
    state.take(session, SessionEvent::Opened(None), began);
    state.order(session, Order::Probe(NextProbe::Silence(goal)));
    state.take(session, SessionEvent::Began(began), began);
}

fn reset(session: u32, lasted_s: f64) -> Arm {
    let end = StretchEnd::Died { manner: Manner::Reset, sign: Sign::BeforeProbe, others_alive: true, tcp: None };
    Arm { session, ..Arm::sample(Moves::Nothing, lasted_s, end) }
}

fn ladder_of(sessions: u32) -> TestState {
    TestState::new(60.0, (1..=sessions).map(|session| (session, Role::Ladder)), false, Instant::now())
}

#[test]
fn a_session_that_was_reset_while_another_was_silent_for_much_longer_met_no_timer() {
    let now = Instant::now();
    let mut state = ladder_of(10);
    silent(&mut state, 1, 30.0, 15.0, now);
    assert!(state.learn(&reset(2, 9.0), now));
    assert_eq!(state.ladder.bracket().1, None);
    // Nor does it say anything where that one is in doubt itself.
    state.take(1, SessionEvent::Asked, now);
    state.learn(&reset(3, 9.0), now);
    assert_eq!(state.ladder.bracket().1, Some(9.0));
}

#[test]
fn a_session_that_was_reset_alone_waits_for_another_one_that_will_be_silent_for_as_long_soon() {
    let now = Instant::now();
    let waiting = || {
        let mut state = ladder_of(10);
        silent(&mut state, 1, 30.0, 8.0, now);
        silent(&mut state, 4, 30.0, 1.0, now);
        state.learn(&reset(2, 9.0), now);
        state.redirect_all(now);
        assert!(!state.confirmed && state.sessions[&1].probe == Some(NextProbe::Silence(longer(9.0))));
        assert_eq!(state.sessions[&4].probe, Some(NextProbe::Silence(30.0)), "nobody leaves");
        state
    };
    // It lives: what ended the first was no timer.
    let mut lived = waiting();
    lived.learn(&Arm::sample(Moves::Nothing, longer(9.0), StretchEnd::Alive { rtt_ms: 1.0 }), now);
    assert_eq!((lived.ladder.bracket().1, lived.alone), (None, None));
    // It ends too: a timer.
    let mut ended = waiting();
    ended.learn(&reset(1, 9.1), now);
    assert!(ended.confirmed && ended.ladder.bracket().1 == Some(9.0));
    // It is gone: nobody is left to tell.
    let mut gone = waiting();
    gone.take(1, SessionEvent::Left, now);
    assert!(gone.confirmed && gone.ladder.bracket().1 == Some(9.0));
}

#[test]
fn resets_that_turn_out_to_be_random_are_no_deaths_and_leave_those_that_are() {
    let now = Instant::now();
    let mut state = ladder_of(10);
    let dropped = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
    let dropped = Arm { session: 5, ..Arm::sample(Moves::Nothing, 14.5, dropped) };
    for arm in [dropped, reset(2, 9.0)] {
        state.learn(&arm, now);
        state.arms.push(arm);
    }
    assert_eq!(state.ladder.bracket().1, Some(9.0));
    let at = |seconds| state.began + Duration::from_secs_f64(seconds);
    let resets = [at(9.1), at(20.0)];
    state.resets_at_random(&resets, now);
    assert_eq!((state.ladder.bracket().1, state.confirmed), (Some(14.5), true));
    // A session with a keepalive that is reset from now on is opened again, and kept as before.
    state.kept.keep(7, 5, now);
    state.learn(&Arm { moves: Moves::Keepalive, interval_s: Some(5), ..reset(7, 12.0) }, now);
    assert!(state.kept.since(7).is_some());
}
