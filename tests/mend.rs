//! What the report prints to paste, pasted: plain ssh fails before it and works after it.

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use ssh_doctor_fixtures::names::{Answer, Host};

use crate::lab::{Lab, Middlebox, Namespace, Report, Run, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Examines a target, which must not take longer than ConnectTimeout and two seconds, and must show this first.
fn examined(lab: &Lab, target: &str, options: &[&str], first: &str) -> Report {
    let limit = ["--idle", "0", "-o", "ConnectTimeout=3"];
    let seen = lab.doctor_at(target, &[options, &limit].concat(), s(20));
    assert_eq!(seen.codes().first(), Some(&first), "{}", seen.told());
    let bound = seen.json["settings"]["connect_timeout_s"].as_f64().map(|limit| (limit + 2.0) * 1000.0);
    assert!(bound > seen.json["duration_ms"].as_f64(), "{}", seen.told());
    seen
}

/// The text to paste that begins so, of the diagnosis of this code.
fn printed(seen: &Report, code: &str, begins: &str) -> String {
    let diagnoses = seen.json["diagnoses"].as_array().into_iter().flatten();
    let of_code = diagnoses.filter(|diagnosis| diagnosis["code"] == code);
    let mut snippets = of_code.flat_map(|diagnosis| diagnosis["fixes"].as_array().into_iter().flatten());
    let snippet = snippets.find_map(|fix| fix["snippet"].as_str().filter(|snippet| snippet.starts_with(begins)));
    snippet.unwrap_or_else(|| panic!("nothing begins with {begins:?}: {}", seen.told())).to_owned()
}

/// Plain ssh with the client's own files and nothing on the command line but where to.
fn ssh(lab: &Lab, target: &str, deadline: Duration) -> Run {
    lab.run("ssh", &[target, "echo alive"], deadline)
}

fn assert_works(lab: &Lab, target: &str, after: &str) {
    let run = ssh(lab, target, s(10));
    assert_eq!((run.status, &*run.stdout), (Some(0), "alive\n"), "after {after}: {run:?}");
}

fn assert_fails(lab: &Lab, target: &str) {
    let run = ssh(lab, target, s(5));
    assert_ne!(run.status, Some(0), "{run:?}");
}

/// Runs a command of a fix on a host, as its administrator would; the lab's hosts have no sudo.
fn run_on(lab: &Lab, host: &Namespace, folder: &str, command: &str) -> String {
    let command = command.replace("sudo ", "");
    let mut shell = host.command("sh");
    shell.args(["-ec", &command]).env("HOME", lab.home().path("client")).current_dir(lab.home().path(folder));
    let ran = shell.output().expect("sh runs");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{command}: {said}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

const KNOWN_HOSTS: &str = "client/.ssh/known_hosts";
const SSH_CONFIG: &str = "client/.ssh/config";

fn read(lab: &Lab, file: &str) -> String {
    fs::read_to_string(lab.home().path(file)).expect("our own file")
}

/// A file with a text pasted into it, until this is dropped.
struct Pasted<'a> {
    lab: &'a Lab,
    file: &'a str,
    before: String,
}

/// Pastes above the first Host of an ssh_config, and at the top of other files.
fn paste<'a>(lab: &'a Lab, file: &'a str, snippet: &str) -> Pasted<'a> {
    let before = read(lab, file);
    let (top, rest) = before.split_at(before.find("Host ").filter(|_| file == SSH_CONFIG).unwrap_or_default());
    lab.home().write(file, &format!("{top}{snippet}\n{rest}"));
    Pasted { lab, file, before }
}

impl Drop for Pasted<'_> {
    fn drop(&mut self) {
        self.lab.home().write(self.file, &self.before);
    }
}

/// Whether a snippet for ssh_config mends ssh to this target, and changes nothing for another host.
fn assert_client_mends(lab: &Lab, target: &str, snippet: &str) {
    let other = || lab.run("ssh", &["-G", "other.example"], s(5)).stdout;
    let before = other();
    assert_fails(lab, target);
    let _pasted = paste(lab, SSH_CONFIG, snippet);
    assert_works(lab, target, snippet);
    assert_eq!(before, other(), "{snippet} reaches further than to its host");
}

/// Has sshd read its configuration and keys anew, and waits until it takes connections again.
fn reload(lab: &Lab, server: &Server) {
    run_on(lab, lab.server_host(), "server", &format!("kill -HUP {}", server.pid()));
    let greets = format!("exec 3<>/dev/tcp/{}/{} && head -c 4 <&3", server.address(), server.port());
    assert!(eventually(s(5), || lab.run("bash", &["-c", &greets], s(2)).stdout == "SSH-"), "{}", server.log());
}

/// Whether a snippet for sshd_config mends plain ssh to this target: in place of lines with the same keyword, or at the end
/// where it is a Match.
fn assert_server_mends(lab: &Lab, server: &Server, target: &str, snippet: &str) {
    let file = format!("sshd_config_{}", server.port());
    let before = read(lab, &file);
    lab.home().write(&file, &configured(&before, snippet));
    reload(lab, server);
    assert_works(lab, target, snippet);
    lab.home().write(&file, &before);
    reload(lab, server);
}

fn configured(before: &str, snippet: &str) -> String {
    if snippet.starts_with("Match ") {
        return format!("{before}\n{snippet}\n");
    }
    let keyword = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let replaced: Vec<_> = snippet.lines().map(keyword).collect();
    let kept: Vec<_> = before.lines().filter(|line| !replaced.contains(&keyword(line))).collect();
    format!("{snippet}\n{}\n", kept.join("\n"))
}

#[test]
fn the_lines_for_a_missing_algorithm_mend_ssh_from_either_side() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("rsa", &["-t", "rsa"]);
    let rsa = lab.home().key("rsa").display().to_string();
    for (sick, code, keyword) in [
        ("KexAlgorithms diffie-hellman-group1-sha1".to_owned(), "handshake-no-common-kex", "KexAlgorithms"),
        ("Ciphers 3des-cbc".to_owned(), "handshake-no-common-cipher", "Ciphers"),
        ("Ciphers aes128-ctr\nMACs hmac-md5".to_owned(), "handshake-no-common-mac", "MACs"),
        (format!("HostKey {rsa}\nHostKeyAlgorithms ssh-rsa"), "handshake-no-common-hostkey", "HostKey "),
    ] {
        let server = lab.sshd(&[&sick]);
        lab.home().know(&server.address().to_string(), server.port(), &read(&lab, "client/.ssh/rsa.pub"));
        let seen = examined(&lab, &server.url(), &[], code);
        assert_client_mends(&lab, &server.url(), &printed(&seen, code, "Host "));
        let own_key = lab.home().path("host_key").display().to_string();
        let theirs = printed(&seen, code, keyword).replace("/etc/ssh/ssh_host_ed25519_key", &own_key);
        assert_server_mends(&lab, &server, &server.url(), &theirs);
    }
}

#[test]
fn the_old_key_is_removed_by_the_printed_command_and_no_other_line_with_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().keygen("old", &["-t", "ed25519"]);
    let (old, host) = (read(&lab, "client/.ssh/old.pub"), server.address());
    lab.home().write(KNOWN_HOSTS, &format!("[{host}]:{} {old}[{host}]:1 {old}other.example {old}", server.port()));
    let seen = examined(&lab, &server.url(), &[], "hostkey-changed");
    assert_fails(&lab, &server.url());
    run_on(&lab, lab.client(), "client", &printed(&seen, "hostkey-changed", "ssh-keygen -R"));
    let left = read(&lab, KNOWN_HOSTS);
    assert_eq!(left, format!("[{host}]:1 {old}other.example {old}"));
    // The person's yes to the fingerprint that the report names.
    let yes = lab.ssh(&server, &["-o", "StrictHostKeyChecking=accept-new"], "true", s(10));
    assert_eq!(yes.status, Some(0), "{yes:?}");
    assert_works(&lab, &server.url(), "the new key is known");
}

#[test]
fn an_unknown_key_becomes_known_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.home().write(KNOWN_HOSTS, "");
    let seen = examined(&lab, &server.url(), &[], "hostkey-unknown");
    assert_fails(&lab, &server.url());
    let shown = run_on(&lab, lab.client(), "client", &printed(&seen, "hostkey-unknown", "ssh-keyscan"));
    let proven = seen.check("hostkey")["evidence"]["fingerprint"].as_str().expect("a fingerprint");
    assert!(shown.contains(proven), "{shown}");
    let caution =
        seen.fixes().filter_map(|fix| fix["caution"].as_str()).find_map(|text| text.split_once("Only then: "));
    run_on(&lab, lab.client(), "client", caution.expect("how it is appended").1);
    assert_works(&lab, &server.url(), "the key was appended");
}

#[test]
fn an_authority_becomes_known_by_the_printed_line() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_certified("-1h:+1h", "{address}", "stranger");
    let seen = examined(&lab, &server.url(), &[], "hostkey-unknown");
    assert_fails(&lab, &server.url());
    let line = printed(&seen, "hostkey-unknown", "@cert-authority");
    let line = line.replace("<public key of the authority>", &read(&lab, "stranger.pub"));
    let _pasted = paste(&lab, KNOWN_HOSTS, &line);
    assert_works(&lab, &server.url(), &line);
}

#[test]
fn a_revoked_key_is_replaced_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let revoked = format!("@revoked * {}", read(&lab, "host_key.pub"));
    let _pasted = paste(&lab, KNOWN_HOSTS, &revoked);
    let seen = examined(&lab, &server.url(), &[], "hostkey-revoked");
    assert_fails(&lab, &server.url());
    let command = printed(&seen, "hostkey-revoked", "cd /etc/ssh");
    let (command, _) = command.rsplit_once(" && systemctl reload ssh").expect("a reload");
    let command = command.replace("/etc/ssh", ".").replace("ssh_host_ed25519_key", "host_key");
    run_on(&lab, lab.server_host(), "", &command);
    reload(&lab, &server);
    lab.home().write(KNOWN_HOSTS, &revoked);
    lab.home().know(&server.address().to_string(), server.port(), &read(&lab, "host_key.pub"));
    assert_works(&lab, &server.url(), &command);
}

#[test]
fn a_host_certificate_is_signed_anew_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    for (validity, principal) in [("-2h:-1h", "{address}"), ("+1h:+2h", "{address}"), ("-1h:+1h", "db.example")] {
        let server = lab.sshd_certified(validity, principal, "ca");
        let seen = examined(&lab, &server.url(), &[], "hostkey-cert-invalid");
        assert_fails(&lab, &server.url());
        let alias = seen.fixes().any(|fix| fix["snippet"].as_str().is_some_and(|text| text.contains("HostKeyAlias")));
        assert_eq!(alias, principal == "db.example", "an alias does not help against a date: {}", seen.told());
        if alias {
            let authority = format!("@cert-authority db.example {}", read(&lab, "ca.pub"));
            let _known = paste(&lab, KNOWN_HOSTS, &authority);
            assert_client_mends(&lab, &server.url(), &printed(&seen, "hostkey-cert-invalid", "Host "));
        }
        let command = printed(&seen, "hostkey-cert-invalid", "ssh-keygen -s ca_key").replace("ca_key", "ca");
        let key = format!("certified_{}.pub", server.port());
        let command = command.replace("/etc/ssh/ssh_host_ed25519_key.pub", &key);
        run_on(&lab, lab.server_host(), "", &command);
        reload(&lab, &server);
        assert_works(&lab, &server.url(), &command);
    }
}

/// A target by its name, whose key is known under that name.
fn named(lab: &Lab, server: &Server, name: &str) -> String {
    lab.home().know(name, server.port(), &read(lab, "host_key.pub"));
    format!("ssh://{name}:{}", server.port())
}

fn knows(name: &'static str, address: Ipv4Addr) -> Answer {
    Answer::Knows(Host { name, address, sshfp: &[] })
}

#[test]
fn a_name_is_found_after_the_printed_line_for_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let _running = lab.name_servers(&[knows("db.example", server.address())], "");
    let target = named(&lab, &server, "db");
    named(&lab, &server, "db.example");
    let seen = examined(&lab, &target, &[], "dns-nxdomain");
    let snippet = printed(&seen, "dns-nxdomain", "Host ").replace("FULL.NAME.OR.ADDRESS", "db.example");
    assert_client_mends(&lab, &target, &snippet);
    // The other family was asked for, for all hosts.
    let target = named(&lab, &server, "db.example");
    let _family = paste(&lab, SSH_CONFIG, "Host *\n  AddressFamily inet6");
    let seen = examined(&lab, &target, &[], "dns-no-address");
    assert_client_mends(&lab, &target, &printed(&seen, "dns-no-address", "Host db.example\n    AddressFamily"));
}

#[test]
fn a_name_is_found_after_the_printed_line_for_the_resolver() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let target = named(&lab, &server, "db.example");
    let _running = lab.name_servers(&[knows("db.example", server.address())], "");
    for (file, sick, code, begins) in [
        ("nsswitch.conf", "passwd: files\nhosts: files\n", "dns-not-asked", "hosts:"),
        ("resolv.conf", "nameserver 127.0.0.9\n", "dns-timeout", "nameserver "),
        ("resolv.conf", "nameserver 127.0.0.9\nnameserver 127.0.0.1\noptions timeout:4\n", "dns-slow", "options "),
    ] {
        lab.client().etc("resolv.conf", "nameserver 127.0.0.1\n");
        lab.client().etc("nsswitch.conf", "passwd: files\nhosts: files dns\n");
        // Dropped on arrival: where it is dropped on its way out, the sender is told.
        lab.client().nft("add table inet mute\nadd chain inet mute input { type filter hook input priority 0; }\nadd rule inet mute input ip daddr 127.0.0.9 drop");
        lab.client().etc(file, sick);
        let slow = code == "dns-slow";
        let limit: &[&str] = if slow { &["-o", "ConnectTimeout=10"] } else { &[] };
        let seen = lab.doctor_at(&target, &[&["--idle", "0", "-o", "ConnectTimeout=3"], limit].concat(), s(30));
        assert!(seen.codes().contains(&code), "{}", seen.told());
        let line = printed(&seen, code, begins).replace("ADDRESS", "127.0.0.1");
        let before = ssh(&lab, &target, s(20));
        assert!(before.status != Some(0) || before.took > s(3), "{before:?}");
        let kept: Vec<_> =
            sick.lines().filter(|old| slow && !old.starts_with("options") || old.starts_with("passwd")).collect();
        lab.client().etc(file, &format!("{}\n{line}\n", kept.join("\n")));
        let after = ssh(&lab, &target, s(20));
        assert!(after.status == Some(0) && after.took < s(3), "{line}: {after:?}");
    }
}

#[test]
fn the_address_that_dns_has_is_reached_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let target = named(&lab, &server, "db.example");
    let _running = lab.name_servers(&[knows("db.example", server.address())], "");
    lab.client().etc("hosts", "192.0.2.9 db.example\n");
    let seen = examined(&lab, &target, &[], "tcp-unreachable");
    assert_fails(&lab, &target);
    let command = printed(&seen, "dns-hosts-mismatch", "ssh -o HostKeyAlias");
    assert_eq!(run_on(&lab, lab.client(), "client", &format!("{command} echo alive")), "alive\n");
}

#[test]
fn a_dead_address_before_the_live_one_is_passed_by_the_printed_lines() {
    let Some(lab) = Lab::healthy().and_then(Lab::with_v6) else { return };
    let server = lab.sshd(&[]);
    let target = named(&lab, &server, "db.example");
    let v4 = server.address();
    let dead_v4 = Ipv4Addr::from(v4.to_bits() + 1);
    lab.forward(&format!("ip6 daddr {} tcp flags syn drop", lab.server_address_v6()));
    lab.forward(&format!("ip daddr {dead_v4} drop"));
    lab.client().etc("nsswitch.conf", "passwd: files\nhosts: files\n");
    for (hosts, patience, words) in [
        (format!("{} db.example\n{v4} db.example\n", lab.server_address_v6()), "3", "AddressFamily inet"),
        // Shorter than the user's own, or nothing is advised.
        (format!("{dead_v4} db.example\n{v4} db.example\n"), "7", "ConnectTimeout 5"),
    ] {
        lab.client().etc("hosts", &hosts);
        let patience = format!("ConnectTimeout={patience}");
        let seen = examined(&lab, &target, &["-o", &patience], "tcp-some-addresses-dead");
        let host = format!("Host db.example\n    {words}");
        assert_client_mends(&lab, &target, &printed(&seen, "tcp-some-addresses-dead", &host));
    }
}

#[test]
fn a_wrong_port_is_mended_by_the_printed_line_with_the_right_one() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let address = server.address().to_string();
    let Some(web) = lab.listener("openssl", &["s_server", "-quiet", "-nocert", "-accept", "{address}:{port}"], "")
    else {
        return;
    };
    let right = format!("Port {}", server.port());
    let refused = examined(&lab, &address, &[], "tcp-refused");
    assert_client_mends(&lab, &address, &printed(&refused, "tcp-refused", "Host ").replace("Port PORT", &right));
    let _wrong = paste(&lab, SSH_CONFIG, &format!("Host *\n  Port {}", web.port()));
    let other = examined(&lab, &address, &[], "handshake-not-ssh");
    let snippet = printed(&other, "handshake-not-ssh", "Host ").replace("Port <port of the SSH server>", &right);
    assert_client_mends(&lab, &address, &snippet);
}

#[test]
fn a_local_address_that_is_gone_is_passed_over_by_the_printed_command() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let _bind = paste(&lab, SSH_CONFIG, "Host *\n  BindAddress 203.0.113.9");
    let seen = examined(&lab, &server.url(), &[], "tcp-bind-address");
    assert_fails(&lab, &server.url());
    let command = printed(&seen, "tcp-bind-address", "ssh -o BindAddress");
    assert_eq!(run_on(&lab, lab.client(), "client", &format!("{command} echo alive")), "alive\n");
}

/// Holds a connection to the server that never logs in, meanwhile.
fn while_one_waits(lab: &Lab, server: &Server, run: impl FnOnce()) {
    let hold = format!("exec 3<>/dev/tcp/{}/{}; sleep 6", server.address(), server.port());
    std::thread::scope(|scope| {
        scope.spawn(|| lab.run("bash", &["-c", &hold], s(12)));
        assert!(eventually(s(5), || server.connections() > 0));
        run();
    });
}

#[test]
fn a_server_without_start_ups_left_takes_the_next_one_after_the_printed_lines() {
    let Some(lab) = Lab::healthy() else { return };
    for (sick, begins) in [("MaxStartups 1", "MaxStartups"), ("PerSourceMaxStartups 1", "PerSourceMaxStartups")] {
        let server = lab.sshd(&[sick]);
        let mut snippet = String::new();
        while_one_waits(&lab, &server, || {
            let seen = examined(&lab, &server.url(), &[], "handshake-max-startups");
            // Either limit says the same.
            assert_eq!(seen.json["diagnoses"][0]["certainty"], "likely", "{}", seen.told());
            assert_fails(&lab, &server.url());
            snippet = printed(&seen, "handshake-max-startups", begins);
        });
        // Reading its configuration anew, sshd forgets whom it counted: another one takes its place.
        let mended = lab.sshd(&[&configured(sick, &snippet)]);
        while_one_waits(&lab, &mended, || assert_works(&lab, &mended.url(), &snippet));
    }
}

#[test]
fn a_hop_carries_on_after_the_printed_lines_and_to_no_other_place() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion]) else { return };
    let (bastion, server) = (lab.bastion(1, &["AllowTcpForwarding no"]), lab.sshd(&[]));
    let address = server.address().to_string();
    let way = format!("Host {address}\n  Port {}\n  ProxyJump {}", server.port(), bastion.hop());
    let _way = paste(&lab, SSH_CONFIG, &way);
    let seen = examined(&lab, &address, &[], "jump-forwarding-prohibited");
    assert_fails(&lab, &address);
    let snippet = printed(&seen, "jump-forwarding-prohibited", "Match User");
    assert!(snippet.contains(&format!("PermitOpen {address}:{}", server.port())), "{snippet}");
    assert_server_mends(&lab, &bastion, &address, &snippet);
}

/// Whether plain ssh gets 300 kB through.
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
