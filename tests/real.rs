//! The built doctor against real servers on a healthy path: nothing to find, and nothing left behind.

use std::time::Duration;

use crate::lab::{Lab, Server, eventually};

/// Every check of the contract, in its order.
const CHECKS: [&str; 10] =
    ["config", "dns", "tcp", "handshake", "hostkey", "auth", "channel", "transfer", "idle", "exit"];

fn finds_nothing(lab: &Lab, server: &Server) {
    let seen = lab.doctor(server, &["--idle", "4s"], Duration::from_secs(40));
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}\n{}", seen.told(), server.log());
    assert_eq!((seen.json["verdict"].as_str(), seen.died_at()), (Some("healthy"), None), "{}", seen.told());
    assert_eq!(seen.run.stdout.lines().count(), 1, "one line a target: {}", seen.told());
    for name in &CHECKS[1..] {
        assert_eq!(seen.check(name)["status"], "pass", "{name}: {}", seen.told());
    }
    // The target is an address: whether that is a look-up that passed or one that was not needed is a matter of taste.
    assert!(["pass", "skip"].iter().any(|status| seen.check("dns")["status"] == *status), "{}", seen.told());
    let names: Vec<_> = seen.json["checks"].as_array().expect("checks").iter().map(|check| &check["name"]).collect();
    assert_eq!(names, CHECKS, "{}", seen.told());
    let is_gone = || server.connections() == 0 && server.sessions(lab).is_empty();
    assert!(eventually(Duration::from_secs(5), is_gone), "left on the server: {:?}", server.sessions(lab));
}

#[test]
fn a_healthy_openssh_has_no_diagnosis() {
    let Some(lab) = Lab::healthy() else { return };
    finds_nothing(&lab, &lab.sshd(&[]));
}

#[test]
fn a_healthy_dropbear_has_no_diagnosis() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.dropbear(&[]) else { return };
    finds_nothing(&lab, &server);
}

#[test]
fn a_healthy_asyncssh_has_no_diagnosis() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(&[]) else { return };
    finds_nothing(&lab, &server);
}

#[test]
fn a_healthy_paramiko_has_no_diagnosis() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.paramiko() else { return };
    finds_nothing(&lab, &server);
}

/// A server of this kind, where its software is installed.
type Start = fn(&Lab) -> Option<Server>;

#[test]
fn a_healthy_server_of_each_kind_costs_one_connection_and_has_no_diagnosis_however_deep_the_look() {
    let Some(lab) = Lab::healthy() else { return };
    let starts: [(Start, &str); 4] = [
        (|lab| Some(lab.sshd(&[])), "Connection from "),
        (|lab| lab.dropbear(&[]), "Child connection from "),
        (|lab| lab.asyncssh(&[]), "Accepted SSH client connection"),
        (Lab::paramiko, "connection from "),
    ];
    for (start, words) in starts {
        for further in [&[][..], &["--server"], &["--deep"]] {
            let Some(server) = start(&lab) else { continue };
            let options = [&["--idle", "0"], further].concat();
            let seen = lab.doctor(&server, &options, Duration::from_mins(1));
            assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{options:?} {}", seen.told());
            let is_gone = || server.connections() == 0 && server.sessions(&lab).is_empty();
            assert!(eventually(Duration::from_secs(5), is_gone), "left on the server: {:?}", server.sessions(&lab));
            let connections = server.log().matches(words).count();
            assert!(connections == 1 || further == ["--deep"], "{options:?} {}", server.log());
        }
    }
}
