//! Logins that take their time, on real servers: the step that does is named, and no other.

use std::time::Duration;

use crate::lab::{Lab, Report, Server};

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
    assert_slow_at(&examined(&lab, &server), &server, "from the command's start to its first output", "bashrc");
}

#[test]
fn a_server_that_thinks_before_its_first_answer_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("slow") else { return };
    assert_slow_at(&examined(&lab, &server), &server, "from the request to log in", "UseDNS no");
}
