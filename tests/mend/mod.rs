//! The text that the report prints to paste, pasted: plain ssh fails before it and works after it.

use std::fs;
use std::time::Duration;

use crate::lab::{Lab, Namespace, Report, Run, Server, eventually};

mod keys;
mod names;
mod path;
mod reach;

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

/// True if a snippet for ssh_config mends ssh to this target, and changes nothing for another host.
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

/// True if a snippet for sshd_config mends plain ssh to this target: in place of lines with the same keyword, or at the end
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

/// A target by its name, whose key is known under that name.
fn named(lab: &Lab, server: &Server, name: &str) -> String {
    lab.home().know(name, server.port(), &read(lab, "host_key.pub"));
    format!("ssh://{name}:{}", server.port())
}
