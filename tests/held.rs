//! What the sessions of the idle test hold where the account runs no commands.

use std::time::Duration;

use crate::lab::{Lab, Middlebox, Report};

const FORCED: &str = "ForceCommand internal-sftp";
const DEADLINE: Duration = Duration::from_mins(4);

fn held(seen: &Report, moves: &str) -> Vec<String> {
    let arms = seen.idle()["arms"].as_array().into_iter().flatten();
    let arms = arms.filter(|arm| arm["moves"] == moves && arm["session"] != 0);
    let mut held: Vec<String> = arms.filter_map(|arm| Some(arm["holds"].as_str()?.to_owned())).collect();
    held.sort();
    held.dedup();
    held
}

#[test]
fn an_sftp_account_is_idle_with_an_sftp_channel() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[FORCED]);
    let seen = lab.doctor(&server, &["--idle", "6s"], DEADLINE);
    assert_eq!(seen.run.status, Some(0), "{}", seen.told());
    for moves in ["nothing", "channel-data", "tcp-keepalive"] {
        assert_eq!(held(&seen, moves), ["sftp"], "{moves}: {}", seen.told());
    }
    assert!(seen.told().contains("sessions (sftp)"), "{}", seen.told());
}

#[test]
fn a_timer_on_the_way_to_an_sftp_account_is_named_and_its_keepalive_proven() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(6)]) else { return };
    let server = lab.sshd(&[FORCED]);
    let seen = lab.doctor(&server, &["--idle", "15s"], DEADLINE);
    assert_eq!(seen.codes(), ["idle-silent-drop", "idle-no-keepalive", "session-restricted"], "{}", seen.told());
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
    assert_eq!(held(&seen, "keepalive"), ["sftp"], "{}", seen.told());
}

#[test]
fn an_sftp_server_that_ends_whoever_transfers_nothing_is_told_from_a_timer_of_the_path() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.proftpd(&["TimeoutNoTransfer 8"]) else { return };
    let seen = lab.doctor(&server, &["-l", "me", "--idle", "20s"], DEADLINE);
    assert_eq!(seen.codes().first(), Some(&"idle-server-inactivity"), "{}", seen.told());
    assert_eq!(seen.idle()["keepalive"]["verified"], false, "{}", seen.told());
}

#[test]
fn a_device_that_ends_whoever_types_nothing_is_told_from_a_timer_of_the_path() {
    for kind in ["ShellOnly", "Ios"] {
        let Some(lab) = Lab::healthy() else { return };
        let Some(server) = lab.device(&[kind, "9"]) else { return };
        let seen = lab.doctor(&server, &["--idle", "20s"], DEADLINE);
        assert_eq!(seen.codes().first(), Some(&"idle-server-inactivity"), "{kind}: {}", seen.told());
        let (died, survived) = (&seen.idle()["timeout"]["died_s"], &seen.idle()["timeout"]["survived_s"]);
        assert!(died.as_f64().is_some_and(|died| (died - 9.0).abs() < 1.0), "{kind}: {died} {}", seen.told());
        assert!(survived.as_f64() < Some(9.0), "{kind}: {survived} {}", seen.told());
        let fixes = seen.json["diagnoses"][0]["fixes"].to_string();
        assert!(fixes.contains("exec-timeout") && !fixes.contains("tmux"), "{kind}: {fixes}");
    }
}

#[test]
fn a_device_without_an_idle_limit_holds_its_prompt_on_few_lines() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.device(&["ShellOnly"]) else { return };
    let seen = lab.doctor(&server, &["--idle", "8s"], DEADLINE);
    assert_eq!(seen.run.status, Some(0), "{}", seen.told());
    assert_eq!((held(&seen, "nothing"), held(&seen, "channel-data")), (vec!["prompt".into()], vec!["prompt".into()]));
    assert!(seen.told().contains("sessions (shell)"), "{}", seen.told());
    assert!(seen.json["spent"]["connections"].as_u64() < Some(8), "{}", seen.told());
}

#[test]
fn a_timer_on_the_way_to_a_device_is_named_and_its_keepalive_proven() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(6)]) else { return };
    let Some(server) = lab.device(&["ShellOnly"]) else { return };
    let seen = lab.doctor(&server, &["--idle", "15s"], DEADLINE);
    assert_eq!(seen.codes().first(), Some(&"idle-silent-drop"), "{}", seen.told());
    assert_eq!(seen.idle()["keepalive"]["verified"], true, "{}", seen.told());
}
