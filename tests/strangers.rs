//! Real ports on which something other than a prompt SSH server answers: tarpits, TLS, and sshd that comes too late.

use std::time::Duration;

use crate::lab::{Lab, Report, Server};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Examines the server with this ConnectTimeout, which must not take longer than two seconds more.
fn examined(lab: &Lab, server: &Server, patience: u16) -> Report {
    let timeout = format!("ConnectTimeout={patience}");
    let seen = lab.doctor(server, &["--idle", "0", "-o", &timeout], s(40));
    let bound = f64::from(patience + 2) * 1000.0;
    // The start of the process and of ssh -G is not ours to bound.
    assert!(seen.json["duration_ms"].as_f64().is_some_and(|ms| ms < bound), "{}", seen.told());
    seen
}

/// What proves the first diagnosis.
fn because(seen: &Report) -> String {
    seen.json["diagnoses"][0]["because"].to_string()
}

#[test]
fn endlessh_that_hurries_is_a_tarpit() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.listener("endlessh", &["-4", "-d", "400", "-p", "{port}"], "") else { return };
    let seen = examined(&lab, &server, 4);
    assert_eq!(seen.codes(), ["handshake-tarpit"], "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "likely", "{}", seen.told());
}

#[test]
fn endlessh_at_its_own_pace_is_told_once_its_first_line_has_come() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.listener("endlessh", &["-4", "-p", "{port}"], "") else { return };
    std::thread::scope(|scope| {
        let (lab, server) = (&lab, &server);
        scope.spawn(move || {
            let seen = examined(lab, server, 5);
            assert_eq!(seen.codes(), ["handshake-no-banner"], "{}", seen.told());
            assert!(seen.told().contains("tarpit") && because(&seen).contains("TLS client"), "{}", seen.told());
            let advised = seen.fixes().find_map(|fix| fix["snippet"].as_str()).expect("a command");
            assert!(advised.contains("ConnectTimeout=60"), "{advised}");
        });
        // Its line comes after 10 s: within ConnectTimeout, and within the time that the doctor listens on.
        for patience in [15, 9] {
            scope.spawn(move || {
                let seen = examined(lab, server, patience);
                assert_eq!(seen.codes(), ["handshake-tarpit"], "{}", seen.told());
                assert_eq!(seen.json["diagnoses"][0]["certainty"], "possible", "one line only: {}", seen.told());
            });
        }
    });
}

#[test]
fn an_sshd_whose_version_comes_too_late_is_slow() {
    let Some(lab) = Lab::healthy() else { return };
    let args =
        ["TCP-LISTEN:{port},bind={address},fork,reuseaddr", "SYSTEM:sleep 5; echo SSH-2.0-OpenSSH_9.2p1; sleep 9"];
    let Some(server) = lab.listener("socat", &args, "") else { return };
    let seen = examined(&lab, &server, 4);
    assert_eq!((seen.codes(), seen.run.status), (vec!["handshake-slow"], Some(2)), "{}", seen.told());
}

#[test]
fn a_tls_server_is_called_what_it_is() {
    let Some(lab) = Lab::healthy() else { return };
    let haproxy = "defaults\n mode tcp\n timeout connect 1s\n timeout client 9s\n timeout server 9s\n\
        listen tls\n bind {address}:{port} ssl crt {certificate}\n server gone {address}:9\n";
    let openssl =
        ["s_server", "-quiet", "-cert", "{certificate}", "-key", "{certificate}", "-accept", "{address}:{port}"];
    for (program, args, config) in [("haproxy", &["-db", "-f", "{config}"][..], haproxy), ("openssl", &openssl[..], "")]
    {
        let Some(server) = lab.listener(program, args, config) else { continue };
        let seen = examined(&lab, &server, 4);
        assert_eq!(seen.codes(), ["handshake-not-ssh"], "{program}: {}", seen.told());
        assert!(because(&seen).contains("this port speaks TLS"), "{program}: {}", seen.told());
    }
}

#[test]
fn a_web_server_with_tls_says_itself_what_it_is() {
    let Some(lab) = Lab::healthy() else { return };
    let config = "daemon off;\nmaster_process off;\npid {config}.pid;\nerror_log stderr;\nevents {}\nhttp {\n access_log off;\n \
        server {\n  listen {address}:{port} ssl;\n  ssl_certificate {certificate};\n  ssl_certificate_key {certificate};\n }\n}\n";
    let Some(server) = lab.listener("nginx", &["-e", "stderr", "-c", "{config}"], config) else { return };
    let seen = examined(&lab, &server, 4);
    assert_eq!(seen.codes(), ["handshake-not-ssh"], "{}", seen.told());
    assert!(because(&seen).contains("HTTP"), "{}", seen.told());
}

#[test]
fn a_server_of_no_kind_that_is_known_is_not_called_tls() {
    let Some(lab) = Lab::healthy() else { return };
    let args = ["-u", "TCP-LISTEN:{port},bind={address},fork,reuseaddr", "OPEN:/dev/null"];
    let Some(server) = lab.listener("socat", &args, "") else { return };
    let seen = examined(&lab, &server, 2);
    assert_eq!(seen.codes(), ["handshake-no-banner"], "{}", seen.told());
    assert!(because(&seen).contains("had no answer either"), "{}", seen.told());
}
