//! The files of docs/monitoring.md with the programs they are for: Prometheus, promtool, blackbox_exporter, Nagios, Icinga, DuckDB.

#![allow(clippy::float_cmp, reason = "counters and copies of a value are compared")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use ssh_doctor::record;

use crate::lab::{eventually, has, python};
use crate::support::exporter::{Answer, Exporter, closed, silent};
use crate::support::healthy;
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

#[test]
fn icinga_accepts_the_check_commands() {
    if has("icinga2") {
        let mut command = Command::new("/usr/sbin/icinga2");
        command.args(["daemon", "-C", "-DRunAsUser=root", "-DRunAsGroup=root", "-c"]).arg(guide("icinga2.conf"));
        let output = successful(&mut command);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("Instantiated 2 CheckCommands") && !said.contains("warning/"), "{said}");
    }
}

/// What Debian's configuration of Nagios defines for all hosts and services, with checks every second.
const NAGIOS_TEMPLATES: &str = "
define timeperiod {
  timeperiod_name  24x7
  alias            24x7
  sunday           00:00-24:00
  monday           00:00-24:00
  tuesday          00:00-24:00
  wednesday        00:00-24:00
  thursday         00:00-24:00
  friday           00:00-24:00
  saturday         00:00-24:00
}
define command {
  command_name  notify
  command_line  /bin/true
}
define contact {
  contact_name                   admin
  host_notifications_enabled     0
  service_notifications_enabled  0
  host_notification_period       24x7
  service_notification_period    24x7
  host_notification_commands     notify
  service_notification_commands  notify
}
define host {
  name                   generic-host
  register               0
  contacts               admin
  check_period           24x7
  notification_period    24x7
  notification_interval  60
  check_interval         5
  max_check_attempts     3
}
define service {
  name                   generic-service
  register               0
  contacts               admin
  check_period           24x7
  notification_period    24x7
  notification_interval  60
  check_interval         5
  retry_interval         5
  max_check_attempts     3
}
";

/// The main configuration: all its files in the folder `{0}`, an interval of a second, all checks at once.
const NAGIOS_MAIN: &str = "cfg_file={0}/templates.cfg
cfg_file={0}/objects.cfg
log_file={0}/log
status_file={0}/status.dat
object_cache_file={0}/objects.cache
precached_object_file={0}/objects.precache
state_retention_file={0}/retention.dat
lock_file={0}/lock
temp_file={0}/temp
temp_path={0}
command_file={0}/commands
query_socket={0}/query
check_result_path={0}/results
nagios_user=root
nagios_group=root
check_external_commands=0
check_for_updates=0
use_syslog=0
interval_length=1
status_update_interval=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
illegal_macro_output_chars=`~$&|<>
";

#[test]
fn nagios_core_runs_the_plugin_and_reads_its_output() {
    let Some(sshd) = LoopbackSshd::start() else { return };
    if !has("nagios4") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    fs::create_dir(folder.path().join("results")).unwrap();
    fs::write(folder.path().join("ssh_config"), sshd.ssh_config()).unwrap();
    let mut recording = healthy();
    recording.started_at = jiff::Timestamp::now();
    record::save(&recording, &folder.path().join("db1.json"), record::Words::Anonymous).unwrap();
    let objects = adapted(
        "nagios.cfg",
        &[
            ("/usr/bin/ssh-doctor check", &format!("{DOCTOR} check -F {name}/ssh_config")),
            ("/usr/bin/ssh-doctor diagnose", &format!("{DOCTOR} diagnose")),
            ("/var/lib/ssh-doctor", &name),
            ("monitor!/etc/nagios4/monitor_key", &format!("root!{}", sshd.identity().display())),
            ("db1.corp.example", "127.0.0.1"),
        ],
    );
    fs::write(folder.path().join("objects.cfg"), objects).unwrap();
    fs::write(folder.path().join("templates.cfg"), NAGIOS_TEMPLATES).unwrap();
    let main = folder.path().join("nagios.cfg");
    fs::write(&main, NAGIOS_MAIN.replace("{0}", &name)).unwrap();
    successful(Command::new("/usr/sbin/nagios4").arg("-v").arg(&main));

    let _nagios = Running::start(Command::new("/usr/sbin/nagios4").arg(&main));
    let status = || fs::read_to_string(folder.path().join("status.dat")).unwrap_or_default();
    let outputs = || {
        let status = status();
        let outputs = status.lines().filter_map(|line| line.trim().strip_prefix("plugin_output=SSH OK - "));
        outputs.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    // The host, the session and the idle test.
    assert!(eventually(PATIENCE, || outputs().len() == 3), "{}", status());
    let status = status();
    let figures: Vec<_> = status.lines().filter_map(|line| line.trim().strip_prefix("performance_data=")).collect();
    assert!(figures.iter().any(|figures| figures.contains("handshake=") && figures.contains("auth=")), "{figures:?}");
    assert!(figures.iter().any(|figures| figures.contains("idle_survived=")), "{figures:?}");
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
