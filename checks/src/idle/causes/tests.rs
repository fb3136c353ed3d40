use crate::cause::Certainty;
use crate::connection::Manner;
use crate::evidence::{Evidence, Step, Timed};
use crate::idle::{Arm, CAUSES, End, Facts, Holds, Keepalive, Moves, Outage, Sign, Speaker, Timeout};

fn arm(moves: Moves, lasted_s: f64, end: End) -> Arm {
    Arm {
        session: 1,
        moves,
        holds: Holds::Command,
        speaks_first: Speaker::Client,
        hop: None,
        interval_s: (moves == Moves::Keepalive).then_some(2),
        started_s: 0.0,
        lasted_s,
        age_s: lasted_s,
        channel_quiet_s: Some(lasted_s),
        heard_bytes: 0,
        end,
    }
}

fn died(manner: Manner, sign: Sign) -> End {
    End::Died { manner, sign, others_alive: true, tcp: None }
}

fn alive() -> End {
    End::Alive { rtt_ms: 1.0 }
}

/// A timer between 5 s and 6 s with a proven keepalive of 2 s.
fn timer(manner: Manner, sign: Sign) -> Facts {
    Facts {
        timeout: Timeout { survived_s: Some(5.0), died_s: Some(6.0) },
        keepalive: Keepalive { interval_s: Some(2), count_max: Some(59), verified: Some(true) },
        manner: Some(manner.code().to_owned()),
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
    facts.keepalive = Keepalive { verified: Some(false), ..Keepalive::default() };
    assert_eq!(fired(facts), ["idle-channel-timeout"]);
}

#[test]
fn a_death_that_the_kept_sessions_shared_is_no_idle_timer() {
    let mut facts = timer(Manner::Fin, Sign::BeforeProbe);
    facts.arms[1].end = End::Died { manner: Manner::Fin, sign: Sign::BeforeProbe, others_alive: false, tcp: None };
    facts.keepalive = Keepalive { verified: Some(false), ..Keepalive::default() };
    assert!(fired(facts).is_empty());
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
    assert!(with(0) && with(300) && !with(3));
}
