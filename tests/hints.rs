//! The mistakes of a newcomer: each is answered in one line that says what to write instead.

use std::process::{Command, Stdio};

#[test]
fn each_mistake_of_a_newcomer_is_answered_with_what_to_write() {
    let cases: &[(&[&str], &str)] = &[
        (&["check", "--json", "db"], "use --format json"),
        (&["check", "--html", "db"], "use --format html"),
        (&["check", "--nagios", "db"], "use --format nagios"),
        (&["check", "--port", "2222", "db"], "use -p PORT"),
        (&["check", "-P", "2222", "db"], "use -p PORT"),
        (&["check", "-P", "work", "db"], "use -o Tag=NAME"),
        (&["check", "--user", "ops", "db"], "use -l LOGIN, or write user@host"),
        (&["check", "--key", "id", "db"], "use -i FILE"),
        (&["check", "--config", "x", "db"], "use -F CONFIG"),
        (&["check", "--jump", "b", "db"], "use -J HOP"),
        (&["check", "--host", "db"], "write the host without an option"),
        (&["check", "--password", "x", "db"], "use --password-file FILE or SSH_DOCTOR_PASSWORD"),
        (&["check", "--no-idle", "db"], "use --idle 0"),
        (&["check", "--quick", "db"], "use --idle 0"),
        (&["check", "--debug", "db"], "use -v"),
        (&["check", "--no-color", "db"], "use --color never"),
        (&["check", "--parallel", "4", "db"], "use --jobs N"),
        (&["check", "--inventory", "f", "db"], "use --targets FILE"),
        (&["check", "--idle", "5", "db"], "write 5s or 5m"),
        (&["check", "--idle", "1ms", "db"], "the shortest idle test is 1s; 0 skips it"),
        (&["check", "--timeout", "10", "db"], "write 10s or 10m"),
        (&["check", "--sessions", "2", "db"], "a number from 3 to 16"),
        (&["check", "ssh ops@db"], "ssh-doctor check ops@db"),
        (&["check", "db", "2222"], "host:2222 or -p 2222"),
        (&["check", "--format", "yaml", "db"], "it takes text, json"),
        (&["ops@db"], "run ssh-doctor check ops@db"),
        (&["ssh", "db"], "unknown command 'ssh': use ssh-doctor check HOST"),
        (&["explain", "idle-silent-dorp"], "idle-silent-drop"),
        (&[], "ssh-doctor check HOST"),
        (&["-v", "db"], "'-v' comes after the command: ssh-doctor check -v"),
        (&["--idle", "0", "db"], "'--idle' comes after the command: ssh-doctor check --idle"),
        (&["--json", "db"], "use --format json"),
        (&["check", "-p", "db"], "a port is a number from 1 to 65535"),
        (&["check", "--idle=abc", "db"], "write a duration as 90s, 6m or 1h30m"),
        (&["check", "user@"], "has no host in it"),
        (&["check", "db", "uptime"], "'uptime' reads as a command, and check takes hosts only"),
        (&["check", "db", "--", "sudo", "reboot"], "'sudo' reads as a command"),
        (&["check", "ssh", "db"], "leave it out, ssh-doctor check db"),
        (&["check", "db:ssh"], "a port is a number"),
        (&["check", "db,web"], "holds \",\", which no host name does"),
        (&["check", "--sessions", "two", "db"], "a number from 3 to 16"),
        (&["check", "--jobs", "0", "db"], "a number from 1 to 10000"),
        (&["check", "--rate", "fast", "db"], "write a rate as 50, 50/s or 100/m"),
        (&["chekc", "db"], "the most similar is ssh-doctor check"),
        (&["version"], "use ssh-doctor --version"),
        (&["monitor", "db"], "use ssh-doctor watch HOST"),
        (&["demo", "silentdrop"], "the most similar is silent-drop"),
        (&["man", "chekc"], "it takes check, compare"),
        (&["sessions", "db"], "a process ID is a number"),
        (&["diagnose", "/etc/hosts"], "is not a recording"),
    ];
    for (args, said) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
        let output = command.env("HOME", "/nonexistent").args(*args).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(said) && told.lines().count() == 1, "{args:?}: {told}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{args:?}: {told}");
    }
}
