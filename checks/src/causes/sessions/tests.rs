use jiff::Timestamp;

use super::explain::{Explanation, explain};
use crate::causes::{Cause, all};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::idle::{self, Holds, Sign, What};
use crate::facts::sessions::{Exchange, Next, Observer, Others, Session, SessionEnd, Traffic, Unanswered};
use crate::facts::{Evidence, Step};

/// A session that is open and was idle for half a minute before.
fn open() -> Session {
    Session {
        observer: Observer::Tap,
        traffic: Traffic::Use,
        holds: Some(Holds::Shell),
        host: "db".into(),
        port: 22,
        local: Some("192.0.2.1:5000".parse().unwrap()),
        remote: Some("192.0.2.2:22".parse().unwrap()),
        seen_at: at(0),
        age_s: Some(1000.0),
        survived_s: 30.0,
        quiet_s: 0.0,
        exchange: None,
        end: SessionEnd::Open,
        machine: Vec::new(),
        others: Others::default(),
        next: None,
    }
}

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_second(1_767_000_000 + i64::from(seconds)).unwrap()
}

fn died(manner: Manner, sign: Sign, quiet_s: f64) -> Session {
    let unanswered_s = (sign == Sign::AfterProbe).then_some(12.0);
    Session { quiet_s, end: SessionEnd::Died { manner, sign, unanswered_s, tcp: None }, ..open() }
}

fn silent(quiet_s: f64) -> Session {
    died(Manner::Silent, Sign::AfterProbe, quiet_s)
}

fn one(session: Session) -> Option<Explanation> {
    explain(&[session])[0]
}

/// The codes that the catalogue finds in these sessions, and how sure it is.
fn codes(sessions: Vec<Session>) -> Vec<(&'static str, Certainty)> {
    let evidence = evidence(sessions);
    let found = |cause: &'static Cause| Some((cause.code, (cause.judge_sessions)(&evidence)?.certainty));
    all().filter_map(found).collect()
}

fn evidence(sessions: Vec<Session>) -> Evidence {
    let mut evidence = Evidence::unexamined();
    evidence.idle.step = Step::Failed(idle::Facts { sessions, ..idle::Facts::default() });
    evidence
}

#[test]
fn a_session_that_ended_in_order_or_lives_wants_no_explanation() {
    assert_eq!(one(open()), None);
    assert_eq!(one(Session { end: SessionEnd::ClosedHere { unanswered: None }, ..open() }), None);
    assert_eq!(one(Session { end: SessionEnd::Unknown, ..open() }), None);
    // A command that ends after an hour without a word is no shell that was left.
    let exchange = Some(Exchange { by_server: true, lasted_s: 0.1 });
    let command = Session {
        holds: Some(Holds::Command),
        quiet_s: 3600.0,
        exchange,
        end: SessionEnd::ClosedHere { unanswered: None },
        ..open()
    };
    assert_eq!(one(command.clone()), None);
    assert_eq!(one(Session { holds: Some(Holds::Shell), ..command.clone() }), Some(Explanation::IdleShell));
    assert_eq!(one(Session { holds: None, ..command }), None);
}

#[test]
fn what_ends_after_a_longer_idle_time_than_any_that_was_survived_ended_of_it() {
    assert_eq!(one(silent(300.0)), Some(Explanation::IdleSilent));
    assert_eq!(one(died(Manner::Reset, Sign::AfterProbe, 300.0)), Some(Explanation::IdleReset));
    assert_eq!(one(died(Manner::Reset, Sign::BeforeProbe, 300.0)), Some(Explanation::IdleReset));
    assert_eq!(one(died(Manner::Fin, Sign::BeforeProbe, 300.0)), Some(Explanation::IdleClosed));
    let exchange = Some(Exchange { by_server: true, lasted_s: 0.1 });
    let spoke = Session { exchange, ..died(Manner::Fin, Sign::BeforeProbe, 300.0) };
    assert_eq!(one(spoke), Some(Explanation::IdleDisconnected));
    // The session itself, or another one from the same address, survived as much.
    let survived = Session { survived_s: 299.0, ..silent(300.0) };
    assert_ne!(one(survived), Some(Explanation::IdleSilent));
    let patient = Session { survived_s: 4000.0, ..open() };
    assert_ne!(explain(&[silent(300.0), patient.clone()])[0], Some(Explanation::IdleSilent));
    // From elsewhere is another path.
    let elsewhere = Session { local: Some("198.51.100.1:5000".parse().unwrap()), ..patient };
    assert_eq!(explain(&[silent(300.0), elsewhere])[0], Some(Explanation::IdleSilent));
    // Nobody's timer is that short.
    assert_eq!(one(silent(8.0)), Some(Explanation::Outage));
}

#[test]
fn what_happened_to_this_machine_comes_first() {
    let slept = vec![What::Suspended { clock_gap_s: 4000.0 }];
    assert_eq!(one(Session { machine: slept, ..silent(300.0) }), Some(Explanation::Suspended));
    let moved = vec![What::AddressGone { from: "192.0.2.1".parse().unwrap(), to: None }];
    assert_eq!(one(Session { machine: moved, ..silent(300.0) }), Some(Explanation::AddressChanged));
}

#[test]
fn sessions_that_stop_at_one_moment_are_an_outage_or_lost_state() {
    let busy = Session { seen_at: at(12), ..silent(0.5) };
    let idle = Session { seen_at: at(60), ..silent(100.0) };
    let all = |next: Option<Next>| explain(&[Session { next, ..busy.clone() }, idle.clone()]);
    assert_eq!(all(None), [Some(Explanation::Outage); 2]);
    assert_eq!(all(Some(Next { after_s: 1.0, answered: false })), [Some(Explanation::Outage); 2]);
    assert_eq!(all(Some(Next { after_s: 1.0, answered: true })), [Some(Explanation::StateLost); 2]);
    // Another one lived: the two share nothing.
    let others = Others { alive: 1, lost: 0 };
    let apart = explain(&[Session { others, ..busy }, idle]);
    assert_eq!(apart, [Some(Explanation::Unknown), Some(Explanation::IdleSilent)]);
}

#[test]
fn two_sessions_of_one_idle_timer_are_no_event() {
    let one = died(Manner::Reset, Sign::BeforeProbe, 300.0);
    assert_eq!(explain(&[one.clone(), one]), [Some(Explanation::IdleReset); 2]);
}

#[test]
fn sessions_without_a_new_connection_are_an_outage() {
    let next = Some(Next { after_s: 0.1, answered: false });
    assert_eq!(one(Session { next, ..silent(300.0) }), Some(Explanation::Outage));
    let unreachable = died(Manner::Errno { errno: libc::EHOSTUNREACH }, Sign::AfterProbe, 1.0);
    assert_eq!(one(unreachable), Some(Explanation::Outage));
}

#[test]
fn three_sessions_of_one_age_are_a_limit_on_age() {
    let aged = |age: f64, seen: u32, quiet_s: f64| Session {
        age_s: Some(age),
        seen_at: at(seen),
        ..died(Manner::Fin, Sign::BeforeProbe, quiet_s)
    };
    let three = vec![aged(3600.0, 3600, 1.0), aged(3601.0, 9000, 0.5), aged(3602.0, 20000, 40.0)];
    assert_eq!(explain(&three), [Some(Explanation::Lifetime); 3]);
    assert_eq!(codes(three.clone()), [("session-lifetime-limit", Certainty::Certain)]);
    // One that became older refutes it.
    let older = Session { age_s: Some(9000.0), ..open() };
    assert!(!explain(&[three.clone(), vec![older]].concat()).contains(&Some(Explanation::Lifetime)));
    // One that was dead for long before anybody noticed was not older.
    let late = Session { age_s: Some(9000.0), ..silent(8900.0) };
    assert_eq!(explain(&[three.clone(), vec![late]].concat())[..3], [Some(Explanation::Lifetime); 3]);
    // Sessions that nobody ever used are as idle as they are old.
    let unused = vec![aged(600.0, 600, 600.0), aged(600.0, 9000, 599.0), aged(600.0, 20000, 600.0)];
    assert_eq!(explain(&unused), [Some(Explanation::IdleClosed); 3]);
}

#[test]
fn ends_at_one_minute_of_several_hours_are_a_clock_on_the_wall() {
    let ends = [0, 3600, 7210, 14395].map(|seen| Session {
        seen_at: at(seen),
        age_s: Some(100.0 + f64::from(seen)),
        ..died(Manner::Reset, Sign::BeforeProbe, 1.0)
    });
    assert_eq!(explain(&ends), [Some(Explanation::WallClock); 4]);
    assert_eq!(explain(&ends[..3]), [Some(Explanation::Unknown); 3]);
}

#[test]
fn keepalives_that_tcp_delivers_and_nobody_answers_are_a_stalled_server() {
    let unanswered = |packets, for_s, alike| Session {
        end: SessionEnd::ClosedHere { unanswered: Some(Unanswered { packets, for_s, alike }) },
        ..open()
    };
    assert_eq!(one(unanswered(3, 45.0, true)), Some(Explanation::Stalled));
    // ServerAliveInterval=2 and ServerAliveCountMax=2, the first of them seen a moment late.
    assert_eq!(one(unanswered(2, 3.9, true)), Some(Explanation::Stalled));
    // The packets that end a session, and what is typed where nothing is echoed.
    assert_eq!(one(unanswered(2, 0.1, true)), None);
    assert_eq!(one(unanswered(6, 9.0, false)), None);
}

#[test]
fn each_explanation_is_one_cause_and_its_certainty_grows_with_the_evidence() {
    use Certainty::{Certain, Likely, Possible};
    assert_eq!(codes(vec![silent(300.0)]), [("idle-silent-drop", Likely)]);
    let next = Some(Next { after_s: 20.0, answered: true });
    let days = [(0, 350.0), (1, 351.0), (2, 352.0)];
    let three = days.map(|(day, quiet)| Session { next, seen_at: at(day * 90_000), ..silent(quiet) });
    assert_eq!(codes(three.into()), [("idle-silent-drop", Certain)]);
    assert_eq!(codes(vec![died(Manner::Reset, Sign::AfterProbe, 300.0)]), [("idle-reset", Likely)]);
    assert_eq!(codes(vec![died(Manner::Fin, Sign::BeforeProbe, 300.0)]), [("idle-closed", Likely)]);
    assert_eq!(codes(vec![silent(1.0)]), [("network-outage", Possible)]);
    assert_eq!(codes(vec![Session { next, ..silent(1.0) }]), [("path-state-lost", Likely)]);
    let slept = vec![What::Suspended { clock_gap_s: 4000.0 }];
    assert_eq!(codes(vec![Session { machine: slept, ..silent(300.0) }]), [("session-client-suspended", Likely)]);
    let moved = vec![What::AddressGone { from: "192.0.2.1".parse().unwrap(), to: None }];
    assert_eq!(codes(vec![Session { machine: moved, ..silent(300.0) }]), [("path-address-changed", Likely)]);
    let unanswered = Some(Unanswered { packets: 3, for_s: 45.0, alike: true });
    assert_eq!(
        codes(vec![Session { end: SessionEnd::ClosedHere { unanswered }, ..open() }]),
        [("server-stalled", Likely)]
    );
    assert_eq!(codes(vec![died(Manner::Reset, Sign::BeforeProbe, 0.0), open()]), []);
    let named = super::codes(&[silent(300.0), open(), died(Manner::Reset, Sign::BeforeProbe, 0.0)]);
    assert_eq!(named, [Some("idle-silent-drop"), None, Some("idle-unexplained")]);
}

#[test]
fn a_shell_or_channel_that_ends_by_itself_compares_with_others_of_its_kind() {
    let ended = |manner, holds, quiet_s| Session { holds: Some(holds), ..died(manner, Sign::BeforeProbe, quiet_s) };
    let shell = ended(Manner::ExitStatus { status: 1 }, Holds::Shell, 300.0);
    // A command that was silent for longer says nothing of the shell's own limit.
    let command = Session { holds: Some(Holds::Command), survived_s: 4000.0, ..open() };
    assert_eq!(explain(&[shell.clone(), command.clone()])[0], Some(Explanation::IdleShell));
    let patient = Session { holds: Some(Holds::Shell), survived_s: 4000.0, ..open() };
    assert_eq!(explain(&[shell, patient.clone()])[0], Some(Explanation::Unknown));
    let closed = ended(Manner::ChannelClose, Holds::Command, 300.0);
    assert_eq!(explain(&[closed.clone(), patient])[0], Some(Explanation::ChannelTimeout));
    assert_eq!(explain(&[closed, command])[0], Some(Explanation::Unknown));
    // A command that ends has come to its end.
    assert_eq!(one(ended(Manner::ExitStatus { status: 0 }, Holds::Command, 300.0)), Some(Explanation::Unknown));
}

#[test]
fn sessions_that_the_server_ends_together_while_it_takes_no_new_ones_are_a_restart() {
    let next = |answered| Some(Next { after_s: 1.0, answered });
    let busy = Session { seen_at: at(60), ..died(Manner::Fin, Sign::BeforeProbe, 0.5) };
    let idle = Session { seen_at: at(61), ..died(Manner::Reset, Sign::BeforeProbe, 500.0) };
    let all = |answered| explain(&[Session { next: next(answered), ..busy.clone() }, idle.clone()]);
    assert_eq!(all(false), [Some(Explanation::Restarted); 2]);
    assert_eq!(all(true), [Some(Explanation::WallClock); 2]);
}

#[test]
fn sessions_in_use_that_stop_silently_at_one_age_met_a_limit_on_age() {
    let others = Others { alive: 2, lost: 0 };
    let aged = |age: f64, seen: u32| Session { age_s: Some(age + 30.0), seen_at: at(seen), others, ..silent(2.0) };
    let three = [aged(900.0, 1000), aged(901.0, 3000), aged(899.0, 5000)];
    assert_eq!(explain(&three), [Some(Explanation::Lifetime); 3]);
    assert_eq!(explain(&[three[0].clone(), aged(300.0, 7000)])[0], Some(Explanation::Unknown));
}
