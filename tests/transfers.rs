//! How data moves and keys are exchanged anew, on real servers.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::channels::{PATIENCE, examined};
use crate::lab::{Lab, Middlebox, Report, Server, python};

/// What the checks after channel measured.
pub(crate) fn facts<'a>(seen: &'a Report, check: &str) -> &'a Value {
    &seen.check(check)["evidence"]
}

#[test]
fn rates_and_round_trips_are_measured_and_keys_are_exchanged_anew() {
    let Some(lab) = Lab::healthy() else { return };
    let starts: [fn(&Lab) -> Option<Server>; 2] = [|lab| Some(lab.sshd(&[])), |lab| lab.dropbear(&[])];
    for server in starts {
        let Some(server) = server(&lab) else { continue };
        let seen = examined(&lab, &server, &["--deep"]);
        assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
        let transfer = facts(&seen, "transfer");
        for rate in ["up_rate", "down_rate", "deep_rate"] {
            assert!(transfer[rate].as_f64().is_some_and(|rate| rate > 10_000.0), "{rate}: {transfer:#}");
        }
        let echo = ["min_ms", "median_ms", "max_ms"].map(|name| transfer["echo"][name].as_f64().expect("a time"));
        assert!(echo.is_sorted() && echo[0] > 0.0, "{echo:?}");
        let rekeys = transfer["rekeys"].as_array().expect("rekeys");
        assert_eq!(rekeys.iter().map(|rekey| &rekey["under_load"]).collect::<Vec<_>>(), [false, true]);
        assert!(rekeys.iter().all(|rekey| rekey["ms"].is_number()), "{rekeys:?}");
        assert!(transfer["unread_ms"].as_f64().is_some_and(|ms| ms > 900.0), "{transfer:#}");
        assert_eq!(facts(&seen, "exit")["again"].as_array().map(Vec::len), Some(10));
    }
}

#[test]
fn a_server_that_wants_new_keys_often_is_healthy_idle_and_under_load() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["RekeyLimit 1M 3s", "LogLevel DEBUG1"]);
    let seen = lab.doctor(&server, &["--idle", "8s", "--deep"], PATIENCE);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    // Both ways and our own two beside: 16 MiB and more were moved.
    assert!(
        server.log().matches("rekeying in progress").count() + server.log().matches("SSH2_MSG_KEXINIT sent").count()
            > 12,
        "{}",
        server.log()
    );
}

#[test]
fn compression_is_shown_where_it_was_agreed_on() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    for (option, name) in [("Compression=yes", "zlib@openssh.com"), ("Compression=no", "none")] {
        let seen = examined(&lab, &server, &["-o", option]);
        assert_eq!(
            (seen.codes(), facts(&seen, "transfer")["compression"].as_str()),
            (vec![], Some(name)),
            "{}",
            seen.told()
        );
        let told = seen.check("transfer")["summary"].to_string().contains("compressed (zlib@openssh.com)");
        assert_eq!(told, name != "none", "{}", seen.told());
    }
}

#[test]
fn a_server_that_never_rekeys_is_found_in_depth() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(&["0", "never-rekeys"]) else { return };
    assert_eq!(lab.doctor(&server, &["--idle", "0"], PATIENCE).codes(), Vec::<&str>::new(), "unseen without --deep");
    let seen = lab.doctor(&server, &["--idle", "0", "--deep"], PATIENCE);
    assert_eq!(seen.codes(), ["rekey-failed"], "{}", seen.told());
}

#[test]
fn a_server_that_moves_data_in_turns_is_no_broken_path() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(python) = python("select") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/in_turns.py");
    let sftp = "Subsystem sftp /usr/lib/openssh/sftp-server";
    let server = lab.sshd(&[&format!("ForceCommand {python} {script}"), sftp]);
    let seen = lab.doctor(&server, &["--idle", "0", "--deep"], PATIENCE);
    assert_eq!(
        (seen.codes().contains(&"transfer-both-ways-stalled"), &seen.json["verdict"], seen.died_at()),
        (true, &"healthy".into(), None),
        "{}",
        seen.told()
    );
}

/// Lines that a process in the background prints while our command moves data, returns single bytes and ends.
const LATE: &str = r#"ForceCommand ( for i in 1 2 3 4 5 6 7 8; do sleep 0.01; echo "late line"; done ) & exec sh -c "$SSH_ORIGINAL_COMMAND""#;

#[test]
fn lines_of_a_background_process_are_no_corruption() {
    let Some(lab) = Lab::healthy() else { return };
    let seen = examined(&lab, &lab.sshd(&[LATE]), &[]);
    assert_eq!(seen.codes(), ["session-rc-output"], "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("late line\\\\n"), "{because}");
    for check in ["channel", "transfer", "exit"] {
        assert_ne!(seen.check(check)["status"], "fail", "{}", seen.told());
    }
    assert!(!seen.fixes().any(|fix| fix.to_string().contains("ethtool")), "{}", seen.told());
}

#[test]
fn a_line_of_256_kbit_is_healthy_with_its_rate_and_little_is_moved_over_it() {
    let Some(lab) = Lab::healthy().and_then(|lab| lab.with_slow_link(0, (256, 256))) else { return };
    let seen = examined(&lab, &lab.sshd(&[]), &[]);
    assert_eq!((seen.codes(), seen.json["verdict"].as_str()), (vec![], Some("healthy")), "{}", seen.told());
    let transfer = facts(&seen, "transfer");
    assert!(transfer["rate"].as_f64().is_some_and(|rate| (10_000.0..130_000.0).contains(&rate)), "{transfer:#}");
    assert!(transfer["sent_bytes"].as_u64().is_some_and(|bytes| bytes < 256 * 1024), "{transfer:#}");
}

#[test]
fn a_line_that_is_fast_for_its_first_bytes_is_healthy_in_bounded_time() {
    let Some(lab) = Lab::healthy().and_then(|lab| lab.with_deep_bucket(64, 256)) else { return };
    let seen = lab.doctor(&lab.sshd(&[]), &["--idle", "0", "--deep"], IN_DEPTH);
    assert_eq!(seen.json["verdict"].as_str(), Some("healthy"), "{}", seen.told());
    assert!(facts(&seen, "transfer")["deep_rate"].as_f64().is_some_and(|rate| rate < 24_000.0), "{}", seen.told());
}

/// Bytes per second of a line of 64 kbit/s, where a bucket of 16 KB lets the first of them through at once.
const AT_64_KBIT: std::ops::Range<f64> = 5_000.0..12_000.0;

/// The time that a plain examination may take at 64 kbit/s, and one in depth.
const PLAIN: Duration = Duration::from_secs(45);
const IN_DEPTH: Duration = Duration::from_secs(110);

/// Healthy, plain and in depth, each within its time; more is said of what was measured in this.
fn assert_healthy_at_64_kbit(
    lab: impl Fn() -> Option<Lab> + Sync,
    options: impl Fn(&Lab) -> (Server, Vec<String>) + Sync,
    rates: impl Fn(&Value) -> bool + Sync,
) {
    thread::scope(|scope| {
        for (depth, limit) in [(None, PLAIN), (Some("--deep"), IN_DEPTH)] {
            let (lab, options, rates) = (&lab, &options, &rates);
            scope.spawn(move || {
                let Some(lab) = lab() else { return };
                let (server, options) = options(&lab);
                let options: Vec<&str> =
                    options.iter().map(String::as_str).chain(["--idle", "0"]).chain(depth).collect();
                let seen = lab.doctor(&server, &options, limit);
                assert_eq!(seen.json["verdict"].as_str(), Some("healthy"), "{}", seen.told());
                assert!(rates(facts(&seen, "transfer")), "{:#}", facts(&seen, "transfer"));
            });
        }
    });
}

#[test]
fn a_line_of_64_kbit_is_healthy_with_its_rates_in_bounded_time() {
    thread::scope(|scope| {
        for line in [(64, 64), (64, 2000), (2000, 64)] {
            scope.spawn(move || {
                let slow = || Lab::healthy().and_then(|lab| lab.with_slow_link(0, line));
                let is_right =
                    |rate: &Value, kbit| rate.as_f64().is_some_and(|rate| AT_64_KBIT.contains(&rate) == (kbit == 64));
                assert_healthy_at_64_kbit(
                    slow,
                    |lab| (lab.sshd(&[]), vec![]),
                    |transfer| is_right(&transfer["up_rate"], line.0) && is_right(&transfer["down_rate"], line.1),
                );
            });
        }
        let slow = || Lab::healthy().and_then(|lab| lab.with_slow_link(0, (64, 64)));
        let sftp = |lab: &Lab| (lab.sshd(&["ForceCommand internal-sftp"]), vec![]);
        assert_healthy_at_64_kbit(slow, sftp, |transfer| {
            AT_64_KBIT.contains(&(transfer["rate"].as_f64().unwrap_or_default()))
        });
    });
}

#[test]
fn a_line_of_64_kbit_to_a_jump_host_or_behind_it_is_healthy_with_its_rate() {
    thread::scope(|scope| {
        for link in [0, 1] {
            scope.spawn(move || {
                let slow = || Lab::through(&[Middlebox::Bastion]).and_then(|lab| lab.with_slow_link(link, (64, 64)));
                let through = |lab: &Lab| {
                    let bastion = lab.bastion(1, &[]);
                    let hop = bastion.hop();
                    (lab.sshd(&[]).and(bastion), vec!["-J".to_owned(), hop])
                };
                // Both ways at once.
                assert_healthy_at_64_kbit(slow, through, |transfer| {
                    transfer["rate"].as_f64().is_some_and(|rate| rate < 24_000.0)
                });
            });
        }
    });
}
