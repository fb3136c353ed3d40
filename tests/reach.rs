//! TCP in a network of its own: every way in which no connection comes about, told apart, and nothing else said.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::lab::{Lab, Middlebox, Report, Server, must};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Examines a port of an address, and asserts the codes and that it took no longer than ssh's own patience and 2 s.
fn examine(lab: &Lab, address: Ipv4Addr, port: u16, patience: u64, options: &[&str], expect: &[&str]) -> Report {
    let patient = format!("ConnectTimeout={patience}");
    let options = [&["--idle", "0", "-o", &patient], options].concat();
    let seen = lab.doctor_at(&format!("ssh://{address}:{port}"), &options, s(30));
    assert_eq!((seen.codes(), seen.died_at()), (expect.to_vec(), Some("tcp")), "{}", seen.told());
    assert!(seen.run.took < s(patience + 2), "{}", seen.told());
    seen
}

#[test]
fn every_way_to_fail_to_connect_is_told_apart() {
    let Some(lab) = Lab::healthy() else { return };
    lab.forward("tcp dport 1001 drop");
    lab.forward("tcp dport 1002 reject with icmp type admin-prohibited");
    lab.forward("tcp dport 1003 reject with tcp reset");
    lab.forward("tcp dport 1004 reject with icmp type port-unreachable");
    let server = lab.server_address();
    let elsewhere = Ipv4Addr::new(192, 0, 2, 1);
    std::thread::scope(|scope| {
        let lab = &lab;
        scope.spawn(move || examine(lab, server, 1000, 3, &[], &["tcp-refused"]));
        scope.spawn(move || examine(lab, server, 1001, 3, &[], &["tcp-filtered"]));
        scope.spawn(move || examine(lab, server, 1002, 3, &[], &["tcp-prohibited"]));
        scope.spawn(move || examine(lab, server, 1003, 3, &[], &["tcp-refused"]));
        scope.spawn(move || examine(lab, server, 1004, 3, &[], &["tcp-prohibited"]));
        // The router looks for the host by ARP for 3 s before it says so.
        scope.spawn(move || examine(lab, lab.nobody(), 22, 5, &[], &["tcp-unreachable"]));
        scope.spawn(move || examine(lab, elsewhere, 22, 3, &[], &["tcp-unreachable"]));
        let bind = ["-o", "BindAddress=203.0.113.9"];
        scope.spawn(move || examine(lab, server, 1000, 3, &bind, &["tcp-bind-address"]));
    });
}

#[test]
fn a_dead_address_that_ssh_tries_first_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let dead = Ipv4Addr::from(lab.server_address().to_bits() + 1);
    lab.forward(&format!("ip daddr {dead} drop"));
    lab.client().etc("nsswitch.conf", "passwd: files\nhosts: files\n");
    lab.client().etc("hosts", &format!("{dead} db.example\n{} db.example\n", lab.server_address()));
    let alias = format!("HostKeyAlias=[{}]:{}", lab.server_address(), server.port());
    let options = ["--idle", "0", "-o", "ConnectTimeout=3", "-o", &alias];
    let seen = lab.doctor_at(&format!("ssh://db.example:{}", server.port()), &options, s(30));
    assert_eq!((seen.codes(), seen.run.status), (vec!["tcp-some-addresses-dead"], Some(1)), "{}", seen.told());
    // It is waited for once.
    assert!(seen.run.took < s(3 + 3), "{}", seen.told());
}

/// A new connection's first packet, and nothing else.
const SYN: &str = "tcp flags syn / fin,syn,rst,ack";

fn finds(lab: &Lab, options: &[&str], expect: &[&str], server: &Server) -> Report {
    let options = [&["-o", "ConnectTimeout=5"], options].concat();
    let seen = lab.doctor(server, &options, s(60));
    assert_eq!((seen.codes(), seen.died_at()), (expect.to_vec(), None), "{}", seen.told());
    seen
}

#[test]
fn a_deep_look_at_a_healthy_path_finds_nothing() {
    let Some(lab) = Lab::healthy() else { return };
    let seen = finds(&lab, &["--idle", "0", "--deep"], &[], &lab.sshd(&["Subsystem sftp internal-sftp"]));
    assert_eq!(seen.check("tcp")["evidence"]["repeats"].as_array().map(Vec::len), Some(8), "{}", seen.told());
}

#[test]
fn a_server_that_takes_one_connection_at_a_time_is_healthy() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.sshd_one_at_a_time() else { return };
    finds(&lab, &["--idle", "0", "--deep"], &[], &server);
}

#[test]
fn first_packets_lost_now_and_then_are_loss() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["Subsystem sftp internal-sftp"]);
    lab.forward(&format!("{SYN} numgen inc mod 3 0 drop"));
    finds(&lab, &["--idle", "0", "--deep"], &["tcp-lossy"], &server);
}

#[test]
fn data_lost_now_and_then_is_loss_without_a_further_connection() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.vanish_above(60_000);
    lab.forward("ip length > 1000 numgen random mod 100 < 10 drop");
    let seen = finds(&lab, &["--idle", "0"], &["tcp-lossy"], &server);
    assert_eq!(seen.json["spent"]["connections"], 1, "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "likely", "{}", seen.told());
}

#[test]
fn a_limit_on_new_connections_that_drops_is_a_possible_ban() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["Subsystem sftp internal-sftp"]);
    lab.forward(&format!("{SYN} limit rate over 1/minute burst 4 packets drop"));
    let seen = finds(&lab, &["--idle", "0", "--deep"], &["tcp-source-banned"], &server);
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "possible", "{}", seen.told());
}

#[test]
fn a_limit_on_new_connections_that_rejects_is_a_possible_ban() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["Subsystem sftp internal-sftp"]);
    lab.forward(&format!("{SYN} limit rate over 1/minute burst 4 packets reject with icmp type port-unreachable"));
    let seen = finds(&lab, &["--idle", "0", "--deep"], &["tcp-source-banned"], &server);
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "possible", "{}", seen.told());
}

#[test]
fn a_limit_on_new_connections_is_named_and_the_sessions_that_were_let_in_are_held() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.forward(&format!("{SYN} limit rate over 1/minute burst 4 packets reject with icmp type port-unreachable"));
    let seen = finds(&lab, &["--idle", "6s"], &["tcp-connection-limit"], &server);
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "possible", "{}", seen.told());
    assert_eq!((&seen.json["verdict"], seen.run.status), (&"healthy".into(), Some(0)), "{}", seen.told());
    let spent = &seen.json["spent"];
    assert_eq!((&spent["limit"]["accepted"], &spent["limit"]["refused"]), (&3.into(), &1.into()), "{}", seen.told());
    assert_eq!((&spent["logins"], &spent["failed_logins"]), (&4.into(), &0.into()), "{}", seen.told());
    assert!(seen.idle()["timeout"]["survived_s"].as_f64() >= Some(5.5), "{}", seen.told());
}

/// `ufw limit`, as its rules are: the sixth new connection of an address within 30 s is rejected, and prolongs that.
fn limit(lab: &Lab, server: &Server) {
    let new = format!("-A INPUT -p tcp --dport {} -m conntrack --ctstate NEW -m recent --name ssh", server.port());
    let reject = "--update --seconds 30 --hitcount 6 -j REJECT";
    for rule in [format!("{new} --set"), format!("{new} {reject}")] {
        must(lab.server_host().command("iptables").args(rule.split(' ')), "");
    }
}

/// Packets that it has rejected.
fn rejected(lab: &Lab) -> String {
    let rules = must(lab.server_host().command("iptables").args(["-nvxL", "INPUT"]), "");
    let line = rules.lines().find(|line| line.contains("REJECT")).expect("a rule");
    line.split_whitespace().next().unwrap_or_default().to_owned()
}

#[test]
fn five_sessions_stay_below_the_limit_of_a_usual_firewall_and_let_the_user_in_afterwards() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    limit(&lab, &server);
    let seen = finds(&lab, &["--idle", "20s", "--sessions", "5"], &[], &server);
    assert_eq!((&seen.json["verdict"], seen.run.status), (&"healthy".into(), Some(0)), "{}", seen.told());
    assert_eq!(seen.json["spent"]["connections"], 4, "{}", seen.told());
    assert!(seen.idle()["timeout"]["survived_s"].as_f64() >= Some(19.5), "{}", seen.told());
    lets_the_user_in(&lab, &server);
    assert_eq!(rejected(&lab), "0");
}

fn lets_the_user_in(lab: &Lab, server: &Server) {
    let own = lab.ssh(server, &[], "echo in", s(10));
    assert_eq!((own.status, &*own.stdout), (Some(0), "in\n"), "{own:?}");
}

#[test]
fn a_long_idle_test_stays_below_that_limit_with_all_its_sessions() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    limit(&lab, &server);
    std::thread::scope(|scope| {
        let own = scope.spawn(|| {
            // Before the next sessions are opened: the first ones still count for the limit.
            std::thread::sleep(s(25));
            lets_the_user_in(&lab, &server);
        });
        let seen = lab.doctor(&server, &["--idle", "2m"], s(150));
        own.join().expect("the user's own session");
        assert_eq!((seen.codes(), &seen.json["verdict"]), (vec![], &"healthy".into()), "{}", seen.told());
        assert!(seen.json["spent"]["connections"].as_u64() > Some(8), "{}", seen.told());
        assert!(seen.idle()["timeout"]["survived_s"].as_f64() >= Some(119.5), "{}", seen.told());
        assert!(seen.run.took < s(130), "{}", seen.told());
    });
    assert_eq!(rejected(&lab), "0");
}

#[test]
fn a_long_idle_test_finds_a_short_timer_behind_that_limit_and_stays_below_it() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Forgets(12)]) else { return };
    let server = lab.sshd(&[]);
    limit(&lab, &server);
    let seen = lab.doctor(&server, &["--idle", "2m"], s(200));
    assert_eq!(seen.codes(), ["idle-silent-drop", "idle-no-keepalive"], "{}", seen.told());
    let (timeout, keepalive) = (&seen.idle()["timeout"], &seen.idle()["keepalive"]);
    let (survived_s, died_s) = (timeout["survived_s"].as_f64(), timeout["died_s"].as_f64());
    assert!(survived_s > Some(5.0) && died_s < Some(16.0), "{}", seen.told());
    assert_eq!(keepalive["verified"], true, "{}", seen.told());
    assert_eq!(seen.idle()["killer"]["hop"], 2, "{}", seen.told());
    assert_eq!(rejected(&lab), "0", "{}", seen.told());
}
