//! The formats for monitoring, from the built binary and from every recorded outcome.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use ssh_doctor::diagnose::{Diagnosis, Verdict, diagnose};
use ssh_doctor::record;
use ssh_doctor::report::prometheus::Figures;
use ssh_doctor::report::{nagios, prometheus};
use ssh_doctor_checks::facts::Evidence;

use crate::lab::has;
use crate::support::{changed, healthy, reports};

/// Every metric of the contract.
const METRICS: [&str; 13] = [
    "probe_success",
    "probe_duration_seconds",
    "ssh_doctor_verdict",
    "ssh_doctor_check_status",
    "ssh_doctor_check_duration_seconds",
    "ssh_doctor_diagnosis",
    "ssh_doctor_idle_survived_seconds",
    "ssh_doctor_idle_died_seconds",
    "ssh_doctor_keepalive_recommended_seconds",
    "ssh_doctor_keepalive_effective_seconds",
    "ssh_doctor_idle_measured_timestamp_seconds",
    "ssh_doctor_idle_samples",
    "ssh_doctor_timed_out",
];

fn outcomes() -> Vec<(String, Evidence, Diagnosis)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded");
    let recordings = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let recordings = recordings.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let recorded = recordings.map(|path| (path.display().to_string(), record::load(&path).unwrap()));
    let made = vec![
        ("healthy".to_owned(), healthy()),
        ("nothing".to_owned(), Evidence::unexamined()),
        ("unusable".to_owned(), Evidence::unusable("a | b\nc", "no | such\nhost".to_owned())),
    ];
    let judged = |(name, evidence): (String, Evidence)| {
        let diagnosis = diagnose(&evidence);
        (name, evidence, diagnosis)
    };
    recorded.chain(made).map(judged).collect()
}

fn doctor(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.args(args).stdin(Stdio::null()).env_remove("SSH_DOCTOR_PASSWORD").env_remove("SSH_AUTH_SOCK");
    command
}

fn run(args: &[&str]) -> Output {
    doctor(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A port of loopback on which nobody listens.
fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_plugin_has_one_status_line_within_the_guidelines_whatever_happened() {
    for (name, evidence, diagnosis) in outcomes() {
        let report = nagios::render(&evidence, &diagnosis);
        let first = report.lines().next().unwrap();
        assert!(first.len() < 255, "{name}: {first}");
        let word = match diagnosis.verdict {
            Verdict::Healthy => "OK",
            Verdict::Degraded => "DEGRADED",
            Verdict::Broken => "BROKEN",
            Verdict::Inconclusive => "UNKNOWN",
        };
        assert!(first.starts_with(&format!("SSH {word} - ")), "{name}: {first}");
        let (_, performance) = first.split_once(" | ").unwrap_or_else(|| panic!("{name}: {first}"));
        // 'label'=value[UOM];[warn];[crit];[min];[max]
        for item in performance.split(' ') {
            let (label, value) = item.split_once('=').unwrap();
            let number = value.strip_suffix("s;;;0").unwrap().trim_end_matches('m');
            assert!(label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}: {item}");
            assert!(number.parse::<f64>().is_ok_and(|number| number >= 0.0), "{name}: {item}");
        }
        assert_eq!(report.matches('|').count(), 1, "{name}: {report}");
        assert!(report.len() < 8192 && !report.contains(|c: char| c != '\n' && c.is_control()), "{name}: {report}");
    }
}

#[test]
fn a_plugin_cuts_what_is_too_long_and_keeps_its_performance_data() {
    let long = changed(&healthy(), |value| value["target"]["host"] = "ü".repeat(300).into());
    let report = nagios::render(&long, &diagnose(&long));
    let first = report.lines().next().unwrap();
    assert!(first.len() < 255 && first.contains("... | connect="), "{first}");
}

#[test]
fn a_plugin_tells_refusal_silence_its_own_deadline_and_misuse_apart() {
    let port = closed_port();
    let refused = run(&["check", "-F", "none", "--format", "nagios", &port]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stdout).starts_with("SSH BROKEN - 127.0.0.1: "), "{refused:?}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let began = Instant::now();
    let unanswered = run(&["check", "-F", "none", "--format", "nagios", "--deadline", "4s", &target]);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(unanswered.status.code(), Some(2), "{unanswered:?}");
    assert!(text(&unanswered.stdout).contains("(handshake-no-banner, critical)"), "{unanswered:?}");

    let began = Instant::now();
    let options = ["--format", "nagios", "--deadline", "2s", "--timeout", "1m"];
    let cut = run(&[&["check", "-F", "none"][..], &options, &[&target]].concat());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(cut.status.code(), Some(3));
    assert!(text(&cut.stdout).starts_with("SSH UNKNOWN - 127.0.0.1: still in handshake after "), "{cut:?}");

    for misuse in [&["check", "--format", "nagios"][..], &["check", "--format=nagios", "--idle", "5", "h"]] {
        let output = run(misuse);
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stdout).starts_with("SSH UNKNOWN - "), "{output:?}");
        assert_eq!(text(&output.stdout).lines().count(), 1);
        assert!(output.stderr.is_empty(), "{output:?}");
    }
    for output in [refused, unanswered, cut] {
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn settings_that_cannot_be_used_give_a_report_in_the_formats_for_programs() {
    let check = ["check", "-F", "none", "-o", "Nonsense=1", "--format"];
    let said = "Bad configuration option";
    let json = run(&[&check[..], &["json", "db"]].concat());
    let report = &reports(&text(&json.stdout))[0];
    assert_eq!((report["verdict"].as_str(), report["target"]["input"].as_str()), (Some("broken"), Some("db")));
    assert_eq!(report["diagnoses"][0]["code"], "config-invalid");
    assert!(text(&json.stderr).contains(said) && text(&json.stderr).lines().count() == 1, "{json:?}");
    let nagios = run(&[&check[..], &["nagios", "db"]].concat());
    assert!(text(&nagios.stdout).contains(said) && nagios.stderr.is_empty(), "{nagios:?}");
    let prometheus = run(&[&check[..], &["prometheus", "db"]].concat());
    assert!(text(&prometheus.stdout).contains("ssh_doctor_verdict{verdict=\"broken\"} 1"), "{prometheus:?}");
    for output in [json, nagios, prometheus] {
        // ssh would not get any further either.
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    let unusable = run(&["check", "--format", "json", "a b"]);
    assert_eq!(unusable.status.code(), Some(3), "{unusable:?}");
    assert_eq!(reports(&text(&unusable.stdout))[0]["checks"][0]["status"], "error");
}

#[test]
fn a_deadline_ends_a_run_with_what_is_known() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let options = ["--deadline", "1500ms", "--timeout", "1m", "--format", "json"];
    let output = run(&[&["check", "-F", "none"][..], &options, &[&target]].concat());
    let report = &reports(&text(&output.stdout))[0];
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!((&report["timed_out"], &report["interrupted"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(report["checks"][2]["status"], "pass", "{report:#}");
    assert_eq!(report["address"], "127.0.0.1");
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// The names and the series of an exposition; each family in one piece, with its help and its type before it.
fn series(exposition: &str) -> (BTreeSet<String>, Vec<String>) {
    let (mut families, mut all) = (BTreeSet::new(), Vec::new());
    let mut current = String::new();
    for line in exposition.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            help.split(' ').next().unwrap().clone_into(&mut current);
            assert!(families.insert(current.clone()), "{current} is there twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{current} gauge"));
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(name.split('{').next().unwrap(), current);
            assert!(value == "NaN" || value.parse::<f64>().is_ok(), "{line}");
            assert!(!all.contains(&name.to_owned()), "{name} is there twice");
            all.push(name.to_owned());
        }
    }
    (families, all)
}

#[test]
fn every_metric_is_there_in_every_outcome() {
    let mut lines = Vec::new();
    for (name, evidence, diagnosis) in outcomes() {
        let exposition = prometheus::render(vec![Figures::of(&evidence, &diagnosis, None)]);
        let (families, all) = series(&exposition);
        assert_eq!(families, METRICS.map(ToOwned::to_owned).into(), "{name}");
        for metric in METRICS.iter().filter(|metric| **metric != "ssh_doctor_diagnosis") {
            assert!(all.iter().any(|series| series.starts_with(metric)), "{name}: {metric}");
        }
        let found: BTreeSet<_> = diagnosis.findings.iter().map(|found| (found.code, found.stage)).collect();
        assert_eq!(all.iter().filter(|series| series.starts_with("ssh_doctor_diagnosis")).count(), found.len());
        lines.push(Figures::of(&evidence, &diagnosis, Some(&format!("{name}\"\\\n"))));
    }
    let together = prometheus::render(lines);
    let (_, all) = series(&together);
    assert!(all.iter().all(|series| series.contains("{target=\"")), "{together}");
    if has("promtool") {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(together.as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn a_report_file_is_replaced_at_once_and_readable_by_a_collector() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ssh.prom");
    fs::write(&file, "old").unwrap();
    let (port, name) = (closed_port(), file.display().to_string());
    let output = run(&["check", "-F", "none", "--idle", "0", "--format", "prometheus", "--output", &name, &port]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    let exposition = fs::read_to_string(&file).unwrap();
    let success = format!("probe_success{{target=\"{port}\"}} 0");
    assert!(exposition.lines().any(|line| line == success), "{exposition}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    for (path, said) in [("/nonexistent/x.prom", "No such file"), ("/", "plain file")] {
        let output = run(&["check", "-F", "none", "--output", path, &port]);
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stderr).contains(said), "{output:?}");
    }
}

#[test]
fn brief_json_has_the_same_keys_with_nothing_in_them() {
    let port = closed_port();
    let check = |more: &[&str]| {
        let output = run(&[&["check", "-F", "none", "--idle", "0", "--format", "json"], more, &[&port]].concat());
        reports(&text(&output.stdout)).remove(0)
    };
    let (full, brief) = (check(&[]), check(&["--brief"]));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&full), keys(&brief));
    let (whole, short) = (&full["diagnoses"][0], &brief["diagnoses"][0]);
    assert_eq!(keys(whole), keys(short));
    assert_eq!((&whole["code"], &whole["title"]), (&short["code"], &short["title"]));
    assert!(!whole["fixes"].as_array().unwrap().is_empty());
    assert_eq!((&short["fixes"], &short["explanation"]), (&serde_json::json!([]), &serde_json::json!("")));
    assert!(brief["checks"].as_array().unwrap().iter().all(|check| check["evidence"] == serde_json::json!({})));
    assert!(brief.to_string().len() < 4096, "{} bytes", brief.to_string().len());
}

#[test]
fn old_evidence_says_nothing_of_today() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idle.json");
    record::save(&healthy(), &file, record::Words::Anonymous).unwrap();
    let name = file.display().to_string();
    let fresh = run(&["diagnose", "--format", "nagios", "--max-age", "800000h", &name]);
    assert_eq!(fresh.status.code(), Some(0), "{fresh:?}");
    assert!(text(&fresh.stdout).contains("idle_survived="), "{fresh:?}");
    let old = run(&["diagnose", "--format", "nagios", "--max-age", "26h", &name]);
    assert_eq!(old.status.code(), Some(3), "{old:?}");
    let said = text(&old.stdout);
    assert!(said.starts_with("SSH UNKNOWN - ") && said.contains("--max-age"), "{said}");
}
