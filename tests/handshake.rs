//! Real servers that never get as far as a login, or only by means of yesterday: what the doctor says, and that its fix mends ssh.

use std::time::Duration;

use crate::lab::{Lab, Report, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Examines the server, which must not take longer than ConnectTimeout and two seconds.
fn examined(lab: &Lab, server: &Server, options: &[&str]) -> Report {
    let limit = ["--idle", "0", "-o", "ConnectTimeout=4"];
    let seen = lab.doctor(server, &[&limit, options].concat(), s(20));
    // The start of the process and of ssh -G is not ours to bound.
    assert!(seen.json["duration_ms"].as_f64().is_some_and(|ms| ms < 6000.0), "{}", seen.told());
    seen
}

/// The diagnosis of this code.
fn because(seen: &Report, code: &str) -> String {
    let diagnoses = seen.json["diagnoses"].as_array().into_iter().flatten();
    diagnoses.filter(|diagnosis| diagnosis["code"] == code).map(|diagnosis| diagnosis["because"].to_string()).collect()
}

/// The option of the client's fix, as ssh takes it on its command line.
fn client_fix(seen: &Report) -> String {
    let fixes = seen.json["diagnoses"][0]["fixes"].as_array().expect("fixes");
    let snippet = fixes.iter().find(|fix| fix["side"] == "client").expect("a client's fix")["snippet"].as_str();
    let (key, value) =
        snippet.expect("a snippet").lines().nth(1).expect("a setting").trim().split_once(' ').expect("two words");
    format!("{key}={value}")
}

#[test]
fn the_fix_for_a_missing_algorithm_mends_ssh_and_is_called_weak_where_it_is() {
    let Some(lab) = Lab::healthy() else { return };
    for (setting, code, weak) in [
        ("KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1", "handshake-no-common-kex", true),
        ("Ciphers 3des-cbc,aes256-cbc", "handshake-no-common-cipher", true),
        ("Ciphers aes128-ctr\nMACs hmac-md5,hmac-sha1-96", "handshake-no-common-mac", false),
    ] {
        let server = lab.sshd(&[setting]);
        let seen = examined(&lab, &server, &[]);
        assert_eq!((seen.codes(), seen.run.status), (vec![code], Some(2)), "{}", seen.told());
        // The lists are enough: no second connection without a login, which servers penalize.
        assert!(seen.json["witness"].is_null(), "{}", seen.told());
        assert_eq!(lab.ssh(&server, &[], "true", s(10)).status, Some(255));
        let fix = client_fix(&seen);
        let mended = lab.ssh(&server, &["-o", &fix], "echo hi", s(10));
        assert_eq!((mended.status, &*mended.stdout), (Some(0), "hi\n"), "{fix}: {mended:?}");
        let again = examined(&lab, &server, &["-o", &fix]);
        if weak {
            assert_eq!(
                (again.codes(), again.run.status),
                (vec!["handshake-weak-algorithms"], Some(1)),
                "{}",
                again.told()
            );
        } else {
            // Our library speaks no truncated MAC; ssh does, and settles it.
            assert_eq!((again.codes(), again.run.status), (vec!["session-own-ssh-works"], Some(0)), "{}", again.told());
        }
    }
}

const SNTRUP: &str = "sntrup761x25519-sha512@openssh.com";

#[test]
fn what_ssh_speaks_and_our_library_does_not_is_our_limit_and_not_the_servers_fault() {
    let Some(lab) = Lab::healthy() else { return };
    let sntrup = format!("KexAlgorithms={SNTRUP}");
    let umac = ["-o", "MACs=umac-128@openssh.com", "-o", "Ciphers=aes128-ctr"];
    for (setting, options, name) in [
        (&*sntrup, &[][..], SNTRUP),
        ("Ciphers aes128-ctr\nMACs umac-64@openssh.com,umac-128@openssh.com", &[], "umac-64@openssh.com"),
        // The user's own ssh may be held to it.
        ("", &["-o", &sntrup], SNTRUP),
        ("", &umac, "umac-128@openssh.com"),
    ] {
        let server = lab.sshd(&[setting]);
        assert_eq!(lab.ssh(&server, options, "true", s(10)).status, Some(0), "{}", server.log());
        let seen = examined(&lab, &server, options);
        assert_eq!((seen.codes(), seen.run.status), (vec!["session-own-ssh-works"], Some(0)), "{}", seen.told());
        let check = seen.check("handshake");
        assert_eq!(check["status"], "error", "{}", seen.told());
        let summary = check["summary"].as_str().unwrap_or_default();
        assert!(summary.contains(name), "{}", seen.told());
        assert_eq!(["KexAlgorithms", "MACs"].iter().filter(|kind| summary.contains(**kind)).count(), 1, "{summary}");
    }
}

#[test]
fn a_message_authentication_code_that_the_cipher_does_without_is_no_limit() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = examined(&lab, &server, &["-o", "MACs=umac-128-etm@openssh.com"]);
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
}

#[test]
fn an_offer_that_our_library_lacks_is_compared_with_the_servers_all_the_same() {
    let Some(lab) = Lab::healthy() else { return };
    let servers = [Some(lab.sshd(&["KexAlgorithms diffie-hellman-group14-sha256"])), lab.dropbear(&[])];
    let sntrup = format!("KexAlgorithms={SNTRUP}");
    for (option, missing, code) in [
        (&*sntrup, "no matching key exchange method", "handshake-no-common-kex"),
        ("Ciphers=3des-cbc", "no matching cipher", "handshake-no-common-cipher"),
        ("HostKeyAlgorithms=ssh-dss", "no matching host key type", "handshake-no-common-hostkey"),
        ("HostKeyAlgorithms=sk-ssh-ed25519@openssh.com", "no matching host key type", "handshake-no-common-hostkey"),
    ] {
        for server in servers.iter().flatten() {
            let said = lab.ssh(server, &["-o", option], "true", s(10));
            // Later releases of dropbear speak sntrup761.
            if said.status != Some(0) {
                let seen = examined(&lab, server, &["-o", option]);
                assert_eq!((seen.codes(), seen.run.status), (vec![code], Some(2)), "{option}: {}", seen.told());
                assert!(said.stderr.contains(missing), "{option}: {said:?}");
            }
        }
    }
}

#[test]
fn a_small_rsa_key_is_weak() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_with_key(&["-t", "rsa", "-b", "1024"]);
    let seen = examined(&lab, &server, &[]);
    assert_eq!((seen.codes(), seen.run.status), (vec!["handshake-weak-algorithms"], Some(1)), "{}", seen.told());
    assert!(because(&seen, "handshake-weak-algorithms").contains("1024 bits"), "{}", seen.told());
}

#[test]
fn a_load_balancer_without_a_server_closes_before_any_version() {
    let Some(lab) = Lab::healthy() else { return };
    let config = "defaults\n mode tcp\n timeout connect 1s\n timeout client 9s\n timeout server 9s\n retries 0\n\
        listen ssh\n bind {address}:{port}\n server gone {address}:9\n";
    let Some(server) = lab.listener("haproxy", &["-db", "-f", "{config}"], config) else { return };
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes().first(), Some(&"handshake-closed-before-banner"), "{}", seen.told());
}

#[test]
fn a_server_that_has_no_start_up_left_is_read_even_where_a_reset_follows() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["MaxStartups 1"]);
    let hold = format!("exec 3<>/dev/tcp/{}/{}; sleep 9", lab.server_address(), server.port());
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| lab.run("bash", &["-c", &hold], s(12)));
        assert!(eventually(s(5), || server.connections() > 0));
        let seen = examined(&lab, &server, &[]);
        assert_eq!(seen.codes(), ["handshake-max-startups"], "{}", seen.told());
        holder.join().expect("a run");
    });
}

#[test]
fn a_server_that_gives_up_at_its_login_grace_time_is_told_by_the_round_age() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["LoginGraceTime 3"]);
    // Only what goes to the server is lost: its own end must come in order.
    lab.forward(&format!("ip daddr {} ip length > 900 drop", lab.server_address()));
    let seen = examined(&lab, &server, &[]);
    assert!(seen.json.to_string().contains("LoginGraceTime of sshd"), "{}", seen.told());
}

#[test]
fn a_reset_that_follows_our_words_is_told_by_saying_nothing() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    // The first bytes after a TCP header with timestamps: "SSH-", from the client only.
    let rule = format!("tcp dport {} @th,256,32 0x5353482d reject with tcp reset", server.port());
    lab.forward(&rule);
    let said = lab.ssh(&server, &[], "true", s(10)).stderr;
    assert!(["reset by", "Broken pipe"].iter().any(|words| said.contains(words)), "{said}");
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), ["handshake-reset"], "{}", seen.told());
    assert!(because(&seen, "handshake-reset").contains("OpenSSH"), "{}", seen.told());
}

#[test]
fn two_servers_with_keys_of_their_own_behind_one_address_are_told_from_a_changed_key() {
    let Some(lab) = Lab::healthy() else { return };
    let servers = [lab.sshd(&[]), lab.sshd_with_key(&["-t", "ed25519"])];
    let [one, two] = servers.each_ref().map(Server::port);
    let config = format!(
        "defaults\n mode tcp\n timeout connect 1s\n timeout client 9s\n timeout server 9s\n\
         listen ssh\n bind {{address}}:{{port}}\n balance roundrobin\n server one {{address}}:{one}\n server two {{address}}:{two}\n"
    );
    let Some(pool) = lab.listener("haproxy", &["-db", "-f", "{config}"], &config) else { return };
    lab.know_other_key(&pool);
    let mut seen = examined(&lab, &pool, &[]);
    // The first connection may have met the server that is known.
    if seen.codes().is_empty() {
        seen = examined(&lab, &pool, &[]);
    }
    assert_eq!((seen.codes(), seen.died_at()), (vec!["hostkey-several-keys"], Some("hostkey")), "{}", seen.told());
}

#[test]
fn of_several_keys_of_a_server_the_one_that_is_known_is_asked_for() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("rsa", &["-t", "rsa"]);
    let server = lab.sshd(&[&format!("HostKey {}", lab.home().key("rsa").display())]);
    let rsa = std::fs::read_to_string(lab.home().key("rsa.pub")).expect("a key");
    lab.home().write("client/.ssh/known_hosts", "");
    lab.home().know(&server.address().to_string(), server.port(), &rsa);
    assert_eq!(lab.ssh(&server, &[], "true", s(10)).status, Some(0));
    let seen = examined(&lab, &server, &[]);
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    assert_eq!(seen.check("hostkey")["evidence"]["key_type"], "ssh-rsa", "{}", seen.told());
}

#[test]
fn a_host_certificate_holds_or_is_told_why_not() {
    let Some(lab) = Lab::healthy() else { return };
    for (validity, principal, authority, codes) in [
        ("-1h:+1h", "{address}", "ca", &[][..]),
        ("-2h:-1h", "{address}", "ca", &["hostkey-cert-invalid"]),
        ("+1h:+2h", "{address}", "ca", &["hostkey-cert-invalid"]),
        ("-1h:+1h", "db.example", "ca", &["hostkey-cert-invalid"]),
        ("-1h:+1h", "{address}", "stranger", &["hostkey-unknown"]),
    ] {
        let server = lab.sshd_certified(validity, principal, authority);
        let plain = lab.ssh(&server, &[], "true", s(10));
        assert_eq!(plain.status, Some(if codes.is_empty() { 0 } else { 255 }), "{plain:?}");
        let seen = examined(&lab, &server, &[]);
        assert_eq!(seen.codes(), codes, "{validity} {principal} {authority}: {}", seen.told());
    }
}
