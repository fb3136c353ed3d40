use super::CAUSES;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, Facts, Holds, Moves, Outage, Sign, StretchEnd};
use crate::facts::{Evidence, Step, Timed};

fn arm(moves: Moves, lasted_s: f64, end: StretchEnd) -> Arm {
    Arm {
        interval_s: (moves == Moves::Keepalive).then_some(1),
        channel_quiet_s: Some(lasted_s),
        ..Arm::sample(moves, lasted_s, end)
    }
}

fn died(manner: Manner, sign: Sign) -> StretchEnd {
    StretchEnd::Died { manner, sign, others_alive: true, tcp: None }
}

fn alive() -> StretchEnd {
    StretchEnd::Alive { rtt_ms: 1.0 }
}

/// A timer between 5 s and 6 s with a proven keepalive of 1 s.
fn timer(manner: Manner, sign: Sign) -> Facts {
    Facts {
        arms: vec![
            arm(Moves::Nothing, 5.0, alive()),
            arm(Moves::Nothing, 6.0, died(manner, sign)),
            arm(Moves::Keepalive, 14.0, alive()),
        ],
        complete: true,
        ..Facts::default()
    }
}

fn fired(facts: Facts) -> Vec<&'static str> {
    let evidence = Evidence { idle: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
    CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
}

#[test]
fn each_manner_has_its_own_name() {
    let disconnect = Manner::Disconnect { code: 11, text: "idle".into() };
    for (manner, sign, code) in [
        (Manner::Silent, Sign::AfterProbe, "idle-silent-drop"),
        (Manner::Reset, Sign::AfterProbe, "idle-reset"),
        (Manner::Reset, Sign::BeforeProbe, "idle-reset"),
        (Manner::Fin, Sign::BeforeProbe, "idle-closed"),
        (disconnect, Sign::BeforeProbe, "idle-server-disconnect"),
    ] {
        assert_eq!(fired(timer(manner, sign)), [code, "idle-no-keepalive"]);
    }
}

fn certainty(facts: Facts) -> Certainty {
    let evidence = Evidence { idle: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
    CAUSES.iter().find_map(|cause| (cause.judge)(&evidence)).unwrap().certainty
}

#[test]
fn only_a_sharp_timer_that_nothing_disturbs_is_certain() {
    let sharp = timer(Manner::Silent, Sign::AfterProbe);
    assert_eq!(certainty(sharp.clone()), Certainty::Certain);
    let mut swept = sharp.clone();
    swept.arms.push(arm(Moves::Nothing, 9.0, alive()));
    assert_eq!(certainty(swept), Certainty::Likely);
    let mut disturbed = sharp;
    disturbed.arms.push(arm(Moves::Keepalive, 8.0, died(Manner::Silent, Sign::AfterProbe)));
    assert_eq!(certainty(disturbed), Certainty::Likely);
}

#[test]
fn a_closed_channel_gets_no_keepalive_advice() {
    let mut facts = timer(Manner::ChannelClose, Sign::BeforeProbe);
    facts.arms[2].end = died(Manner::ChannelClose, Sign::BeforeProbe);
    assert_eq!(fired(facts), ["idle-channel-timeout"]);
}

#[test]
fn a_death_that_the_kept_sessions_shared_is_no_idle_timer() {
    let mut facts = timer(Manner::Fin, Sign::BeforeProbe);
    facts.arms[1].end =
        StretchEnd::Died { manner: Manner::Fin, sign: Sign::BeforeProbe, others_alive: false, tcp: None };
    assert!(fired(facts).is_empty());
}

#[test]
fn a_connection_without_a_channel_that_is_closed_beside_older_sessions_has_a_name_of_its_own() {
    let ended = |manner, sign| {
        let main = Arm { session: 0, holds: Holds::Nothing, ..arm(Moves::Keepalive, 6.0, died(manner, sign)) };
        let kept = Arm { session: 2, ..arm(Moves::Keepalive, 12.0, alive()) };
        Facts { arms: vec![arm(Moves::Nothing, 12.0, alive()), main, kept], complete: true, ..Facts::default() }
    };
    assert!(ended(Manner::Fin, Sign::BeforeProbe).only_the_unused_ended());
    assert!(!ended(Manner::Silent, Sign::AfterProbe).only_the_unused_ended());
    let with_a_death = |mut facts: Facts| {
        facts.arms.push(arm(Moves::Nothing, 9.0, died(Manner::Fin, Sign::BeforeProbe)));
        facts
    };
    assert!(!with_a_death(ended(Manner::Fin, Sign::BeforeProbe)).only_the_unused_ended());
    let closed = ended(Manner::Fin, Sign::BeforeProbe);
    assert_eq!((fired(closed.clone()), certainty(closed)), (vec!["idle-unused-connection-timeout"], Certainty::Likely));
    // A keepalive that the server had not read when it closed.
    let crossed = ended(Manner::Reset, Sign::AfterProbe);
    assert_eq!(
        (fired(crossed.clone()), certainty(crossed)),
        (vec!["idle-unused-connection-timeout"], Certainty::Possible)
    );
    assert!(fired(ended(Manner::Silent, Sign::AfterProbe)).is_empty());
}

#[test]
fn one_session_that_ends_while_several_are_silent_for_longer_met_no_timer() {
    let longer = |count: usize| (0..count).map(|_| arm(Moves::Nothing, 9.0, alive()));
    let facts = |count| {
        let mut facts = timer(Manner::Reset, Sign::BeforeProbe);
        facts.arms.extend(longer(count));
        facts
    };
    assert!(!fired(facts(3)).contains(&"idle-reset"));
    assert!(fired(facts(2)).contains(&"idle-reset"));
}

#[test]
fn a_server_that_waits_for_a_transfer_is_told_although_packets_moved_a_moment_before() {
    let fin = || died(Manner::Fin, Sign::BeforeProbe);
    let sftp = |moves, lasted_s, quiet_s, end| Arm {
        holds: Holds::Sftp,
        channel_quiet_s: Some(quiet_s),
        ..arm(moves, lasted_s, end)
    };
    let kept = Arm { session: 3, interval_s: Some(2), ..sftp(Moves::Keepalive, 8.3, 8.2, fin()) };
    let busy = Arm { session: 11, interval_s: Some(2), ..sftp(Moves::ChannelData, 12.0, 2.0, alive()) };
    let arms = vec![
        sftp(Moves::Nothing, 7.3, 7.2, alive()),
        sftp(Moves::Nothing, 1.4, 8.8, fin()),
        sftp(Moves::Nothing, 8.8, 8.8, fin()),
        kept,
        busy,
    ];
    let fired = fired(Facts { arms, complete: true, ..Facts::default() });
    assert!(fired.contains(&"idle-server-inactivity"), "{fired:?}");
}

#[test]
fn an_outage_is_never_called_a_timer() {
    let cut = Facts { outages: vec![Outage { started_s: 3.0, ended_s: None }], elapsed_s: 20.0, ..Facts::default() };
    assert_eq!(fired(cut), ["network-outage"]);
}

#[test]
fn the_users_own_keepalive_is_blamed_only_when_it_is_too_slow() {
    let with = |interval| {
        let idle = Timed { step: Step::Failed(timer(Manner::Silent, Sign::AfterProbe)), duration_ms: 1.0 };
        let mut evidence = Evidence { idle, ..Evidence::unexamined() };
        evidence.settings.server_alive_interval_s = interval;
        CAUSES.iter().any(|cause| cause.code == "idle-no-keepalive" && (cause.judge)(&evidence).is_some())
    };
    assert!(with(0) && !with(300) && !with(3));
}

/// A timer of the same length that ended the session on which only the server spoke, after this many seconds.
fn server_data(lasted_s: f64, end: StretchEnd) -> Facts {
    let mut facts = timer(Manner::Silent, Sign::AfterProbe);
    facts.arms.push(Arm { interval_s: Some(1), ..arm(Moves::ServerData, lasted_s, end) });
    facts
}

#[test]
fn a_timer_that_only_the_clients_data_winds_up_has_a_name_of_its_own() {
    let lost = || died(Manner::Silent, Sign::AfterProbe);
    let codes = ["idle-silent-drop", "idle-one-way-refresh", "idle-no-keepalive"];
    assert_eq!(fired(server_data(5.6, lost())), codes);
    assert!(crate::causes::idle::one_way::REFRESH.hides.contains(&"idle-silent-drop"));
    let without = ["idle-silent-drop", "idle-no-keepalive"];
    assert_eq!(fired(server_data(14.0, alive())), without);
    // Another end than that of the silent ones.
    assert_eq!(fired(server_data(30.0, lost())), without);
    // Who ends sessions by himself has a name of his own.
    assert_eq!(fired(server_data(5.6, died(Manner::Fin, Sign::BeforeProbe))), without);
    let alone = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: false, tcp: None };
    assert_eq!(fired(server_data(5.6, alone)), without);
    let mut unproven = server_data(5.6, lost());
    unproven.arms[2].lasted_s = 5.5;
    assert_eq!(fired(unproven), ["idle-silent-drop"]);
}

#[test]
fn what_happened_to_this_machine_silences_every_cause() {
    let idle = Timed { step: Step::Void(timer(Manner::Silent, Sign::AfterProbe)), duration_ms: 1.0 };
    let evidence = Evidence { idle, ..Evidence::unexamined() };
    assert!(!crate::causes::all().any(|cause| (cause.judge)(&evidence).is_some()));
}

/// As [`timer`], with a login shell on a terminal ended in this manner, and the others' silent arms as given.
fn with_terminal(manner: Manner, others: Vec<Arm>) -> Facts {
    let terminal = Arm { holds: Holds::Shell, ..arm(Moves::Nothing, 7.0, died(manner, Sign::BeforeProbe)) };
    Facts { arms: [terminal].into_iter().chain(others).collect(), ..Facts::default() }
}

#[test]
fn a_terminal_that_is_ended_while_silent_commands_live_is_no_timer_of_the_path() {
    let lived = || arm(Moves::Nothing, 7.4, alive());
    assert_eq!(fired(with_terminal(Manner::Fin, vec![lived()])), ["idle-terminal-timeout"]);
    let left = Manner::ExitStatus { status: 0 };
    assert_eq!(fired(with_terminal(left, vec![lived()])), ["idle-shell-timeout"]);
    // A shorter silence tells nothing, and where a command dies too it is a timer.
    assert_eq!(fired(with_terminal(Manner::Fin, vec![arm(Moves::Nothing, 5.0, alive())])), ["idle-closed"]);
    let dead = arm(Moves::Nothing, 7.2, died(Manner::Fin, Sign::BeforeProbe));
    assert_eq!(fired(with_terminal(Manner::Fin, vec![lived(), dead])), ["idle-closed"]);
}

/// Silent sessions that were closed after 6 s, one that had data and lived, and kept ones: interval, age at the end, whether they lived.
fn inactive(kept: &[(u32, f64, bool)]) -> Facts {
    let mut facts = timer(Manner::Fin, Sign::BeforeProbe);
    facts.arms.truncate(2);
    facts.arms.push(Arm { interval_s: Some(2), ..arm(Moves::ChannelData, 14.0, alive()) });
    facts.arms.extend(kept.iter().map(|&(interval, lasted, lived)| {
        let end = if lived { alive() } else { died(Manner::Fin, Sign::BeforeProbe) };
        Arm { interval_s: Some(interval), ..arm(Moves::Keepalive, lasted, end) }
    }));
    facts
}

#[test]
fn only_where_every_keepalive_was_in_vain_the_server_counts_data() {
    let codes = |facts: Facts| fired(facts).first().copied();
    let both = inactive(&[(2, 7.0, false), (5, 7.0, false)]);
    assert_eq!(codes(both.clone()), Some("idle-closed"), "it is hidden by the next one");
    assert!(fired(both).contains(&"idle-server-inactivity"));
    // A shorter interval held: it is a timer that is swept.
    assert!(!fired(inactive(&[(2, 14.0, true), (5, 7.0, false)])).contains(&"idle-server-inactivity"));
    // Longer than what kills: no wonder.
    assert!(!fired(inactive(&[(15, 7.0, false)])).contains(&"idle-server-inactivity"));
}
