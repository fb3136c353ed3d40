//! Paths that lose packets for their size or their mark: found, told from their look-alikes, and mended by the fix's own text.

use std::time::Duration;

use crate::lab::{Lab, Report, Server};

const QUICK: [&str; 4] = ["--idle", "0", "-o", "ConnectTimeout=3"];

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn assert_only(seen: &Report, code: &str, died_at: &str) {
    assert_eq!((seen.codes(), seen.died_at()), (vec![code], Some(died_at)), "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "certain", "{}", seen.told());
}

/// The lines of the fixes' snippets that begin so, as the report has them.
fn advised<'r>(seen: &'r Report, begins: &str) -> &'r str {
    let fixes = seen.json["diagnoses"][0]["fixes"].as_array().expect("fixes");
    let lines = fixes.iter().filter_map(|fix| fix["snippet"].as_str()).flat_map(str::lines);
    lines.map(str::trim).find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("no {begins}: {}", seen.told()))
}

fn works(lab: &Lab, server: &Server, deadline: Duration) -> bool {
    let run = lab.ssh(server, &[], "head -c 300000 /dev/zero", deadline);
    run.status == Some(0) && run.stdout.len() == 300_000
}

#[test]
fn a_black_hole_before_the_keys_is_proven_and_mended() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.mtu_black_hole();
    let seen = lab.doctor(&server, &QUICK, s(30));
    assert_only(&seen, "path-mtu-blackhole", "handshake");
    assert!(seen.run.took < s(3 + 1 + 11), "{}", seen.told());
    println!("{}", seen.told());
    assert!(!works(&lab, &server, s(4)));
}
