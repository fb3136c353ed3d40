//! The path: what fits through it, and which marks pass.

use std::time::Duration;

use super::{SSH_CONFIG, examined, paste, printed, run_on, s};
use crate::lab::{Lab, Middlebox, Server};

/// True if plain ssh gets 300 kB through.
fn carries(lab: &Lab, server: &Server, deadline: Duration) -> bool {
    let run = lab.ssh(server, &[], "head -c 300000 /dev/zero", deadline);
    run.status == Some(0) && run.stdout.len() == 300_000
}

#[test]
fn a_black_hole_is_passed_with_the_printed_mtu_of_either_ends_interface() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.mtu_black_hole();
    let seen = examined(&lab, &server.url(), &[], "path-mtu-blackhole");
    let command = printed(&seen, "path-mtu-blackhole", "sudo ip link set dev INTERFACE mtu");
    for (host, interface) in [(lab.client(), "far"), (lab.server_host(), "near")] {
        assert!(!carries(&lab, &server, s(4)));
        run_on(&lab, host, "", &command.replace("INTERFACE", interface));
        assert!(carries(&lab, &server, s(10)), "{command}");
        run_on(&lab, host, "", &format!("ip link set dev {interface} mtu 1500"));
    }
}

#[test]
fn a_narrow_link_whose_messages_are_filtered_is_passed_with_the_printed_rule() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 4]) else { return };
    let server = lab.sshd(&[]);
    lab.router(2).ip("link set far mtu 900");
    lab.router(3).ip("link set near mtu 900");
    for filter in [lab.router(1), lab.router(4)] {
        filter.nft("add rule inet lab forward icmp type destination-unreachable drop");
    }
    let seen = examined(&lab, &server.url(), &[], "path-mtu-blackhole");
    assert!(!carries(&lab, &server, s(4)));
    let rules = printed(&seen, "path-mtu-blackhole", "nft insert rule inet filter forward icmp type");
    let rules = rules.replace("inet filter forward", "inet lab forward");
    for filter in [lab.router(1), lab.router(4)] {
        run_on(&lab, filter, "", &rules);
    }
    assert!(carries(&lab, &server, s(10)), "{rules}");
}

#[test]
fn a_path_that_drops_marks_is_passed_with_the_printed_line() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.forward("ip dscp af21 drop");
    let _marks = paste(&lab, SSH_CONFIG, "Host *\n  IPQoS af21 cs1");
    let seen = lab.doctor(&server, &["--idle", "0"], s(60));
    assert_eq!(seen.codes(), ["path-dscp-dropped"], "{}", seen.told());
    let shell = || lab.run("ssh", &["-tt", &server.url(), "echo alive"], s(6)).stdout.contains("alive");
    assert!(!shell());
    let _pasted = paste(&lab, SSH_CONFIG, &printed(&seen, "path-dscp-dropped", "Host "));
    assert!(shell());
}
