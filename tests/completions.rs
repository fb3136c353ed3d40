//! Completions in the real shells: beyond the first word, with hosts, codes, cases and values.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::lab::skip;

/// A home with hosts of its own, and the script for a shell in it.
fn home(shell: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    fs::write(home.path().join(".ssh/config"), "Host zebra-one zebra-*\n    User ops\n").unwrap();
    fs::write(home.path().join(".ssh/known_hosts"), "zebra.example ssh-ed25519 AAAA\n").unwrap();
    let script = Command::new(env!("CARGO_BIN_EXE_ssh-doctor")).args(["completions", shell]).output().unwrap().stdout;
    fs::write(home.path().join("script"), script).unwrap();
    home
}

/// The text that a shell prints for a script of its own; none where it is not installed.
fn printed(home: &TempDir, shell: &str, script: &str) -> Option<String> {
    let binaries = Path::new(env!("CARGO_BIN_EXE_ssh-doctor")).parent().unwrap().display().to_string();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(shell);
    let flags: &[&str] = if shell == "bash" { &["--norc"] } else { &[] };
    command.args(flags).args(["-c", script]).current_dir(home.path()).env("HOME", home.path()).env("PATH", path);
    match command.output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) => skip(shell),
    }
}

/// Words that were typed, the last one unfinished, and what has to be among the proposals.
const TYPED: [(&str, &[&str]); 6] = [
    ("che", &["check"]),
    ("check --cl", &["--client"]),
    ("check --client par", &["paramiko"]),
    ("check zebra", &["zebra-one", "zebra.example"]),
    ("explain idle-sil", &["idle-silent-drop"]),
    ("demo silent", &["silent-drop"]),
];

fn assert_proposed(shell: &str, script: impl Fn(&str) -> String) {
    let home = home(shell);
    for (typed, expected) in TYPED {
        let Some(proposed) = printed(&home, shell, &script(typed)) else { return };
        let words: Vec<_> = proposed.split_whitespace().collect();
        for word in expected {
            assert!(words.contains(word), "{shell}: {typed}: {word} is not among {words:?}");
        }
    }
}

#[test]
fn bash_completes_commands_options_values_hosts_codes_and_cases() {
    assert_proposed("bash", |typed| {
        let words: Vec<_> = typed.split(' ').collect();
        let (last, before) =
            (words[words.len() - 1], if words.len() > 1 { words[words.len() - 2] } else { "ssh-doctor" });
        format!(
            "source ./script; COMP_WORDS=(ssh-doctor {typed}); COMP_CWORD={}; _ssh__doctor ssh-doctor '{last}' '{before}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len()
        )
    });
}

#[test]
fn fish_completes_commands_options_values_hosts_codes_and_cases() {
    assert_proposed("fish", |typed| {
        format!("source ./script; complete -C 'ssh-doctor {typed}' | string split -f 1 \\t")
    });
}

#[test]
fn zsh_takes_the_script_and_completes_commands_options_values_hosts_codes_and_cases() {
    // A shell in a terminal of its own: only its line editor completes. Each step waits for what the one before it shows.
    let drive = |typed: &str, expected: &[&str]| {
        format!(
            "zmodload zsh/zpty; zpty -b shell zsh -fi; seen=''; \
             shows() {{ local word; for word; do [[ $seen == *$word* ]] || return 1; done }}; \
             await() {{ local part; repeat 600; do while zpty -r -t shell part; do seen+=$part; done; shows $@ && return; sleep 0.05; done }}; \
             zpty -w shell \"PS1='>'; autoload -U compinit; compinit -u -D; source ./script; compdef _ssh-doctor ssh-doctor; \
             zstyle ':completion:*' list-prompt ''; LISTMAX=0; bindkey '^I' expand-or-complete; unsetopt LIST_BEEP; setopt LIST_ROWS_FIRST; \
             print set''tled\"; \
             await settled; zpty -n -w shell \"ssh-doctor {typed}\"$'\\t\\t'; await {}; print -r -- \"$seen\"; zpty -d shell",
            expected.join(" ")
        )
    };
    let home = home("zsh");
    for (typed, expected) in TYPED {
        let Some(printed) = printed(&home, "zsh", &drive(typed, expected)) else { return };
        for word in expected {
            assert!(printed.contains(word), "{typed}: {word} is not in\n{printed}");
        }
    }
}
