//! Verdict, cause and fix are on the screen of 24 rows and 80 columns when the prompt is back: seen in a real tmux.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::lab::{eventually, installed, must};

/// The last line that a demo prints.
const LAST: &str = "Next: ssh-doctor check HOST";

/// A terminal with a shell that waits at its prompt.
struct Terminal {
    tmux: String,
    home: TempDir,
}

impl Terminal {
    fn open(columns: u16, rows: u16) -> Option<Self> {
        let terminal = Self { tmux: installed("tmux")?, home: tempfile::tempdir().unwrap() };
        let settings = terminal.home.path().join("tmux.conf");
        std::fs::write(&settings, "set -g status off\nset -g default-terminal screen-256color\n").unwrap();
        let shell = "exec env 'PS1=$ ' bash --norc --noprofile";
        let size = [columns, rows].map(|size| size.to_string());
        let binaries = std::path::Path::new(env!("CARGO_BIN_EXE_ssh-doctor")).parent().unwrap().display().to_string();
        let path = format!("{binaries}:{}", std::env::var("PATH").unwrap());
        let mut start = terminal.command();
        start.arg("-f").arg(&settings).args(["new-session", "-d", "-x", &size[0], "-y", &size[1], shell]);
        start.env("LC_ALL", "C.UTF-8").env("PATH", path).env("HOME", terminal.home.path());
        must(&mut start, "");
        let seen = terminal.ask(&["display-message", "-p", "#{pane_width}x#{pane_height}"]);
        assert_eq!(seen.trim(), format!("{columns}x{rows}"));
        Some(terminal)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.tmux);
        command.arg("-S").arg(self.home.path().join("socket")).env_remove("TMUX");
        command
    }

    fn ask(&self, words: &[&str]) -> String {
        String::from_utf8(self.command().args(words).output().unwrap().stdout).unwrap()
    }

    /// What is on the screen once the command has ended and the prompt is back.
    fn screen_after(&self, line: &str) -> String {
        self.ask(&["send-keys", line, "Enter"]);
        let mut screen = String::new();
        let is_back = eventually(Duration::from_mins(1), || {
            screen = self.ask(&["capture-pane", "-p"]);
            let last = screen.lines().rfind(|line| !line.trim().is_empty());
            screen.contains(LAST) && last == Some("$")
        });
        assert!(is_back, "{line} has not ended:\n{screen}");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.ask(&["kill-server"]);
    }
}

/// A demo, and what has to be on the screen at its end: the verdict, the code of the cause, and the beginning of what to do.
const DEMOS: [(&str, &str, &str, &str); 11] = [
    ("refused", "BROKEN", "tcp-refused", "sudo systemctl enable --now sshd"),
    ("no-common-kex", "BROKEN", "handshake-no-common-kex", "KexAlgorithms +diffie-hellman-group1-sha1"),
    ("max-startups", "BROKEN", "handshake-max-startups", "MaxStartups 100:30:200"),
    ("hostkey-changed", "BROKEN", "hostkey-changed", "ssh-keygen -R"),
    ("key-rejected", "BROKEN", "auth-key-rejected", "Next step (server)"),
    ("too-many-failures", "BROKEN", "auth-too-many-failures", "IdentitiesOnly yes"),
    ("login-slow", "DEGRADED", "auth-slow", "time getent passwd demo"),
    ("nologin", "BROKEN", "session-nologin", "sudo usermod -s /bin/sh demo"),
    ("no-exit-status", "DEGRADED", "exit-without-status", "ssh "),
    ("channel-timeout", "BROKEN", "idle-channel-timeout", "ssh -t demo tmux new -A -s main"),
    ("silent-drop", "BROKEN", "idle-silent-drop", "ServerAliveInterval 2"),
];

/// The part of the demo's report that is not on the screen.
fn missing(screen: &str, (_, verdict, code, fix): (&str, &str, &str, &str)) -> Option<String> {
    let has = |part: &str| screen.lines().any(|line| line.contains(part));
    let parts = [format!("{verdict}  demo: "), format!("  {code}, "), fix.to_owned()];
    parts.into_iter().find(|part| !has(part))
}

#[test]
fn the_verdict_the_cause_and_the_fix_of_a_demo_are_on_one_screen() {
    // Three at a time: they measure times.
    let failed: Vec<String> = DEMOS
        .chunks(3)
        .flat_map(|some| {
            std::thread::scope(|scope| {
                let running = some.iter().map(|demo| scope.spawn(|| on_screen(*demo))).collect::<Vec<_>>();
                running.into_iter().filter_map(|one| one.join().expect("a terminal")).collect::<Vec<_>>()
            })
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn on_screen(demo: (&str, &str, &str, &str)) -> Option<String> {
    let terminal = Terminal::open(80, 24)?;
    let screen = terminal.screen_after(&format!("ssh-doctor demo {}", demo.0));
    missing(&screen, demo).map(|part| format!("{}: '{part}' is not on the screen:\n{screen}", demo.0))
}

#[test]
fn what_has_scrolled_away_is_missed() {
    let Some(terminal) = Terminal::open(80, 10) else { return };
    let demo = DEMOS[0];
    let screen = terminal.screen_after(&format!("ssh-doctor demo {}", demo.0));
    assert!(missing(&screen, demo).is_some(), "{screen}");
}
