//! Completion scripts, and the host names that they offer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::CommandFactory;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use super::Cli;

/// The most bytes that are read of a file: completion must not wait.
const LARGEST: u64 = 1 << 20;

/// The completion script for a shell.
#[must_use]
pub fn completion_script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_to_complete(), "ssh-doctor", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => bash(&script),
        Shell::Fish => script + &fish(),
        Shell::Zsh => script.replace(":_hosts'", ":{compadd -- $(ssh-doctor completions --hosts 2>/dev/null)}'"),
        _ => script,
    }
}

/// The command line with the codes that `explain` knows and the cases of `demo`.
fn command_to_complete() -> clap::Command {
    let codes = PossibleValuesParser::new(codes());
    let cases = PossibleValuesParser::new(cases());
    let command =
        Cli::command().mut_subcommand("explain", |explain| explain.mut_arg("code", |arg| arg.value_parser(codes)));
    command
        .mut_subcommand("demo", |demo| demo.mut_arg("case", |arg| arg.value_parser(cases)))
        .mut_subcommand("check", |check| check.mut_arg("targets", |arg| arg.value_hint(clap::ValueHint::Hostname)))
}

fn codes() -> impl Iterator<Item = &'static str> {
    ssh_doctor_checks::causes::all().map(|cause| cause.code)
}

fn cases() -> impl Iterator<Item = &'static str> {
    ssh_doctor_fixtures::cases::all().map(|case| case.name)
}

/// The generator names a command with a dash in one way where it is set and in another where it is read; the targets of `check` are hosts.
fn bash(script: &str) -> String {
    let script = script.replace("ssh__subcmd__doctor", "ssh__doctor");
    let Some((before, check)) = script.split_once("        ssh__doctor__subcmd__check)\n") else { return script };
    let check = check.replacen(" || ${COMP_CWORD} -eq 2 ]]", " ]]", 1);
    let opts =
        "            COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )\n            return 0\n            ;;";
    let hosts = opts.replace("\"${opts}\"", "\"$(\"$1\" completions --hosts 2>/dev/null)\"");
    format!("{before}        ssh__doctor__subcmd__check)\n{}", check.replacen(opts, &hosts, 1))
}

/// fish completes no positional arguments of its own.
fn fish() -> String {
    let line = |command: &str, words: &str| {
        format!("complete -c ssh-doctor -n \"__fish_seen_subcommand_from {command}\" -f -a \"{words}\"\n")
    };
    let list = |words: Vec<&str>| words.join(" ");
    line("check", "(ssh-doctor completions --hosts 2>/dev/null)")
        + &line("explain", &list(codes().collect()))
        + &line("demo", &list(cases().collect()))
}

/// The hosts of ssh_config and known_hosts that have a name of their own.
#[must_use]
pub fn known_hosts() -> BTreeSet<String> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let ssh = home.join(".ssh");
    let configs = [ssh.join("config"), "/etc/ssh/ssh_config".into()].into_iter();
    let recorded = [ssh.join("known_hosts"), "/etc/ssh/ssh_known_hosts".into()].into_iter();
    let configured = configs.flat_map(|file| aliases(&text(&file)));
    configured.chain(recorded.flat_map(|file| recorded_names(&text(&file)))).collect()
}

fn text(file: &Path) -> String {
    let is_small = file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
    if is_small { fs::read_to_string(file).unwrap_or_default() } else { String::new() }
}

/// The names of `Host` lines; a pattern is no name.
fn aliases(config: &str) -> Vec<String> {
    let lines = config.lines().filter_map(|line| {
        let (keyword, rest) = line.trim().split_once([' ', '\t', '='])?;
        keyword.eq_ignore_ascii_case("host").then_some(rest)
    });
    lines.flat_map(str::split_whitespace).filter(|name| is_name(name)).map(ToOwned::to_owned).collect()
}

/// The names of known_hosts; hashed ones cannot be read.
fn recorded_names(lines: &str) -> Vec<String> {
    let names =
        lines.lines().filter(|line| !line.starts_with(['#', '@', '|'])).filter_map(|line| line.split(' ').next());
    let plain = names.flat_map(|names| names.split(',')).map(|name| match name.strip_prefix('[') {
        Some(rest) => rest.replacen("]:", ":", 1),
        None => name.to_owned(),
    });
    plain.filter(|name| is_name(name)).collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::{aliases, recorded_names};

    #[test]
    fn names_are_completed_and_patterns_and_hashes_are_not() {
        assert_eq!(aliases("Host db web*\n  HostName x\nhost=app !b\n# Host no\n"), ["db", "app"]);
        let known = "db.example,192.0.2.1 ssh-ed25519 A\n|1|x|y ssh-rsa B\n[git.example]:2222 ssh-rsa C\n@revoked z ssh-rsa D\n";
        assert_eq!(recorded_names(known), ["db.example", "192.0.2.1", "git.example:2222"]);
    }
}
