//! Accounts that serve Git and nothing else: programs of Debian, and the words that the large hosts print.

use std::process::Command;

use super::setups;
use crate::lab::{Lab, Server, installed, must};

/// git-shell as the shell of an account.
fn git_shell(lab: &Lab) -> Option<Server> {
    lab.user("git", &installed("git-shell")?);
    Some(lab.sshd(&["Subsystem sftp /usr/lib/openssh/sftp-server"]))
}

/// An account of git-shell with the sftp server that sshd has in it, which needs no shell.
fn git_shell_beside_sftp(lab: &Lab) -> Option<Server> {
    lab.user("git", &installed("git-shell")?);
    Some(lab.sshd(&[]))
}

/// git-shell as the command that is forced.
fn git_shell_forced(lab: &Lab) -> Option<Server> {
    let program = installed("git-shell")?;
    lab.user("git", "/bin/sh");
    Some(lab.sshd(&[&format!(r#"ForceCommand {program} -c "$SSH_ORIGINAL_COMMAND""#), "PermitTTY no"]))
}

/// gitolite3 as its own setup makes it.
fn gitolite(lab: &Lab) -> Option<Server> {
    let program = installed("gitolite")?;
    let home = lab.home().path("server");
    if !home.join(".gitolite").exists() {
        let key = lab.home().path("client.pub");
        std::fs::copy(lab.home().path("client/.ssh/id_ed25519.pub"), &key).expect("our own folder");
        std::fs::write(home.join(".ssh/authorized_keys"), "").expect("our own folder");
        let mut setup = Command::new(program);
        setup.current_dir(&home).env("HOME", &home).env("USER", "root").args(["setup", "-pk"]).arg(key);
        must(&mut setup, "");
    }
    Some(lab.sshd(&[]))
}

/// An account whose every session runs a program that prints these words: to a command, and to a wish for a shell.
fn host(lab: &Lab, to_command: &str, to_shell: &str) -> Server {
    let lines = format!(r#"if [ -n "$SSH_ORIGINAL_COMMAND" ]; then {to_command}; else {to_shell}; fi"#);
    let program = lab.program("git-host", &lines);
    lab.user("git", "/bin/sh");
    lab.key_options(&format!("command=\"{program}\",no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-pty"));
    lab.sshd(&[])
}

fn github(lab: &Lab) -> Server {
    host(
        lab,
        r#"printf "Invalid command: '%s'\n  You appear to be using ssh to clone a git:// URL.\n" "$SSH_ORIGINAL_COMMAND" >&2; exit 1"#,
        r#"echo "Hi me! You've successfully authenticated, but GitHub does not provide shell access." >&2; exit 1"#,
    )
}

fn gitlab(lab: &Lab) -> Server {
    host(lab, "echo 'Disallowed command' >&2; exit 1", "echo 'Welcome to GitLab, @me!'; exit 0")
}

/// A host that greets every session alike and ends with success.
fn gitea(lab: &Lab) -> Server {
    let greeting = "echo 'Hi there, me! You have successfully authenticated with the key named laptop, but Forgejo does not provide shell access.'; exit 0";
    host(lab, greeting, greeting)
}

/// A host in words that stand in no table.
fn unlisted(lab: &Lab) -> Server {
    let greeting = "echo 'Hello me. This machine keeps Git repositories; there is no shell here.'; exit 0";
    host(lab, greeting, greeting)
}

const GIT: [&str; 2] = ["-l", "git"];

setups! {
    account_git_shell: git_shell, GIT => "healthy", ["session-restricted"], ["git", "forward"];
    account_git_shell_beside_sftp: git_shell_beside_sftp, GIT => "healthy", ["session-restricted"], ["git", "forward"];
    account_git_shell_forced: git_shell_forced, GIT => "healthy", ["session-restricted"], ["git", "forward"];
    #[ignore = "tests/run --zoo"]
    account_gitolite: gitolite, [] => "healthy", ["session-restricted"], ["git"];
    account_like_github: github, GIT => "healthy", ["session-restricted"], ["git"];
    account_like_gitlab: gitlab, GIT => "healthy", ["session-restricted"], ["git"];
    account_like_gitea: gitea, GIT => "healthy", ["session-restricted"], ["git"];
    account_like_no_git_host: unlisted, GIT => "healthy", ["session-restricted"], ["git"];
}
