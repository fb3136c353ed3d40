//! Many targets at once, from the built binary: a report for every line, politely, cut short and gone on with.

mod settings;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::eventually;
use crate::support::reports;

fn doctor(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.arg("check").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("SSH_DOCTOR_PASSWORD").env_remove("SSH_AUTH_SOCK");
    command
}

fn run(args: &[&str]) -> Output {
    doctor(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn inputs(reports: &[Value]) -> Vec<String> {
    let mut inputs: Vec<_> =
        reports.iter().map(|report| report["target"]["input"].as_str().unwrap().to_owned()).collect();
    inputs.sort();
    inputs
}

/// A list with one target a line.
fn list(folder: &Path, targets: impl IntoIterator<Item = String>) -> String {
    let file = folder.join("targets");
    fs::write(&file, targets.into_iter().map(|target| target + "\n").collect::<String>()).unwrap();
    file.display().to_string()
}

/// A server on every address of loopback that says nothing and closes a connection after a while; it notes how many of one address and
/// of one network are open at the same time.
struct Silent {
    port: u16,
    most: Arc<Mutex<Most>>,
}

#[derive(Default)]
struct Most {
    open: HashMap<IpAddr, usize>,
    of_address: usize,
    addresses: usize,
    seen: usize,
}

impl Silent {
    fn start(held: Duration) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let most = Arc::new(Mutex::new(Most::default()));
        let noted = most.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(connection) = connection else { return };
                let address = connection.local_addr().unwrap().ip();
                {
                    let mut most = noted.lock().unwrap();
                    *most.open.entry(address).or_default() += 1;
                    most.seen += 1;
                    most.of_address = most.of_address.max(most.open[&address]);
                    most.addresses = most.addresses.max(most.open.values().filter(|open| **open > 0).count());
                }
                let noted = noted.clone();
                thread::spawn(move || {
                    let until = Instant::now() + held;
                    let (mut connection, mut bytes) = (connection, [0; 256]);
                    loop {
                        let left = until.saturating_duration_since(Instant::now());
                        if left.is_zero() || connection.set_read_timeout(Some(left)).is_err() {
                            break;
                        }
                        if !matches!(connection.read(&mut bytes), Ok(1..)) {
                            break;
                        }
                    }
                    *noted.lock().unwrap().open.get_mut(&address).unwrap() -= 1;
                });
            }
        });
        Self { port, most }
    }
}

/// Only as far as the server's first words, which never come.
const HANDSHAKE: [&str; 8] = ["-F", "none", "--only", "handshake", "--timeout", "600ms", "--format", "json"];

#[test]
fn every_line_gives_a_report_in_every_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let lines = [
        format!("# comment\n127.0.0.1:{closed} site=fra role=db"),
        "me@127.0.0.2:22".to_owned(),
        "http://h".to_owned(),
        "h other".to_owned(),
        String::new(),
        "-oProxyCommand=x".to_owned(),
        "\u{1b}[31mred".to_owned(),
        "127.0.0.2:22 # once more".to_owned(),
    ];
    let list = list(folder.path(), lines);
    let output = run(&["-F", "none", "--only", "tcp", "--format", "json", "--targets", &list]);
    let reports = reports(&text(&output.stdout));
    assert_eq!(reports.len(), 7, "{output:?}");
    let find = |input: &str| reports.iter().find(|report| report["target"]["input"] == input).unwrap();
    assert_eq!(
        find(&format!("127.0.0.1:{closed}"))["target"]["labels"],
        serde_json::json!({"site": "fra", "role": "db"})
    );
    for (input, said) in [
        ("http://h", "not ssh"),
        ("h", "'other' is not a label"),
        ("-oProxyCommand=x", "dash"),
        ("\u{1b}[31mred", "control character"),
    ] {
        let report = find(input);
        assert_eq!(report["verdict"], "inconclusive", "{report:#}");
        assert!(report.to_string().contains(said), "{report:#}");
    }
    assert_eq!(output.status.code(), Some(2), "the worst of them");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_list_of_file_sd_is_read_from_standard_input() {
    let groups =
        r#"[{"targets": ["127.0.0.1:22", "127.0.0.2:22"], "labels": {"site": "fra"}}, {"targets": ["[::1]:22"]}]"#;
    let feed = |text: &str| {
        let mut child = doctor(&["-F", "none", "--only", "dns", "--format", "json", "--targets", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = feed(groups);
    let all = reports(&text(&output.stdout));
    assert_eq!(inputs(&all), ["127.0.0.1:22", "127.0.0.2:22", "[::1]:22"]);
    assert_eq!(all.iter().filter(|report| report["target"]["labels"]["site"] == "fra").count(), 2);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // An address in brackets is no list, and a list that breaks off gives what it has.
    assert_eq!(inputs(&reports(&text(&feed("[::1]:22\n").stdout))), ["[::1]:22"]);
    let broken = feed(r#"[{"targets": ["127.0.0.1:22"]}, {"targets": ["#);
    assert_eq!(inputs(&reports(&text(&broken.stdout))), ["127.0.0.1:22"]);
    assert_eq!(broken.status.code(), Some(3));
    assert!(text(&broken.stderr).contains("not a list of file_sd: EOF while parsing"), "{broken:?}");
}

#[test]
fn an_address_is_examined_once_at_a_time_and_a_network_32_times() {
    let folder = tempfile::tempdir().unwrap();
    let server = Silent::start(Duration::from_millis(700));
    let port = server.port;
    // By the number of jobs alone, some addresses would be used four times at once, and 60 together.
    let targets = (1..=10).flat_map(|host| [host; 4]).chain(11..=90).map(|host| format!("127.9.9.{host}:{port}"));
    let list = list(folder.path(), targets);
    let output = run(&[&HANDSHAKE[..], &["--jobs", "100", "--targets", &list]].concat());
    assert_eq!(reports(&text(&output.stdout)).len(), 120, "{output:?}");
    let (seen, of_address, addresses) = {
        let most = server.most.lock().unwrap();
        (most.seen, most.of_address, most.addresses)
    };
    // A silent server is looked at again beside the first connection, and sees the end of a connection a little late.
    assert!(seen >= 120 && of_address <= 2, "{of_address} at one address");
    assert!((16..=40).contains(&addresses), "{addresses} addresses of one network");
}

#[test]
fn behind_one_proxy_at_most_four_are_examined_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (script, notes) = (folder.path().join("proxy"), folder.path().join("open"));
    fs::create_dir(&notes).unwrap();
    let most = folder.path().join("most");
    fs::write(
        &script,
        format!(
            "#!/bin/sh\ntouch {notes}/$$\nls {notes} | wc -l >>{most}\nsleep 0.3\nrm {notes}/$$\n",
            notes = notes.display(),
            most = most.display()
        ),
    )
    .unwrap();
    let config = folder.path().join("config");
    fs::write(&config, format!("Host *\n  ProxyCommand sh {} %h %p\n", script.display())).unwrap();
    let list = list(folder.path(), (1..=16).map(|number| format!("inner{number}.invalid")));
    let options = ["--only", "handshake", "--timeout", "2s", "--format", "json", "--jobs", "16", "--targets", &list];
    let output = run(&[&["-F", config.to_str().unwrap()][..], &options].concat());
    assert_eq!(reports(&text(&output.stdout)).len(), 16, "{output:?}");
    let counts: Vec<u32> = fs::read_to_string(most).unwrap().lines().map(|line| line.trim().parse().unwrap()).collect();
    let most = counts.iter().max().unwrap();
    assert!(counts.len() >= 16 && (2..=4).contains(most), "{counts:?}");
}

#[test]
fn the_parts_of_a_list_are_disjoint_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<String> = (1..=60).map(|host| format!("127.0.1.{host}:22")).collect();
    let list = list(folder.path(), all.clone());
    let mut seen = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let output = run(&["-F", "none", "--only", "dns", "--format", "json", "--shard", part, "--targets", &list]);
        let part = inputs(&reports(&text(&output.stdout)));
        assert!((8..=35).contains(&part.len()), "{part:?}");
        seen.extend(part);
    }
    let (unique, expected): (BTreeSet<_>, BTreeSet<_>) = (seen.iter().collect(), all.iter().collect());
    assert_eq!((seen.len(), unique), (60, expected));
}

#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let server = Silent::start(Duration::from_millis(300));
    let targets: Vec<String> = (1..=40).map(|host| format!("127.8.{host}.1:{}", server.port)).collect();
    let list = list(folder.path(), targets);
    let file = folder.path().join("reports.jsonl");
    let resume = ["--resume", file.to_str().unwrap(), "--targets", &list, "--jobs", "4"];
    let lines = || fs::read_to_string(&file).map(|text| text.matches('\n').count()).unwrap_or_default();
    for wanted in [8, 16] {
        let mut child = doctor(&[&HANDSHAKE[..], &resume].concat()).stdout(Stdio::null()).spawn().unwrap();
        assert!(eventually(Duration::from_secs(30), || lines() >= wanted), "{} lines", lines());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let before = lines();
    // As if the kill had come in the middle of a write.
    let mut whole = fs::read(&file).unwrap();
    whole.extend(b"{\"schema_version\":1,\"tool\"");
    fs::write(&file, whole).unwrap();
    let output = run(&[&HANDSHAKE[..], &resume].concat());
    assert!(text(&output.stderr).contains("cut off"), "{output:?}");
    assert_eq!(reports(&text(&output.stdout)).len(), 40 - before, "only what was left is printed");
    let kept = reports(&fs::read_to_string(&file).unwrap());
    assert_eq!(inputs(&kept).into_iter().collect::<BTreeSet<_>>().len(), 40);
    assert_eq!(kept.len(), 40);
    let again = run(&[&HANDSHAKE[..], &resume].concat());
    assert!(again.stdout.is_empty() && again.status.code() == Some(2), "{again:?}");
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

#[test]
fn an_interrupted_run_keeps_what_is_done_and_says_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let server = Silent::start(Duration::from_secs(5));
    let targets: Vec<String> = (1..=200).map(|host| format!("127.7.{host}.1:{}", server.port)).collect();
    let list = list(folder.path(), targets);
    let options = ["-F", "none", "--only", "handshake", "--timeout", "1s", "--jobs", "8", "--targets", &list];
    let child = doctor(&options).spawn().unwrap();
    assert!(eventually(Duration::from_secs(30), || server.most.lock().unwrap().seen > 10));
    interrupt(&child);
    let began = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let said = text(&output.stdout);
    let lines = said.lines().take_while(|line| !line.is_empty()).count();
    let left: usize = said
        .lines()
        .find_map(|line| line.strip_prefix("Not examined: ")?.strip_suffix(" targets")?.parse().ok())
        .unwrap_or_else(|| panic!("{said}"));
    assert_eq!(lines + left, 200, "{said}");
    assert!(lines >= 8 && left > 100, "{said}");
}

#[test]
fn a_deadline_ends_a_run_of_many() {
    let folder = tempfile::tempdir().unwrap();
    let server = Silent::start(Duration::from_secs(9));
    let list = list(folder.path(), (1..=100).map(|host| format!("127.6.{host}.1:{}", server.port)));
    let began = Instant::now();
    let options = ["--jobs", "8", "--deadline", "3s", "--timeout", "1m", "--targets", &list];
    let output = run(&[&["-F", "none", "--only", "handshake"][..], &options].concat());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let said = text(&output.stdout);
    assert!(said.contains("8 inconclusive") && said.contains("Not examined: 92 targets"), "{said}");
    assert!(said.contains("the deadline passed during the handshake check"), "{said}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn targets_begin_at_the_rate_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let list = list(folder.path(), (1..=30).map(|host| format!("127.5.0.{host}:22")));
    let began = Instant::now();
    let output = run(&["-F", "none", "--only", "dns", "--rate", "20/s", "--targets", &list]);
    assert!(began.elapsed() >= Duration::from_millis(1400), "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_summary_folds_the_names_of_each_cause() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let targets = (1..=20).map(|host| format!("127.4.0.{host}:{closed}")).chain(["127.4.1.1:x".to_owned()]);
    let list = list(folder.path(), targets);
    let said = text(&run(&["-F", "none", "--only", "tcp", "--color", "never", "--targets", &list]).stdout);
    let summary: Vec<&str> = said.lines().skip_while(|line| !line.is_empty()).collect();
    assert!(summary[1].starts_with("21 targets: 20 broken, 1 inconclusive ("), "{said}");
    assert_eq!(summary[3], "tcp-refused (20)", "{said}");
    assert!(summary[4..6].join(" ").contains("all in 127.4.0.0/27"), "{said}");
    assert!(said.contains(&format!("\n  127.4.0.[1-20]:{closed}\n")), "{said}");
    let details = run(&["-F", "none", "--only", "tcp", "--details", "--targets", &list]);
    assert!(text(&details.stdout).matches("ssh-doctor explain tcp-refused").count() == 20, "{details:?}");
}

#[test]
fn metrics_of_many_targets_have_a_label_each_and_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let few = list(folder.path(), (1..=3).map(|host| format!("127.3.0.{host}:22")));
    let only = ["-F", "none", "--only", "dns", "--format", "prometheus", "--targets"];
    let exposition = text(&run(&[&only[..], &[&few]].concat()).stdout);
    assert_eq!(exposition.matches("# HELP probe_success ").count(), 1);
    for host in 1..=3 {
        assert!(exposition.contains(&format!("probe_success{{target=\"127.3.0.{host}:22\"}} 1\n")), "{exposition}");
    }
    let many = list(folder.path(), (0..5001).map(|n| format!("127.3.{}.{}:22", n / 250, n % 250 + 1)));
    let refused = run(&[&only[..], &[&many]].concat());
    assert_eq!(refused.status.code(), Some(3));
    assert!(refused.stdout.is_empty() && text(&refused.stderr).contains("at most 5000"), "{refused:?}");
    let nagios = run(&["--format", "nagios", "a", "b"]);
    assert!(text(&nagios.stdout).starts_with("SSH UNKNOWN - ") && nagios.stderr.is_empty(), "{nagios:?}");
}
