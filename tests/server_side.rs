//! `--server` against a real sshd: what root is told, what another user is refused, and nothing is left or written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Middlebox, Report, eventually};

fn answer<'a>(seen: &'a Report, about: &str) -> &'a Value {
    let answers = seen.json["server"]["answers"].as_array();
    answers.into_iter().flatten().find(|answer| answer["about"] == about).unwrap_or(&Value::Null)
}

fn lines(seen: &Report, about: &str) -> String {
    answer(seen, about)["lines"].to_string()
}

/// The command of the channel check alone.
const FORCED: usize = 1;

const OPTIONS: [&str; 3] = ["--server", "--idle", "0"];

#[test]
fn a_server_is_asked_only_on_request() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = lab.doctor(&server, &["--idle", "0"], Duration::from_secs(40));
    assert!(seen.json.as_object().is_some_and(|report| report.contains_key("server")), "{}", seen.told());
    assert_eq!(seen.json["server"], Value::Null);
}

#[test]
fn the_server_tells_root_what_it_knows_and_nothing_is_written_there() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let listed = || lab.run("find", &[lab.home().path("server")], Duration::from_secs(10)).stdout;
    let before = listed();
    let seen = lab.doctor(&server, &OPTIONS, Duration::from_mins(1));
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    assert_eq!(seen.json["server"]["failure"], Value::Null, "{}", seen.told());
    assert!(lines(&seen, "connection").contains(&lab.server_address().to_string()), "{}", seen.told());
    assert!(lines(&seen, "uptime").contains("load average"), "{}", seen.told());
    for about in ["memory and load", "disk space", "limits", "TCP keepalive"] {
        assert_eq!(answer(&seen, about)["status"], 0, "{about}: {}", seen.told());
    }
    for answer in seen.json["server"]["answers"].as_array().expect("answers") {
        assert!(answer["source"].as_str().is_some_and(|source| !source.is_empty()), "{answer}");
    }
    assert_eq!(seen.json["spent"]["connections"], 1, "{}", seen.told());
    assert_eq!(listed(), before);
    let gone = || server.connections() == 0 && server.sessions(&lab).is_empty();
    assert!(eventually(Duration::from_secs(5), gone), "left on the server: {:?}", server.sessions(&lab));
}

#[test]
fn what_a_user_may_not_see_is_a_fact_too() {
    let Some(lab) = Lab::healthy() else { return };
    let home = lab.home().path("guest");
    fs::create_dir(&home).expect("our own folder");
    lab.server_host().etc(
        "passwd",
        &format!(
            "root:x:0:0:root:/root:/bin/sh\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\nguest:x:4242:4242::{}:/bin/sh\n",
            home.display()
        ),
    );
    lab.server_host().etc("shadow", "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\nguest:*:19000:0:99999:7:::\n");
    let keys = lab.home().path("guest_keys");
    fs::copy(lab.home().key("id_ed25519.pub"), &keys).expect("a key");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("our own file");
    let server = lab.sshd(&[&format!("AuthorizedKeysFile {}", keys.display())]);
    let options = [&OPTIONS[..], &["-l", "guest"]].concat();
    let seen = lab.doctor(&server, &options, Duration::from_mins(1));
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}\n{}", seen.told(), server.log());
    assert_eq!(seen.json["server"]["failure"], Value::Null, "{}", seen.told());
    let settings = answer(&seen, "sshd settings");
    assert_ne!(settings["status"], 0, "{settings}");
    assert!(settings["lines"].as_array().is_some_and(|lines| !lines.is_empty()), "{settings}");
}

#[test]
fn a_server_that_runs_no_commands_of_ours_says_so() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ForceCommand echo no"]);
    let seen = lab.doctor(&server, &OPTIONS, Duration::from_mins(1));
    assert_eq!(seen.json["server"]["answers"].as_array().map(Vec::len), Some(0), "{}", seen.told());
    assert!(seen.json["server"]["failure"].is_string(), "{}", seen.told());
    // A forced command does what it does: it is not run once more for this.
    assert_eq!(server.log().matches("Starting session: forced-command").count(), FORCED, "{}", server.log());
}

/// The first diagnosis, which must be this one, and its reasons.
fn reasons(seen: &Report, code: &str, certainty: &str) -> String {
    let found = &seen.json["diagnoses"][0];
    assert_eq!((found["code"].as_str(), found["certainty"].as_str()), (Some(code), Some(certainty)), "{}", seen.told());
    found["because"].to_string()
}

#[test]
fn what_sshd_says_of_its_settings_makes_a_cause_certain() {
    let Some(lab) = Lab::healthy() else { return };
    for (setting, code, words) in [
        ("AllowTcpForwarding no", "channel-forwarding-prohibited", "AllowTcpForwarding no"),
        ("DisableForwarding yes", "channel-forwarding-prohibited", "DisableForwarding yes"),
        ("PermitOpen 192.0.2.1:80", "channel-forwarding-prohibited", "PermitOpen 192.0.2.1:80"),
        ("PermitListen 8080", "channel-remote-forward-failed", "PermitListen *:8080"),
        ("PermitTTY no", "session-pty-refused", "PermitTTY no"),
        ("MaxSessions 2", "channel-max-sessions", "MaxSessions 2"),
        ("# no Subsystem sftp", "session-subsystem-missing", "lists no subsystem"),
    ] {
        let seen = lab.doctor(&lab.sshd(&[setting]), &OPTIONS, Duration::from_mins(1));
        let because = reasons(&seen, code, "certain");
        assert!(because.contains("sshd -T") && because.contains(words), "{setting}: {because}");
    }
}

#[test]
fn settings_that_allow_point_at_the_key() {
    let Some(lab) = Lab::healthy() else { return };
    lab.key_options("no-port-forwarding");
    let seen = lab.doctor(&lab.sshd(&[]), &OPTIONS, Duration::from_mins(1));
    let because = reasons(&seen, "channel-forwarding-prohibited", "likely");
    assert!(because.contains("so the option in front of the key forbids it"), "{because}");
}

#[test]
fn limits_of_idle_sessions_are_confirmed_by_the_server() {
    let Some(lab) = Lab::healthy() else { return };
    let options = ["--server", "--idle", "12s"];
    let seen = lab.doctor(&lab.sshd(&["ChannelTimeout session:*=6s"]), &options, Duration::from_mins(2));
    let because = reasons(&seen, "idle-channel-timeout", "certain");
    assert!(because.contains("sshd -T on the server says ChannelTimeout session:*=6"), "{because}");
    let seen = lab.doctor(&lab.sshd(&["UnusedConnectionTimeout 6s"]), &options, Duration::from_mins(2));
    let because = reasons(&seen, "idle-unused-connection-timeout", "certain");
    assert!(because.contains("UnusedConnectionTimeout 6"), "{because}");
    lab.account("/bin/bash", ".profile", "# ours\nTMOUT=7\n");
    let seen = lab.doctor(&lab.sshd(&[]), &options, Duration::from_mins(2));
    let because = reasons(&seen, "idle-shell-timeout", "certain");
    assert!(because.contains(".profile:2:TMOUT=7"), "{because}");
}

/// The log of sshd where `--server` looks for it.
const LOG: &str = "mount -t tmpfs log /var/log; LOG='-E /var/log/auth.log'";

#[test]
fn an_end_that_sshd_made_itself_is_told_from_its_log() {
    let Some(lab) = Lab::through(&[Middlebox::GuardsClient(6)]) else { return };
    let server = lab.sshd_after(LOG, &["ClientAliveInterval 7", "ClientAliveCountMax 1"]);
    let seen = std::thread::scope(|scope| {
        // The user's own session, which falls silent for longer than the doctor's.
        scope.spawn(|| lab.ssh(&server, &[], "sleep 60", Duration::from_secs(45)));
        std::thread::sleep(Duration::from_secs(12));
        lab.doctor(&server, &["--server", "--idle", "20s"], Duration::from_mins(2))
    });
    assert_eq!(seen.codes().first(), Some(&"idle-one-way-drop"), "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("(ClientAliveInterval 7)"), "{}", seen.told());
    assert!(because.contains("Timeout, client not responding from user root"), "{}", seen.told());
}

#[test]
fn a_reset_that_only_the_server_met_is_told_from_its_log() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(6)]) else { return };
    let server = lab.sshd_after(LOG, &["ClientAliveInterval 7", "ClientAliveCountMax 1"]);
    let seen = lab.doctor(&server, &["--server", "--idle", "20s"], Duration::from_mins(2));
    let because = reasons(&seen, "idle-silent-drop", "certain");
    assert!(because.contains("Read error from remote host"), "{because}");
}

#[test]
fn settings_of_an_sshd_that_is_not_this_server_are_not_told() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.dropbear(&["-j"]) else { return };
    let seen = lab.doctor(&server, &OPTIONS, Duration::from_mins(1));
    let because = reasons(&seen, "channel-forwarding-prohibited", "possible");
    assert!(!because.contains("sshd -T"), "{because}");
    assert!(lines(&seen, "sshd settings").contains("another server's"), "{}", seen.told());
}

#[test]
fn a_full_disk_and_logins_switched_off_are_told() {
    let Some(lab) = Lab::healthy() else { return };
    let seen = lab.doctor(
        &lab.sshd_after("mount -t tmpfs -o size=64k full /var/log; cat /dev/zero >/var/log/x 2>/dev/null || :", &[]),
        &OPTIONS,
        Duration::from_mins(1),
    );
    let because = reasons(&seen, "server-disk-full", "certain");
    assert!(because.contains("/var/log has no block left"), "{because}");
    assert_eq!(seen.run.status, Some(1), "{}", seen.told());
    let down = "mount -t tmpfs run /run; mkdir /run/sshd; echo 'System is going down.' >/run/nologin";
    let seen = lab.doctor(&lab.sshd_after(down, &[]), &OPTIONS, Duration::from_mins(1));
    let because = reasons(&seen, "server-nologin", "certain");
    assert!(because.contains("/run/nologin: System is going down."), "{because}");
}
