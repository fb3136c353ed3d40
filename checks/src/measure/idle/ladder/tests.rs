use super::*;

/// The time between the starts of two sessions.
const APART: f64 = 0.25;
const LONGEST: f64 = 360.0;
/// From a question to the certainty that it will not be answered in time.
const DOUBT: f64 = 1.0;

/// Plays a timer of `timer` seconds against the plan: the wall time until a silence killed, and the rest until the bracket was
/// known; and the plan. Of the sessions one is silent for the longest time from the start.
fn play(timer: f64, sessions: usize) -> (f64, f64, Ladder) {
    let mut ladder = Ladder::new(LONGEST, sessions, true);
    // When it is asked, what for, and the answer's time if it will be none.
    let mut queue = vec![(LONGEST, NextProbe::Silence(LONGEST), false)];
    ladder.leave_out_longest();
    let mut start = 0.0;
    for _ in 1..sessions {
        start += APART;
        let Some(goal) = ladder.next(None) else { break };
        queue.push((start + goal.length().unwrap(), goal, false));
    }
    let mut killed = None;
    loop {
        queue.sort_by(|a, b| b.0.total_cmp(&a.0));
        let Some((now, goal, doubted)) = queue.pop() else { break (killed.unwrap_or(LONGEST), 0.0, ladder) };
        let length = goal.length().unwrap_or(LONGEST);
        if let Some(killed) = killed
            && (ladder.is_narrow() || !queue.iter().any(|(_, goal, _)| goal.is_silence()))
            && !doubted
        {
            break (killed, now - killed, ladder);
        }
        if length >= timer && goal.is_silence() && !doubted {
            queue.push((now + DOUBT, goal, true));
        } else if length >= timer && goal.is_silence() {
            killed = killed.or(Some(now));
            ladder.dead(length);
            queue.retain_mut(|(end, goal, doubted)| {
                let length = goal.length().unwrap_or(LONGEST);
                match ladder.redirect(*goal, now - (*end - length)) {
                    _ if *doubted => true,
                    Redirect::Stay => !matches!(goal, NextProbe::Keep(_)),
                    Redirect::To(point) => {
                        *end += point - length;
                        *goal = NextProbe::Silence(point);
                        true
                    }
                    Redirect::Leave => false,
                }
            });
        } else {
            ladder.alive(length, goal.speaker());
            if ladder.survived >= LONGEST {
                break (now, 0.0, ladder);
            }
            if let Some(next) = ladder.next(Some(goal)) {
                queue.push((now + next.length().unwrap_or(LONGEST), next, false));
            }
        }
    }
}

#[test]
fn a_dozen_sessions_find_any_timer_in_little_more_than_its_own_length() {
    // Timers that products have, and some that none has.
    for (timer, most) in [(30.0, 1.4), (60.0, 1.3), (120.0, 1.3), (240.0, 1.3), (50.0, 1.6), (100.0, 1.5), (350.0, 1.3)]
    {
        let (killed, rest, ladder) = play(timer, 8);
        let (survived, Some(died)) = ladder.bracket() else { panic!("{timer} not found") };
        assert!(survived < timer && timer <= died, "{timer}: {survived}..{died}");
        assert!((died - survived) / timer < 0.25, "{timer}: {survived}..{died}");
        assert!(killed < most * timer && rest < 0.3 * timer, "{timer}: {killed}, then {rest}");
        let interval = interval(survived).unwrap();
        assert!(ladder.kept.contains(&interval), "{timer}: {interval} not in {:?}", ladder.kept);
    }
}

#[test]
fn few_sessions_climb_all_and_find_it_too() {
    for (sessions, timer) in
        [3, 4, 6].into_iter().flat_map(|sessions| [14.0, 30.0, 58.0].map(|timer| (sessions, timer)))
    {
        let (killed, _, ladder) = play(timer, sessions);
        let (survived, died) = ladder.bracket();
        assert!(survived < timer && died.unwrap() >= timer, "{sessions}: {timer} not in {survived}..{died:?}");
        assert!(died.unwrap() - survived < 0.25 * timer, "{sessions}: {timer} in {survived}..{died:?}");
        assert!(ladder.kept.is_empty() && killed < LONGEST);
    }
}

#[test]
fn a_path_that_forgets_nothing_is_found_alive_at_the_longest() {
    let (_, _, ladder) = play(1e9, 8);
    assert_eq!(ladder.bracket(), (LONGEST, None));
}

#[test]
fn what_the_server_ended_says_nothing_of_our_own_word() {
    let mut ladder = Ladder::new(3600.0, 8, true);
    ladder.alive(7.0, Speaker::Client);
    ladder.alive(10.5, Speaker::Server);
    ladder.dead(11.0);
    assert!(matches!(ladder.redirect(NextProbe::Linger, 7.9), Redirect::To(due) if due < 8.5));
    assert_eq!(ladder.redirect(NextProbe::Linger, 0.9), Redirect::Leave);
}

#[test]
fn a_line_that_was_lost_is_asked_for_once_more() {
    let mut ladder = Ladder::new(20.0, 8, true);
    while ladder.next(Some(NextProbe::Linger)) != Some(NextProbe::Linger) {}
    assert!(!ladder.unheard(11.0));
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::To(3.0));
    assert_eq!(ladder.next(Some(NextProbe::Silence(3.0))), Some(NextProbe::ServerFirst(11)));
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::Stay);
    ladder.alive(11.0, Speaker::Server);
    assert!(!ladder.is_one_unheard());
}

#[test]
fn after_a_death_silent_sessions_are_asked_where_that_narrows_the_bracket() {
    let mut ladder = Ladder::new(3600.0, 8, true);
    ladder.alive(309.0, Speaker::Client);
    assert!(ladder.dead(371.0));
    // Its own time has nearly come.
    assert_eq!(ladder.redirect(NextProbe::ServerFirst(340), 335.0), Redirect::Stay);
    let Redirect::To(point) = ladder.redirect(NextProbe::Silence(464.0), 350.0) else { panic!("not turned") };
    assert!(point > 350.0 && point < 360.0);
    // No time is left for a better one; and just before it killed it would be a race.
    assert_eq!(ladder.redirect(NextProbe::Linger, 359.7), Redirect::To(359.7));
    assert_eq!(ladder.redirect(NextProbe::Linger, 389.0), Redirect::To(longer(371.0)));
    assert_eq!(ladder.redirect(NextProbe::Silence(464.0), 20.0), Redirect::Leave);
    // Whether every longer silence kills is worth a question.
    assert_eq!(ladder.redirect(NextProbe::Silence(464.0), 400.0), Redirect::To(400.0));
    assert!(matches!(ladder.redirect(NextProbe::Await, 20.0), Redirect::To(due) if due > 371.0));
}

#[test]
fn the_longest_silence_is_tried_by_another_where_its_own_session_cannot_be_had() {
    let mut ladder = Ladder::new(20.0, 8, false);
    ladder.leave_out_longest();
    while ladder.next(Some(NextProbe::Linger)) != Some(NextProbe::Linger) {}
    ladder.take_longest_back();
    assert_eq!(ladder.next(Some(NextProbe::Linger)), Some(NextProbe::Silence(20.0)));
}

#[test]
fn what_ended_a_terminal_is_compared_with_a_session_without_one() {
    let mut ladder = Ladder::new(20.0, 8, false);
    while ladder.next(Some(NextProbe::Linger)) != Some(NextProbe::Linger) {}
    ladder.alive(7.3, Speaker::Client);
    ladder.compare(8.0);
    assert!(ladder.compares());
    assert_eq!(ladder.redirect(NextProbe::Keep(2), 1.0), Redirect::Stay);
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::To(longer(8.0)));
    // One is enough.
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::Stay);
    // Nothing is to be compared with what was survived without a terminal.
    ladder.alive(11.0, Speaker::Client);
    ladder.compare(8.0);
    assert!(!ladder.compares());
}

#[test]
fn whoever_has_nothing_left_to_try_takes_on_a_rung_that_another_could_not() {
    let mut ladder = Ladder::new(12.0, 9, false);
    ladder.leave_out_longest();
    while ladder.next(None).is_some() {}
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::Stay);
    ladder.take_longest_back();
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::To(12.0));
    assert_eq!(ladder.redirect(NextProbe::Linger, 3.0), Redirect::Stay, "one of them is enough");
    // Its answer may be of no use; whoever has been silent for longer is asked at once.
    ladder.put_back(12.0);
    assert_eq!(ladder.redirect(NextProbe::Linger, 14.0), Redirect::To(14.0));
}

#[test]
fn a_session_that_is_opened_late_tries_what_is_still_in_question_and_stays_with_it() {
    let mut ladder = Ladder::new(360.0, 12, true);
    ladder.alive(7.25, Speaker::Client);
    ladder.dead(11.0);
    ladder.contrast();
    let [contrast, between] = [ladder.take_question(), ladder.take_question()].map(|taken| taken.expect("a question"));
    assert!(contrast > 11.0 && (7.25..11.0).contains(&between), "{contrast} {between}");
    for length in [contrast, between] {
        assert_eq!(ladder.redirect(NextProbe::Silence(length), 0.1), Redirect::Stay);
    }
    ladder.alive(between, Speaker::Client);
    assert!(!ladder.has_question(), "it is narrow enough");
    ladder.dead(between + 0.5);
    assert_eq!(ladder.redirect(NextProbe::Silence(between), 0.1), Redirect::Leave, "it has been answered");
}
