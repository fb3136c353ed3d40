use super::*;
use crate::facts::connection::Manner;

/// A test in which 6 s of silence killed and 5 s did not, and a session was kept every second for 20 s.
fn proven(now: Instant) -> TestState {
    let mut state = TestState::new(60.0, (1..=10).map(|session| (session, Role::Ladder)), false, now);
    state.ladder.alive(5.0, Speaker::Client);
    state.ladder.dead(6.0);
    state.kept.keep(7, 1, now);
    state.kept.answered(7, 1, now, now + Duration::from_secs(20));
    state
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
    state.learn(&Arm::sample(Moves::Nothing, 6.0, end));
    assert_eq!(state.ladder.bracket(), (5.0, Some(6.0)));
}
