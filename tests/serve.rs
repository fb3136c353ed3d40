//! The exporter, from the built binary: what it answers, to whom, in what time, and what it survives.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::eventually;
use crate::support::keep_reports;

const PATIENCE: Duration = Duration::from_secs(20);

/// An exporter with a configuration of its own.
pub(crate) struct Exporter {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
}

impl Exporter {
    /// Starts one; `allow` and `modules` are YAML, and so is what else the configuration says.
    pub(crate) fn start(folder: &Path, yaml: &str, options: &[&str]) -> Self {
        fs::write(folder.join("serve.yml"), yaml).unwrap();
        Self::again(folder, options)
    }

    /// Starts one with the configuration that is there.
    pub(crate) fn again(folder: &Path, options: &[&str]) -> Self {
        let mut child =
            serve(folder).args(["--listen", "127.0.0.1:0"]).args(options).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (told, address) = mpsc::channel();
        let log = folder.join("log");
        thread::spawn(move || {
            let mut log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
            while let Some(Ok(line)) = lines.next() {
                if let Some(address) = line.strip_prefix("ssh-doctor serve: listening on ") {
                    let _ = told.send(address.parse().unwrap());
                }
                writeln!(log, "{line}").unwrap();
            }
        });
        let address = address.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{}", read(&folder.join("log"))));
        Self { child, address, folder: folder.to_owned() }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = self.child.wait().unwrap();
        (status.code(), began.elapsed())
    }

    pub(crate) fn log(&self) -> String {
        read(&self.folder.join("log"))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        // A connection that is cut off has said what it has said.
        let _ = stream.read_to_string(&mut text);
        Answer(text)
    }

    /// The value of a series of its own metrics.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        self.get("/metrics").value(series)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer as it came.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{:?}", self.0))
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.body().lines().any(|known| known == line)
    }

    pub(crate) fn value(&self, series: &str) -> f64 {
        let value = self.body().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{series} in {}", self.0)).parse().unwrap()
    }
}

fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.arg("serve").arg("--config").arg(folder.join("serve.yml")).stdin(Stdio::null()).stdout(Stdio::null());
    command.env_remove("SSH_DOCTOR_PASSWORD").env_remove("SSH_AUTH_SOCK").env_remove("STATE_DIRECTORY");
    command
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Loopback may be probed, as far as the handshake.
const HANDSHAKE: &str =
    "allow:\n  networks: [127.0.0.0/8]\nmodules:\n  handshake:\n    only: [handshake]\n    ssh_config: none\n";

/// A port of loopback that accepts, and a count of the connections; what it sends is nothing.
fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = count.clone();
    thread::spawn(move || {
        let mut held = Vec::new();
        for connection in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            held.push(connection);
        }
    });
    (address, count)
}

fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

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
fn the_scrapes_timeout_bounds_a_probe_and_a_silent_target_is_named_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Exporter::start(folder.path(), HANDSHAKE, &[]);
    let (target, _) = silent();
    let scrape = |seconds: f64| {
        let began = Instant::now();
        let request = format!(
            "GET /probe?target={target} HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: {seconds}\r\nConnection: close\r\n\r\n"
        );
        (exporter.ask(&request), began.elapsed())
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
fn only_targets_on_the_allow_list_are_looked_into() {
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
    let made = count.load(Ordering::SeqCst);
    assert_eq!(made, 1);
    assert!(exporter.get(&format!("/probe?target={target}&debug=true")).status() == 200);
    assert!(eventually(PATIENCE, || count.load(Ordering::SeqCst) == 2), "debug is always fresh");
    thread::sleep(Duration::from_millis(3100));
    assert_eq!(exporter.get(&format!("/probe?target={target}")).status(), 200);
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let shared =
        exporter.metric("ssh_doctor_probes_joined_total") + exporter.metric("ssh_doctor_probes_repeated_total");
    assert_eq!(shared, 7.0);
}

#[test]
fn a_bad_configuration_is_one_sentence_with_its_line_and_never_replaces_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("serve.yml");
    let name = config.display().to_string();
    for (yaml, said) in [
        ("modules:\n  m:\n    onyl: [tcp]\n", format!("{name} line 3: ")),
        ("modules:\n  m:\n    only: [smtp]\n", "'smtp' is not a check".to_owned()),
        ("modules:\n  m:\n    timeout: 5\n", "'5' is not a duration".to_owned()),
        ("allow:\n  networks: [10.0.0.0/64]\nmodules: {}\n", format!("{name} line 2: ")),
        ("modules: {}\n", "modules is empty".to_owned()),
        ("max_probes: 0\nmodules: {m: {}}\n", "max_probes".to_owned()),
        ("modules: [\n", format!("{name} line ")),
        ("modules:\n  m:\n    identities: [/nonexistent/key]\n", "/nonexistent/key".to_owned()),
        ("modules:\n  m:\n    identities: [bare]\n", "CREDENTIALS_DIRECTORY".to_owned()),
        ("modules:\n  m:\n    idle: {every: 1m, longest: 6m}\n", "module m: idle.every".to_owned()),
        ("web_config: /nonexistent/web.yml\nmodules: {m: {}}\n", "/nonexistent/web.yml".to_owned()),
    ] {
        fs::write(&config, yaml).unwrap();
        let output = serve(folder.path()).arg("--check-config").output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{yaml}: {error}");
        assert!(error.starts_with("ssh-doctor: ") && error.lines().count() == 1, "{yaml}: {error}");
        assert!(error.contains(&said), "{yaml}: {error}");
    }
    let exporter = Exporter::start(folder.path(), HANDSHAKE, &[]);
    fs::write(&config, "modules: [").unwrap();
    exporter.signal("-HUP");
    assert!(eventually(PATIENCE, || exporter.metric("ssh_doctor_config_last_reload_successful") == 0.0));
    assert!(exporter.log().contains("the previous one stays"), "{}", exporter.log());
    assert_eq!(exporter.get(&format!("/probe?target={}&module=handshake", closed())).status(), 200);
    fs::write(&config, HANDSHAKE.replace("handshake:", "other:")).unwrap();
    exporter.signal("-HUP");
    assert!(eventually(PATIENCE, || exporter.metric("ssh_doctor_config_last_reload_successful") == 1.0));
    assert_eq!(exporter.get(&format!("/probe?target={}&module=other", closed())).status(), 200);
}

#[test]
fn slow_and_greedy_clients_do_not_keep_others_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = Exporter::start(folder.path(), HANDSHAKE, &[]);
    let quick = |what: &str| {
        let began = Instant::now();
        assert_eq!(exporter.get("/-/healthy").status(), 200, "{what}");
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
    };
    let mut half = TcpStream::connect(exporter.address).unwrap();
    half.write_all(b"GET /metrics HT").unwrap();
    quick("a request that was begun");
    let huge = exporter.ask(&format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000)));
    assert!(huge.0.is_empty() || (400..500).contains(&huge.status()), "{}", huge.0);
    quick("a huge header");
    let body =
        exporter.ask("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\nxxx");
    assert_eq!(body.status(), 200);
    quick("a body that does not come");
    let mut many = Vec::new();
    for _ in 0..10_000 {
        // This process has a limit on descriptors of its own.
        match TcpStream::connect_timeout(&exporter.address, Duration::from_secs(2)) {
            Ok(stream) => many.push(stream),
            Err(_) => break,
        }
        if many.len() > 3000 {
            many.drain(..1000);
        }
    }
    quick("thousands of connections without a request");
    assert!(exporter.metric("ssh_doctor_http_connections_dropped_total") > 0.0);
    drop(many);
    half.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest);
    assert!(exporter.metric("ssh_doctor_http_connections_open") < 1100.0);
}

#[test]
fn it_ends_in_order_and_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut exporter = Exporter::start(folder.path(), &format!("{HANDSHAKE}    timeout: 1m\n    stage: 1m\n"), &[]);
    let (target, count) = silent();
    let address = exporter.address;
    let asking = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("GET /probe?target={target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        Answer(text)
    });
    assert!(eventually(PATIENCE, || count.load(Ordering::SeqCst) == 1));
    exporter.signal("-TERM");
    let (status, took) = exporter.ended();
    assert_eq!(status, Some(0), "{}", exporter.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
    let answer = asking.join().unwrap();
    assert!(answer.has("ssh_doctor_verdict{verdict=\"inconclusive\"} 1"), "{}", answer.0);
}

#[test]
fn tls_and_a_password_guard_it_and_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    // htpasswd -nbBC 4 me secret; the second: other
    let web = |hash: &str| {
        format!(
            "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n  min_version: TLS13\nbasic_auth_users:\n  me: {hash}\n"
        )
    };
    let (secret, other) = (bcrypt::hash("secret", 4).unwrap(), bcrypt::hash("other", 4).unwrap());
    fs::write(folder.path().join("web.yml"), web(&secret)).unwrap();
    let file = folder.path().join("web.yml").display().to_string();
    let exporter = Exporter::start(folder.path(), HANDSHAKE, &["--web.config.file", &file]);
    let curl = |password: &str| {
        let output = Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert"])
            .arg(&cert)
            .args(["-u", &format!("me:{password}")])
            .args(["--resolve", &format!("localhost:{}:127.0.0.1", exporter.address.port())])
            .arg(format!("https://localhost:{}/metrics", exporter.address.port()))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(curl("secret"), "200");
    assert_eq!(curl("wrong"), "401");
    assert!(
        !exporter.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").0.starts_with("HTTP/1.1 200"),
        "plain HTTP is not answered"
    );
    fs::write(folder.path().join("web.yml"), web(&other)).unwrap();
    assert!(eventually(PATIENCE, || curl("other") == "200"), "{}", exporter.log());
    assert_eq!(curl("secret"), "401");
    fs::write(folder.path().join("web.yml"), "nonsense: 1\n").unwrap();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(curl("other"), "200");
    assert!(exporter.log().contains("the previous access rules stay"), "{}", exporter.log());
}
