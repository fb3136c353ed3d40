//! The built doctor through jump hosts and proxy commands: client, bastion, and a server that only the bastion reaches.

use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Middlebox, Report, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A bastion with these settings between the client and a server.
fn behind(bastion: &[&str]) -> Option<(Lab, Server, Server)> {
    let lab = Lab::through(&[Middlebox::Bastion])?;
    let bastion = lab.bastion(1, bastion);
    let server = lab.sshd(&[]);
    Some((lab, bastion, server))
}

fn through(lab: &Lab, bastion: &Server, server: &Server, options: &[&str]) -> Report {
    let hop = bastion.hop();
    let own = if options.contains(&"--only") { &[][..] } else { &["--idle", "0"][..] };
    lab.doctor(server, &[&["-J", &hop], own, options].concat(), s(60))
}

/// The codes of the diagnoses, each with its hop.
fn at(seen: &Report) -> Vec<(&str, Option<&str>)> {
    let diagnoses = seen.json["diagnoses"].as_array();
    let pairs =
        diagnoses.into_iter().flatten().map(|found| (found["code"].as_str().expect("a code"), found["hop"].as_str()));
    pairs.collect()
}

fn hop_check<'a>(seen: &'a Report, hop: usize, name: &str) -> &'a Value {
    let checks = seen.json["hops"][hop]["checks"].as_array();
    checks.into_iter().flatten().find(|check| check["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn only_the_bastion_reaches_the_server() {
    let Some((lab, _bastion, server)) = behind(&[]) else { return };
    let direct = lab.ssh(&server, &["-o", "ConnectTimeout=2"], "true", s(10));
    assert_eq!(direct.status, Some(255), "{direct:?}");
}

#[test]
fn a_healthy_way_through_a_bastion_has_no_diagnosis_and_each_hop_is_examined() {
    let Some((lab, bastion, server)) = behind(&[]) else { return };
    let seen = through(&lab, &bastion, &server, &[]);
    assert_eq!((at(&seen), seen.run.status), (vec![], Some(0)), "{}\n{}", seen.told(), bastion.log());
    assert_eq!(seen.json["hops"].as_array().map(Vec::len), Some(1), "{}", seen.told());
    for name in ["tcp", "handshake", "hostkey", "auth"] {
        assert_eq!(hop_check(&seen, 0, name)["status"], "pass", "{name}: {}", seen.told());
    }
    assert_eq!(seen.json["hops"][0]["forward"]["failure"], Value::Null, "{}", seen.told());
    for name in ["handshake", "hostkey", "auth", "channel", "transfer", "exit"] {
        assert_eq!(seen.check(name)["status"], "pass", "{name}: {}", seen.told());
    }
    assert_eq!(seen.json["spent"]["connections"], 1, "one connection leaves this machine: {}", seen.told());
    let gone = || bastion.connections() == 0 && server.connections() == 0 && server.sessions(&lab).is_empty();
    assert!(eventually(s(5), gone), "left on the server: {:?}\n{}", server.sessions(&lab), bastion.log());
}

#[test]
fn a_hop_is_followed_live_on_a_terminal_and_in_plain_lines() {
    let Some((lab, bastion, server)) = behind(&[]) else { return };
    let hop = bastion.hop();
    let seen = through(&lab, &bastion, &server, &["-v"]);
    for line in
        [format!("hop {hop}: auth: passed: "), format!("hop {hop}: passed: connected on to "), "\nauth: passed".into()]
    {
        assert!(seen.run.stderr.contains(&line), "{line}: {}", seen.run.stderr);
    }
    let (doctor, config) = (env!("CARGO_BIN_EXE_ssh-doctor"), lab.home().config());
    // Long enough for a frame of the board to show it.
    let command =
        format!("TERM=xterm {doctor} check -F {} -J {hop} --idle 2s {} >/dev/null", config.display(), server.url());
    let shown = lab.run("script", &["-qec", &command, "/dev/null"], s(60)).stdout;
    assert!(shown.contains(&format!("hop {hop}: connected on to {}:{}", server.address(), server.port())), "{shown}");
}

#[test]
fn two_bastions_in_a_row_are_passed_in_the_users_order() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion, Middlebox::Bastion]) else { return };
    let (first, second, server) = (lab.bastion(1, &[]), lab.bastion(2, &[]), lab.sshd(&[]));
    let hops = format!("{},{}", first.hop(), second.hop());
    let seen = lab.doctor(&server, &["-J", &hops, "--idle", "0"], s(60));
    assert_eq!((at(&seen), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    let names: Vec<_> = (0..2).map(|at| seen.json["hops"][at]["name"].as_str()).collect();
    assert_eq!(names, [Some(&*first.hop()), Some(&*second.hop())], "{}", seen.told());
    assert_eq!(hop_check(&seen, 1, "auth")["status"], "pass", "{}", seen.told());
}

#[test]
fn a_hop_that_forbids_forwarding_is_told_from_one_that_cannot_reach_the_server() {
    let Some((lab, bastion, server)) = behind(&["AllowTcpForwarding no"]) else { return };
    let seen = through(&lab, &bastion, &server, &[]);
    assert_eq!(at(&seen), [("jump-forwarding-prohibited", None)], "{}", seen.told());
    assert_eq!((seen.json["verdict"].as_str(), seen.run.status), (Some("broken"), Some(2)), "{}", seen.told());
    assert_eq!(server.log().matches("Connection from").count(), 0, "{}", server.log());
    let bastion = lab.bastion(1, &[]);
    let port = server.port();
    drop(server);
    let nobody = lab.sshd(&["MaxStartups 1"]);
    let closed = format!("ssh://{}:{port}", lab.server_address());
    let seen = lab.doctor_at(&closed, &["-J", &bastion.hop(), "--idle", "0"], s(60));
    assert_eq!(at(&seen), [("jump-target-unreachable", None)], "{}", seen.told());
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("Connection refused"), "{}", seen.told());
    drop(nobody);
}

#[test]
fn a_hop_that_takes_the_login_back_is_asked_once_and_its_log_is_pointed_at() {
    let Some((lab, bastion, server)) = behind(&["PermitRootLogin forced-commands-only"]) else { return };
    let seen = through(&lab, &bastion, &server, &["--deep"]);
    assert_eq!(at(&seen), [("jump-target-unreachable", None)], "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "possible", "{}", seen.told());
    assert!(
        seen.fixes().any(|fix| fix["snippet"].as_str().is_some_and(|it| it.contains("journalctl"))),
        "{}",
        seen.told()
    );
    assert_eq!(bastion.log().matches("Failed publickey").count(), 1, "{}", bastion.log());
}

#[test]
fn what_cannot_be_tried_behind_a_hop_is_said_and_nothing_is_advised_of_this_machine() {
    let Some((lab, bastion, server)) = behind(&[]) else { return };
    lab.server_host().nft(
        "add table inet narrow\nadd chain inet narrow input { type filter hook input priority 0; }\n\
         add rule inet narrow input ip length > 900 drop",
    );
    lab.router(1).ip("link set far gso_max_segs 1");
    let seen = through(&lab, &bastion, &server, &["-o", "ConnectTimeout=3"]);
    assert_eq!(at(&seen), [("handshake-kex-stalled", None)], "{}", seen.told());
    let found = &seen.json["diagnoses"][0];
    assert_eq!(found["certainty"], "likely", "{}", seen.told());
    assert!(found["because"].to_string().contains("behind a jump host"), "{}", seen.told());
    assert!(!found["fixes"].to_string().contains("INTERFACE"), "{}", seen.told());
    assert!(seen.json["duration_ms"].as_f64().is_some_and(|ms| ms < 5000.0), "{}", seen.told());
    let command = format!("ProxyCommand=ssh -F {} -W %h:%p ssh://{}", lab.home().config().display(), bastion.hop());
    let seen = lab.doctor(&server, &["--idle", "0", "-o", "ConnectTimeout=3", "-o", &command], s(60));
    assert_eq!(at(&seen), [("handshake-kex-stalled", None)], "{}", seen.told());
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("behind a proxy command"), "{}", seen.told());
}

#[test]
fn what_is_wrong_at_a_hop_is_said_of_that_hop_and_nothing_is_asked_of_what_is_behind() {
    let Some((lab, bastion, server)) = behind(&["AuthorizedKeysFile none"]) else { return };
    let seen = through(&lab, &bastion, &server, &[]);
    assert_eq!(at(&seen), [("auth-key-rejected", Some(&*bastion.hop()))], "{}", seen.told());
    assert_eq!((seen.died_at(), seen.run.status), (Some("auth"), Some(2)), "{}", seen.told());
    assert_eq!(bastion.log().matches("Connection from").count(), 1, "{}", bastion.log());
    // A changed key of the hop: not even a login there.
    lab.home().keygen("another", &["-t", "ed25519"]);
    let bastion = lab.bastion(1, &["LogLevel DEBUG2"]);
    let key = std::fs::read_to_string(lab.home().key("another.pub")).expect("a key");
    let (host, port) =
        bastion.hop().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).expect("a port");
    lab.home().write("client/.ssh/known_hosts", &format!("[{host}]:{port} {key}"));
    let seen = through(&lab, &bastion, &server, &[]);
    assert_eq!(at(&seen), [("hostkey-changed", Some(&*bastion.hop()))], "{}", seen.told());
    assert!(!bastion.log().contains("userauth-request"), "a login was asked for: {}", bastion.log());
}

#[test]
fn a_jump_in_the_configuration_is_followed_with_each_hops_own_settings() {
    let Some((lab, bastion, server)) = behind(&[]) else { return };
    let (host, port) =
        bastion.hop().rsplit_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).expect("a port");
    let config = std::fs::read_to_string(lab.home().config()).expect("our own file");
    let ours = format!(
        "Host gate\n  HostName {host}\n  Port {port}\nHost vault\n  HostName {}\n  Port {}\n  ProxyJump gate\n{config}",
        lab.server_address(),
        server.port()
    );
    lab.home().write("client/.ssh/config", &ours);
    let record = lab.home().path("client/vault.json").display().to_string();
    let seen = lab.doctor_at("vault", &["--idle", "0", "--record", &record], s(60));
    assert_eq!((at(&seen), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    assert_eq!(seen.json["hops"][0]["target"]["host"], host.as_str(), "{}", seen.told());
    assert_eq!(seen.json["target"]["via"][0], "gate", "{}", seen.told());
    let kept = std::fs::read_to_string(&record).expect("a recording");
    for name in ["gate", "vault", &host] {
        assert!(!kept.contains(&format!("\"{name}\"")), "{name} is in the recording: {kept}");
    }
    let doctor = env!("CARGO_BIN_EXE_ssh-doctor");
    assert_eq!(lab.run(doctor, &["diagnose", &record], s(10)).status, Some(0));
}

/// A timer of 6 s on one of the two legs is found through the bastion, and the leg is told.
fn a_timer_is_found(routers: [Middlebox; 2], bastion: usize, code: &str, leg: &str) {
    let Some(lab) = Lab::through(&routers) else { return };
    let (bastion, server) = (lab.bastion(bastion, &[]), lab.sshd(&[]));
    let seen = lab.doctor(&server, &["-J", &bastion.hop(), "--idle", "20s"], s(120));
    assert_eq!(seen.codes().first(), Some(&code), "{}", seen.told());
    let bracket = &seen.idle()["timeout"];
    let (survived, died) = (bracket["survived_s"].as_f64(), bracket["died_s"].as_f64());
    assert!(survived.is_some_and(|s| s <= 6.0) && died.is_some_and(|s| s >= 6.0), "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains(leg), "{because}\n{}", seen.told());
}

const TO_THE_HOP: &str = "it died at that hop, or on the way to it";
const BEHIND_THE_HOP: &str = "it is behind that hop that the session died";

#[test]
fn a_silent_drop_before_the_bastion_is_told() {
    a_timer_is_found([Middlebox::Forgets(6), Middlebox::Bastion], 2, "idle-silent-drop", TO_THE_HOP);
}

#[test]
fn a_silent_drop_behind_the_bastion_is_told() {
    a_timer_is_found([Middlebox::Bastion, Middlebox::Forgets(6)], 1, "idle-silent-drop", BEHIND_THE_HOP);
}

#[test]
fn a_reset_before_the_bastion_is_a_reset_and_not_the_servers_close() {
    a_timer_is_found([Middlebox::Resets(6), Middlebox::Bastion], 2, "idle-reset", TO_THE_HOP);
}

#[test]
fn a_hop_that_closes_idle_forwards_is_the_leg_that_is_told() {
    let Some((lab, bastion, server)) = behind(&["ChannelTimeout direct-tcpip=6s"]) else { return };
    let seen = lab.doctor(&server, &["-J", &bastion.hop(), "--idle", "15s"], s(120));
    assert_eq!(seen.died_at(), Some("idle"), "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains(BEHIND_THE_HOP), "{because}\n{}", seen.told());
}

#[test]
fn a_hop_that_dies_while_the_session_behind_it_idles_is_named() {
    let Some((lab, bastion, server)) = behind(&[]) else { return };
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| lab.doctor(&server, &["-J", &bastion.hop(), "--idle", "20s"], s(120)));
        assert!(eventually(s(20), || bastion.connections() >= 3 || seen.is_finished()), "{}", bastion.log());
        std::thread::sleep(s(4));
        // Every session that goes through it, and not the daemon that listens.
        let sessions = lab.router(1).processes().into_iter().filter(|pid| *pid != bastion.pid());
        let pids: Vec<_> = sessions.map(|pid| pid.to_string()).collect();
        let _ = std::process::Command::new("kill").arg("-9").args(&pids).output();
        seen.join().expect("a run")
    });
    assert_eq!(seen.died_at(), Some("idle"), "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains(TO_THE_HOP), "{because}\n{}", seen.told());
}

#[test]
fn a_proxy_command_that_works_is_healthy() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let command = "ProxyCommand=bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill %%1'";
    let seen = lab.doctor(&server, &["--idle", "0", "-o", command], s(40));
    assert_eq!((at(&seen), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    assert_eq!(seen.check("handshake")["evidence"]["proxied"], true, "{}", seen.told());
}

#[test]
fn a_proxy_command_that_fails_is_named_with_its_status_and_the_errors_that_it_printed() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (fails, cannot_start) = ("jump-proxy-command-failed", "config-proxy-command");
    for (command, code, status, words) in [
        ("sh -c 'echo \"gateway: please log in\" >&2; exit 3'", fails, "status 3", "it printed 22 bytes, masked"),
        ("no-such-program %h", cannot_start, "status 127", "not found"),
        (
            "ssh -F none -o BatchMode=yes -o ConnectTimeout=2 -p 9 -W %h:%p %h",
            fails,
            "status 255",
            "Connection refused",
        ),
    ] {
        let option = format!("ProxyCommand={command}");
        let seen = lab.doctor(&server, &["--idle", "0", "-o", &option], s(40));
        assert_eq!(at(&seen), [(code, None)], "{}", seen.told());
        assert_eq!(seen.json["diagnoses"][0]["certainty"], "certain", "{}", seen.told());
        let because = seen.json["diagnoses"][0]["because"].to_string();
        assert!(because.contains(status) && because.contains(words), "{because}");
        assert_eq!((seen.json["verdict"].as_str(), seen.died_at()), (Some("broken"), Some("handshake")));
    }
    assert_eq!(server.log().matches("Connection from").count(), 0, "{}", server.log());
}
