//! The verdict beside plain ssh: the same settings, the same machine, on what works and on what fails.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;
use std::time::Duration;

use crate::lab::{Lab, Report, Run, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A lab in which the client's settings are this text and name the server `db`.
pub(crate) fn settle(lab: &Lab, server: &Server, own: &str) {
    let ssh = lab.home().path("client/.ssh");
    let ssh = ssh.display();
    let (address, port) = (server.address(), server.port());
    lab.home().write(
        "client/.ssh/config",
        &format!(
            "{own}\nHost db\n  HostName {address}\n  Port {port}\n  User root\n  IdentityFile {ssh}/id_ed25519\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {ssh}/known_hosts\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n"
        ),
    );
}

/// Runs `ssh TARGET true` and the doctor with the same options: ssh works where the verdict is healthy or degraded, and only there.
pub(crate) fn agrees(lab: &Lab, target: &str, options: &[&str]) -> Report {
    let ssh = lab.run("ssh", &[options, &["-o", "BatchMode=yes", target, "true"]].concat(), s(6));
    let check = [&["check", "--format", "json", "--idle", "0"], options, &["-o", "BatchMode=yes", target]].concat();
    let run = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &check, s(60));
    let json = serde_json::from_str(&run.stdout).unwrap_or_default();
    let seen = Report { run, json };
    let works = matches!(seen.run.status, Some(0 | 1));
    assert!(works || seen.run.status == Some(2), "no verdict: {}\nssh: {ssh:?}", seen.told());
    assert_eq!(ssh.status == Some(0), works, "ssh: {ssh:?}\n{}", seen.told());
    seen
}

fn set_mode(lab: &Lab, file: &str, mode: u32) {
    fs::set_permissions(lab.home().path(file), fs::Permissions::from_mode(mode)).expect("our own file");
}

#[test]
fn a_line_that_ssh_does_not_accept_and_the_line_that_has_it_passed_over() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "UseKeychain yes");
    let seen = agrees(&lab, "db", &[]);
    assert_eq!(seen.codes(), ["config-invalid"], "{}", seen.told());
    let snippets: Vec<_> = seen.fixes().filter_map(|fix| fix["snippet"].as_str()).collect();
    assert_eq!(snippets[0], "IgnoreUnknown usekeychain");
    settle(&lab, &server, &format!("{}\nUseKeychain yes", snippets[0]));
    assert!(agrees(&lab, "db", &[]).codes().is_empty());
}

#[test]
fn an_ssh_that_cannot_start_is_no_missing_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    let doctor = env!("CARGO_BIN_EXE_ssh-doctor");
    let codes = |run: Run| {
        let json = serde_json::from_str(&run.stdout).unwrap_or_default();
        let seen = Report { run, json };
        assert_eq!(seen.run.status, Some(2), "{}", seen.told());
        seen.codes().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let check = [doctor, "check", "--only", "config,dns", "--format", "json", "127.0.0.1"];
    let as_nobody = [&["--user", "--map-user=54321"][..], &check].concat();
    assert_eq!(codes(lab.run("unshare", &as_nobody, s(20))), ["config-user-missing"]);
    let said = "ssh: error while loading shared libraries: libcrypto.so.9: cannot open shared object file: No such file or directory";
    lab.home().write("client/ssh", &format!("#!/bin/sh\necho '{said}' >&2\nexit 127\n"));
    set_mode(&lab, "client/ssh", 0o755);
    let path = format!("PATH={}:/usr/bin:/bin", lab.home().path("client").display());
    assert_eq!(codes(lab.run("env", &[&[path.as_str()][..], &check].concat(), s(20))), ["config-ssh-cannot-start"]);
}

#[test]
fn a_configuration_that_others_may_write_or_own_and_the_command_that_mends_it() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "");
    let config = lab.home().config();
    for (mode, owner, mends) in [(0o666, None, "chmod go-w "), (0o600, Some(1234), "sudo chown ")] {
        set_mode(&lab, "client/.ssh/config", mode);
        chown(&config, owner, None).expect("root may");
        let seen = agrees(&lab, "db", &[]);
        assert_eq!(seen.codes(), ["config-permissions"], "{}", seen.told());
        let command = seen.fixes().find_map(|fix| fix["snippet"].as_str()).expect("a fix");
        assert!(command.starts_with(mends), "{command}");
        let mended = Command::new("sh").args(["-ec", &command.replace("sudo ", "")]).status();
        assert!(mended.is_ok_and(|status| status.success()), "{command}");
        assert!(agrees(&lab, "db", &[]).codes().is_empty());
    }
}

#[test]
fn a_control_path_that_no_socket_can_have() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let folder = lab.home().path("client");
    let named = |bytes: usize| {
        let folder = format!("{}/", folder.display());
        format!("{folder}{}", "x".repeat(bytes - folder.len()))
    };
    for (path, master, fails) in [
        (named(90), "auto", false),
        (named(91), "auto", true),
        (named(107), "no", false),
        (named(108), "no", true),
        ("/nonexistent/x".to_owned(), "auto", true),
        ("/nonexistent/x".to_owned(), "no", false),
    ] {
        settle(&lab, &server, &format!("ControlPath {path}\nControlMaster {master}"));
        let codes = if fails { &["config-control-path"][..] } else { &[] };
        let seen = agrees(&lab, "db", &[]);
        assert_eq!(seen.codes(), codes, "{} bytes, {master}: {}", path.len(), seen.told());
    }
}

/// A control master of the user's, until it is dropped.
struct Master<'a> {
    lab: &'a Lab,
    pid: String,
}

impl<'a> Master<'a> {
    fn start(lab: &'a Lab) -> Self {
        let run = lab.run("ssh", &["-M", "-N", "-f", "db"], s(5));
        assert_eq!(run.status, Some(0), "{run:?}");
        let said = lab.run("ssh", &["-O", "check", "db"], s(5)).stderr;
        let (_, pid) = said.split_once("pid=").unwrap_or_else(|| panic!("{said}"));
        Self { lab, pid: pid.trim_end().trim_end_matches(')').to_owned() }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }
}

impl Drop for Master<'_> {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", &self.pid]).status();
        let _ = fs::remove_file(self.lab.home().path("client/m"));
    }
}

#[test]
fn a_control_master_that_hangs_hangs_ssh_and_a_live_one_is_examined_too() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, &format!("ControlPath {}", lab.home().path("client/m").display()));
    assert!(agrees(&lab, "db", &[]).codes().is_empty(), "no master yet");
    {
        let master = Master::start(&lab);
        let seen = agrees(&lab, "db", &[]);
        assert_eq!((seen.codes(), seen.run.status), (vec!["config-master-shared"], Some(0)), "{}", seen.told());
        master.signal("STOP");
        let seen = agrees(&lab, "db", &[]);
        assert_eq!((seen.codes()[0], seen.died_at()), ("config-master-dead", Some("config")), "{}", seen.told());
        assert_eq!(seen.check("auth")["status"], "pass", "the server is well: {}", seen.told());
    }
    // A master that answers, on a connection of which nothing comes back any more.
    let master = Master::start(&lab);
    let of_master = lab.run("ss", &["-tnH", "state", "established"], s(5)).stdout;
    let port =
        of_master.split_whitespace().nth(2).and_then(|end| end.rsplit_once(':')).expect("its connection").1.to_owned();
    lab.client().nft(&format!(
        "table inet dead {{\n chain input {{\n type filter hook input priority 0\n tcp dport {port} drop\n }}\n}}"
    ));
    let seen = agrees(&lab, "db", &[]);
    assert_eq!((seen.codes()[0], seen.died_at()), ("config-master-dead", Some("config")), "{}", seen.told());
    let fixes: Vec<_> = seen.fixes().filter_map(|fix| fix["snippet"].as_str()).collect();
    assert_eq!(fixes[0], "ssh -O exit db");
    let exit = lab.run("ssh", &["-O", "exit", "db"], s(5));
    assert_eq!(exit.status, Some(0), "{exit:?}");
    assert!(eventually(s(5), || agrees(&lab, "db", &[]).codes().is_empty()));
    drop(master);
}

#[test]
fn a_master_on_an_old_connection_works_where_a_new_one_does_not() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, &format!("ControlPath {}", lab.home().path("client/m").display()));
    let _master = Master::start(&lab);
    lab.client().nft(&format!(
        "table inet shut {{\n chain output {{\n type filter hook output priority 0\n tcp dport {} tcp flags syn reject with tcp reset\n }}\n}}",
        server.port()
    ));
    let seen = agrees(&lab, "db", &[]);
    assert_eq!(seen.run.status, Some(1), "{}", seen.told());
    assert!(seen.codes().contains(&"config-master-shared"), "{}", seen.told());
}

#[test]
fn a_proxy_command_that_cannot_start() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "ProxyCommand no-such-proxy %h %p");
    let seen = agrees(&lab, "db", &[]);
    assert_eq!(seen.codes(), ["config-proxy-command"], "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "certain", "{}", seen.told());
    settle(&lab, &server, "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3'");
    assert!(agrees(&lab, "db", &[]).codes().is_empty());
}

#[test]
fn what_ssh_only_warns_of_is_a_word_and_no_fault() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "PKCS11Provider /nonexistent.so");
    let seen = agrees(&lab, "db", &[]);
    assert!(seen.codes().contains(&"config-pkcs11-missing"), "{}", seen.told());
    let stale = lab.home().path("client/stale").display().to_string();
    drop(std::os::unix::net::UnixListener::bind(&stale));
    settle(&lab, &server, &format!("IdentityAgent {stale}"));
    let seen = agrees(&lab, "db", &[]);
    assert_eq!((seen.codes(), seen.run.status), (vec!["config-agent-stale"], Some(0)), "{}", seen.told());
    fs::create_dir_all(lab.home().path("other/.ssh")).expect("our own folder");
    lab.home().write("other/.ssh/config", "");
    settle(&lab, &server, "");
    let other = format!("HOME={}", lab.home().path("other").display());
    let check = [&other, env!("CARGO_BIN_EXE_ssh-doctor"), "check", "--format", "json", "--only", "config", "db"];
    let run = lab.run("env", &check, s(10));
    assert!(run.stdout.contains("config-home-ignored") && run.status == Some(0), "{run:?}");
}

#[test]
fn a_match_that_runs_without_end_hangs_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "Match host db exec \"sleep 60\"\n  Compression yes\nMatch all");
    let seen = agrees(&lab, "db", &[]);
    assert_eq!(seen.codes(), ["config-match-hangs"], "{}", seen.told());
}

#[test]
fn a_command_of_the_settings_stands_in_the_way_of_every_other_one() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    settle(&lab, &server, "RemoteCommand date");
    let ssh = lab.run("ssh", &["db", "true"], s(5));
    assert_eq!(ssh.status, Some(255), "{ssh:?}");
    let seen = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &["check", "--format", "json", "--idle", "0", "db"], s(30));
    assert!(seen.stdout.contains("config-tty-forced") && seen.status == Some(1), "{seen:?}");
}
