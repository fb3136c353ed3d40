//! The verdict equals what `ssh HOST true` does: set-ups of ssh_config, each in a variant that works and in one that fails.

use std::fs;
use std::time::Duration;

use ssh_doctor_fixtures::names::{Host, NameAnswer};

use crate::lab::{Lab, Report, Server, has};
use crate::own_ssh::{agrees, settle};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A lab, a server in it, and the client's folder of keys.
fn lab(server: &[&str]) -> Option<(Lab, Server, String)> {
    let lab = Lab::healthy()?;
    let server = lab.sshd(server);
    let ssh = lab.home().path("client/.ssh").display().to_string();
    Some((lab, server, ssh))
}

/// The settings with which ssh works, and those with which it fails; the doctor says the same of each. What it says of the second.
#[track_caller]
fn pair(lab: &Lab, server: &Server, works: &str, fails: &str) -> Report {
    let [_, failed] = [(works, &[0, 1][..]), (fails, &[2])].map(|(own, expected)| {
        settle(lab, server, own);
        let seen = agrees(lab, "db", &[]);
        assert!(seen.run.status.is_some_and(|status| expected.contains(&status)), "{own}: {}", seen.told());
        seen
    });
    failed
}

/// Asserts the verdict of ssh and the cause of the failure.
#[track_caller]
fn pair_for(lab: &Lab, server: &Server, works: &str, fails: &str, code: &str) {
    let failed = pair(lab, server, works, fails);
    assert_eq!(failed.codes().first(), Some(&code), "{fails}: {}", failed.told());
}

/// A file in the client's folder of keys.
fn read(lab: &Lab, file: &str) -> String {
    fs::read_to_string(lab.home().key(file)).expect("our own file")
}

/// Signs a key of the client, or the server's host key, with the authority.
fn certify(lab: &Lab, args: &[&str]) {
    let authority = lab.home().key("authority").display().to_string();
    let signed = lab.run("ssh-keygen", &[&["-q", "-s", &authority], args].concat(), s(10));
    assert_eq!(signed.status, Some(0), "{signed:?}");
}

#[test]
fn files_blocks_and_tokens() {
    let Some((lab, server, ssh)) = lab(&[]) else { return };
    lab.home().write("client/.ssh/compress", "Host db\n  Compression yes\n");
    lab.home().write("client/.ssh/port", "Host db\n  Port 1\n");
    pair(&lab, &server, &format!("Include {ssh}/compress"), &format!("Include {ssh}/port"));
    let exec = |command: &str| format!("Match host db exec \"{command}\"\n  Port 1\nMatch all");
    pair(&lab, &server, &exec("false"), &exec("true"));
    fs::copy(format!("{ssh}/known_hosts"), format!("{ssh}/known_root")).expect("our own file");
    let known = |token: &str| format!("UserKnownHostsFile {ssh}/known_{token}");
    pair(&lab, &server, &known("%r"), &known("%n"));
    pair(&lab, &server, "User root", "User nosuch");
    pair_for(&lab, &server, "IdentityFile ~/%n", "IdentityFile ~nosuch/id", "config-invalid");
    pair_for(&lab, &server, "CertificateFile ${PATH}", "CertificateFile ${NOSUCH}/c", "config-invalid");
    pair(&lab, &server, "AddressFamily inet", "AddressFamily inet6");
    pair(&lab, &server, "BindInterface far", "BindInterface nosuch0");
}

#[test]
fn host_keys_by_other_names_certificates_and_policies() {
    let Some((lab, server, ssh)) = lab(&[]) else { return };
    let key = fs::read_to_string(lab.home().path("host_key.pub")).expect("our own file");
    let known = fs::read_to_string(lab.home().key("known_hosts")).expect("our own file");
    lab.home().write("client/.ssh/known_hosts", &format!("{known}elsewhere {key}"));
    pair(&lab, &server, "HostKeyAlias elsewhere", "HostKeyAlias nowhere");
    let new = |policy: &str| format!("StrictHostKeyChecking {policy}\nUserKnownHostsFile {ssh}/new");
    pair(&lab, &server, &new("accept-new"), "StrictHostKeyChecking yes\nUserKnownHostsFile /dev/null");
    let command = |file: &str| format!("KnownHostsCommand /bin/cat {file}\nUserKnownHostsFile /dev/null");
    pair(&lab, &server, &command(&format!("{ssh}/known_hosts")), &command("/dev/null"));
    lab.home().keygen("authority", &["-t", "ed25519"]);
    let public = lab.home().path("host_key.pub").display().to_string();
    let named = server.address().to_string();
    certify(&lab, &["-h", "-I", "host", "-n", &named, "-V", "-1d:+1d", &public]);
    let certificate = format!("HostCertificate {}", lab.home().path("host_key-cert.pub").display());
    let certified = lab.sshd(&[&certificate]);
    let authority = fs::read_to_string(lab.home().key("authority.pub")).expect("our own file");
    lab.home().write("client/.ssh/trusted", &format!("@cert-authority * {authority}"));
    lab.home().write("client/.ssh/other", &format!("@cert-authority *.example {authority}"));
    let trusts = |file: &str| format!("UserKnownHostsFile {ssh}/{file}");
    pair(&lab, &certified, &trusts("trusted"), &trusts("other"));
}

#[test]
fn keys_agents_and_certificates_of_the_user() {
    let Some((lab, server, ssh)) = lab(&[]) else { return };
    pair(&lab, &server, "PreferredAuthentications publickey", "PreferredAuthentications password");
    pair(&lab, &server, "PubkeyAuthentication yes", "PubkeyAuthentication no");
    lab.home().keygen("wrong", &["-t", "ed25519"]);
    let (right, wrong) = (lab.agent(&["id_ed25519"]), lab.agent(&["wrong"]));
    let held =
        |option: &str| format!("Match all\n  {}\n  IdentitiesOnly no\n  IdentityFile none", option.replace('=', " "));
    let agents = [held(&right.option()), held(&wrong.option())];
    let own = fs::read(lab.home().key("id_ed25519")).expect("our own file");
    fs::remove_file(lab.home().key("id_ed25519")).expect("our own file");
    pair(&lab, &server, &agents[0], &agents[1]);
    fs::write(lab.home().key("id_ed25519"), own).expect("our own file");
    lab.run("chmod", &["644", &format!("{ssh}/id_ed25519")], s(5));
    settle(&lab, &server, "");
    assert_eq!(agrees(&lab, "db", &[]).run.status, Some(2), "a key that others may read");
    lab.run("chmod", &["600", &format!("{ssh}/id_ed25519")], s(5));
    assert_eq!(agrees(&lab, "db", &[]).run.status, Some(0));
    lab.home().keygen("rsa", &["-t", "rsa", "-b", "2048"]);
    lab.home().keygen("authority", &["-t", "ed25519"]);
    let (rsa, only_rsa) = (format!("{ssh}/rsa.pub"), lab.home().path("rsa_keys"));
    fs::copy(rsa, &only_rsa).expect("our own file");
    let by_rsa = lab.sshd(&[&format!("AuthorizedKeysFile {}", only_rsa.display())]);
    let size = |bits: u32| format!("RequiredRSASize {bits}\nIdentityFile {ssh}/rsa");
    let failed = pair(&lab, &by_rsa, &size(2048), &size(4096));
    assert!(failed.codes().contains(&"auth-key-too-short"), "{}", failed.told());
    for (name, validity) in [("valid", "-1d:+1d"), ("expired", "-2d:-1d")] {
        lab.home().keygen(name, &["-t", "ed25519"]);
        certify(&lab, &["-I", name, "-n", "root", "-V", validity, &format!("{ssh}/{name}.pub")]);
    }
    let trusted = format!("TrustedUserCAKeys {ssh}/authority.pub");
    let by_certificate = lab.sshd(&[&trusted, "AuthorizedKeysFile none"]);
    let with = |name: &str| format!("IdentityFile {ssh}/{name}\nCertificateFile {ssh}/{name}-cert.pub");
    pair(&lab, &by_certificate, &with("valid"), &with("expired"));
}

#[test]
fn ways_through_other_hosts() {
    let Some((lab, server, ssh)) = lab(&[]) else { return };
    let closed = lab.sshd(&["AllowTcpForwarding no"]);
    let hop = |name: &str, hop: &Server| {
        format!(
            "Host {name}\n  HostName {}\n  Port {}\n  User root\n  IdentityFile {ssh}/id_ed25519\n  UserKnownHostsFile {ssh}/known_hosts\n\
             Match all\n",
            hop.address(),
            hop.port()
        )
    };
    let hops = hop("open", &server) + &hop("closed", &closed);
    let jump = |name: &str| format!("{hops}Host db\n  ProxyJump {name}\nMatch all");
    pair(&lab, &server, &jump("open"), &jump("closed"));
    pair(&lab, &server, &jump("%r@open"), &jump("%u@open"));
    let command = |name: &str| format!("{hops}Host db\n  ProxyCommand ssh -W %h:%p {name}\nMatch all");
    pair(&lab, &server, &command("open"), &command("closed"));
    pair(&lab, &server, &command("open # %r %k %n %%d"), &command("open # %d"));
    let itself = format!("Host db\n  ProxyJump root@{}:{}\nMatch all", server.address(), server.port());
    pair_for(&lab, &server, &jump("open"), &itself, "config-jump-loop");
    // ssh does not notice this one, and starts itself without end: it is not tried.
    settle(&lab, &server, &format!("Host open\n  ProxyJump open\nMatch all\n{}", jump("open")));
    let run = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &["check", "db"], s(30));
    assert!(run.status == Some(2) && run.stdout.contains("config-jump-loop"), "{run:?}");
}

#[test]
fn algorithms_that_ssh_has_and_this_examination_has_not() {
    let only = "KexAlgorithms sntrup761x25519-sha512@openssh.com";
    let Some((lab, server, _)) = lab(&[only]) else { return };
    pair(&lab, &server, only, "KexAlgorithms curve25519-sha256");
    pair(&lab, &server, only, &format!("{only}\nUser nosuch"));
    let Some((lab, server, _)) = self::lab(&["Ciphers aes128-ctr"]) else { return };
    pair(&lab, &server, "Ciphers aes128-ctr,aes256-ctr", "Ciphers aes256-ctr");
    // The same out of the file of the system, or a policy that it includes.
    lab.home().write("policy", "Ciphers aes256-ctr\n");
    for (system, expected) in
        [("Ciphers aes128-ctr\n", 0), (&*format!("Include {}\n", lab.home().path("policy").display()), 2)]
    {
        lab.client().etc("ssh/ssh_config", system);
        settle(&lab, &server, "");
        let seen = agrees(&lab, "db", &[]);
        assert_eq!(seen.run.status, Some(expected), "{system}: {}", seen.told());
    }
}

#[test]
fn names_that_ssh_completes_and_addresses_that_it_compares() {
    let Some((lab, server, ssh)) = lab(&[]) else { return };
    let (address, port) = (server.address(), server.port());
    let _running = lab.name_servers(&[NameAnswer::Knows(Host { name: "srv.lab.example", address, sshfp: &[] })], "");
    lab.client().etc("hosts", &format!("127.0.0.1 localhost\n{address} name\n"));
    lab.home().keygen("elsewhere", &["-t", "ed25519"]);
    let [public, other] = ["../../host_key.pub", "elsewhere.pub"].map(|file| read(&lab, file));
    lab.home().write("client/.ssh/names", &format!("[srv.lab.example]:{port} {public}[name]:{port} {public}"));
    for (domain, codes) in [("lab.example", &[][..]), ("other.example", &["config-canonical-name"])] {
        let own = format!(
            "CanonicalizeHostname yes\nCanonicalDomains {domain}\nCanonicalizeFallbackLocal no\nMatch canonical host *.lab.example\n  \
             Port {port}\n  User root\n  IdentityFile {ssh}/id_ed25519\n  UserKnownHostsFile {ssh}/names\nMatch all"
        );
        settle(&lab, &server, &own);
        let seen = agrees(&lab, "srv", &[]);
        assert_eq!(seen.codes(), codes, "{domain}: {}", seen.told());
    }
    lab.home().write("client/.ssh/moved", &format!("[name]:{port} {public}[{address}]:{port} {other}"));
    let compared = |check: &str| {
        format!("Host db\n  HostName name\n  CheckHostIP {check}\n  UserKnownHostsFile {ssh}/moved\nMatch all")
    };
    pair_for(&lab, &server, &compared("no"), &compared("yes"), "hostkey-changed");
}

#[test]
fn lengths_and_signatures_that_ssh_does_not_accept_of_a_host() {
    let Some((lab, _server, ssh)) = lab(&[]) else { return };
    lab.home().keygen("host_rsa", &["-t", "rsa", "-b", "2048"]);
    lab.home().keygen("authority", &["-t", "rsa", "-b", "3072"]);
    let key = format!("HostKey {ssh}/host_rsa");
    let server = lab.sshd(&[&key]);
    let public = read(&lab, "host_rsa.pub");
    let name = format!("[{}]:{}", server.address(), server.port());
    lab.home().write("client/.ssh/rsa_hosts", &format!("{name} {public}"));
    let size = |bits: u32| {
        format!("RequiredRSASize {bits}\nUserKnownHostsFile {ssh}/rsa_hosts\nHostKeyAlgorithms rsa-sha2-512")
    };
    pair_for(&lab, &server, &size(2048), &size(4096), "hostkey-too-short");
    let host = lab.home().path("host_key.pub").display().to_string();
    let named = server.address().to_string();
    certify(&lab, &["-t", "rsa-sha2-256", "-h", "-I", "host", "-n", &named, "-V", "-1d:+1d", &host]);
    let certificate = format!("HostCertificate {}", lab.home().path("host_key-cert.pub").display());
    let certified = lab.sshd(&[&certificate]);
    lab.home().write("client/.ssh/trusted", &format!("@cert-authority * {}", read(&lab, "authority.pub")));
    let signed = |names: &str| format!("UserKnownHostsFile {ssh}/trusted\nCASignatureAlgorithms {names}");
    pair_for(&lab, &certified, &signed("rsa-sha2-256"), &signed("ssh-ed25519"), "hostkey-cert-invalid");
}

#[test]
fn the_key_of_the_clients_host_which_only_ssh_can_use() {
    let Some((lab, _, _)) = lab(&[]) else { return };
    let [private, public] = ["../../host_key", "../../host_key.pub"].map(|file| read(&lab, file));
    let client = lab.client_address(1);
    lab.client().etc("ssh/ssh_host_ed25519_key.pub", &public);
    lab.client().etc("ssh/ssh_host_ed25519_key", &private);
    lab.client().etc("ssh/ssh_config", "EnableSSHKeysign yes\n");
    lab.run("chmod", &["600", "/etc/ssh/ssh_host_ed25519_key"], s(5));
    lab.server_host().etc("ssh/ssh_known_hosts", &format!("{client} {public}"));
    lab.at_server_home(".shosts", &format!("{client} root\n"));
    let server = lab.sshd(&["HostbasedAuthentication yes", "IgnoreRhosts no", "AuthorizedKeysFile none"]);
    pair_for(&lab, &server, "HostbasedAuthentication yes", "HostbasedAuthentication no", "auth-key-rejected");
    lab.at_server_home(".shosts", "192.0.2.1 root\n");
    settle(&lab, &server, "HostbasedAuthentication yes");
    let seen = agrees(&lab, "db", &[]);
    assert_eq!(seen.codes(), ["session-own-ssh-refused"], "{}", seen.told());
    let offers = || server.log().matches("Failed publickey").count();
    let before = offers();
    agrees(&lab, "db", &[]);
    assert_eq!(offers() - before, 2, "ssh twice, and no login of ours after a refusal: {}", server.log());
}

/// SoftHSM's library, where Debian installs it.
const TOKENS: &str = "/usr/lib/softhsm/libsofthsm2.so";

#[test]
fn a_key_on_a_token() {
    let Some((lab, _, ssh)) = lab(&[]) else { return };
    if !has("softhsm2-util") {
        return;
    }
    let folder = lab.home().path("tokens");
    fs::create_dir(&folder).expect("our own folder");
    lab.client().etc("softhsm/softhsm2.conf", &format!("directories.tokendir = {}\n", folder.display()));
    lab.home().keygen("token", &["-t", "rsa", "-b", "2048", "-m", "PKCS8"]);
    let askpass = lab.home().path("askpass").display().to_string();
    lab.home().write("askpass", "#!/bin/sh\necho 1234\n");
    let agent = lab.agent(&[]);
    let socket = agent.option().replace("IdentityAgent=", "");
    let script = format!(
        "set -e; chmod 700 {askpass}
         softhsm2-util --init-token --free --label t --pin 1234 --so-pin 1234
         softhsm2-util --import {ssh}/token --token t --label k --id 01 --pin 1234
         rm {ssh}/token
         SSH_AUTH_SOCK={socket} SSH_ASKPASS={askpass} SSH_ASKPASS_REQUIRE=force ssh-add -s {TOKENS}"
    );
    let made = lab.run("sh", &["-c", &script], s(20));
    assert_eq!(made.status, Some(0), "{made:?}");
    let server = lab.sshd(&[&format!("AuthorizedKeysFile {ssh}/token.pub")]);
    let held = format!("Match all\n  IdentityAgent {socket}\n  IdentitiesOnly no\n  PKCS11Provider {TOKENS}");
    // Without an answer to the question for its PIN ssh cannot use the token.
    pair_for(&lab, &server, &held, &format!("PKCS11Provider {TOKENS}"), "session-own-ssh-refused");
    let by_agent = format!("Match all\n  IdentityAgent {socket}\n  IdentitiesOnly no\n  IdentityFile none");
    let failed = pair(&lab, &server, &by_agent, "PKCS11Provider /nonexistent/library.so");
    assert!(failed.codes().contains(&"config-pkcs11-missing"), "{}", failed.told());
}
