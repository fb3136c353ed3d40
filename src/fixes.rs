//! A cause's fix with the values of this run in it, safe to paste.

mod command;

use schemars::JsonSchema;
use serde::Serialize;
use ssh_doctor_checks::base::text;
use ssh_doctor_checks::causes::settings::known_settings;
use ssh_doctor_checks::causes::software::{SERVERS_OWN_LOG, suits};
use ssh_doctor_checks::causes::{Fix, FixKind, Side};
use ssh_doctor_checks::facts::{Evidence, Examined};

use crate::clients::{Client, is_keepalive};
use command::{alias, is_harmless_in_a_shell, lead};

/// A fix with this run's values in it.
#[derive(Debug, Clone, JsonSchema, Serialize)]
pub struct FilledFix {
    /// The side that acts.
    pub side: Side,
    /// The kind: it gathers evidence, or it changes something.
    pub kind: FixKind,
    /// The instruction.
    pub summary: String,
    /// The file the snippet belongs in.
    pub file: Option<&'static str>,
    /// Text to paste.
    pub snippet: Option<String>,
    /// True if it was tried in this run, and held.
    pub verified: Option<bool>,
    /// The caution to read first.
    pub caution: Option<String>,
    /// A note on it: for a keepalive, when a dead server is noticed.
    pub note: Option<String>,
}

impl FilledFix {
    /// The fix as the catalogue has it, its placeholders still in braces.
    #[must_use]
    pub fn template(fix: &Fix) -> Self {
        Self {
            side: fix.side,
            kind: fix.kind,
            summary: fix.summary.to_owned(),
            file: fix.file,
            snippet: fix.snippet.map(ToOwned::to_owned),
            caution: fix.caution.map(ToOwned::to_owned),
            verified: None,
            note: None,
        }
    }

    /// True if a `{name}` is left to be filled.
    pub(crate) fn has_placeholder(&self) -> bool {
        self.snippet.iter().chain(&self.caution).chain([&self.summary]).any(|text| insert(text, &|_| None).is_none())
    }
}

/// The fixes with their placeholders filled: those that held in this run first, those that did not hold last; what only looks comes after what changes.
///
/// A fix is left out when it does not apply to what was seen, when a value for it is missing, or when a value would do harm in the shell that it is pasted into.
/// A keepalive is shown in the client's own syntax. Where it happened at a jump host, `hop` is its number, and its software decides which fixes apply.
pub(crate) fn fill(
    fixes: &[Fix],
    values: &[(&'static str, String)],
    client: Client,
    evidence: &Evidence,
    hop: Option<u8>,
) -> Vec<FilledFix> {
    let host = hop.and_then(|number| evidence.hops.get(usize::from(number))).map_or(evidence, |hop| &hop.evidence);
    let fill = |fix: &Fix| {
        if !is_keepalive(fix) {
            return fill_one(fix, values, evidence);
        }
        let keepalive = KeepaliveValues::of(values)?;
        let values = [values, &keepalive.values()].concat();
        let filled = match client.keepalive(fix, evidence) {
            Some(theirs) => fill_one(&theirs, &values, evidence),
            None => fill_one(fix, &values, evidence),
        }?;
        let note = client.notice(keepalive.interval_s, keepalive.count_max, &evidence.settings);
        Some(FilledFix { note: note.filter(|_| filled.snippet.is_some()), ..filled })
    };
    let mut filled: Vec<_> =
        fixes.iter().filter(|fix| (fix.when)(evidence) && suits(fix, host)).filter_map(fill).collect();
    if filled.is_empty() && !fixes.is_empty() {
        // Everything in the catalogue is for other software than this server's.
        let version = built_in("version", host, false).map(|version| ("version", version));
        let values: Vec<_> = values.iter().cloned().chain(version).collect();
        filled.extend(fill_one(&SERVERS_OWN_LOG, &values, evidence));
    }
    filled.sort_by_key(|fix| match (fix.kind, fix.verified) {
        (FixKind::Change, Some(true)) => 0,
        (FixKind::Change, None) => 1,
        (FixKind::Change, Some(false)) => 2,
        (FixKind::Look, _) => 3,
    });
    filled
}

/// The values of a keepalive.
struct KeepaliveValues {
    interval_s: u32,
    count_max: u32,
}

impl KeepaliveValues {
    fn of(values: &[(&'static str, String)]) -> Option<Self> {
        let number = |name| values.iter().find(|(known, _)| *known == name)?.1.parse().ok();
        Some(Self { interval_s: number("interval")?, count_max: number("count_max")? })
    }

    /// The time in the units of other clients.
    fn values(&self) -> [(&'static str, String); 1] {
        [("interval_ms", (u64::from(self.interval_s) * 1000).to_string())]
    }
}

fn fill_one(fix: &Fix, values: &[(&'static str, String)], evidence: &Evidence) -> Option<FilledFix> {
    let is_command = fix.file.is_none();
    let value = |name: &str| {
        let found = values.iter().find(|(known, _)| *known == name).map(|(_, value)| text::escaped(value));
        found.or_else(|| built_in(name, evidence, is_command).map(|value| text::escaped(&value)))
    };
    let pasted = |name: &str| value(name).filter(|value| !is_command || is_harmless_in_a_shell(value));
    let snippet = fix.snippet.map(|template| {
        let filled = if is_command { command(template, &pasted, &evidence.target) } else { insert(template, &pasted) };
        filled.and_then(|text| known_settings(fix, text, evidence)).ok_or(())
    });
    let caution = fix.caution.map(|template| insert(template, &pasted).ok_or(()));
    Some(FilledFix {
        side: fix.side,
        kind: fix.kind,
        summary: insert(fix.summary, &value)?,
        file: fix.file,
        snippet: snippet.transpose().ok()?,
        caution: caution.transpose().ok()?,
        verified: (fix.tried)(evidence),
        note: None,
    })
}

/// A command with its values, which leads where this run went.
fn command(template: &str, value: &dyn Fn(&str) -> Option<String>, target: &Examined) -> Option<String> {
    let mut pieces = template.split("{alias}");
    let mut text = insert(pieces.next()?, value)?;
    for piece in pieces {
        text = lead(&text, target)? + &insert(piece, value)?;
    }
    Some(text)
}

/// The values that every fix may use.
fn built_in(name: &str, evidence: &Evidence, is_command: bool) -> Option<String> {
    let target = &evidence.target;
    match name {
        "alias" => Some(alias(target, is_command)),
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
        "version" => evidence.handshake.facts()?.version.clone(),
        _ => None,
    }
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
    use ssh_doctor_checks::causes;
    use ssh_doctor_checks::facts::handshake::Facts;
    use ssh_doctor_checks::facts::{Evidence, Hop, Step, Timed};

    use super::{fill, insert};
    use crate::clients::Client;

    #[test]
    fn what_happened_at_a_jump_host_has_the_fixes_of_its_software() {
        let of = |version: &str| {
            let facts = Facts { version: Some(version.to_owned()), ..Facts::default() };
            Evidence { handshake: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
        };
        let cause = causes::all().find(|cause| cause.code == "server-restarted").expect("a cause");
        let of_sshd = |hop: &str, target: &str, at| {
            let hop = Hop { name: "bastion".into(), evidence: of(hop), forward: None };
            let evidence = Evidence { hops: vec![hop], ..of(target) };
            let fixes = fill(cause.fixes, &[], Client::default(), &evidence, at);
            fixes.iter().any(|fix| fix.snippet.as_deref().is_some_and(|snippet| snippet.contains("-u ssh")))
        };
        let (openssh, dropbear) = ("SSH-2.0-OpenSSH_9.2p1", "SSH-2.0-dropbear_2022.83");
        assert!(of_sshd(openssh, dropbear, Some(0)) && !of_sshd(openssh, dropbear, None));
        assert!(!of_sshd(dropbear, openssh, Some(0)) && of_sshd(dropbear, openssh, None));
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
}
