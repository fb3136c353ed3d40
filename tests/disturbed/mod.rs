//! Paths and servers that change while one looks.

use std::time::Duration;

use crate::lab::{Lab, Middlebox, Report};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn show(seen: &Report) {
    eprintln!(
        "status {:?} took {:?} codes {:?} died_at {:?}",
        seen.run.status,
        seen.run.took,
        seen.codes(),
        seen.died_at()
    );
    for found in seen.json["diagnoses"].as_array().into_iter().flatten() {
        eprintln!("  {} {} {}", found["code"], found["severity"], found["certainty"]);
        for because in found["because"].as_array().into_iter().flatten() {
            eprintln!("     {because}");
        }
    }
    for check in seen.json["checks"].as_array().into_iter().flatten() {
        eprintln!("  {} {} {} {}", check["name"], check["status"], check["duration_ms"], check["summary"]);
    }
    std::fs::write(format!("/tmp/idle-report-{}.json", std::process::id()), seen.run.stdout.as_bytes()).unwrap();
    eprintln!("{}", seen.run.stderr.chars().take(500).collect::<String>());
}

#[test]
#[ignore = "an experiment"]
fn experiment() {
    let which = std::env::var("WHICH").unwrap_or_default();
    let Some(lab) = Lab::through(&[
        Middlebox::Plain,
        if which == "nat" || which == "lost" { Middlebox::Forgets(25) } else { Middlebox::Plain },
    ]) else {
        return;
    };
    let server = lab.sshd(&[]);
    let (seen, times) = lab.doctor_while(&server.url(), &["--idle", "40s"], s(400), |over| match &*which {
        "4in16" => lab.flap(1, s(12), s(4), over),
        "8in28" => lab.flap(1, s(20), s(8), over),
        "nat" => lab.flap(1, s(15), s(5), over),
        "lost" => {
            std::thread::sleep(s(15));
            lab.lose_state(2);
            vec![(15.0, 15.0)]
        }
        "stall" => lab.stall(s(14), s(6), over),
        "stall40" => lab.stall_once(s(12), s(40), over),
        "stall12" => lab.stall_once(Duration::from_millis(700), s(12), over),
        "odd" => {
            lab.router(1).nft("add rule inet lab forward tcp sport & 1 == 1 drop");
            vec![]
        }
        _ => vec![],
    });
    eprintln!("{which}: {times:.1?}");
    show(&seen);
}
