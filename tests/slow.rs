//! Logins that take their time, on real servers: the step that does is named, and no other.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::lab::{Lab, PASSWORD, Report, Server};
use crate::support::loopback::LoopbackSshd;
use crate::support::reports;

/// Examines as far as a command's first output.
fn examined(lab: &Lab, server: &Server) -> Report {
    lab.doctor(server, &["--only", "channel"], Duration::from_secs(40))
}

/// The login is slow at one step, told by its words, and it works.
fn assert_slow_at(seen: &Report, server: &Server, step: &str, file_or_command: &str) {
    assert_eq!(seen.codes(), ["auth-slow"], "{}\n{}", seen.told(), server.log());
    assert_eq!((seen.json["verdict"].as_str(), seen.run.status), (Some("degraded"), Some(1)), "{}", seen.told());
    let found = &seen.json["diagnoses"][0];
    let because = found["because"].as_array().expect("facts");
    let told = because.iter().any(|fact| fact.as_str().is_some_and(|fact| fact.starts_with(step)));
    assert!(told, "{step}: {}", seen.told());
    let fixes = found["fixes"].to_string();
    assert!(fixes.contains(file_or_command), "{fixes}");
    assert!(!fixes.contains('{') || !fixes.contains("{first_"), "{fixes}");
}

#[test]
fn a_slow_authorized_keys_command_is_told_from_a_slow_verdict() {
    let Some(lab) = Lab::healthy() else { return };
    let keys = lab.home().path("server/.ssh/authorized_keys");
    let command = format!("AuthorizedKeysCommand /bin/sh -c \"sleep 3; cat {}\"", keys.display());
    let server = lab.sshd(&[&command, "AuthorizedKeysCommandUser root", "AuthorizedKeysFile none"]);
    let seen = examined(&lab, &server);
    assert_slow_at(&seen, &server, "from the offer of a key", "authorizedkeys(file|command)");
    let steps = &seen.check("auth")["evidence"]["attempts"][0]["steps"];
    for step in ["query_ms", "decision_ms"] {
        assert!(steps[step].as_f64().is_some_and(|ms| ms >= 3000.0), "{steps}");
    }
    assert!(steps["signing_ms"].as_f64().is_some_and(|ms| ms < 500.0), "{steps}");
}

/// A login of the account `joe`, by his key, or by his password in this method.
fn joe(lab: &Lab, server: &Server, method: &str) -> Report {
    let file = lab.home().path("client/password");
    fs::write(&file, PASSWORD).expect("our own folder");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our own file");
    let (method, file) = (format!("PreferredAuthentications={method}"), file.display().to_string());
    let options = ["--only", "channel", "-l", "joe", "-o", &method, "--password-file", &file];
    lab.doctor(server, &options, Duration::from_secs(40))
}

#[test]
fn each_part_of_pam_is_told_by_the_step_that_it_delays() {
    let Some(lab) = Lab::healthy() else { return };
    let slow = |kind: &str| format!("{kind} optional pam_exec.so quiet {}", lab.sleeper(3));
    let both = ["PasswordAuthentication yes", "KbdInteractiveAuthentication yes"];
    let verdict = "from the signature, password or answer to the verdict";
    for (kind, method, step, command) in [
        ("auth", "password", verdict, "/etc/pam.d/sshd"),
        ("auth", "keyboard-interactive", "from the start of keyboard-interactive", "/etc/pam.d/sshd"),
        ("account", "publickey", verdict, "/etc/pam.d/sshd"),
        ("account", "keyboard-interactive", verdict, "/etc/pam.d/sshd"),
        ("session", "publickey", "from the login to the open session channel", "systemd-logind"),
    ] {
        let server = lab.sshd_with_joe("19000:0:99999:7:::", &[&slow(kind)], &both);
        let seen = joe(&lab, &server, method);
        assert_slow_at(&seen, &server, step, command);
        // No other step took as long; a busy machine may be slow at one besides.
        let because = seen.json["diagnoses"][0]["because"].as_array().expect("reasons");
        let took = |reason: &Value| {
            let (step, took) = reason.as_str()?.rsplit_once(": ")?;
            took.strip_suffix(" s")?.parse::<f64>().ok().filter(|_| step.starts_with("from "))
        };
        let slow = because.iter().filter_map(took).filter(|took| *took >= 2.9);
        assert_eq!(slow.count(), 1, "{kind} {}", seen.told());
    }
    // A key passes by what PAM asks of passwords.
    let server = lab.sshd_with_joe("19000:0:99999:7:::", &[&slow("auth")], &both);
    let by_key = joe(&lab, &server, "publickey");
    assert_eq!(by_key.codes(), Vec::<&str>::new(), "{}", by_key.told());
}

#[test]
fn the_look_up_of_the_clients_name_is_told_by_a_name_server_that_is_silent() {
    let Some(lab) = Lab::healthy() else { return };
    // Nothing reaches a name server from there, and nothing says so.
    lab.forward("udp dport 53 drop");
    let [a, b, c, _] = lab.router_address(1).octets();
    let silent = format!("nameserver {a}.{b}.{c}.1\noptions timeout:3 attempts:1\n");
    lab.server_host().etc("resolv.conf", &silent);
    let server = lab.sshd(&["UseDNS yes"]);
    assert_slow_at(&examined(&lab, &server), &server, "from the request to log in", "UseDNS no");
    let server = lab.sshd(&["UseDNS no"]);
    let seen = examined(&lab, &server);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
}

#[test]
fn slow_start_up_files_of_the_shell_are_told_from_a_slow_login() {
    let Some(lab) = Lab::healthy() else { return };
    let home = lab.home().path("server");
    lab.server_host().etc(
        "passwd",
        &format!("root:x:0:0:root:{}:/bin/bash\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\n", home.display()),
    );
    lab.home().write("server/.bashrc", "sleep 3\n");
    let server = lab.sshd(&[]);
    let step = "from the command's start to its first output";
    assert_slow_at(&examined(&lab, &server), &server, step, "bashrc");
    // It runs later than the wait for it, in every session, and is no less slow for that.
    lab.home().write("server/.bashrc", "sleep 4\n");
    let seen = lab.doctor(&server, &["--timeout", "3s", "--deep", "--idle", "0"], Duration::from_mins(1));
    assert_slow_at(&seen, &server, step, "bashrc");
    assert_eq!(seen.check("exit")["status"], "skip", "{}", seen.told());
}

#[test]
fn a_server_that_thinks_before_its_first_answer_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("slow") else { return };
    let seen = examined(&lab, &server);
    assert_slow_at(&seen, &server, "from the request to log in", "getent hosts");
    // It has no setting of sshd, and nobody tried Kerberos in the time that was measured.
    let fixes = seen.json["diagnoses"][0]["fixes"].to_string();
    assert!(!fixes.contains("UseDNS") && !fixes.contains("GSSAPI"), "{fixes}");
}

#[test]
fn a_server_that_greets_late_is_waited_for_as_ssh_does() {
    let Some(sshd) = LoopbackSshd::start() else { return };
    let port = sshd.behind_slow_proxy(Duration::from_secs(13)).to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    fs::write(&config, sshd.ssh_config()).expect("our own file");
    let seen = |options: &[&str]| {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
        doctor.arg("check").arg("-F").arg(&config).args(["-p", &port, "--idle", "0", "--format", "json"]).args(options);
        let output = doctor.arg("127.0.0.1").output().expect("the binary");
        let report = reports(&String::from_utf8_lossy(&output.stdout)).remove(0);
        let first = &report["diagnoses"][0];
        let told =
            [&report["verdict"], &first["code"], &first["certainty"]].map(|word| word.as_str().map(ToOwned::to_owned));
        (told, first["fixes"].to_string())
    };
    let words = |told: [&str; 3]| told.map(|word| Some(word.to_owned()));
    thread::scope(|scope| {
        let bounded = scope.spawn(|| seen(&["--timeout", "4s"]).0);
        let limited = scope.spawn(|| seen(&["-o", "ConnectTimeout=4"]).0);
        let (usual, fixes) = seen(&[]);
        assert_eq!(usual, words(["degraded", "handshake-slow", "certain"]));
        assert!(!fixes.contains("ConnectTimeout"), "ssh waits without a limit: {fixes}");
        assert_eq!(bounded.join().expect("a report"), words(["broken", "handshake-no-banner", "likely"]));
        assert_eq!(limited.join().expect("a report"), words(["broken", "handshake-no-banner", "certain"]));
    });
}
