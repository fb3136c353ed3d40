//! Options that people try and that ssh-doctor has under another name.

/// What to write in place of an option that does not exist.
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
