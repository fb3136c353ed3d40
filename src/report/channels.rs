//! The capabilities of the connection, below the table of checks.

use ssh_doctor_checks::base::text::{sanitize, status};
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::channel::{Capabilities, Capability, Sessions};

use super::Style;

/// Returns the capabilities, one line for each kind of answer; `None` where no session was opened.
pub(crate) fn lines(evidence: &Evidence, style: Style) -> Option<String> {
    let capabilities = &evidence.channel.facts()?.capabilities;
    let lines = [
        ("Allowed", allowed(capabilities)),
        ("Accepted, but not working", unstarted(capabilities)),
        ("Refused", listed(capabilities, refused)),
        ("Unknown", listed(capabilities, untold)),
        ("Not tested", listed(capabilities, not_asked)),
    ];
    let sessions = capabilities.sessions_at_once.as_ref().and_then(sessions);
    let said = lines.into_iter().filter(|(_, names)| !names.is_empty());
    let said = said.map(|(word, names)| style.wrapped("", "  ", &format!("{word}: {names}.")));
    let said: Vec<_> = said.chain(sessions.map(|line| style.wrapped("", "  ", &line))).collect();
    capabilities.session.is_allowed().then(|| said.join("\n"))
}

fn listed(capabilities: &Capabilities, words: fn(&str, &Capability) -> Option<String>) -> String {
    let named = capabilities.named().into_iter().filter_map(|(name, outcome)| words(name, outcome));
    named.collect::<Vec<_>>().join("; ")
}

/// Describes the limit of sessions on one connection, if it was reached.
fn sessions(at_once: &Sessions) -> Option<String> {
    let (code, text) = at_once.refused.as_ref()?;
    Some(format!("Sessions at once: {}, one more is refused (reason {code}, \"{}\").", at_once.open, sanitize(text)))
}

/// Lists the allowed capabilities; sftp comes with its server's reply, for sshd accepts it without knowing whether the
/// server starts.
fn allowed(capabilities: &Capabilities) -> String {
    let named = capabilities.named().into_iter().filter(|(_, outcome)| outcome.is_allowed());
    let told = named.filter_map(|(name, _)| match &capabilities.sftp_said {
        _ if name != "sftp" => Some(name.to_owned()),
        None => Some("sftp (accepted; --deep tests whether its server starts)".to_owned()),
        Some(said) => said.version.map(|version| format!("sftp (version {version})")),
    });
    told.collect::<Vec<_>>().join("; ")
}

/// The sftp server that was accepted and did not say its version.
fn unstarted(capabilities: &Capabilities) -> String {
    let said = capabilities.sftp_said.as_ref().filter(|said| capabilities.sftp.is_allowed() && said.version.is_none());
    said.map(|said| match said.status {
        Some(code) => format!("sftp ({})", status(code)),
        None if said.is_preceded() => "sftp (other text came before its protocol)".to_owned(),
        None => "sftp (no answer)".to_owned(),
    })
    .unwrap_or_default()
}

fn refused(name: &str, outcome: &Capability) -> Option<String> {
    match outcome {
        Capability::Refused { code: Some(code), text } => {
            let text = text.as_deref().filter(|text| !text.is_empty());
            Some(format!("{name} (reason {code}{})", text.map(|text| format!(", \"{text}\"")).unwrap_or_default()))
        }
        Capability::Refused { code: None, .. } => Some(name.to_owned()),
        _ => None,
    }
}

fn untold(name: &str, outcome: &Capability) -> Option<String> {
    match outcome {
        Capability::Untold { code, .. } => Some(format!("{name} (reason {code} for what is forbidden or missing)")),
        Capability::Unproven => Some(format!("{name} (the server confirms a connection to a closed port too)")),
        _ => None,
    }
}

fn not_asked(name: &str, outcome: &Capability) -> Option<String> {
    match outcome {
        Capability::NotTested { why } => Some(format!("{name} ({why})")),
        _ => None,
    }
}
