//! The files of docs/monitoring.md with the programs they are for: Prometheus, promtool, blackbox_exporter, Nagios, Icinga, DuckDB.

#![allow(clippy::float_cmp, reason = "counters and copies of a value are compared")]

mod nagios;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{eventually, has, python};
use crate::support::exporter::{Answer, Exporter, closed, silent};
use crate::support::loopback::LoopbackSshd;

const PATIENCE: Duration = Duration::from_secs(90);

const DOCTOR: &str = env!("CARGO_BIN_EXE_ssh-doctor");

/// A file of the guide.
fn guide(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring").join(name)
}

/// The text of a file of the guide, with replacements, each of which must be needed.
fn adapted(name: &str, replacements: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(guide(name)).unwrap();
    replacements.iter().fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{name} does not contain {old}");
        text.replace(old, new)
    })
}

fn successful(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// A program that runs until this is dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// A GET by HTTP/1.0, so that the body comes in one piece; none where it fails.
fn get(address: SocketAddr, path: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(Answer(text))
}

/// The series that a query of Prometheus gives, or its error.
fn query(prometheus: SocketAddr, query: &str) -> Result<Vec<Value>, String> {
    let encoded = query.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"));
    let answer = get(prometheus, &format!("/api/v1/query?query={encoded}")).ok_or("no answer")?;
    let value: Value = serde_json::from_str(answer.body()).map_err(|error| format!("{error}: {}", answer.0))?;
    match value["status"].as_str() {
        Some("success") => Ok(value["data"]["result"].as_array().cloned().unwrap_or_default()),
        _ => Err(value.to_string()),
    }
}

#[test]
fn promtool_accepts_the_scrape_configuration_and_the_rules_alert_as_described() {
    if has("promtool") {
        successful(Command::new("promtool").args(["check", "config"]).arg(guide("prometheus.yml")));
        successful(Command::new("promtool").args(["test", "rules"]).arg(guide("rules_test.yml")));
    }
}

#[test]
fn the_configurations_of_the_exporter_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("monitor_key");
    fs::write(&key, "").unwrap();
    let check = |name: &str| {
        let mut command = Command::new(DOCTOR);
        command.args(["serve", "--check-config", "--config"]).arg(folder.path().join(name));
        command.env("CREDENTIALS_DIRECTORY", folder.path());
        command
    };
    fs::write(folder.path().join("serve.yml"), adapted("serve.yml", &[])).unwrap();
    successful(&mut check("serve.yml"));

    let certificate = |name: &str| folder.path().join(name);
    successful(
        Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-subj", "/CN=exporter", "-keyout"])
            .arg(certificate("exporter.key"))
            .arg("-out")
            .arg(certificate("exporter.crt")),
    );
    fs::write(folder.path().join("web.yml"), adapted("web.yml", &[])).unwrap();
    successful(check("serve.yml").arg("--web-config").arg(folder.path().join("web.yml")));

    let manifests = adapted("kubernetes.yaml", &[]);
    let config = manifests
        .split("\n---\n")
        .map(|manifest| yaml_serde::from_str::<Value>(manifest).unwrap())
        .find_map(|manifest| manifest["data"]["serve.yml"].as_str().map(ToOwned::to_owned))
        .unwrap();
    let config = config.replace("/run/secrets/ssh-doctor", &folder.path().display().to_string());
    fs::write(folder.path().join("kubernetes.yml"), config).unwrap();
    successful(&mut check("kubernetes.yml"));
}

/// The server of three exporters, for the targets of the guide's scrape configuration.
struct Monitored {
    _exporters: Vec<Exporter>,
    _prometheus: Running,
    address: SocketAddr,
}

/// Starts three exporters and a Prometheus with the configuration of the guide and these targets.
fn monitored(folder: &Path, modules: &str, targets: &Value) -> Monitored {
    let port = TcpListener::bind("127.0.0.10:0").unwrap().local_addr().unwrap().port();
    let exporters = (0..3).map(|number| {
        let own = folder.join(number.to_string());
        fs::create_dir(&own).unwrap();
        fs::write(own.join("serve.yml"), format!("allow: {{networks: [127.0.0.0/8]}}\n{modules}")).unwrap();
        Exporter::listening(&own, &format!("127.0.0.1{number}:{port}"), &[])
    });
    let exporters: Vec<_> = exporters.collect();
    let config = adapted(
        "prometheus.yml",
        &[
            ("ssh-doctor-$1.corp.example:9822", &format!("127.0.0.1$1:{port}")),
            ("ssh-doctor-0.corp.example:9822", &format!("127.0.0.10:{port}")),
            ("ssh-doctor-1.corp.example:9822", &format!("127.0.0.11:{port}")),
            ("ssh-doctor-2.corp.example:9822", &format!("127.0.0.12:{port}")),
            ("scrape_interval: 1m", "scrape_interval: 5s\n  evaluation_interval: 2s"),
            ("scrape_timeout: 20s", "scrape_timeout: 5s"),
        ],
    );
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    fs::copy(guide("rules.yml"), folder.join("rules.yml")).unwrap();
    fs::create_dir(folder.join("targets")).unwrap();
    fs::write(folder.join("targets/fra1.json"), targets.to_string()).unwrap();
    let address = closed();
    let prometheus = Running::start(
        Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}")),
    );
    assert!(eventually(PATIENCE, || get(address, "/-/ready").is_some_and(|answer| answer.status() == 200)));
    Monitored { _exporters: exporters, _prometheus: prometheus, address }
}

/// A server that speaks HTTP.
fn http_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut client = client;
                let _ = client.read(&mut [0; 512]);
                let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            });
        }
    });
    address
}

#[test]
fn a_real_prometheus_scrapes_three_exporters_and_sees_what_blackbox_exporter_sees() {
    let Some(sshd) = LoopbackSshd::start() else { return };
    if !has("prometheus") || !has("prometheus-blackbox-exporter") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (refused, unanswered, http) = (closed(), silent().0, http_server());
    let logins: Vec<_> = (1..=4).map(|host| format!("127.0.3.{host}:{}", sshd.port)).collect();
    // So many that each exporter has some of them by its hash.
    let sick: Vec<_> = (1..=40).map(|host| format!("127.0.4.{host}:{}", refused.port())).collect();
    let other = [format!("127.0.5.1:{}", sshd.port), unanswered.to_string(), http.to_string()];
    let handshakes = [&sick[..], &other].concat();
    let targets = json!([
        {"targets": logins, "labels": {"site": "fra1"}},
        {"targets": handshakes, "labels": {"site": "fra1", "module": "handshake"}},
    ]);
    let modules =
        format!("modules:\n  handshake:\n    only: [handshake]\n    ssh_config: none\n  login:\n{}", sshd.module());
    let monitored = monitored(folder.path(), &modules, &targets);
    let prometheus = monitored.address;
    let query = |text: &str| query(prometheus, text).unwrap_or_else(|error| panic!("{text}: {error}"));

    let expected: BTreeMap<_, _> = (logins.iter().chain(&other[..1]).map(|target| (target.clone(), 1.0)))
        .chain(sick.iter().chain(&other[1..]).map(|target| (target.clone(), 0.0)))
        .collect();
    let by_instance = |text: &str| -> BTreeMap<String, f64> {
        let of = |series: &Value| {
            let value = series["value"][1].as_str().unwrap().parse().unwrap();
            (series["metric"]["instance"].as_str().unwrap().to_owned(), value)
        };
        query(text).iter().map(of).collect()
    };
    let success = || by_instance("probe_success{job=\"ssh\",site=\"fra1\"}");
    assert!(eventually(PATIENCE, || success() == expected), "{:?}", success());
    assert!(eventually(PATIENCE, || by_instance("up{job=\"ssh\"} == 1").len() == expected.len()));
    // Each exporter has its share, and is scraped itself.
    let busy = || by_instance("sum by (instance) (ssh_doctor_probes_total) > 0").len();
    assert!(eventually(PATIENCE, || busy() == 3));
    let causes = || {
        let found = query("ssh_doctor_diagnosis{severity=\"critical\"}");
        found.iter().map(|series| series["metric"]["code"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let named = ["handshake-no-banner", "handshake-not-ssh", "tcp-refused"].map(ToOwned::to_owned).into();
    assert!(eventually(PATIENCE, || causes() == named), "{:?}", causes());

    // The rules: one cause at forty hosts.
    let shared = || query("ssh_doctor:shared_cause{site=\"fra1\",code=\"tcp-refused\"} == 40").len();
    assert!(eventually(PATIENCE, || shared() == 1));
    let rules: Value = serde_json::from_str(get(prometheus, "/api/v1/rules").unwrap().body()).unwrap();
    for rule in rules["data"]["groups"][0]["rules"].as_array().unwrap() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }

    // Every query of the dashboard.
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(guide("grafana.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let expressions = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let expressions: Vec<_> = expressions.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(expressions.len() >= 15);
    for expression in expressions {
        let names = [("$job", "ssh"), ("$exporters", "ssh-doctor"), ("$site", ".*"), ("$__rate_interval", "20s")];
        let expression = names.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
        assert!(!expression.contains('$'), "{expression}");
        assert!(eventually(PATIENCE, || !query(&expression).is_empty()), "{expression} gives nothing");
    }

    // blackbox_exporter reads the banner and no more.
    let config = folder.path().join("blackbox.yml");
    fs::write(
        &config,
        "modules:\n  ssh_banner:\n    prober: tcp\n    timeout: 4s\n    tcp:\n      query_response:\n      - expect: ^SSH-2.0-\n      - send: SSH-2.0-blackbox\n",
    )
    .unwrap();
    let blackbox = closed();
    let _blackbox = Running::start(
        Command::new("prometheus-blackbox-exporter")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address={blackbox}")),
    );
    assert!(eventually(PATIENCE, || get(blackbox, "/-/healthy").is_some()));
    for (target, success) in expected {
        let probed = get(blackbox, &format!("/probe?module=ssh_banner&target={target}")).unwrap();
        assert_eq!(probed.value("probe_success"), success, "{target}: {}", probed.0);
    }
}

#[test]
fn the_jobs_of_an_array_share_a_list_and_start_again_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let port = closed().port();
    let all: BTreeSet<_> = (1..=30).map(|host| format!("127.0.6.{host}:{port}")).collect();
    let list = all.iter().fold(String::new(), |list, target| list + target + "\n");
    fs::write(folder.path().join("targets.txt"), list).unwrap();
    let path = format!("{}:{}", Path::new(DOCTOR).parent().unwrap().display(), std::env::var("PATH").unwrap());
    let reports = |task: u32| {
        let mut job = Command::new("sh");
        job.arg(guide("slurm.sh")).args(["targets.txt", "results"]).current_dir(folder.path()).env("PATH", &path);
        successful(job.env("SLURM_ARRAY_TASK_ID", task.to_string()).env("SLURM_ARRAY_TASK_COUNT", "3"));
        let reports = fs::read_to_string(folder.path().join(format!("results/{task}.jsonl"))).unwrap();
        let input =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["target"]["input"].as_str().unwrap().to_owned();
        reports.lines().map(input).collect::<Vec<_>>()
    };
    let first: Vec<_> = (1..=3).map(reports).collect();
    assert!(first.iter().all(|share| !share.is_empty()));
    assert_eq!(first.iter().map(Vec::len).sum::<usize>(), all.len());
    assert_eq!(first.iter().flatten().cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!((1..=3).map(reports).collect::<Vec<_>>(), first, "nothing is examined twice");

    let Some(python) = python("duckdb") else { return };
    let lines: String =
        (1..=3).map(|task| fs::read_to_string(folder.path().join(format!("results/{task}.jsonl"))).unwrap()).collect();
    fs::write(folder.path().join("results.jsonl"), lines).unwrap();
    let script = "import duckdb, sys\n\
                  for statement in duckdb.extract_statements(open(sys.argv[1]).read()):\n    \
                  print(duckdb.execute(statement).fetchall())\n";
    let output =
        successful(Command::new(python).args(["-c", script]).arg(guide("duckdb.sql")).current_dir(folder.path()));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("('broken', 30)") && said.contains("('tcp-refused', 30, ['127.0.6."), "{said}");
}
