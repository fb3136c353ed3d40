//! Every case is started, examined with the doctor's own pipeline, and must be diagnosed with exactly its codes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ssh_doctor::diagnose::Finding;
use ssh_doctor::{demo, diagnose};
use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::base::limits::Limits;
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::target::Target;
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence, Step};
use ssh_doctor_checks::measure::context::Context;
use ssh_doctor_checks::measure::progress::Progress;
use ssh_doctor_fixtures::cases::{self, Case};
use ssh_doctor_fixtures::raw::Raw;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::placeholders::left_open;
use crate::screen::misfit;

/// Cases that run at the same time: more would starve each other of the processor, and time is what they measure.
const AT_ONCE: usize = 4;
/// The most cases of a run that may be wrong beside others and right alone.
const MAX_FLAKY: usize = 2;
/// By these words an explanation says that it excludes nothing.
const ADMISSIONS: [&str; 7] =
    ["look the same", "looks the same", "look alike", "looks alike", "cannot be told", "cannot tell", "cannot see why"];

#[test]
fn every_case_has_a_name_of_its_own_and_expects_codes_that_exist() {
    let names: BTreeSet<_> = cases::all().map(|case| case.name).collect();
    assert_eq!(names.len(), cases::all().count());
    for code in cases::all().flat_map(|case| case.expect) {
        assert!(ssh_doctor_checks::causes::all().any(|cause| cause.code == *code), "{code} is in no catalogue");
    }
}

/// `CASE=name` runs a single one.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_diagnosed_with_its_codes_and_no_others() {
    let only = std::env::var("CASE").ok();
    let mut chosen: Vec<_> = cases::all().filter(|case| only.as_deref().is_none_or(|only| only == case.name)).collect();
    // The idle test comes last in the list and takes longest.
    chosen.reverse();
    assert!(!chosen.is_empty(), "there is no case {only:?}");
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for case in chosen {
        let permits = permits.clone();
        running.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            Box::pin(wrong(case)).await.map(|how| (case, how))
        });
    }
    // Timers of a few seconds may be missed on a machine that is busy with the others: each failed case runs again, alone.
    let (mut failed, mut flaky) = (String::new(), Vec::new());
    for (case, at_first) in running.join_all().await.into_iter().flatten() {
        match Box::pin(wrong(case)).await {
            Some(again) => failed.push_str(&again),
            None => flaky.push((case.name, at_first)),
        }
    }
    for (name, at_first) in &flaky {
        // Not eprintln, which the test harness keeps for itself when a test passes.
        write!(std::io::stderr(), "FLAKY {name}: wrong beside other cases, right alone\n{at_first}").unwrap();
    }
    assert!(failed.is_empty(), "\n{failed}");
    let names: Vec<_> = flaky.iter().map(|(name, _)| *name).collect();
    assert!(names.len() <= MAX_FLAKY, "more than {MAX_FLAKY} cases are right only when they run alone: {names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_brackets_its_timer_and_proves_the_fix_in_half_a_minute() {
    let stage = demo::start(None).await.unwrap();
    let began = Instant::now();
    let evidence = examined(stage.target.clone(), stage.limits.clone()).await;
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());
    let facts = &evidence.checks()[Check::Idle as usize].facts;
    let (survived, died) = (&facts["timeout"]["survived_s"], &facts["timeout"]["died_s"]);
    // The network forgets after 8 s.
    assert!(survived.as_f64().is_some_and(|s| (6.4..8.0).contains(&s)), "{facts}");
    assert!(died.as_f64().is_some_and(|s| (8.0..10.5).contains(&s)), "{facts}");
    assert_eq!(facts["keepalive"]["verified"], true, "{facts}");
    assert_eq!(facts["keepalive"]["interval_s"], 2, "{facts}");
    let diagnosis = diagnose::diagnose(&evidence);
    assert!(diagnosis.findings[0].fixes.iter().any(|fix| fix.verified == Some(true)), "{:?}", diagnosis.findings[0]);
}

/// A case, and a fix of its cause that what was seen excludes.
const EXCLUDED: [(&str, &str); 4] = [
    // The client tries every method that the server offers.
    ("password-only", "PreferredAuthentications"),
    // The file can be read, and is no key.
    ("key-unreadable", "chmod 600"),
    // No agent was used.
    ("too-many-failures", "ssh-add"),
    // The text comes long after the start-up files.
    ("late-line", "case $-"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_that_was_seen_not_to_help_is_not_offered() {
    for (name, excluded) in EXCLUDED {
        let stage = demo::start(Some(name)).await.unwrap();
        let evidence = examined(stage.target.clone(), stage.limits.clone()).await;
        let diagnosis = diagnose::diagnose(&evidence);
        let snippets = diagnosis.findings.iter().flat_map(|found| &found.fixes).filter_map(|fix| fix.snippet.as_ref());
        let offered: Vec<_> = snippets.filter(|snippet| snippet.contains(excluded)).collect();
        assert!(offered.is_empty(), "{name}: {offered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_servers_end_two_seconds_after_the_limit_and_nothing_they_send_reaches_a_terminal() {
    let mut running = JoinSet::new();
    for raw in [
        Raw::Tarpit,
        Raw::Drip,
        Raw::EndlessLine,
        Raw::LargeKexInit,
        Raw::Garbage,
        Raw::HugePacket,
        Raw::ControlCharacters,
        Raw::VersionThenClose,
        Raw::NotAllowed,
        Raw::Silence,
        Raw::Close,
        Raw::Reset,
    ] {
        running.spawn(async move {
            let server = raw.start().await.unwrap();
            let target = Target::bare(&server.address.ip().to_string(), server.address.port(), "demo");
            let limits = Limits { connect: Duration::from_secs(3), ..Limits::default() };
            let began = Instant::now();
            let evidence = examined(target, limits).await;
            assert!(began.elapsed() < Duration::from_secs(5), "{raw:?} held us for {:?}", began.elapsed());
            assert!(matches!(*evidence.handshake, Step::Failed(_)), "{raw:?}: {:?}", *evidence.handshake);
            for view in evidence.checks() {
                let shown = format!("{} {}", view.summary, view.facts);
                assert!(!shown.contains(char::is_control), "{raw:?}: {shown:?}");
            }
        });
    }
    running.join_all().await;
}

/// The whole run ends two seconds after ConnectTimeout where no login is possible, whatever is tried on further connections.
#[tokio::test(flavor = "multi_thread")]
async fn every_case_before_the_login_ends_two_seconds_after_connect_timeout() {
    let stage = |code: &str| ssh_doctor_checks::causes::all().find(|cause| cause.code == code).unwrap().stage;
    let before_login = |case: &Case| case.expect.iter().all(|code| stage(code) < Check::Auth);
    let early =
        cases::all().filter(|case| !case.expect.is_empty() && (before_login(case) || case.name == "mute-after-keys"));
    let permits = Arc::new(Semaphore::new(2 * AT_ONCE));
    let mut running = JoinSet::new();
    for case in early {
        let permits = permits.clone();
        running.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            let stage = demo::start(Some(case.name)).await.unwrap();
            let limits = Limits { connect: Duration::from_secs(3), idle: Duration::ZERO, ..Limits::default() };
            let began = Instant::now();
            let evidence = examined(stage.target.clone(), limits).await;
            let whole = began.elapsed();
            // Who is let in after all is examined further: then the way to there counts.
            let as_far = |view: &CheckView| view.check <= Check::Auth;
            let login: f64 = evidence.checks().iter().filter(|view| as_far(view)).map(|view| view.duration_ms).sum();
            let let_in = evidence.auth.passed().is_some();
            let took = if let_in { Duration::from_secs_f64(login / 1000.0) } else { whole };
            assert!(took < Duration::from_secs(3 + 2), "{} took {took:?}", case.name);
        });
    }
    assert!(running.len() > 30, "{}", running.len());
    running.join_all().await;
}

async fn examined(target: Target, limits: Limits) -> Evidence {
    let ctx = Context::new(target, limits, Progress::default(), Stop::never(), Arc::new(Nobody));
    Box::pin(ssh_doctor_checks::examine(ctx, &BTreeSet::from(Check::ALL))).await
}

/// The fault of the diagnosis of `case`, if anything is.
async fn wrong(case: &Case) -> Option<String> {
    let stage = demo::start(Some(case.name)).await.unwrap();
    let evidence = examined(stage.target.clone(), stage.limits.clone()).await;
    let diagnosis = diagnose::diagnose(&evidence);
    let found: Vec<_> = diagnosis.findings.iter().map(|found| found.code).collect();
    let overclaims = |found: &&Finding| {
        let shown = found.explanation.split("\n\n").next().unwrap_or_default();
        let excludes = found.certainty == Certainty::Certain && !found.reason_open;
        excludes && ADMISSIONS.iter().any(|words| shown.contains(words))
    };
    if let Some(found) = diagnosis.findings.iter().find(overclaims) {
        return Some(format!("{}: {} excludes its look-alikes, and its explanation does not", case.name, found.code));
    }
    if let Some(open) = left_open(&diagnosis.findings) {
        return Some(format!("{}: {open}\n", case.name));
    }
    if let Some(misfit) = misfit(&evidence, &diagnosis) {
        return Some(format!("{}: {misfit}", case.name));
    }
    let same_first = found.first() == case.expect.first();
    let same_set = BTreeSet::from_iter(&found) == BTreeSet::from_iter(case.expect);
    if same_first && same_set {
        return None;
    }
    let mut text = format!("{}: expected {:?}, found {found:?}\n", case.name, case.expect);
    for view in evidence.checks() {
        writeln!(text, "    {:9} {:?} {}", view.check.name(), view.step, view.summary).unwrap();
    }
    Some(text)
}
