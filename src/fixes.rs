//! A cause's fix with the values of this run in it, safe to paste.

use serde::Serialize;
use ssh_doctor_checks::cause::{Fix, Side};
use ssh_doctor_checks::evidence::{Evidence, Examined};
use ssh_doctor_checks::text;

use crate::clients::{Client, is_keepalive};

/// A fix with this run's values in it.
#[derive(Debug, Clone, Serialize)]
pub struct FilledFix {
    /// Who acts.
    pub side: Side,
    /// What to do.
    pub summary: String,
    /// The file the snippet belongs in.
    pub file: Option<&'static str>,
    /// Text to paste.
    pub snippet: Option<String>,
    /// Whether it was tried in this run, and held.
    pub verified: Option<bool>,
    /// What to mind first.
    pub caution: Option<String>,
    /// What to know of it: for a keepalive, when a dead server is noticed.
    pub note: Option<String>,
}

impl FilledFix {
    /// The fix as the catalogue has it, its placeholders still in braces.
    #[must_use]
    pub fn template(fix: &Fix) -> Self {
        Self {
            side: fix.side,
            summary: fix.summary.to_owned(),
            file: fix.file,
            snippet: fix.snippet.map(ToOwned::to_owned),
            caution: fix.caution.map(ToOwned::to_owned),
            verified: None,
            note: None,
        }
    }

    /// Whether a `{name}` is left to be filled.
    pub(crate) fn has_placeholder(&self) -> bool {
        self.snippet.iter().chain(&self.caution).chain([&self.summary]).any(|text| insert(text, &|_| None).is_none())
    }
}

/// The fixes with their placeholders filled: those that held in this run first, those that did not hold last.
///
/// A fix is left out when a value for it is missing, or when a value would do harm in the shell that it is pasted into.
/// A keepalive is told in the client's own syntax.
pub(crate) fn fill(
    fixes: &[Fix],
    values: &[(&'static str, String)],
    client: Client,
    evidence: &Evidence,
) -> Vec<FilledFix> {
    let fill = |fix: &Fix| {
        if !is_keepalive(fix) {
            return fill_one(fix, values, evidence);
        }
        let keepalive = Keepalive::of(values)?;
        let values = [values, &keepalive.values()].concat();
        let filled = match client.keepalive(fix, evidence) {
            Some(theirs) => fill_one(&theirs, &values, evidence),
            None => fill_one(fix, &values, evidence),
        }?;
        let note = client.notice(keepalive.interval_s, keepalive.count_max, &evidence.settings);
        Some(FilledFix { note: note.filter(|_| filled.snippet.is_some()), ..filled })
    };
    let mut filled: Vec<_> = fixes.iter().filter_map(fill).collect();
    filled.sort_by_key(|fix| match fix.verified {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    });
    filled
}

/// The values of a keepalive.
struct Keepalive {
    interval_s: u32,
    count_max: u32,
}

impl Keepalive {
    fn of(values: &[(&'static str, String)]) -> Option<Self> {
        let number = |name| values.iter().find(|(known, _)| *known == name)?.1.parse().ok();
        Some(Self { interval_s: number("interval")?, count_max: number("count_max")? })
    }

    /// The same in the units of other clients.
    fn values(&self) -> [(&'static str, String); 1] {
        [("interval_ms", (u64::from(self.interval_s) * 1000).to_string())]
    }
}

fn fill_one(fix: &Fix, values: &[(&'static str, String)], evidence: &Evidence) -> Option<FilledFix> {
    let is_command = fix.file.is_none();
    let value = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name).map(|(_, value)| text::escaped(value));
        found.or_else(|| built_in(name, &evidence.target, is_command).map(|value| text::escaped(&value)))
    };
    let pasted = |name: &str| value(name).filter(|value| !is_command || is_harmless_in_a_shell(value));
    let template = fix
        .snippet
        .map(|template| if is_command { with_port(template, &evidence.target) } else { template.to_owned() });
    let snippet = template.map(|template| insert(&template, &pasted).ok_or(()));
    let caution = fix.caution.map(|template| insert(template, &pasted).ok_or(()));
    Some(FilledFix {
        side: fix.side,
        summary: insert(fix.summary, &value)?,
        file: fix.file,
        snippet: snippet.transpose().ok()?,
        caution: caution.transpose().ok()?,
        verified: (fix.tried)(evidence),
        note: None,
    })
}

/// The values that every fix may use.
fn built_in(name: &str, target: &Examined, is_command: bool) -> Option<String> {
    match name {
        "alias" => Some(alias(&target.input, is_command)),
        "host" => Some(target.host.clone()),
        "port" => Some(target.port.to_string()),
        "known_as" => Some(if !target.known_as.is_empty() {
            target.known_as.clone()
        } else if target.port == 22 {
            target.host.clone()
        } else {
            format!("[{}]:{}", target.host, target.port)
        }),
        "user" => Some(target.user.clone()),
        _ => None,
    }
}

/// A command's template with the option that names the port, where `{alias}` alone would lead to port 22.
fn with_port(template: &str, target: &Examined) -> String {
    let is_named = template.contains("-p {port}");
    if is_named || target.port == 22 || alias(&target.input, false) != target.host {
        return template.to_owned();
    }
    let mut text = String::new();
    for piece in template.split_inclusive("{alias}") {
        let Some(before) = piece.strip_suffix("{alias}") else {
            text += piece;
            continue;
        };
        let program = before.split_whitespace().rev().find(|word| ["scp", "sftp", "mosh"].contains(word));
        let option = match program {
            Some("mosh") => "--ssh='ssh -p {port}'",
            Some(_) => "-P {port}",
            None => "-p {port}",
        };
        text += &[before, option, " {alias}"].concat();
    }
    text
}

/// What `ssh` is given (`user@host` in a command) or what `Host` of ssh_config matches, out of a TARGET in any of its forms.
fn alias(input: &str, with_user: bool) -> String {
    let target = input.strip_prefix("ssh://").unwrap_or(input).trim_end_matches('/');
    let (user, place) = target.rsplit_once('@').map_or((None, target), |(user, place)| (Some(user), place));
    let host = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        // More than one colon is a bare IPv6 address, not a port.
        None if place.matches(':').count() == 1 => place.split_once(':').map_or(place, |(host, _)| host),
        None => place,
    };
    match user {
        Some(user) if with_user => format!("{user}@{host}"),
        _ => host.to_owned(),
    }
}

/// False for a value that a shell could take for more than a word or a few, or a program for an option.
fn is_harmless_in_a_shell(value: &str) -> bool {
    !value.starts_with('-') && !value.contains(['`', '$', ';', '&', '|', '<', '>', '(', ')', '\\', '"', '\'', '!', '#'])
}

/// The template with each `{name}` replaced; braces around anything else are text (shell, configuration blocks).
fn insert(template: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        match rest.split_once('}').filter(|(name, _)| is_placeholder(name)) {
            Some((name, after)) => {
                text.push_str(&value(name)?);
                rest = after;
            }
            None => text.push('{'),
        }
    }
    text.push_str(rest);
    Some(text)
}

fn is_placeholder(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::evidence::{Evidence, Examined};

    use super::{alias, insert, is_harmless_in_a_shell, with_port};

    #[test]
    fn a_command_names_a_port_that_ssh_would_not_find_by_itself() {
        let target = |input: &str, port| Examined {
            input: input.into(),
            host: "db".into(),
            port,
            ..Evidence::unexamined().target
        };
        for (target, template, command) in [
            (target("db", 22), "ssh {alias} true", "ssh {alias} true"),
            (target("me@db:2222", 2222), "ssh -v {alias} true", "ssh -v -p {port} {alias} true"),
            (target("db", 2222), "ssh -tt {alias}; sftp {alias}", "ssh -tt -p {port} {alias}; sftp -P {port} {alias}"),
            (target("alias", 2222), "ssh {alias} true", "ssh {alias} true"),
            (target("db", 2222), "mosh {alias}", "mosh --ssh='ssh -p {port}' {alias}"),
        ] {
            assert_eq!(with_port(template, &target), command);
        }
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
            assert_eq!((alias(input, true).as_str(), alias(input, false).as_str()), (command, host), "{input}");
        }
    }

    #[test]
    fn placeholders_are_filled_once_and_other_braces_stay() {
        let value = |name: &str| (name == "host").then(|| "{port}".to_owned());
        assert_eq!(
            insert("ping {host} | awk '{ print $1 }' {}", &value).unwrap(),
            "ping {port} | awk '{ print $1 }' {}"
        );
        assert_eq!(insert("nc {host} {unknown}", &value), None);
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
