//! Options and commands that people try and that ssh-doctor has under another name.

/// Returns the text to write in place of an option that does not exist.
pub(super) fn for_option(option: &str) -> Option<&'static str> {
    let name = option.split('=').next().unwrap_or(option);
    Some(match name {
        "--json" => "use --format json",
        "--html" => "use --format html",
        "--nagios" => "use --format nagios",
        "--prometheus" | "--metrics" => "use --format prometheus",
        "--port" => "use -p PORT",
        "-P" => "use -p PORT; for ssh's tag (OpenSSH 9.4), use -o Tag=NAME",
        "--user" | "--username" | "--login" | "-u" => "use -l LOGIN, or write user@host",
        "--key" | "--identity" | "--identity-file" => "use -i FILE",
        "--config" | "--config-file" => "use -F CONFIG",
        "--option" | "--options" => "use -o Key=Value",
        "--jump" | "--proxy-jump" | "--proxy" | "--via" | "--bastion" => "use -J HOP",
        "--host" | "--target" => "write the host without an option",
        "--ipv4" => "use -4",
        "--ipv6" => "use -6",
        "--password" | "--pass" => {
            "use --password-file FILE or SSH_DOCTOR_PASSWORD; a command line is visible to others"
        }
        "--no-idle" | "--quick" | "--fast" | "--skip-idle" => "use --idle 0",
        "--idle-time" | "--idle-timeout" | "--keepalive" => "use --idle DURATION, such as --idle 30m",
        "--connect-timeout" => "use --timeout DURATION, such as --timeout 10s",
        "--silent" => "use --quiet",
        "--debug" | "-d" => "use -v, or -vv for more",
        "--no-color" | "--no-colour" | "--colour" => "use --color never",
        "--out" | "--log" | "--file" => "use --output FILE, or --record FILE for the evidence",
        "--hosts" | "--inventory" | "--list-file" => "use --targets FILE",
        "--parallel" | "--threads" | "--forks" => "use --jobs N",
        _ => return None,
    })
}

/// Returns the text to write in place of a command that does not exist.
pub(super) fn for_command(command: &str) -> Option<&'static str> {
    Some(match command {
        "version" => "use ssh-doctor --version",
        "ssh" | "test" | "probe" | "scan" | "run" | "ping" | "connect" | "doctor" => "use ssh-doctor check HOST",
        "log" | "logs" | "why" | "error" => "use ssh-doctor explain",
        "list" | "codes" | "catalogue" | "catalog" => "use ssh-doctor causes, or ssh-doctor demo --list",
        "exporter" | "server" | "daemon" => "use ssh-doctor serve",
        "monitor" | "follow" => "use ssh-doctor watch HOST",
        "diff" => "use ssh-doctor compare A.json B.json",
        "proxy" | "record" => "use ssh-doctor tap, or check --record FILE",
        _ => return None,
    })
}

/// Commands that ssh would run on the server when they follow the host.
const REMOTE_COMMANDS: [&str; 24] = [
    "bash", "cat", "date", "df", "echo", "env", "exit", "free", "hostname", "id", "ls", "ps", "pwd", "reboot", "sh",
    "sudo", "tail", "tmux", "top", "true", "uname", "uptime", "who", "whoami",
];

/// The error in targets that read as a command line of ssh; none where the word in question is a host that this user's ssh knows.
pub fn misread_targets(targets: &[String], is_known: impl Fn(&str) -> bool) -> Option<String> {
    match targets {
        [ssh, host, ..] if ssh == "ssh" && !is_known(ssh) => {
            Some(format!("'ssh' reads as the program, not as a host: leave it out, ssh-doctor check {host}"))
        }
        [_, rest @ ..] => {
            let command = rest.iter().find(|word| REMOTE_COMMANDS.contains(&word.as_str()) && !is_known(word))?;
            Some(format!(
                "'{command}' reads as a command, and check takes hosts only: leave it out, or write {command}:22 for a host of that name"
            ))
        }
        [] => None,
    }
}
