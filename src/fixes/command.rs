//! The target of a command: the host as the user typed it, with the flags that this run was given.

use ssh_doctor_checks::base::text::escaped;
use ssh_doctor_checks::facts::Examined;

use crate::shell::quoted;

/// The programs that name the port otherwise than ssh does.
const COPIERS: [&str; 2] = ["scp", "sftp"];

/// Adds what `{alias}` stands for to a command that is filled up to there; none where a value would do harm.
pub(super) fn lead(command: &str, target: &Examined) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let begins = words.iter().rposition(|word| COPIERS.contains(word) || ["mosh", "ssh"].contains(word));
    let words = &words[begins.unwrap_or_default()..];
    let program = words.first().copied().unwrap_or_default();
    let is_copier = COPIERS.contains(&program);
    let place = alias(target, true);
    let place = match place.rsplit_once('@') {
        _ if !is_harmless_in_a_shell(&place) => return None,
        // To these a colon ends the host.
        Some((user, host)) if is_copier && host.contains(':') => format!("{user}@[{host}]"),
        None if is_copier && place.contains(':') => format!("[{place}]"),
        _ => place,
    };
    let flags = flags(target, if is_copier { "-P" } else { "-p" }, words)?;
    let place = quoted(&place);
    Some(match program {
        _ if flags.is_empty() => format!("{command}{place}"),
        "mosh" => format!("{command}--ssh={} {place}", quoted(&format!("ssh {flags}"))),
        // They take no option behind a file.
        _ if is_copier => {
            let (start, rest) = command.split_at(command.rfind(program)? + program.len());
            format!("{start} {flags}{rest}{place}")
        }
        _ => format!("{command}{flags} {place}"),
    })
}

/// The flags of this run that the command does not have already.
fn flags(target: &Examined, port_flag: &str, words: &[&str]) -> Option<String> {
    let given = &target.flags;
    // Where the host is no alias, its port is nowhere else.
    let port = given.port.or((target.port != 22 && alias(target, false) == target.host).then_some(target.port));
    let port = port.map(|port| port.to_string());
    let single = [("-F", &given.config), (port_flag, &port), ("-J", &given.jump)];
    let single = single.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
    let identities = given.identities.iter().map(|file| ("-i", file));
    let options = given.options.iter().map(|option| ("-o", option));
    let all = single.chain(identities).filter(|(flag, _)| !words.contains(flag)).chain(options);
    let all = all.map(|(flag, value)| (escaped(value) == *value).then(|| format!("{flag} {}", file_or_word(value))));
    all.collect::<Option<Vec<_>>>().map(|flags| flags.join(" "))
}

/// One word; the home folder stays what a shell makes of it.
fn file_or_word(value: &str) -> String {
    value.strip_prefix("~/").map_or_else(|| quoted(value), |rest| format!("~/{}", quoted(rest)))
}

/// Returns the argument for `ssh` (`user@host` in a command) or the name that `Host` of ssh_config matches, from a
/// TARGET in any of its forms.
pub(super) fn alias(target: &Examined, with_user: bool) -> String {
    let input = target.input.strip_prefix("ssh://").unwrap_or(&target.input).trim_end_matches('/');
    let (user, place) = input.rsplit_once('@').map_or((None, input), |(user, place)| (Some(user), place));
    let host = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        // More than one colon is a bare IPv6 address, not a port.
        None if place.matches(':').count() == 1 => place.split_once(':').map_or(place, |(host, _)| host),
        None => place,
    };
    match user.or(target.flags.login.as_deref()) {
        Some(user) if with_user => format!("{user}@{host}"),
        _ => host.to_owned(),
    }
}

/// False for a value that a shell could take for more than a word or a few, or a program for an option.
pub(super) fn is_harmless_in_a_shell(value: &str) -> bool {
    !value.starts_with('-') && !value.contains(['`', '$', ';', '&', '|', '<', '>', '(', ')', '\\', '"', '\'', '!', '#'])
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::base::target::Flags;
    use ssh_doctor_checks::facts::{Evidence, Examined};

    use super::{alias, is_harmless_in_a_shell, lead};

    fn target(input: &str, port: u16) -> Examined {
        Examined { input: input.into(), host: "db".into(), port, ..Evidence::unexamined().target }
    }

    fn given(flags: Flags) -> Examined {
        Examined { flags, ..target("alias", 2222) }
    }

    #[test]
    fn a_command_names_a_port_that_ssh_would_not_find_by_itself() {
        for (target, before, words) in [
            (target("db", 22), "ssh ", "ssh db"),
            (target("me@db:2222", 2222), "ssh -v ", "ssh -v -p 2222 me@db"),
            (target("db", 2222), "ssh -tt db; sftp ", "ssh -tt db; sftp -P 2222 db"),
            (target("db", 2222), "mosh db    # or: ssh -t ", "mosh db    # or: ssh -t -p 2222 db"),
            (target("db", 2222), "ssh-doctor check -p 2222 ", "ssh-doctor check -p 2222 db"),
            (target("alias", 2222), "ssh ", "ssh alias"),
            (target("db", 2222), "mosh ", "mosh --ssh='ssh -p 2222' db"),
        ] {
            assert_eq!(lead(before, &target).as_deref(), Some(words), "{before}");
        }
    }

    #[test]
    fn a_command_takes_the_flags_that_led_here() {
        let all = Flags {
            config: Some("/a b/cfg".into()),
            port: Some(22901),
            login: Some("joe".into()),
            jump: Some("gate,me@inner:23".into()),
            identities: vec!["~/.ssh/k".into(), "it's".into()],
            options: vec!["HostName=10.0.0.1".into()],
        };
        let rest = "-J gate,me@inner:23 -i ~/.ssh/k -i 'it'\\''s' -o HostName=10.0.0.1";
        let target = given(all);
        for (before, words) in [
            ("ssh -G ", format!("ssh -G -F '/a b/cfg' -p 22901 {rest} joe@alias")),
            ("\"$(ssh -G ", format!("\"$(ssh -G -F '/a b/cfg' -p 22901 {rest} joe@alias")),
            ("scp -O FILE ", format!("scp -F '/a b/cfg' -P 22901 {rest} -O FILE joe@alias")),
            (
                "ssh -J HOST ",
                format!("ssh -J HOST -F '/a b/cfg' -p 22901 {} joe@alias", rest.replace("-J gate,me@inner:23 ", "")),
            ),
        ] {
            assert_eq!(lead(before, &target), Some(words), "{before}");
        }
        let mosh = lead("mosh ", &given(Flags { config: Some("/a b".into()), ..Flags::default() }));
        assert_eq!(mosh.as_deref(), Some(r"mosh --ssh='ssh -F '\''/a b'\''' alias"));
    }

    #[test]
    fn what_cannot_be_shown_as_it_is_keeps_the_command_out_of_the_report() {
        let hostile = given(Flags { config: Some("a\nid".into()), ..Flags::default() });
        assert_eq!(lead("ssh ", &hostile), None);
        assert_eq!(lead("ssh ", &given(Flags { login: Some("$(id)".into()), ..Flags::default() })), None);
    }

    #[test]
    fn an_alias_is_what_ssh_and_its_configuration_know() {
        for (input, command, host) in [
            ("db", "db", "db"),
            ("me@db", "me@db", "db"),
            ("me@db:2222", "me@db", "db"),
            ("me@[2001:db8::1]:22", "me@2001:db8::1", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::1"),
            ("ssh://me@db.example:22/", "me@db.example", "db.example"),
        ] {
            let target = target(input, 22);
            assert_eq!((alias(&target, true).as_str(), alias(&target, false).as_str()), (command, host), "{input}");
        }
        assert_eq!(lead("scp F ", &target("me@[2001:db8::1]:22", 22)).as_deref(), Some("scp F 'me@[2001:db8::1]'"));
    }

    #[test]
    fn a_value_that_a_shell_would_run_is_refused() {
        assert!(is_harmless_in_a_shell("+ssh-rsa,ssh-dss"));
        assert!(is_harmless_in_a_shell("[db.example]:2222"));
        for hostile in ["x;id", "$(id)", "`id`", "a' b", "-oProxyCommand=id", "a\\nb"] {
            assert!(!is_harmless_in_a_shell(hostile), "{hostile}");
        }
    }
}
