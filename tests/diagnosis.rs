//! How findings are ordered, hidden and stood in for, by causes made up for the purpose.

use ssh_doctor::clients::Client;
use ssh_doctor::diagnose::{Diagnosis, Verdict, diagnose, diagnose_by};
use ssh_doctor_checks::causes::{Cause, Fix, Match, Severity, Testimony};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::facts::idle::Outage;
use ssh_doctor_checks::facts::{Check, Evidence, Pause, Step};

use crate::support::{changed, errored, failed, healthy, skipped};

const HOLDS: Cause = Cause {
    code: "",
    stage: Check::Tcp,
    title: "It holds",
    severity: Severity::Critical,
    explanation: "It always holds. It is made up.",
    fixes: &[],
    symptoms: &[],
    hides: &[],
    judge: |_| Some(Match::new(Certainty::Likely, ["it was so"])),
    ..Cause::NEW
};

fn codes(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.findings.iter().map(|found| found.code).collect()
}

/// The codes that these causes leave on a healthy run, in their order.
fn left(causes: &'static [Cause]) -> Vec<&'static str> {
    diagnose_by(causes, Client::Ssh, &healthy()).findings.iter().map(|found| found.code).collect()
}

#[test]
fn the_worst_comes_first_and_among_equals_the_earliest_check() {
    static CAUSES: [Cause; 5] = [
        Cause { code: "exit-a", stage: Check::Exit, ..HOLDS },
        Cause { code: "dns-a", stage: Check::Dns, severity: Severity::Warning, ..HOLDS },
        Cause { code: "tcp-b", ..HOLDS },
        Cause { code: "tcp-a", judge: |_| Some(Match::new(Certainty::Certain, ["so"])), ..HOLDS },
        Cause { code: "tcp-i", judge: |_| Some(Match::new(Certainty::Certain, ["so"]).at(Severity::Info)), ..HOLDS },
    ];
    assert_eq!(left(&CAUSES), ["tcp-a", "tcp-b", "exit-a", "dns-a", "tcp-i"]);
}

#[test]
fn a_cause_hides_its_consequences_and_theirs_but_only_where_it_matched() {
    static CAUSES: [Cause; 4] = [
        Cause { code: "tcp-consequence", ..HOLDS },
        Cause { code: "tcp-between", hides: &["tcp-consequence"], ..HOLDS },
        Cause { code: "idle-root", stage: Check::Idle, hides: &["tcp-between", "idle-root", "no-such"], ..HOLDS },
        Cause { code: "dns-absent", hides: &["idle-root"], judge: |_| None, ..HOLDS },
    ];
    assert_eq!(left(&CAUSES), ["idle-root"]);
}

#[test]
fn causes_that_hide_each_other_leave_one() {
    static CAUSES: [Cause; 3] = [
        Cause { code: "tcp-c", stage: Check::Exit, hides: &["tcp-a"], ..HOLDS },
        Cause { code: "tcp-b", stage: Check::Idle, hides: &["tcp-c"], ..HOLDS },
        Cause { code: "tcp-a", hides: &["tcp-b"], ..HOLDS },
    ];
    assert_eq!(left(&CAUSES), ["tcp-a"]);
}

#[test]
fn a_failure_that_nothing_explains_is_named_as_such_once() {
    let evidence = failed(&failed(&healthy(), Check::Tcp), Check::Exit);
    let diagnosis = diagnose_by(ssh_doctor_checks::causes::unexplained::CAUSES, Client::Ssh, &evidence);
    assert_eq!(codes(&diagnosis), ["tcp-unexplained"]);
    assert_eq!((diagnosis.verdict, diagnosis.died_at), (Verdict::Broken, Some(Check::Tcp)));
    assert!(
        diagnosis.findings[0]
            .fixes
            .iter()
            .any(|fix| fix.snippet.as_deref().is_some_and(|text| text.contains("--record")))
    );
}

#[test]
fn only_a_critical_cause_at_the_failed_check_or_before_it_explains_a_failure() {
    static AT_TCP: Cause = Cause { code: "tcp-a", ..HOLDS };
    static WARNING: Cause = Cause { code: "tcp-a", severity: Severity::Warning, ..HOLDS };
    static LATER: Cause = Cause { code: "idle-a", stage: Check::Idle, ..HOLDS };
    static SESSION: Cause = Cause { code: "session-a", stage: Check::Idle, ..HOLDS };
    static PATH: Cause = Cause { code: "path-a", stage: Check::Idle, strikes_anywhere: true, ..HOLDS };
    let with = |cause: &'static Cause, failed_at: Check| {
        let causes = ssh_doctor_checks::causes::unexplained::CAUSES.iter().chain([cause]);
        codes(&diagnose_by(causes, Client::Ssh, &failed(&healthy(), failed_at))).join(" ")
    };
    assert_eq!(with(&AT_TCP, Check::Tcp), "tcp-a");
    assert_eq!(with(&AT_TCP, Check::Auth), "tcp-a");
    assert_eq!(with(&WARNING, Check::Tcp), "tcp-unexplained tcp-a");
    assert_eq!(with(&LATER, Check::Tcp), "tcp-unexplained idle-a");
    assert_eq!(with(&SESSION, Check::Tcp), "tcp-unexplained session-a");
    assert_eq!(with(&PATH, Check::Tcp), "path-a");
}

#[test]
fn what_the_server_says_makes_a_finding_more_certain_or_less_and_only_where_it_was_asked() {
    static CONFIRMED: Cause = Cause {
        corroborated_by: &[|_, _| None, |_, _| Some(Testimony::Confirms("it says so".to_owned()))],
        judge: |_| Some(Match::new(Certainty::Likely, ["seen"]).reason_open()),
        ..HOLDS
    };
    static FITS: Cause = Cause { corroborated_by: &[|_, _| Some(Testimony::Fits("it fits".to_owned()))], ..CONFIRMED };
    static CONTRADICTED: Cause = Cause {
        corroborated_by: &[|_, _| Some(Testimony::Contradicts("it denies".to_owned()))],
        judge: |_| Some(Match::new(Certainty::Certain, ["seen"])),
        ..HOLDS
    };
    let asked = changed(&healthy(), |value| value["server"] = serde_json::json!({"answers": [], "failure": null}));
    let of = |cause: &'static Cause, evidence: &Evidence| {
        let found = diagnose_by([cause], Client::Ssh, evidence).findings.remove(0);
        (found.certainty, found.reason_open, found.because.len())
    };
    assert_eq!(of(&CONFIRMED, &asked), (Certainty::Certain, false, 2));
    assert_eq!(of(&FITS, &asked), (Certainty::Likely, true, 2));
    assert_eq!(of(&CONTRADICTED, &asked), (Certainty::Likely, false, 2));
    assert_eq!(of(&CONFIRMED, &healthy()), (Certainty::Likely, true, 1));
}

#[test]
fn the_verdict_follows_from_what_failed_what_was_found_and_what_was_not_tested() {
    static CRITICAL: Cause = Cause { code: "idle-a", stage: Check::Idle, ..HOLDS };
    static WARNING: Cause = Cause { severity: Severity::Warning, ..CRITICAL };
    static INFO: Cause = Cause { severity: Severity::Info, ..CRITICAL };
    let of = |causes: &[&'static Cause], evidence: &Evidence| {
        let diagnosis = diagnose_by(causes.iter().copied(), Client::Ssh, evidence);
        (diagnosis.verdict, diagnosis.died_at)
    };
    let healthy = healthy();
    let interrupted = changed(&healthy, |value| value["interrupted"] = true.into());
    assert_eq!(of(&[], &healthy), (Verdict::Healthy, None));
    assert_eq!(of(&[&INFO], &healthy), (Verdict::Healthy, None));
    assert_eq!(of(&[&WARNING], &healthy), (Verdict::Degraded, None));
    assert_eq!(of(&[&CRITICAL], &healthy), (Verdict::Broken, Some(Check::Idle)));
    assert_eq!(of(&[&CRITICAL], &failed(&healthy, Check::Auth)), (Verdict::Broken, Some(Check::Auth)));
    assert_eq!(of(&[&WARNING], &interrupted), (Verdict::Inconclusive, None));
    assert_eq!(of(&[&CRITICAL], &interrupted), (Verdict::Broken, Some(Check::Idle)));
    assert_eq!(of(&[], &errored(&healthy, Check::Auth, "no memory")), (Verdict::Inconclusive, None));
    assert_eq!(of(&[], &Evidence::unexamined()), (Verdict::Inconclusive, None));
    assert_eq!(of(&[], &skipped(&healthy, Check::Idle, "not asked for")), (Verdict::Healthy, None));
}

#[test]
fn an_idle_test_that_interruptions_cut_short_is_open_unless_a_cause_explains_it() {
    static UNSTABLE: Cause = Cause { stage: Check::Idle, severity: Severity::Warning, ..HOLDS };
    let with = |longest_s: f64, outages: Vec<Outage>| {
        let mut evidence = healthy();
        let Step::Passed(facts) = &mut evidence.idle.step else { panic!("the idle test passed") };
        // Much more than the sessions survived.
        (facts.longest_s, facts.outages) = (longest_s, outages);
        evidence
    };
    let verdict = |causes: &[&'static Cause], evidence: &Evidence| {
        diagnose_by(causes.iter().copied(), Client::Ssh, evidence).verdict
    };
    let outage = || vec![Outage { started_s: 3.0, ended_s: Some(9.0) }];
    assert_eq!(verdict(&[], &with(3600.0, outage())), Verdict::Inconclusive);
    assert_eq!(verdict(&[&UNSTABLE], &with(3600.0, outage())), Verdict::Degraded);
    assert_eq!(verdict(&[], &with(3600.0, Vec::new())), Verdict::Healthy, "nothing bad was seen");
    assert_eq!(verdict(&[], &with(1.0, outage())), Verdict::Healthy, "all of it was tested");
}

#[test]
fn what_a_pause_of_ours_may_have_made_is_not_named_and_the_verdict_is_open() {
    static CAUSES: [Cause; 2] = [
        Cause { code: "dns-slow", stage: Check::Dns, severity: Severity::Warning, ..HOLDS },
        Cause { code: "tcp-known", severity: Severity::Info, ..HOLDS },
    ];
    let told = |paused: Check| {
        let evidence = Evidence { pauses: vec![Pause { check: paused, lasted_ms: 900.0 }], ..healthy() };
        let diagnosis = diagnose_by(&CAUSES, Client::Ssh, &evidence);
        (codes(&diagnosis).join(" "), diagnosis.verdict)
    };
    assert_eq!(told(Check::Dns), ("tcp-known".to_owned(), Verdict::Inconclusive));
    assert_eq!(told(Check::Tcp), ("dns-slow tcp-known".to_owned(), Verdict::Degraded));
}

#[test]
fn fixes_carry_this_runs_values_and_what_could_do_harm_is_left_out() {
    static FIXES: [Fix; 4] = [
        Fix { summary: "tried in vain", tried: |_| Some(false), ..Fix::CHANGE },
        Fix {
            summary: "in {host}",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n  Port {seen}"),
            ..Fix::CHANGE
        },
        Fix { summary: "as a command", snippet: Some("ssh -p {seen} {alias} 'awk {}'"), ..Fix::CHANGE },
        Fix { summary: "held", snippet: Some("true {unknown}"), tried: |_| Some(true), ..Fix::CHANGE },
    ];
    static PLAIN: Cause = Cause {
        code: "tcp-a",
        fixes: &FIXES,
        judge: |_| Some(Match::new(Certainty::Certain, ["so"]).with("seen", "2222")),
        ..HOLDS
    };
    static HOSTILE: Cause = Cause {
        judge: |_| Some(Match::new(Certainty::Certain, ["so"]).with("seen", "1;\nid").with("unknown", "")),
        ..PLAIN
    };
    let evidence = changed(&healthy(), |value| value["target"]["input"] = "alice@db:2222".into());
    let snippets = |cause: &'static Cause| -> Vec<_> {
        let findings = diagnose_by([cause], Client::Ssh, &evidence).findings;
        findings[0].fixes.iter().map(|fix| (fix.summary.clone(), fix.snippet.clone().unwrap_or_default())).collect()
    };
    let pair = |summary: &str, snippet: &str| (summary.to_owned(), snippet.to_owned());
    assert_eq!(
        snippets(&PLAIN),
        [
            pair("in db.corp.test", "Host db\n  Port 2222"),
            pair("as a command", "ssh -p 2222 alice@db 'awk {}'"),
            pair("tried in vain", "")
        ]
    );
    assert_eq!(
        snippets(&HOSTILE),
        [pair("held", "true "), pair("in db.corp.test", "Host db\n  Port 1;\\nid"), pair("tried in vain", "")]
    );
}

#[test]
fn a_healthy_run_has_no_finding_in_the_whole_catalogue() {
    let diagnosis = diagnose(&healthy());
    assert_eq!(codes(&diagnosis), Vec::<&str>::new());
    assert_eq!(diagnosis.verdict, Verdict::Healthy);
}

#[test]
fn of_several_targets_the_worst_counts() {
    use Verdict::{Broken, Degraded, Healthy, Inconclusive};
    let worst = |verdicts: &[Verdict]| verdicts.iter().copied().reduce(Verdict::worse).map(Verdict::exit_status);
    assert_eq!(worst(&[Healthy, Degraded]), Some(1));
    assert_eq!(worst(&[Degraded, Inconclusive, Healthy]), Some(3));
    assert_eq!(worst(&[Inconclusive, Broken, Degraded]), Some(2));
}
