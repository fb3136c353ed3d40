//! TCP in a network of its own: every way in which no connection comes about, told apart, and nothing else said.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::lab::{Lab, Report};

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
    assert!(seen.run.took < s(3 + 2), "{}", seen.told());
}
