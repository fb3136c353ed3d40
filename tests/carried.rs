//! Programs that run ssh, carried by `ssh-doctor tap`: every byte arrives, and nothing about the recording can end a session.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::lab::{HeldSession, Lab, Middlebox, Run, Server, eventually, has};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const MANY: &str = "MaxStartups 100";
/// Longer than any buffer on the way.
const MEBIBYTES: usize = 200;

/// A server whose alias in the client's ssh_config leads through tap.
struct Carried {
    lab: Lab,
    server: Server,
}

impl Carried {
    fn new() -> Option<Self> {
        let lab = Lab::healthy()?;
        let server = lab.sshd(&[MANY]);
        configure(&lab, &server, "");
        Some(Self { lab, server })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.lab.home().path(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn config(&self) -> String {
        self.lab.home().config().display().to_string()
    }

    #[track_caller]
    fn run(&self, program: &str, args: &[&str]) -> Run {
        let run = self.lab.run(program, args, s(90));
        assert_eq!(run.status, Some(0), "{program}: {run:?}");
        assert!(!run.stderr.contains("ssh-doctor"), "{program}: {run:?}");
        run
    }

    /// The records of a kind in all journals.
    fn records(&self, kind: &str) -> Vec<Value> {
        records(&self.path("client/state/ssh-doctor/tap"), kind)
    }
}

/// Writes an alias `db` of the server, and whatever else, into the client's configuration.
fn configure(lab: &Lab, server: &Server, more: &str) {
    let config = fs::read_to_string(lab.home().config()).unwrap();
    let state = lab.home().path("client/state");
    let tap = format!("env XDG_STATE_HOME={} {} tap %h %p", state.display(), env!("CARGO_BIN_EXE_ssh-doctor"));
    let alias = format!("Host db\n  HostName {}\n  Port {}\n", server.address(), server.port());
    fs::write(lab.home().config(), format!("{more}{alias}Host *\n  ProxyCommand {tap}\n{config}")).unwrap();
}

fn records(folder: &Path, kind: &str) -> Vec<Value> {
    let journals = fs::read_dir(folder).into_iter().flatten().flatten();
    let lines = journals.flat_map(|entry| {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    lines.filter_map(|line| serde_json::from_str(&line).ok()).filter(|record: &Value| record["kind"] == kind).collect()
}

fn checksum(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().expect("coreutils");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap_or_default().to_owned()
}

/// Writes bytes that no compression and no repetition makes shorter or alike.
fn write_noise(file: &Path, bytes: usize) {
    let source = fs::File::open("/dev/urandom").unwrap();
    std::io::copy(&mut source.take(bytes as u64), &mut fs::File::create(file).unwrap()).unwrap();
}

#[test]
fn scp_moves_200_mebibytes_each_way_unchanged() {
    let Some(carried) = Carried::new() else { return };
    let [from, there, back] = ["client/large", "server/large", "client/back"].map(|name| carried.path(name));
    write_noise(&from, MEBIBYTES << 20);
    let config = carried.config();
    carried.run("scp", &["-q", "-F", &config, &carried.text("client/large"), "db:large"]);
    carried.run("scp", &["-q", "-F", &config, "db:large", &carried.text("client/back")]);
    let sums = [&from, &there, &back].map(|file| checksum(file));
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
    assert!(eventually(s(10), || carried.records("stopped").len() == 2));
    let moved = carried
        .records("ended")
        .iter()
        .map(|end| end["received"].as_u64().unwrap() + end["sent"].as_u64().unwrap())
        .sum::<u64>();
    assert!(moved > (2 * MEBIBYTES as u64) << 20, "{moved}");
    assert!(carried.records("ended").iter().all(|end| end["facts"]["end"]["end"] == "closed-here"));
}

#[test]
fn rsync_git_and_sftp_work_through_it() {
    let Some(carried) = Carried::new() else { return };
    if !["rsync", "git", "sftp"].into_iter().all(has) {
        return;
    }
    let (config, ssh) = (carried.config(), format!("ssh -F {}", carried.config()));
    fs::create_dir_all(carried.path("client/tree/below")).unwrap();
    for (number, name) in ["tree/one", "tree/below/two"].into_iter().enumerate() {
        write_noise(&carried.path(&format!("client/{name}")), 70_000 + number);
    }
    carried.run("rsync", &["-a", "-e", &ssh, &carried.text("client/tree"), "db:"]);
    let same = |name: &str| {
        checksum(&carried.path(&format!("client/{name}"))) == checksum(&carried.path(&format!("server/{name}")))
    };
    assert!(same("tree/one") && same("tree/below/two"));

    let git = format!("core.sshCommand={ssh}");
    let work = carried.text("client/work");
    must_git(&["init", "-q", "--bare", &carried.text("server/repository.git")]);
    carried.run("git", &["-c", &git, "clone", "-q", "db:repository.git", &work]);
    must_git(&["-C", &work, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "--allow-empty", "-m", "one"]);
    carried.run("git", &["-C", &work, "-c", &git, "push", "-q", "origin", "HEAD:main"]);

    fs::write(carried.path("client/batch"), format!("get tree/one {}\n", carried.text("client/got"))).unwrap();
    carried.run("sftp", &["-q", "-F", &config, "-b", &carried.text("client/batch"), "db"]);
    assert_eq!(checksum(&carried.path("client/got")), checksum(&carried.path("client/tree/one")));
    assert!(eventually(s(10), || carried.records("stopped").len() == 4), "{:#?}", carried.records("ended"));
}

fn must_git(args: &[&str]) {
    let output = Command::new("git").args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// As VS Code's Remote-SSH runs it: a long script on standard input, and all further traffic through a dynamic forwarding.
#[test]
fn a_script_on_standard_input_and_a_socks_proxy_are_carried() {
    let Some(carried) = Carried::new() else { return };
    if !has("curl") || !has("python3") {
        return;
    }
    let variables = (0..4000).map(|number| format!("v{number}='{}'; count=$((count+1))\n", "x".repeat(40)));
    let body: String = variables.collect();
    let serve = "cd \"$HOME\" && python3 -u -m http.server 0 --bind 127.0.0.1 2>/dev/null";
    let script = format!("count=0\n{body}echo \"counted $count\"\n{serve}\n");
    fs::write(carried.path("client/script"), script).unwrap();
    write_noise(&carried.path("server/file"), 30 << 20);
    let [script, said, socks] = ["client/script", "client/said", "client/socks"].map(|name| carried.text(name));
    let mut ssh = carried.lab.client().command("ssh");
    ssh.args(["-T", "-D", "127.0.0.1:1080", "-o", "ConnectTimeout=15", "-F", &carried.config(), "db", "sh"]);
    ssh.stdin(fs::File::open(script).unwrap()).stdout(fs::File::create(&said).unwrap());
    // ssh makes what it is given non-blocking: the output of the tests, which would lose its end.
    ssh.stderr(Stdio::null());
    let mut ssh = ssh.spawn().unwrap();
    let said = || fs::read_to_string(&said).unwrap();
    assert!(eventually(s(20), || said().contains("Serving HTTP")), "{}", said());
    assert!(said().starts_with("counted 4000\n"), "{}", said());
    let port = said().split_once(" port ").and_then(|(_, rest)| rest.split(' ').next().map(str::to_owned)).unwrap();
    let url = format!("http://127.0.0.1:{port}/file");
    let get = |to: &str| carried.run("curl", &["-sS", "--fail", "--socks5-hostname", "127.0.0.1:1080", "-o", to, &url]);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (get, to) = (&get, format!("{socks}{number}"));
            scope.spawn(move || get(&to));
        }
    });
    let sums: Vec<_> = (0..3).map(|number| checksum(&carried.path(&format!("client/socks{number}")))).collect();
    assert!(sums.iter().all(|sum| *sum == checksum(&carried.path("server/file"))), "{sums:?}");
    ssh.kill().unwrap();
    ssh.wait().unwrap();
    assert!(eventually(s(10), || carried.records("ended").len() == 1));
    assert_eq!(carried.records("ended")[0]["facts"]["end"]["end"], "closed-here");
}

#[test]
fn four_sessions_share_one_carried_connection() {
    let Some(carried) = Carried::new() else { return };
    let (config, control) = (carried.config(), carried.text("client/ctl"));
    let options = ["-F", &config, "-o", "ControlMaster=auto", "-o", "ControlPersist=5", "-o"];
    let path = format!("ControlPath={control}");
    // The master stays behind with ssh's standard error unless it is sent elsewhere.
    carried.run("sh", &["-c", &format!("ssh {} '{path}' db true 2>/dev/null", options.join(" "))]);
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (carried, path) = (&carried, &path);
            scope.spawn(move || {
                let echo = format!("echo {number}");
                let args = [&options[..], &[path, "db", &echo]].concat();
                assert_eq!(carried.run("ssh", &args).stdout, format!("{number}\n"));
            });
        }
    });
    assert_eq!(carried.server.connections(), 1);
    assert_eq!(carried.records("connected").len(), 1);
}

#[test]
fn a_jump_is_carried_to_its_first_hop() {
    let Some(lab) = Lab::through(&[Middlebox::Bastion]) else { return };
    let (bastion, server) = (lab.bastion(1, &[MANY]), lab.sshd(&[MANY]));
    let jump = format!(
        "Host db\n  HostName {}\n  Port {}\n  ProxyJump bastion\nHost bastion\n  HostName {}\n  Port {}\n",
        server.address(),
        server.port(),
        lab.router_address(1),
        bastion.port()
    );
    configure(&lab, &server, &jump);
    let config = lab.home().config().display().to_string();
    let run = lab.run("ssh", &["-F", &config, "db", "echo through"], s(30));
    assert_eq!((run.status, &*run.stdout), (Some(0), "through\n"), "{run:?}");
    let folder = lab.home().path("client/state/ssh-doctor/tap");
    let hosts: Vec<Value> = records(&folder, "started").iter().map(|record| record["host"].clone()).collect();
    assert_eq!(hosts, [Value::from(lab.router_address(1).to_string())]);
}

#[test]
fn sshfs_works_through_it() {
    let Some(carried) = Carried::new() else { return };
    if !has("sshfs") || !Path::new("/dev/fuse").exists() {
        return;
    }
    let mount = carried.path("client/mnt");
    fs::create_dir(&mount).unwrap();
    write_noise(&carried.path("server/file"), 500_000);
    let mut sshfs = carried.lab.client().command("sshfs");
    sshfs.env("HOME", carried.path("client")).args(["-f", "-F", &carried.config(), "db:", &carried.text("client/mnt")]);
    let sshfs = HeldSession::start(&mut sshfs);
    // The mount is one of the client's namespace.
    let seen = PathBuf::from(format!("/proc/{}/root{}", sshfs.pid(), mount.display())).join("file");
    let mounted = eventually(s(15), || seen.exists());
    let same = mounted && checksum(&seen) == checksum(&carried.path("server/file"));
    let listed = carried.lab.tool(&["sessions", "--format", "json"], s(20));
    drop(sshfs);
    assert!(mounted && same);
    assert!(listed.stdout.contains(&format!("sshfs on {}", mount.display())), "{listed:?}");
}

/// A session that works although its journal cannot be written.
fn works_with_state_at(lab: &Lab, server: &Server, state: &Path) {
    let tap =
        format!("ProxyCommand=env XDG_STATE_HOME={} {} tap %h %p", state.display(), env!("CARGO_BIN_EXE_ssh-doctor"));
    let run = lab.ssh(server, &["-o", &tap], "echo works", s(20));
    assert_eq!((run.status, &*run.stdout, &*run.stderr), (Some(0), "works\n", ""), "{}: {run:?}", state.display());
}

#[test]
fn no_journal_ends_a_session() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[MANY]);
    let home = |name: &str| lab.home().path(name);
    works_with_state_at(&lab, &server, Path::new("/dev/null/nowhere"));
    works_with_state_at(&lab, &server, Path::new("/proc/nowhere"));
    let full = home("client/full");
    fs::create_dir(&full).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8k", "full"]).arg(&full).output().unwrap();
    assert!(mounted.status.success(), "{mounted:?}");
    fs::write(full.join("ballast"), vec![0; 4096]).unwrap();
    works_with_state_at(&lab, &server, &full);
    let _ = Command::new("umount").arg("-l").arg(&full).output();
    let run = lab.run("env", &["-u", "HOME", env!("CARGO_BIN_EXE_ssh-doctor"), "tap", "127.0.0.1", "1"], s(20));
    assert!(run.status == Some(2) && run.stderr.contains("Connection refused") && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn a_recorder_that_is_killed_leaves_a_session_that_nobody_calls_dead() {
    let Some(carried) = Carried::new() else { return };
    let mut session = carried.lab.client().command("ssh");
    session.env("HOME", carried.path("client")).args(["-F", &carried.config(), "db", "cat"]);
    let mut session = HeldSession::start(&mut session);
    assert!(eventually(s(15), || !carried.records("connected").is_empty()));
    let pid = carried.records("started")[0]["pid"].to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    assert!(eventually(s(10), || !session.runs()));
    let past = carried.lab.run(
        "env",
        &[
            &format!("XDG_STATE_HOME={}", carried.text("client/state")),
            env!("CARGO_BIN_EXE_ssh-doctor"),
            "sessions",
            "--past",
        ],
        s(20),
    );
    assert!(past.status == Some(0) && past.stdout.contains("not recorded to its end"), "{past:?}");
}
