//! The exporter, from the built binary: probes, the allow-list, shared results and its configuration.

#![allow(clippy::float_cmp, reason = "counters and copies of a value are compared")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::eventually;
use crate::support::exporter::{Exporter, HANDSHAKE, PATIENCE, closed, serve, silent};
use crate::support::keep_reports;

#[test]
fn a_probe_answers_with_metrics_json_or_the_whole_report() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Exporter::start(folder.path(), HANDSHAKE, &[]);
    let target = closed();
    let metrics = exporter.get(&format!("/probe?target={target}&module=handshake"));
    assert_eq!(metrics.status(), 200);
    assert!(metrics.has("probe_success 0") && metrics.has("ssh_doctor_timed_out 0"), "{}", metrics.0);
    assert!(
        metrics.has("ssh_doctor_diagnosis{code=\"tcp-refused\",stage=\"tcp\",severity=\"critical\"} 1"),
        "{}",
        metrics.0
    );
    let json = exporter.get(&format!("/probe?target={target}&format=json"));
    keep_reports(json.body());
    let report: Value = serde_json::from_str(json.body()).unwrap();
    assert_eq!((&report["verdict"], &report["target"]["input"]), (&"broken".into(), &target.to_string().into()));
    let debug = exporter.get(&format!("/probe?target={target}&debug=true"));
    assert!(debug.body().contains("tcp-refused") && debug.body().contains("only:\n- handshake"), "{}", debug.0);

    let results: Value = serde_json::from_str(exporter.get(&format!("/results?target={target}")).body()).unwrap();
    assert_eq!(results["failures"][0]["code"], "tcp-refused", "{results:#}");
    assert_eq!(results["reports"][0]["diagnoses"][0]["code"], "tcp-refused");
    for (path, status, said) in [
        ("/", 200, "/probe?module=handshake"),
        ("/-/healthy", 200, "healthy"),
        ("/-/ready", 200, "ready"),
        ("/config", 200, "127.0.0.0/8"),
        ("/results", 200, "tcp-refused"),
        ("/results?target=other", 404, "no results"),
        ("/nothing", 404, "no such page"),
        ("/probe", 400, "target is missing"),
        ("/probe?target=127.0.0.1&module=x", 400, "the modules are handshake"),
        ("/probe?target=root@127.0.0.1", 400, "login name"),
        ("/probe?target=-oProxyCommand%3Dx", 400, "dash"),
        ("/probe?target=a%0ab", 400, "control character"),
        ("/-/reload", 405, "POST"),
    ] {
        let answer = exporter.get(path);
        assert_eq!(answer.status(), status, "{path}: {}", answer.0);
        assert!(answer.body().contains(said), "{path}: {}", answer.0);
    }
    let long = exporter.get(&format!("/probe?target={}", "x".repeat(2000)));
    assert_eq!(long.status(), 400);
    assert_eq!(exporter.metric("ssh_doctor_probes_total{module=\"handshake\",verdict=\"broken\"}"), 3.0);
}

#[test]
fn the_scrape_timeout_limits_a_probe_and_a_silent_target_is_named_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Exporter::start(folder.path(), &format!("min_interval: 0s\n{HANDSHAKE}"), &[]);
    let (target, _) = silent();
    let scrape = |seconds: f64| {
        let began = Instant::now();
        (exporter.scrape(&format!("/probe?target={target}"), seconds), began.elapsed())
    };
    let (named, took) = scrape(5.0);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(named.body().contains("code=\"handshake-no-banner\""), "{}", named.0);
    assert!(named.has("ssh_doctor_timed_out 0"), "{}", named.0);
    let (cut, took) = scrape(1.5);
    assert!(took < Duration::from_millis(1500), "{took:?}");
    assert_eq!(cut.status(), 200);
    assert!(cut.has("probe_success 0") && cut.has("ssh_doctor_timed_out 1"), "{}", cut.0);
    assert!(cut.has("ssh_doctor_verdict{verdict=\"inconclusive\"} 1"), "{}", cut.0);
}

#[test]
fn only_targets_on_the_allow_list_are_probed() {
    let folder = tempfile::tempdir().unwrap();
    let (target, count) = silent();
    let port = target.port();
    let modules = "modules:\n  m:\n    only: [tcp]\n    ssh_config: none\n";
    let exporter = Exporter::start(folder.path(), modules, &[]);
    assert_eq!(exporter.get(&format!("/probe?target=127.0.0.1:{port}")).status(), 403, "nothing is allowed by default");
    let allow = format!("allow:\n  names: [\"localhost\", \"*.corp\"]\n  networks: [127.0.0.2/32]\n{modules}");
    fs::write(folder.path().join("serve.yml"), allow).unwrap();
    assert_eq!(exporter.ask("POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status(), 200);
    for target in [format!("127.0.0.1:{port}"), "evil.example".to_owned(), format!("localhost:{port}")] {
        let answer = exporter.get(&format!("/probe?target={target}"));
        assert_eq!(answer.status(), 403, "{target}: {}", answer.0);
        assert!(answer.body().contains("not on the allow-list"), "{target}: {}", answer.0);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0, "nothing was connected to");
    assert_eq!(exporter.get(&format!("/probe?target=127.0.0.2:{port}")).status(), 200);
    assert_eq!(exporter.metric("ssh_doctor_probes_refused_total"), 4.0);
}

#[test]
fn the_same_probe_at_the_same_time_is_made_once_and_kept_for_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!("min_interval: 3s\n{}    stage: 1s\n", HANDSHAKE.replace("[handshake]", "[tcp]"));
    let exporter = Arc::new(Exporter::start(folder.path(), &yaml, &[]));
    let (target, count) = silent();
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let exporter = exporter.clone();
            thread::spawn(move || exporter.get(&format!("/probe?target={target}")).has("probe_success 1"))
        })
        .collect();
    assert!(asking.into_iter().all(|asked| asked.join().unwrap()));
    // The kernel connects before the server's thread counts it.
    let counted = |connections| eventually(PATIENCE, || count.load(Ordering::SeqCst) == connections);
    assert!(counted(1), "{count:?}");
    assert!(exporter.get(&format!("/probe?target={target}&debug=true")).status() == 200);
    assert!(counted(2), "debug is always fresh: {count:?}");
    thread::sleep(Duration::from_millis(3100));
    assert_eq!(exporter.get(&format!("/probe?target={target}")).status(), 200);
    assert!(counted(3), "{count:?}");
    let shared =
        exporter.metric("ssh_doctor_probes_joined_total") + exporter.metric("ssh_doctor_probes_repeated_total");
    assert_eq!(shared, 7.0);
}

#[test]
fn a_bad_configuration_is_one_sentence_with_its_line_and_never_replaces_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("serve.yml");
    let name = config.display().to_string();
    let of_module = |line: &str| format!("modules:\n  other: {{}}\n  m:\n    {line}\n");
    let cases = [
        (of_module("onyl: [tcp]"), Some(4), "unknown field `onyl`"),
        (of_module("only: [smtp]"), Some(4), "'smtp' is not a check"),
        (of_module("expect: [ftp]"), Some(4), "'ftp' is not a service; the services are shell"),
        (of_module("timeout: 5"), Some(4), "'5' is not a duration"),
        (of_module("timeout: 0s"), Some(4), "modules.m.timeout"),
        (of_module("port: 0"), Some(4), "modules.m.port"),
        (of_module("port: 70000"), Some(4), "a number up to 65535"),
        (of_module("user: ''"), Some(4), "modules.m.user"),
        (of_module("jump: h:99999"), Some(4), "has no valid port"),
        (of_module("jump: ssh://u:hunter2@h"), Some(4), "password"),
        (of_module("options: {NoSuchOption: 1}"), Some(4), "Bad configuration option: nosuchoption"),
        (of_module("options: {Port: 1, Port: 2}"), Some(4), "'Port' is there twice"),
        (of_module("identities: [/nonexistent/key]"), Some(4), "/nonexistent/key is not a file"),
        (of_module("identities: [bare]"), Some(4), "CREDENTIALS_DIRECTORY"),
        (of_module("password_file: /nonexistent/password"), Some(4), "is not a file"),
        (of_module("ssh_config: /nonexistent/config"), Some(4), "is not a file"),
        (of_module("idle: {every: 1m, longest: 6m}"), Some(4), "modules.m.idle.every"),
        (of_module("expect: [sftp]\n    only: [tcp]"), Some(3), "channel check"),
        (of_module("only: [tcp]\n    skip: [tcp]"), Some(3), "--only tcp needs"),
        ("allow:\n  networks: [10.0.0.0/64]\nmodules: {}\n".to_owned(), Some(2), ""),
        ("modules:\n  m: {}\n  m: {}\n".to_owned(), Some(2), "'m' is there twice"),
        ("modules: {}\n".to_owned(), Some(1), "modules: it is empty"),
        ("\nmax_probes: 0\nmodules: {m: {}}\n".to_owned(), Some(2), "max_probes"),
        ("modules: [\n".to_owned(), None, "line "),
        (of_module(&format!("only: {}", "[".repeat(100_000))), Some(4), "nested"),
        ("web_config: /nonexistent/web.yml\nmodules: {m: {}}\n".to_owned(), None, "/nonexistent/web.yml"),
    ];
    for (yaml, line, said) in cases {
        let yaml = yaml.as_str();
        let place = line.map_or_else(String::new, |line| format!("{name} line {line}: "));
        fs::write(&config, yaml).unwrap();
        let output = serve(folder.path()).arg("--check-config").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{yaml}: {error}");
        assert!(error.starts_with("ssh-doctor: ") && error.lines().count() == 1, "{yaml}: {error}");
        assert!(error.contains(said) && error.contains(&place), "{yaml}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    // A module without settings is one.
    fs::write(&config, "modules:\n  m:\n").unwrap();
    assert_eq!(serve(folder.path()).arg("--check-config").status().unwrap().code(), Some(0));
    let exporter = Exporter::start(folder.path(), HANDSHAKE, &[]);
    fs::write(&config, "modules: [").unwrap();
    exporter.signal("-HUP");
    assert!(eventually(PATIENCE, || exporter.metric("ssh_doctor_config_last_reload_successful") == 0.0));
    assert!(eventually(PATIENCE, || exporter.log().contains("the previous one stays")), "{}", exporter.log());
    assert_eq!(exporter.get(&format!("/probe?target={}&module=handshake", closed())).status(), 200);
    fs::write(&config, HANDSHAKE.replace("handshake:", "other:")).unwrap();
    exporter.signal("-HUP");
    assert!(eventually(PATIENCE, || exporter.metric("ssh_doctor_config_last_reload_successful") == 1.0));
    assert_eq!(exporter.get(&format!("/probe?target={}&module=other", closed())).status(), 200);
}

#[test]
fn a_probe_that_joins_a_longer_one_is_cut_off_at_its_own_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Arc::new(Exporter::start(folder.path(), HANDSHAKE, &[]));
    let (target, count) = silent();
    let path = format!("/probe?target={target}");
    let first = {
        let (exporter, path) = (exporter.clone(), path.clone());
        thread::spawn(move || exporter.get(&path))
    };
    assert!(eventually(PATIENCE, || count.load(Ordering::SeqCst) == 1));
    let joined = exporter.scrape(&path, 1.5);
    assert_eq!(joined.status(), 200);
    assert!(joined.has("probe_success 0") && joined.has("ssh_doctor_timed_out 1"), "{}", joined.0);
    assert!(joined.has("ssh_doctor_verdict{verdict=\"inconclusive\"} 1"), "{}", joined.0);
    assert!(first.join().unwrap().body().contains("code=\"handshake-no-banner\""));
    assert_eq!(exporter.metric("ssh_doctor_probes_joined_total"), 1.0);
}

#[test]
fn the_second_server_of_a_pair_gets_the_result_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Exporter::start(folder.path(), &HANDSHAKE.replace("[handshake]", "[tcp]"), &[]);
    let (target, count) = silent();
    let path = format!("/probe?target={target}");
    for _ in 0..2 {
        assert!(exporter.scrape(&path, 60.0).has("probe_success 1"));
    }
    // What accepts there counts a moment later than the probe is over.
    assert!(eventually(PATIENCE, || count.load(Ordering::SeqCst) == 1));
    // Without a scrape timeout nothing is known of the interval: the result is new.
    for _ in 0..2 {
        assert!(exporter.get(&path).has("probe_success 1"));
    }
    assert!(eventually(PATIENCE, || count.load(Ordering::SeqCst) == 3));
    assert_eq!(exporter.metric("ssh_doctor_probes_repeated_total"), 1.0);
}
