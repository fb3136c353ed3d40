//! The settings of many targets: ssh is asked once for all that share a set of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{doctor, list, run, text};
use crate::support::reports;

/// An ssh that notes each of its runs.
fn counted_ssh(folder: &Path) -> (String, std::path::PathBuf) {
    let (bin, notes) = (folder.join("bin"), folder.join("runs"));
    fs::create_dir(&bin).unwrap();
    let real = text(&Command::new("sh").args(["-c", "command -v ssh"]).output().unwrap().stdout);
    fs::write(bin.join("ssh"), format!("#!/bin/sh\necho >>{}\nexec {} \"$@\"\n", notes.display(), real.trim()))
        .unwrap();
    fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    (format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()), notes)
}

#[test]
fn settings_made_from_those_of_other_hosts_are_the_ones_that_ssh_gives() {
    let folder = tempfile::tempdir().unwrap();
    let (path, notes) = counted_ssh(folder.path());
    fs::write(folder.path().join("more"), "Host *.lab !gate.lab\n  User lab\n  ServerAliveInterval 7\n").unwrap();
    let config = folder.path().join("config");
    fs::write(
        &config,
        format!(
            "Host alone\n  HostName 127.0.0.9\n  Port 2200\nHost db?.lab\n  UserKnownHostsFile /known/%h\nInclude {}/more\nHost *\n  Port 2222\n  IdentityFile /keys/%r-%h\n",
            folder.path().display()
        ),
    )
    .unwrap();
    let mut names: Vec<String> = (1..=40).map(|number| format!("web{number}.lab")).collect();
    names.extend((1..=5).map(|number| format!("db{number}.lab")));
    names.extend(["alone", "gate.lab", "UPPER.lab", "127.0.0.1", "me@web1.lab", "web2.lab:99"].map(ToOwned::to_owned));
    let list = list(folder.path(), names.clone());
    let options = ["-F", config.to_str().unwrap(), "--only", "dns", "--timeout", "100ms", "--format", "json"];
    let shared = doctor(&[&options[..], &["--targets", &list]].concat()).env("PATH", &path).output().unwrap();
    let runs = fs::read_to_string(&notes).unwrap().lines().count();
    assert!(runs < 35, "ssh ran {runs} times for {} targets", names.len());
    let key = |report: &Value| {
        let target = &report["target"];
        (target.clone(), report["settings"].clone())
    };
    let shared: BTreeMap<_, _> = reports(&text(&shared.stdout))
        .iter()
        .map(|report| (report["target"]["input"].as_str().unwrap().to_owned(), key(report)))
        .collect();
    for name in names {
        let alone = run(&[&options[..], &[&name]].concat());
        let alone = &reports(&text(&alone.stdout))[0];
        assert_eq!(shared[&name], key(alone), "{name}");
    }
}

#[test]
fn where_a_match_decides_ssh_is_asked_for_every_host() {
    let folder = tempfile::tempdir().unwrap();
    let (path, notes) = counted_ssh(folder.path());
    let config = folder.path().join("config");
    fs::write(&config, "Match host *7\n  Port 77\nHost *\n  Port 22\n").unwrap();
    let list = list(folder.path(), (1..=20).map(|number| format!("127.0.0.{number}")));
    let options = ["-F", config.to_str().unwrap(), "--only", "dns", "--format", "json", "--targets", &list];
    let output = doctor(&options).env("PATH", &path).output().unwrap();
    let ports: BTreeMap<String, u64> = reports(&text(&output.stdout))
        .iter()
        .map(|report| {
            (report["target"]["input"].as_str().unwrap().to_owned(), report["target"]["port"].as_u64().unwrap())
        })
        .collect();
    assert!(fs::read_to_string(&notes).unwrap().lines().count() >= 20);
    assert!(ports.iter().all(|(name, port)| *port == if name.ends_with('7') { 77 } else { 22 }), "{ports:?}");
}
