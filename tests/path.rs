//! Paths that lose packets for their size or their mark: found, told from their look-alikes, and mended by the fix's own text.

use std::time::Duration;

use crate::lab::{Lab, Middlebox, Report, Server, eventually};

/// Long enough for a machine that is busy with other tests to try a full size again.
const QUICK: [&str; 4] = ["--idle", "0", "-o", "ConnectTimeout=6"];
/// The time that an examination takes which stalls in the handshake.
const SOON: Duration = s(6 + 3);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn assert_only(seen: &Report, code: &str, died_at: &str) {
    assert_eq!((seen.codes(), seen.died_at()), (vec![code], Some(died_at)), "{}", seen.told());
}

fn assert_certain(seen: &Report) {
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "certain", "{}", seen.told());
}

/// The line of the fixes' snippets that begins so, as the report has it.
fn advised(seen: &Report, begins: &str) -> String {
    let fixes = seen.json["diagnoses"][0]["fixes"].as_array().expect("fixes");
    let mut lines = fixes.iter().filter_map(|fix| fix["snippet"].as_str()).flat_map(str::lines).map(str::trim);
    lines.find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("no {begins}: {}", seen.told())).to_owned()
}

/// True if plain ssh gets 300 kB through.
fn works(lab: &Lab, server: &Server, options: &[&str], deadline: Duration) -> bool {
    let run = lab.ssh(server, options, "head -c 300000 /dev/zero", deadline);
    run.status == Some(0) && run.stdout.len() == 300_000
}

/// Clamps on the lab's router as the report advises, with iptables.
fn clamp_with_iptables(lab: &Lab, seen: &Report) {
    let line = advised(seen, "iptables");
    let ran = lab.router(1).command("sh").args(["-c", &line]).output().expect("sh runs");
    assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Clamps on the lab's router as the report advises, with nftables.
fn clamp(lab: &Lab, seen: &Report) {
    let rule = advised(seen, "nft insert rule inet filter forward tcp flags syn");
    let (_, rule) = rule.split_once("forward ").expect("a rule of the forward chain");
    lab.forward(rule);
}

#[test]
fn a_black_hole_before_the_keys_is_proven_and_mended() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.mtu_black_hole();
    let seen = lab.doctor(&server, &QUICK, s(30));
    assert_only(&seen, "path-mtu-blackhole", "handshake");
    assert_certain(&seen);
    assert!(seen.run.took < SOON, "{}", seen.told());
    let connections = seen.json["spent"]["connections"].as_u64();
    // Eight where there is time for every size.
    assert!(connections.is_some_and(|count| count <= 8), "{}", seen.told());
    let is_left = || server.connections() > 0;
    assert!(eventually(s(2), || !is_left()), "what stalled is left for LoginGraceTime: {}", server.log());
    assert!(!works(&lab, &server, &[], s(4)));
    let route = advised(&seen, "sudo ip route replace").replace("sudo ", "");
    assert_eq!(lab.run("sh", &["-c", &route], s(5)).status, Some(0), "{route}");
    assert!(works(&lab, &server, &[], s(10)), "{route}");
    lab.client().ip(&format!("route del {}", lab.server_address()));
    assert!(!works(&lab, &server, &[], s(4)));
    clamp(&lab, &seen);
    assert!(works(&lab, &server, &[], s(10)), "{}", seen.told());
    let healthy = lab.doctor(&server, &QUICK, s(30));
    assert_eq!((healthy.codes(), healthy.run.status), (vec![], Some(0)), "{}", healthy.told());
    assert_eq!(healthy.json["spent"]["connections"], 1, "{}", healthy.told());
}

#[test]
fn a_black_hole_on_the_way_back_is_proven_too() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.forward(&format!("ip length > 900 tcp sport {} drop", server.port()));
    lab.vanish_above(60_000);
    let seen = lab.doctor(&server, &QUICK, s(30));
    assert_only(&seen, "path-mtu-blackhole", "handshake");
    assert_certain(&seen);
    assert!(seen.told().contains("on the way to us"), "{}", seen.told());
}

#[test]
fn a_black_hole_for_full_packets_is_proven_where_the_transfer_stalls() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.vanish_above(1400);
    let seen = lab.doctor(&server, &["--idle", "0"], s(60));
    assert_only(&seen, "path-mtu-blackhole", "transfer");
    assert_certain(&seen);
    // The stall, the other sizes, and nothing more that would stall as well.
    assert!(seen.run.took < s(30), "{}", seen.told());
    assert_eq!(seen.check("exit")["status"], "skip", "{}", seen.told());
    assert!(eventually(s(2), || server.connections() == 0), "what stalled is left: {}", server.log());
    assert_eq!(seen.json["spent"]["failed_logins"], 0, "{}", seen.told());
    assert!(!works(&lab, &server, &[], s(4)));
    clamp_with_iptables(&lab, &seen);
    assert!(works(&lab, &server, &[], s(10)), "{}", seen.told());
}

/// A path by IPv6 with a narrow link in its middle; none where this machine cannot have one.
fn narrow_v6(mtu: u32) -> Option<(Lab, Server)> {
    let lab = Lab::through(&[Middlebox::Plain; 2]).and_then(Lab::with_v6)?;
    let server = lab.sshd_v6();
    lab.narrow_silent_link(mtu);
    // Neighbours are only found once the link-local addresses are.
    let knock = format!("exec 3<>/dev/tcp/{}/{}", lab.server_address_v6(), server.port());
    let answers = || lab.run("bash", &["-c", &knock], s(5)).took < Duration::from_millis(500);
    assert!(eventually(s(20), answers), "no way to the server: {}", server.log());
    Some((lab, server))
}

#[test]
fn an_ipv6_router_that_says_nothing_of_packets_too_big_makes_a_black_hole() {
    let Some((lab, server)) = narrow_v6(1280) else { return };
    let target = format!("ssh://[{}]:{}", lab.server_address_v6(), server.port());
    let examined = || lab.doctor_at(&target, &["--idle", "0", "-o", "ConnectTimeout=3"], s(60));
    let moves = || {
        let config = lab.home().config();
        let (port, address) = (server.port().to_string(), lab.server_address_v6().to_string());
        let args = ["-F", &config.to_string_lossy(), "-p", &port, &address, "head -c 300000 /dev/zero"];
        lab.run("ssh", &args, s(6)).stdout.len() == 300_000
    };

    let seen = examined();
    assert_eq!(seen.codes(), ["path-mtu-blackhole"], "{}", seen.told());
    assert_certain(&seen);
    assert!(!moves());
    let route = advised(&seen, "sudo ip route replace").replace("sudo ", "");
    assert_eq!(lab.run("sh", &["-c", &route], s(5)).status, Some(0), "{route}");
    assert!(moves(), "{route}");
    lab.client().ip(&format!("route del {}", lab.server_address_v6()));
    assert!(!moves());
    let rule = advised(&seen, "nft insert rule inet filter forward tcp flags syn");
    let (_, rule) = rule.split_once("forward ").expect("a rule of the forward chain");
    lab.forward(rule);
    assert!(moves(), "{rule}");
    let mended = examined();
    assert_eq!((mended.codes(), mended.run.status), (vec![], Some(0)), "{}", mended.told());
}

#[test]
fn an_ipv6_router_that_tells_of_packets_too_big_makes_none() {
    let Some((lab, server)) = narrow_v6(1280) else { return };
    for hop in [1, 2] {
        lab.router(hop).nft("delete table inet mute");
    }
    let target = format!("ssh://[{}]:{}", lab.server_address_v6(), server.port());
    let seen = lab.doctor_at(&target, &["--idle", "0", "-o", "ConnectTimeout=3"], s(60));
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
}

#[test]
fn a_filter_that_objects_to_the_key_exchange_is_no_black_hole() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    // The sixth byte of a packet's data is the type of an SSH message; 20 is SSH_MSG_KEXINIT.
    lab.forward(&format!("tcp dport {} @ih,40,8 20 drop", server.port()));
    let seen = lab.doctor(&server, &QUICK, s(30));
    assert_only(&seen, "handshake-kex-stalled", "handshake");
    assert!(seen.run.took < SOON, "{}", seen.told());
}

#[test]
fn where_small_packets_stall_as_well_nothing_is_said_of_their_size() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.forward("ip length > 200 drop");
    let seen = lab.doctor(&server, &QUICK, s(30));
    assert_only(&seen, "handshake-kex-stalled", "handshake");
    assert!(seen.run.took < SOON, "{}", seen.told());
}

#[test]
fn a_path_that_drops_marked_packets_is_proven_and_mended() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.forward("ip dscp af21 drop");
    let seen = lab.doctor(&server, &["--idle", "0", "-o", "IPQoS=af21 cs1"], s(60));
    assert_only(&seen, "path-dscp-dropped", "channel");
    assert_certain(&seen);
    // The user's own, one that shows that the path and the server are well, and the one without marks.
    assert_eq!(seen.json["spent"]["connections"], 3, "{}", seen.told());
    assert_eq!(seen.json["spent"]["logins"], 2, "{}", seen.told());
    assert!(seen.told().contains("its data was acknowledged"), "{}", seen.told());
    assert_eq!(advised(&seen, "IPQoS"), "IPQoS none");
    let interactive =
        |option: &str| lab.ssh(&server, &["-tt", "-o", option], "echo alive", s(6)).stdout.contains("alive");
    assert!(!interactive("IPQoS=af21 cs1"));
    assert!(interactive("IPQoS=none"));
}

#[test]
fn a_command_that_says_nothing_is_not_laid_on_marks() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ForceCommand sleep 30"]);
    let seen = lab.doctor(&server, &["--idle", "0", "-o", "IPQoS=af21 cs1"], s(60));
    assert!(!seen.codes().contains(&"path-dscp-dropped"), "{}", seen.told());
}
