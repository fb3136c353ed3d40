//! A fix either looks or changes: every snippet of the catalogue, read as a shell would read it.

use ssh_doctor_checks::causes::{Fix, FixKind, Side};

use super::shell::{Command, commands};

/// The effect of a command on the machine that it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It tells something and leaves everything as it was.
    Looks,
    /// It alters files, processes, keys or the network.
    Changes,
    /// It alters more than the one thing that is meant.
    Sweeps,
    /// It uses the connection, or carries another command.
    Neutral,
}

use Effect::{Changes, Looks, Neutral, Sweeps};

/// Programs that only look, whatever their arguments.
const LOOKERS: &[&str] = &[
    "arping",
    "awk",
    "cat",
    "chage",
    "cut",
    "df",
    "dig",
    "du",
    "findmnt",
    "free",
    "getent",
    "grep",
    "head",
    "id",
    "infocmp",
    "iptables-save",
    "last",
    "ldd",
    "locale",
    "logread",
    "ls",
    "lsof",
    "mtr",
    "namei",
    "nc",
    "nstat",
    "od",
    "pgrep",
    "ps",
    "sar",
    "seq",
    "sort",
    "ssh-keyscan",
    "sshd",
    "stat",
    "systemd-analyze",
    "tail",
    "tc",
    "top",
    "traceroute",
    "tracepath",
    "ulimit",
    "uniq",
    "uptime",
    "vmstat",
    "wc",
];
/// Programs that run what they are given, or use the connection.
const NEUTRAL: &[&str] = &[
    "autossh",
    "bash",
    "echo",
    "exec",
    "exit",
    "mosh",
    "printf",
    "scp",
    "sftp",
    "sh",
    "sleep",
    "ssh",
    "ssh-doctor",
    "test",
    "tmux",
    "true",
    ".",
    "cd",
];
/// Programs that change something, whatever their arguments.
const CHANGERS: &[&str] = &[
    "apt-get",
    "chmod",
    "chown",
    "cp",
    "dd",
    "eval",
    "firewall-cmd",
    "kill",
    "ln",
    "locale-gen",
    "mkdir",
    "mkhomedir_helper",
    "mv",
    "reg",
    "restorecon",
    "rm",
    "ssh-agent",
    "tee",
    "tic",
    "touch",
    "truncate",
    "ufw",
    "useradd",
    "usermod",
];
/// Configuration tests that may guard a change.
const GUARDS: [&str; 3] = ["sshd -t", "haproxy -c", "nginx -t"];

/// The first thing wrong with a fix's kind, if any.
pub(super) fn fault(fix: &Fix) -> Option<String> {
    let Some(snippet) = fix.snippet else {
        let claims = fix.kind == FixKind::Look && fix.file.is_some();
        return claims.then(|| "a look has no file".to_owned());
    };
    if fix.file.is_some() {
        let unwarned = fix.side != Side::Client && fix.caution.is_none();
        return match fix.kind {
            FixKind::Look => Some("text for a file in what only looks".to_owned()),
            FixKind::Change if unwarned => Some("a change to a server or network without a caution".to_owned()),
            FixKind::Change => None,
        };
    }
    match run(snippet).and_then(|commands| of_kind(fix, &commands)) {
        Ok(()) => None,
        Err(why) => Some(format!("{why}: {snippet}")),
    }
}

fn of_kind(fix: &Fix, commands: &[(Command, Effect)]) -> Result<(), String> {
    let name = |command: &Command| command.words.join(" ");
    let having = |effect| commands.iter().find(move |(_, own)| *own == effect);
    if let Some((command, _)) = having(Sweeps) {
        return Err(format!("it alters more than the one thing ({})", name(command)));
    }
    let writes = commands.iter().flat_map(|(command, _)| &command.writes).find(|file| *file != "/dev/null");
    if fix.kind == FixKind::Look {
        return match (having(Changes), writes) {
            (Some((command, _)), _) => Err(format!("a look that changes something ({})", name(command))),
            (None, Some(file)) => Err(format!("a look that writes {file}")),
            (None, None) => Ok(()),
        };
    }
    let changes = having(Changes).is_some() || writes.is_some();
    if changes && fix.caution.is_none() {
        return Err("a change without a caution".to_owned());
    }
    let own: Vec<_> = commands.iter().filter(|(command, _)| !command.is_substituted).collect();
    if own.iter().all(|(_, effect)| *effect == Looks) {
        return Err("a change that only looks".to_owned());
    }
    for (at, (command, effect)) in own.iter().enumerate() {
        let is_piped = command.then == "|" || at.checked_sub(1).is_some_and(|before| own[before].0.then == "|");
        let is_guard = command.then == "&&" && GUARDS.iter().any(|guard| name(command).contains(guard));
        if *effect == Looks && !is_piped && !is_guard {
            return Err(format!("a change that looks as well ({})", name(command)));
        }
        if changes && command.then == ";" && at + 1 < own.len() {
            return Err("a change of several acts".to_owned());
        }
    }
    Ok(())
}

/// The commands of a script with their effects, those that shells and ssh are given to run included.
fn run(script: &str) -> Result<Vec<(Command, Effect)>, String> {
    let mut all = Vec::new();
    for command in commands(script)? {
        let words = carried(&command.words);
        let Some((program, args)) = words.split_first() else { continue };
        let program = program.rsplit('/').next().unwrap_or(program);
        let inner = match program {
            "sh" | "bash" => args.last().filter(|_| args.iter().any(|arg| arg.starts_with('-') && arg.ends_with('c'))),
            "ssh" => args.iter().find(|arg| arg.contains(' ')),
            _ => None,
        };
        if let Some(inner) = inner {
            // It runs at that moment, as part of this command.
            all.extend(
                run(inner)?.into_iter().map(|(inner, effect)| (Command { is_substituted: true, ..inner }, effect)),
            );
        }
        let effect = effect(program, args)
            .ok_or(format!("a command of which the test does not know what it does ({program})"))?;
        all.push((Command { words: words.to_vec(), ..command }, effect));
    }
    Ok(all)
}

/// The command behind what only carries it: sudo, timeout, xargs, variables.
fn carried(words: &[String]) -> &[String] {
    let Some((first, rest)) = words.split_first() else { return words };
    let behind = |options_with_value: &[&str], positional: usize| {
        let mut rest = rest;
        while let Some((option, after)) = rest.split_first().filter(|(word, _)| word.starts_with('-')) {
            let skip = usize::from(options_with_value.contains(&option.as_str()));
            rest = after.get(skip..).unwrap_or_default();
        }
        carried(rest.get(positional..).unwrap_or_default())
    };
    match first.as_str() {
        "sudo" => behind(&["-u"], 0),
        "timeout" => behind(&["-k", "-s"], 1),
        "xargs" => behind(&["-n"], 0),
        "nohup" | "command" => behind(&[], 0),
        _ if first
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) =>
        {
            carried(rest)
        }
        _ => words,
    }
}

fn effect(program: &str, args: &[String]) -> Option<Effect> {
    let arg = |words: &[&str]| args.iter().any(|arg| words.contains(&arg.as_str()));
    let letter = |letters: &str| {
        let short = args.iter().filter(|arg| arg.starts_with('-') && !arg.starts_with("--"));
        short.flat_map(|arg| arg.chars()).any(|c| letters.contains(c))
    };
    let verb = args.iter().find(|arg| !arg.starts_with('-')).map_or("", String::as_str);
    let looks_if = |looks: bool| Some(if looks { Looks } else { Changes });
    let is_placeholder = |c: char| c.is_ascii_uppercase() || c == '-';
    match program {
        // The user's own ProxyCommand, read from ssh.
        "$()" => Some(Neutral),
        _ if program.chars().all(is_placeholder) => Some(Neutral),
        "rm" if letter("rf") => Some(Sweeps),
        "pkill" | "killall" | "shutdown" | "reboot" => Some(Sweeps),
        "ssh-add" if letter("D") => Some(Sweeps),
        "iptables" | "ip6tables" if letter("FXZ") || arg(&["--flush"]) => Some(Sweeps),
        "nft" if verb == "flush" => Some(Sweeps),
        "ufw" if arg(&["disable", "reset"]) => Some(Sweeps),
        "systemctl" if arg(&["stop", "disable", "mask"]) => Some(Sweeps),
        "ip" => looks_if(!arg(&["add", "append", "change", "del", "delete", "flush", "replace", "set"])),
        "nft" => looks_if(verb == "list"),
        "iptables" | "ip6tables" => looks_if(letter("LS")),
        "sed" => looks_if(!letter("i") && !arg(&["--in-place"])),
        "sysctl" => looks_if(!letter("wp") && !args.iter().any(|arg| arg.contains('='))),
        "systemctl" => {
            looks_if(["status", "show", "cat"].contains(&verb) || verb.starts_with("is-") || verb.starts_with("list-"))
        }
        "journalctl" => looks_if(
            !args.iter().any(|arg| ["--vacuum", "--rotate", "--flush"].iter().any(|word| arg.starts_with(word))),
        ),
        "resolvectl" => looks_if(["", "status", "query", "statistics"].contains(&verb)),
        "timedatectl" => looks_if(["", "status", "show"].contains(&verb)),
        "fail2ban-client" => looks_if(verb == "status"),
        "faillock" => looks_if(!arg(&["--reset"])),
        "passwd" => looks_if(letter("S")),
        "ethtool" => looks_if(!letter("KGACLsr")),
        "ss" => looks_if(!letter("K")),
        "tcpdump" => looks_if(!letter("w")),
        "find" => looks_if(!arg(&["-delete", "-exec", "-execdir", "-ok"])),
        "fido2-token" => looks_if(letter("L")),
        "git" => looks_if(verb == "remote" && arg(&["-v"])),
        "ssh-add" => looks_if(letter("lLT")),
        "ssh-keygen" => looks_if(letter("lLry") && !letter("tsR")),
        _ if LOOKERS.contains(&program) => Some(Looks),
        _ if CHANGERS.contains(&program) => Some(Changes),
        _ if NEUTRAL.contains(&program) => Some(Neutral),
        _ => None,
    }
}

#[test]
fn every_fix_of_the_catalogue_looks_or_changes_and_never_both() {
    let fixes = ssh_doctor_checks::causes::all().flat_map(|cause| cause.fixes.iter().map(|fix| (cause.code, fix)));
    let wrong: Vec<_> = fixes.filter_map(|(code, fix)| Some(format!("{code}: {}", fault(fix)?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn harm_of_any_kind_is_found() {
    let look = |snippet| Fix { summary: "x", snippet: Some(snippet), ..Fix::LOOK };
    let change = |snippet| Fix { summary: "x", snippet: Some(snippet), caution: Some("mind"), ..Fix::CHANGE };
    for harmful in [
        look("systemctl is-system-running; ls -l /etc/nologin; sudo rm -f /etc/nologin"),
        look("ls -l /etc/nologin && sudo rm /etc/nologin"),
        look("ssh-add -l; ssh-add -D"),
        look("ssh-add KEY"),
        look("ps ax | grep sshd | xargs -r kill"),
        look("ssh {alias} 'ls; sudo systemctl restart sshd'"),
        look("sudo -u root sh -c 'kill 1'"),
        look("echo $(rm x)"),
        look("sysctl -w net.ipv4.tcp_keepalive_time=60"),
        look("sed -i s/a/b/ ~/.ssh/config"),
        look("ip route get 1; ip route flush cache"),
        look("nft flush ruleset"),
        look("journalctl --vacuum-size=1M"),
        look("ssh-keygen -R {host}"),
        look("grep x y > ~/.ssh/config"),
        look("cat key | tee -a ~/.ssh/known_hosts"),
        look("frobnicate --hard"),
        Fix { file: Some("~/.ssh/config"), ..look("Host *") },
        change("ssh-add -D"),
        change("sudo rm -rf /run/nologin"),
        change("iptables -F"),
        change("killall sshd"),
        change("fail2ban-client status sshd; fail2ban-client set sshd unbanip A"),
        change("systemctl status ssh && systemctl restart ssh"),
        change("chmod 600 a; chown me a"),
        change("ls -l"),
        Fix { caution: None, ..change("sudo systemctl restart ssh") },
        Fix { caution: None, side: Side::Server, file: Some("/etc/ssh/sshd_config"), ..change("UseDNS no") },
    ] {
        assert!(fault(&harmful).is_some(), "{harmful:?}");
    }
}

#[test]
fn what_does_no_harm_is_let_through() {
    let look = |snippet| Fix { summary: "x", snippet: Some(snippet), ..Fix::LOOK };
    let change = |snippet| Fix { summary: "x", snippet: Some(snippet), caution: Some("mind"), ..Fix::CHANGE };
    for harmless in [
        look("journalctl -u ssh 2>&1 | grep -iE 'restart|killed' >/dev/null"),
        look("ssh -tt {alias}; sftp {alias}"),
        look("sudo nft list ruleset | grep -n reject; sudo iptables-save | grep REJECT"),
        change("sshd -t && sudo systemctl reload ssh"),
        change("sudo ip route replace {address} mtu {mtu} $(ip route get {address} | grep -oE '(via|dev) [^ ]+')"),
        change("sudo systemctl enable --now sshd || sudo systemctl enable --now ssh"),
        Fix { caution: None, ..change("ssh -t {alias} tmux new -A -s main") },
        Fix { caution: None, file: Some("~/.ssh/config"), ..change("Host {alias}") },
    ] {
        assert_eq!(fault(&harmless), None, "{harmless:?}");
    }
}
