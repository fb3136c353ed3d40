//! The built binary, from the command line to the exit status.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::reports;

fn doctor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.stdin(Stdio::null()).env_remove("SSH_DOCTOR_PASSWORD").env_remove("SSH_AUTH_SOCK");
    command
}

fn run(args: &[&str]) -> Output {
    doctor().args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A misuse: status 3, nothing on standard output, one line on standard error, in which `said` occurs.
fn assert_misuse(output: &Output, said: &str, what: &str) {
    let err = stderr(output);
    assert_eq!(output.status.code(), Some(3), "{what}: {err}");
    assert!(output.stdout.is_empty(), "{what}: {}", stdout(output));
    assert_eq!(err.lines().count(), 1, "{what}: {err}");
    assert!(err.ends_with('\n') && err.starts_with("ssh-doctor: ") && err.contains(said), "{what}: {err}");
    assert!(!err.trim_end().contains(char::is_control), "{what}: {err:?}");
}

#[test]
fn every_misuse_is_one_sentence_and_status_3() {
    let long = "x".repeat(2000);
    let cases: &[(&[&str], &str)] = &[
        (&[], "ssh-doctor check HOST"),
        (&["db"], "ssh-doctor check db"),
        (&["chekc", "db"], "the most similar is ssh-doctor check"),
        (&["check"], "<TARGET>... is missing"),
        (&["check", "--nope", "h"], "unknown option '--nope' of check"),
        (&["check", "--idel", "3m", "h"], "the most similar is --idle"),
        (&["check", "-V", "h"], "unknown option '-V'"),
        (&["check", "-p", "0", "h"], "1 to 65535"),
        (&["check", "-p", "ssh", "h"], "1 to 65535"),
        (&["check", "-p", "1", "-p", "2", "h"], "twice"),
        (&["check", "-p", "1", "h:2"], "drop one of them"),
        (&["check", "-l", "a", "b@h"], "drop one of them"),
        (&["check", "-l", "a;id", "h"], "login name"),
        (&["check", "-l", "", "h"], "is empty; give one"),
        (&["check", "-4", "-6", "h"], "exclude each other"),
        (&["check", "--idle", "90", "h"], "write 90s or 90m"),
        (&["check", "--idle", "soon", "h"], "90s, 6m or 1h30m"),
        (&["check", "--idle", "2days", "h"], "24h"),
        (&["check", "--idle"], "needs a value"),
        (&["check", "--timeout", "0", "h"], "some time"),
        (&["check", "--only", "smtp", "h"], "it takes config, dns, tcp"),
        (&["check", "--only", "idle", "--skip", "auth", "h"], "needs the auth check"),
        (&["check", "--only", "idle", "--idle", "0", "h"], "--idle 0"),
        (&["check", "--skip", "dns", "h"], "no check to run"),
        (&["check", "--format", "xml", "h"], "it takes text, json"),
        (&["check", "--color", "blue", "h"], "auto, always, never"),
        (&["check", "--pretty", "h"], "--format json"),
        (&["check", ""], "the target is empty"),
        (&["check", "--", "-oProxyCommand=touch x"], "begins with a dash"),
        (&["check", "me@-x"], "begins with a dash"),
        (&["check", "a b"], "a space"),
        (&["check", "a\u{1b}[31mb"], "a control character"),
        (&["check", "a\nb"], "a control character"),
        (&["check", "$(id)"], "holds"),
        (&["check", "a:b:c"], "[address]:port"),
        (&["check", "h:70000"], "1 to 65535"),
        (&["check", "ssh://me:secret@h"], "--password-file"),
        (&["check", "http://h"], "not ssh"),
        (&["check", &long], "2000 bytes"),
        (&["check", "fine", "a b"], "a space"),
        (&["check", "-F", "/", "h"], "is a folder"),
        (&["check", "-F", "", "h"], "is empty"),
        (&["check", "-i", "/nonexistent/key", "h"], "No such file or directory"),
        (&["check", "-i", "/", "h"], "is a folder"),
        (&["check", "-o", "User=a\nPort=1", "h"], "control character"),
        (&["check", "-J", "-oProxyCommand=x", "h"], "-J"),
        (&["check", "--record", "/nonexistent/x.json", "h"], "no folder"),
        (&["check", "--record", "/", "h"], "a file"),
        (&["check", "--record", "x.json", "a", "b"], "one target"),
        (&["check", "--password-file", "/nonexistent/p", "h"], "cannot be read"),
        (&["check", "--password-file", "/", "h"], "cannot be read"),
        (&["check", "--password-file", "/dev/null", "h"], "is empty"),
        (&["check", "--password-file", "/dev/zero", "h"], "more than"),
        (&["explain", "no-such-cause"], "ssh-doctor causes"),
        (&["explain"], "<CODE|TEXT|FILE|->... is missing"),
        (&["diagnose", "/nonexistent/evidence"], "No such file or directory"),
        (&["demo", "a", "b"], "unexpected argument 'b'"),
        (&["completions", "tcsh"], "it takes bash"),
    ];
    for (args, said) in cases {
        assert_misuse(&run(args), said, &format!("{args:?}"));
    }
}

#[test]
fn arguments_that_are_no_text_are_refused() {
    let output = doctor().arg("check").arg(std::ffi::OsStr::from_bytes(b"h\xff")).output().unwrap();
    assert_misuse(&output, "UTF-8", "a host in Latin-1");
}

#[test]
fn a_configuration_that_ssh_refuses_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config");
    fs::write(&config, "Host *\n  Nonsens\u{1b}[31me yes\n").unwrap();
    let checked = || run(&["check", "-F", config.to_str().unwrap(), "h"]);
    let output = checked();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stdout(&output).contains("config-invalid") && stdout(&output).contains("line 2"), "{output:?}");
    assert!(stderr(&output).contains("line 2") && !stderr(&output).contains('\u{1b}'), "{output:?}");
    fs::write(&config, "Host *\n  User \"joe\n").unwrap();
    assert!(stdout(&checked()).contains("line 2"), "an open quote");
    let token = run(&["check", "-o", "ProxyCommand=nc %z", "h"]);
    assert!(token.status.code() == Some(2) && stdout(&token).contains("unknown key %z"), "{token:?}");
    let missing = run(&["check", "--format", "json", "-F", "/nonexistent/config", "h"]);
    assert_eq!(missing.status.code(), Some(2), "{missing:?}");
    assert!(stdout(&missing).contains("config-invalid") && stderr(&missing).contains("No such file"), "{missing:?}");
    assert!(
        stdout(&missing).contains("ssh -G -F /nonexistent/config h"),
        "the step meets the same refusal: {missing:?}"
    );
    for (option, said) in [("Nonsense=1", "Bad configuration option"), ("Port", "no argument"), ("Port=x", "Bad port")]
    {
        let output = run(&["check", "-F", "none", "-o", option, "h"]);
        assert_eq!(output.status.code(), Some(2), "{option}: {output:?}");
        assert!(stdout(&output).contains(said) && stderr(&output).contains(said), "{option}: {output:?}");
    }
}

#[test]
fn passwords_of_odd_shape_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    for (text, said) in [("", "is empty"), ("\n", "is empty"), ("a\nb\n", "more than one line"), ("\u{0}a", "one line")]
    {
        fs::write(&file, text).unwrap();
        assert_misuse(&run(&["check", "--password-file", file.to_str().unwrap(), "h"]), said, text);
    }
}

#[test]
fn help_and_version_are_no_misuse() {
    for args in
        [&["--help"][..], &["-h"], &["--version"], &["-V"], &["check", "--help"], &["demo", "-h"], &["help", "check"]]
    {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{args:?}");
        let wide: Vec<String> =
            stdout(&output).lines().filter(|line| line.chars().count() > 80).map(ToOwned::to_owned).collect();
        assert!(wide.is_empty(), "{args:?}: {wide:#?}");
    }
}

#[test]
fn the_man_pages_and_the_completions_name_every_option() {
    let page = stdout(&run(&["man", "check"]));
    let script = stdout(&run(&["completions", "bash"]));
    for option in ["idle", "only", "skip", "timeout", "format", "pretty", "record", "color", "quiet", "password"] {
        assert!(page.contains(&format!(r"\-\-{option}")), "man: {option}");
        assert!(script.contains(&format!("--{option}")), "completions: {option}");
    }
    for section in ["EXIT STATUS", "ENVIRONMENT", "FILES", "JSON", "EXAMPLES", "SSH_DOCTOR_PASSWORD"] {
        assert!(page.contains(section), "{section}");
    }
    assert!(script.contains("handshake"));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert_eq!(run(&["completions", shell]).status.code(), Some(0), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is() {
    let mut child = doctor().arg("man").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));

    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = doctor().arg("man").stdout(full).output().unwrap();
    assert_misuse(&output, "No space left on device", "a full disk");
}

/// What `-vv` says of the settings, by the word before the colon; no name is looked up for it.
fn settings(command: &mut Command) -> impl Fn(&str) -> String + use<> {
    let output = command.output().unwrap();
    let said = stderr(&output);
    move |name: &str| {
        let mut lines = said.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        lines.next().map_or_else(|| panic!("no {name} in {said}"), ToOwned::to_owned)
    }
}

/// A configuration with Include, Host, tokens and Match exec; the folder holds it all.
fn twisted_config(dir: &Path) -> String {
    let shown = dir.display();
    fs::write(dir.join("inc.conf"), "User joe\nMatch exec \"test 1 = 2\"\n  ServerAliveInterval 7\n").unwrap();
    let config = format!(
        "Include {shown}/inc.conf\nHost other\n  ServerAliveInterval 45\nHost db\n  HostName 127.0.0.1\n  \
         IdentityFile {shown}/k_%r_%h_%n_%p\n  UserKnownHostsFile {shown}/kh_%n ~/kh2\n  Ciphers -aes*\n\
         Match exec \"test 1 = 1\"\n  Port 999\n  ServerAliveInterval 45\n  ServerAliveCountMax 2\n"
    );
    let file = dir.join("config");
    fs::write(&file, config).unwrap();
    file.display().to_string()
}

#[test]
fn settings_are_those_of_ssh_itself() {
    let dir = tempfile::tempdir().unwrap();
    let config = twisted_config(dir.path());
    let ssh = Command::new("ssh").args(["-G", "-F", &config, "db"]).stdin(Stdio::null()).output().unwrap();
    let truth = stdout(&ssh);
    let ssh = |keyword: &str| {
        let mut lines = truth.lines().filter_map(|line| line.strip_prefix(keyword)?.strip_prefix(' '));
        lines.next().unwrap_or_else(|| panic!("no {keyword}")).to_owned()
    };
    let ours = settings(doctor().args(["check", "--only", "dns", "-vv", "-F", &config, "db"]));
    assert_eq!(ours("target"), format!("{}@{} port {}", ssh("user"), ssh("hostname"), ssh("port")));
    assert_eq!(ours("target"), "joe@127.0.0.1 port 999");
    assert!(ours("settings").starts_with("ssh -G (OpenSSH_"), "{}", ours("settings"));
    for (our_name, keyword) in
        [("kex", "kexalgorithms"), ("ciphers", "ciphers"), ("macs", "macs"), ("host keys", "hostkeyalgorithms")]
    {
        assert_eq!(ours(our_name), ssh(keyword));
    }
    assert!(!ours("ciphers").contains("aes"));
    assert_eq!(ours("identities"), format!("{}/k_joe_127.0.0.1_db_999", dir.path().display()));
    let known_hosts = format!("{} {}", ssh("userknownhostsfile"), ssh("globalknownhostsfile"));
    assert_eq!(ours("known hosts").replace(',', ""), known_hosts);
    let keepalive = ours("keepalive");
    assert!(
        keepalive.starts_with(&format!("ServerAliveInterval 45 ({config} line 11), ServerAliveCountMax 2")),
        "{keepalive}"
    );
}

#[test]
fn the_origin_of_the_keepalive_interval_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = twisted_config(dir.path());
    let interval = |args: &[&str]| {
        let said = settings(doctor().args(["check", "--only", "dns", "-v"]).args(args))("keepalive");
        said.split(", ").next().unwrap().trim_start_matches("ServerAliveInterval ").to_owned()
    };
    assert_eq!(interval(&["-F", "none", "127.0.0.1"]), "0 (ssh's default)");
    assert_eq!(interval(&["-F", &config, "127.0.0.1", "-o", "serveraliveinterval 1m"]), "60 (the command line)");
    assert_eq!(interval(&["-F", &config, "127.0.0.1"]), format!("45 ({config} line 11)"));
}

#[test]
fn without_ssh_flags_and_options_alone_count_and_the_report_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = twisted_config(dir.path());
    let empty = tempfile::tempdir().unwrap();
    let check = |args: &[&str]| doctor().env("PATH", empty.path()).arg("check").args(args).output().unwrap();
    let args = ["check", "--only", "dns", "-v", "-F", &config, "-l", "joe", "-o", "Port=2200", "127.0.0.1"];
    let ours = settings(doctor().env("PATH", empty.path()).args(args));
    assert!(ours("settings").contains("ssh_config was not read"), "{}", ours("settings"));
    assert_eq!(ours("target"), "joe@127.0.0.1 port 2200");
    assert!(ours("not honoured").starts_with(&format!("{config}: it was not read")), "{}", ours("not honoured"));
    let report = stdout(&check(&["--only", "dns", "127.0.0.1"]));
    let words = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no OpenSSH client is installed, so ssh_config was not read"), "{report}");
    assert_misuse(&check(&["-F", "none", "-J", "a", "h"]), "install the OpenSSH client", "a jump without ssh");
    assert_misuse(&check(&["-F", "none", "-o", "Nonsense=1", "h"]), "Nonsense", "an unknown option without ssh");
}

#[test]
fn an_ssh_that_floods_is_no_openssh() {
    let dir = tempfile::tempdir().unwrap();
    let fake = dir.path().join("ssh");
    fs::write(&fake, "#!/bin/sh\nexec /usr/bin/head -c 50000000 /dev/zero\n").unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let output = doctor().env("PATH", dir.path()).args(["check", "--only", "dns", "-v", "127.0.0.1"]).output().unwrap();
    assert!(stderr(&output).contains("ssh_config was not read"), "{}", stderr(&output));
}

#[test]
fn several_targets_give_a_line_each() {
    let output = run(&["check", "-F", "none", "--only", "dns", "--format", "json", "127.0.0.1", "me@127.0.0.2:23"]);
    let reports = reports(&stdout(&output));
    let mut targets: Vec<_> =
        reports.iter().map(|report| (report["target"]["host"].to_string(), report["target"]["port"].clone())).collect();
    targets.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(targets, [("\"127.0.0.1\"".to_owned(), 22.into()), ("\"127.0.0.2\"".to_owned(), 23.into())]);
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn a_signal_ends_the_examination_and_the_report_tells_what_is_known() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    for signal in ["-INT", "-TERM"] {
        let args = ["check", "-F", "none", "--idle", "0", "--timeout", "50s", "--format", "json", &target];
        let child = doctor().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _connection = silent.accept().unwrap();
        let began = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(25), "{signal}: {:?}", began.elapsed());
        assert_eq!(output.status.code(), Some(3), "{signal}: {}", stderr(&output));
        assert_eq!(reports(&stdout(&output))[0]["verdict"], "inconclusive", "{signal}");
    }
}
