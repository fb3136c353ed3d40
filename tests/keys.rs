//! The built doctor with keys, certificates and agents of every kind, and the files that hold them.

use std::fs;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use crate::lab::{Lab, Report, Server};
use crate::logins::{assert_diagnosed, attempts, identity, login};

/// Keys from the agent alone.
const NO_FILE: [&str; 2] = ["-o", "IdentitiesOnly=no"];

fn certainty(seen: &Report) -> Option<&str> {
    seen.json["diagnoses"][0]["certainty"].as_str()
}

fn fixes(seen: &Report) -> String {
    seen.fixes().map(|fix| fix["snippet"].as_str().unwrap_or_default().to_owned() + "\n").collect()
}

#[test]
fn an_rsa_key_on_a_server_without_sha_2_is_named_and_the_fix_lets_it_in() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().keygen("by_rsa", &["-t", "rsa", "-b", "2048"]);
    lab.home().authorize("by_rsa");
    let Some(server) = lab.asyncssh_login("sha1") else { return };
    let key = lab.home().key("by_rsa");
    fs::rename(&key, lab.home().key("id_ed25519")).expect("the only identity from now on");
    fs::rename(lab.home().key("by_rsa.pub"), lab.home().key("id_ed25519.pub")).expect("the same");
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-signature-algorithm"]);
    assert_eq!(certainty(&seen), Some("certain"), "{}", seen.told());
    assert!(fixes(&seen).contains("PubkeyAcceptedAlgorithms +ssh-rsa"), "{}", seen.told());
    let plain = lab.ssh(&server, &["-oBatchMode=yes"], "true", Duration::from_secs(10));
    assert_eq!(plain.status, Some(255), "{plain:?}");
    // The fix is one that works, for ssh and for the doctor.
    let plain =
        lab.ssh(&server, &["-oBatchMode=yes", "-oPubkeyAcceptedAlgorithms=+ssh-rsa"], "true", Duration::from_secs(10));
    assert_eq!(plain.status, Some(0), "{plain:?}");
    let seen = login(&lab, &server, &["-o", "PubkeyAcceptedAlgorithms=+ssh-rsa"]);
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen), ["publickey ssh-rsa file accepted"]);
}

#[test]
fn an_rsa_key_that_is_too_short_for_ssh_is_named_whoever_holds_it() {
    let Some(lab) = Lab::healthy() else { return };
    let strict = ["-o", "RequiredRSASize=3072"];
    let plain = |server: &Server, options: &[&str]| {
        let options = [&strict, options].concat();
        lab.ssh(server, &options, "true", Duration::from_secs(10))
    };
    let server = lab.sshd_with_key(&["-t", "rsa", "-b", "2048"]);
    lab.know_other_key(&server);
    let run = plain(&server, &[]);
    assert!(run.status == Some(255) && run.stderr.contains("Bad server host key: Invalid key length"), "{run:?}");
    let seen = login(&lab, &server, &strict);
    assert_diagnosed(&seen, &server, &["hostkey-too-short"]);
    assert_eq!((seen.died_at(), certainty(&seen)), (Some("hostkey"), Some("certain")), "{}", seen.told());
    assert!(fixes(&seen).contains("RequiredRSASize 2048"), "{}", seen.told());
    let healed = ["-o", "RequiredRSASize=2048"];
    assert_diagnosed(&login(&lab, &server, &healed), &server, &[]);

    lab.home().keygen("by_rsa", &["-t", "rsa", "-b", "2048"]);
    lab.home().authorize("by_rsa");
    let only = lab.home().key("by_rsa").display().to_string();
    for usual in ["id_ed25519", "id_ed25519.pub"] {
        fs::remove_file(lab.home().key(usual)).expect("the usual key");
    }
    let server = lab.sshd(&[]);
    assert_eq!(plain(&server, &["-i", &only, "-oBatchMode=yes"]).status, Some(255));
    let seen = login(&lab, &server, &[&strict[..], &["-i", &only]].concat());
    assert_diagnosed(&seen, &server, &["auth-key-too-short"]);
    assert_eq!(attempts(&seen), ["publickey ssh-rsa file withheld"]);
    assert_diagnosed(&login(&lab, &server, &[&healed[..], &["-i", &only]].concat()), &server, &[]);
}

#[test]
fn a_kind_of_key_that_ssh_is_set_not_to_use_is_not_offered() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = login(&lab, &server, &["-o", "PubkeyAcceptedAlgorithms=rsa-sha2-512"]);
    assert_diagnosed(&seen, &server, &["auth-signature-algorithm"]);
    assert!(fixes(&seen).contains("+ssh-ed25519"), "{}", seen.told());
    assert_eq!(attempts(&seen), ["publickey ssh-ed25519 file withheld"]);
    lab.home().keygen("by_rsa", &["-t", "rsa", "-b", "2048"]);
    lab.home().authorize("by_rsa");
    let rsa = lab.home().key("by_rsa").display().to_string();
    let seen = login(&lab, &server, &["-i", &rsa, "-o", "PubkeyAcceptedAlgorithms=rsa-sha2-256"]);
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen).last().map(String::as_str), Some("publickey rsa-sha2-256 file accepted"));
}

#[test]
fn a_sound_certificate_of_an_authority_that_the_server_does_not_trust_asks_for_the_authority() {
    let Some(lab) = Lab::healthy() else { return };
    for name in ["authority", "stranger"] {
        lab.home().keygen(name, &["-t", "ed25519"]);
    }
    let [stranger, own] = ["stranger", "id_ed25519.pub"].map(|name| lab.home().key(name).display().to_string());
    let args = ["-q", "-s", &stranger, "-I", "joe", "-n", "root", "-V", "-1d:+1d", &own];
    assert_eq!(lab.run("ssh-keygen", &args, Duration::from_secs(10)).status, Some(0));
    let authority = lab.home().key("authority.pub");
    let server = lab.sshd(&[&format!("TrustedUserCAKeys {}", authority.display()), "AuthorizedKeysFile none"]);
    let seen = login(&lab, &server, &[]);
    assert_diagnosed(&seen, &server, &["auth-key-rejected"]);
    assert!(fixes(&seen).contains("trustedusercakeys"), "{}", seen.told());
}

/// A login with the keys of an agent alone.
fn by_agent(lab: &Lab, server: &Server, option: &str) -> Report {
    let _ = fs::rename(lab.home().key("id_ed25519"), lab.home().key("away"));
    let _ = fs::rename(lab.home().key("id_ed25519.pub"), lab.home().key("away.pub"));
    login(lab, server, &[&["-o", option], &NO_FILE[..]].concat())
}

#[test]
fn an_agent_that_is_locked_is_told_from_an_empty_one() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let agent = lab.agent(&["id_ed25519"]);
    agent.lock(true);
    let seen = by_agent(&lab, &server, &agent.option());
    assert_diagnosed(&seen, &server, &["auth-no-credentials"]);
    assert!(fixes(&seen).contains("ssh-add -X"), "{}", seen.told());
    agent.lock(false);
    assert_diagnosed(&by_agent(&lab, &server, &agent.option()), &server, &[]);
    let empty = by_agent(&lab, &server, &lab.agent(&[]).option());
    assert_diagnosed(&empty, &server, &["auth-no-credentials"]);
    assert!(!fixes(&empty).contains("ssh-add -X"), "{}", empty.told());
}

#[test]
fn a_security_key_behind_an_agent_logs_in_with_one_touch_and_is_named_without() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let Some((_agent, option)) = lab.security_key(true) else { return };
    let _ = fs::rename(lab.home().key("id_ed25519"), lab.home().key("away"));
    let _ = fs::rename(lab.home().key("id_ed25519.pub"), lab.home().key("away.pub"));
    let options = [&["--idle", "0", "-o", &option], &NO_FILE[..]].concat();
    let seen = lab.doctor(&server, &options, Duration::from_secs(40));
    assert_diagnosed(&seen, &server, &[]);
    assert_eq!(attempts(&seen), ["publickey sk-ssh-ed25519@openssh.com agent accepted"]);
    assert_eq!(lab.touches(), 1, "{}", seen.told());
    let Some((_agent, option)) = lab.security_key(false) else { return };
    let seen = by_agent(&lab, &server, &option);
    assert_diagnosed(&seen, &server, &["auth-agent-refused"]);
    assert_eq!(attempts(&seen), ["publickey sk-ssh-ed25519@openssh.com agent unfinished"]);
}

#[test]
fn an_agent_that_hangs_is_named_for_ssh_hangs_with_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let socket = lab.home().path("mute");
    let _mute = UnixListener::bind(&socket).expect("our own folder");
    let option = format!("IdentityAgent={}", socket.display());
    // The key file would log in, and ssh does not get as far.
    let seen = login(&lab, &server, &["-o", &option]);
    assert_diagnosed(&seen, &server, &["auth-agent-silent"]);
    assert_eq!(attempts(&seen), ["publickey ssh-ed25519 file accepted"]);
    let plain = lab.ssh(&server, &["-oBatchMode=yes", &format!("-o{option}")], "true", Duration::from_secs(8));
    assert_eq!(plain.status, None, "ssh was expected to hang: {plain:?}");
}

#[test]
fn files_are_those_that_ssh_opens_whatever_their_names_are_made_of() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["AuthorizedKeysFile none"]);
    let template = "/nowhere/%C-%d-%h-%i-%k-%L-%l-%n-%p-%r-%u-100%%-${HOME}";
    let [key, certificate] =
        ["IdentityFile", "CertificateFile"].map(|keyword| format!("{keyword}={template}-{keyword}"));
    let alias = format!("HostKeyAlias=[{}]:{}", server.address(), server.port());
    let options = ["-o", &key, "-o", &certificate, "-o", "IdentityFile=~/by_tilde", "-o", &alias];
    let plain = lab.ssh(&server, &[&["-v", "-oBatchMode=yes"], &options[..]].concat(), "true", Duration::from_secs(10));
    let opened = |start: &str| {
        let lines = plain.stderr.lines().filter_map(|line| line.split_once(start));
        lines.map(|(_, rest)| rest.rsplit_once(" type ").map_or(rest, |(name, _)| name).to_owned()).collect::<Vec<_>>()
    };
    let mut by_ssh = opened("identity file ");
    by_ssh.retain(|name| !name.ends_with("-cert"));
    by_ssh.extend(opened("certificate file "));
    by_ssh.sort();
    assert_eq!(by_ssh.len(), 4, "{plain:?}");
    let seen = lab.doctor(&server, &[&["--only", "auth"], &options[..]].concat(), Duration::from_secs(30));
    let files = seen.check("auth")["evidence"]["files"].as_array().cloned().unwrap_or_default();
    let mut ours: Vec<_> = files.iter().filter_map(|file| file["path"].as_str()).map(ToOwned::to_owned).collect();
    ours.sort();
    assert_eq!(ours, by_ssh, "{}", seen.told());
}

#[test]
fn a_security_key_that_only_ssh_can_use_is_left_to_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    lab.home().forget_keys();
    let Some(()) = lab.security_key_file("id_ed25519_sk") else { return };
    let server = lab.sshd(&[]);
    let options = ["-i", &identity(&lab, "id_ed25519_sk")];
    let seen = login(&lab, &server, &options);
    // Nobody has the device, and ssh finds none either.
    assert_diagnosed(&seen, &server, &["session-own-ssh-refused"]);
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("device not found"), "{}", seen.told());
    assert_eq!((seen.json["verdict"].as_str(), seen.run.status), (Some("broken"), Some(2)), "{}", seen.told());
    // A key that the server does not know would not help in an agent either.
    let stranger = lab.sshd(&["AuthorizedKeysFile none"]);
    assert_diagnosed(&login(&lab, &stranger, &options), &stranger, &["auth-key-rejected"]);
}
