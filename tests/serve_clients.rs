//! The exporter, from the built binary: hostile clients, TLS and passwords, systemd, and the end.

#![allow(clippy::float_cmp, reason = "counters and copies of a value are compared")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::lab::eventually;
use crate::support::exporter::{Answer, Exporter, HANDSHAKE, PATIENCE, silent};

#[test]
fn hostile_clients_do_not_delay_others() {
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
    let slow: Vec<_> = (0..20)
        .map(|_| {
            let mut slow = TcpStream::connect(exporter.address).unwrap();
            slow.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
            // It asks for far more than the buffers hold, and reads nothing.
            while slow.write_all(&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200)).is_ok() {}
            slow
        })
        .collect();
    quick("clients that read nothing");
    let (_, limit) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, limit, limit).unwrap();
    // Other tests have files open too.
    let wanted = usize::try_from(limit.saturating_sub(2000)).unwrap_or(usize::MAX).min(10_000);
    let began = Instant::now();
    let connect = |_| TcpStream::connect_timeout(&exporter.address, Duration::from_secs(2)).ok();
    let many: Vec<_> = (0..wanted).map_while(connect).collect();
    println!("{} connections of {wanted} in {:?}", many.len(), began.elapsed());
    assert!(many.len() == wanted, "{} of {wanted}", many.len());
    quick("10,000 connections without a request");
    assert!(exporter.metric("ssh_doctor_http_connections_dropped_total") > 0.0);
    drop((many, slow));
    half.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest);
    assert!(exporter.metric("ssh_doctor_http_connections_open") < 1100.0);
}

#[test]
fn it_stops_gracefully_within_five_seconds() {
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
    assert!(eventually(PATIENCE, || exporter.log().contains("the previous access rules stay")), "{}", exporter.log());
}

#[test]
fn systemd_is_told_its_state_and_hands_over_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("serve.yml"), HANDSHAKE).unwrap();
    let notified = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    notified.set_read_timeout(Some(PATIENCE)).unwrap();
    let states = || {
        let mut state = [0; 512];
        let length = notified.recv(&mut state).unwrap();
        String::from_utf8_lossy(&state[..length]).into_owned()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut service = Command::new("sh")
        .args(["-c", "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_ssh-doctor"))
        .arg("serve")
        .arg("--config")
        .arg(folder.path().join("serve.yml"))
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .env("WATCHDOG_USEC", "400000")
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = service.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    assert!(states().contains("READY=1"));
    assert!(states().contains("WATCHDOG=1"));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(Answer(text).status(), 200);
    let until = |wanted: &str| (0..100).any(|_| states().contains(wanted));
    signal("-HUP");
    assert!(until("RELOADING=1") && until("READY=1"));
    signal("-TERM");
    assert!(until("STOPPING=1"));
    assert_eq!(service.wait().unwrap().code(), Some(0));
}
