//! Lines without end, and no version among them.

use super::shared::may_become_a_version;
use super::stranger::{protocol, protocol_of};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::{Later, Objection};

/// Lines that are at least so far apart did not come in one burst, milliseconds.
const DRIP_MS: f64 = 300.0;
/// A first line that took so long was held back on purpose, milliseconds: what greets does so at once.
const LATE_MS: f64 = 3000.0;

pub(super) const TARPIT: Cause = Cause {
    code: "handshake-tarpit",
    stage: Check::Handshake,
    title: "The port sends endless lines and no SSH banner (tarpit)",
    severity: Severity::Critical,
    explanation: "A server may send lines before its banner (RFC 4253 section 4.2), and a client must read on; OpenSSH's gives \
        up after 1024 lines. Here lines kept arriving and none was a banner. A tarpit such as endlessh holds scanners \
        this way: it occupies the usual port, and the SSH server listens on another.\n\n\
        Another service that prints without end looks the same; if only one line arrived, so does a server with a late \
        greeting. endlessh waits 10 s before each line by default; if none arrived before the deadline, it looks like \
        a silent port. Listening for longer settles it.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Listen for a minute: a tarpit sends line after line, and nothing else",
            snippet: Some("timeout 60 nc {host} {port}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Ask the server's owner for the port of its SSH server, and use that",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostName {host}\n    Port PORT"),
            caution: Some("replace PORT by the port of the SSH server"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Find what holds this port, and where sshd listens",
            snippet: Some("ss -tlnp | grep ':{port} '; sshd -T | grep -iE '^(port|listenaddress)'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["No SSH version received in first", "Max greeting lines exceeded"],
    hides: &["handshake-not-ssh", "handshake-closed-before-banner", "handshake-reset"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        if let Some(later) = facts.later.as_ref().filter(|later| is_nonsense(later)) {
            let words = format!(
                "nothing came for {}, and then \"{}\", which is no version",
                seconds(later.ms / 1000.0),
                later.first_bytes
            );
            return Some(Match::new(Certainty::Possible, [words]));
        }
        let (first, last) = facts.lines_ms?;
        let without_end = facts.gave_up_ms.is_some() || facts.objection == Some(Objection::TooManyLines);
        // One burst of text and then silence is a greeting, not a drip; but a greeting comes at once.
        let drips = last - first >= DRIP_MS || first >= LATE_MS || facts.objection.is_some();
        if facts.version.is_some() || !without_end || !drips || protocol_of(facts).is_some() {
            return None;
        }
        let certainty = if facts.line_count >= 3 { Certainty::Likely } else { Certainty::Possible };
        let (first, last) = (seconds(first / 1000.0), seconds(last / 1000.0));
        let came = match (facts.line_count, facts.gave_up_ms) {
            (1, Some(waited)) => format!(
                "one line came {first} after the connection was open, and in {} no version",
                seconds(waited / 1000.0)
            ),
            (count, _) => format!(
                "{count} lines came between {first} and {last} after the connection was open, and none began with SSH-"
            ),
        };
        Some(Match::new(certainty, [came, format!("the first was \"{}\"", facts.lines_before_version.first()?)]))
    },
    ..Cause::NEW
};

/// True if it is neither a version nor the beginning of another protocol that we know.
fn is_nonsense(later: &Later) -> bool {
    let begins_a_version = later.version.is_some() || may_become_a_version(&later.first_bytes);
    !begins_a_version && protocol(&later.first_bytes, &later.first_octets).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::handshake::version::failed;
    use crate::facts::handshake::Facts;

    fn fired(facts: &Facts) -> Vec<&'static str> {
        let evidence = failed(facts.clone());
        crate::causes::handshake::CAUSES.iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
    }

    #[test]
    fn lines_that_drip_are_a_tarpit_and_a_greeting_is_none() {
        let drip = Facts {
            first_bytes: Some("k1\\r\\n".into()),
            lines_before_version: vec!["k1".into()],
            line_count: 4,
            lines_ms: Some((900.0, 3800.0)),
            gave_up_ms: Some(4000.0),
            received_bytes: 20,
            ..Facts::default()
        };
        assert_eq!(fired(&drip), ["handshake-not-ssh", "handshake-tarpit"]);
        assert_eq!(fired(&Facts { lines_ms: Some((10.0, 11.0)), ..drip.clone() }), ["handshake-not-ssh"]);
        let one_late =
            Facts { line_count: 1, lines_ms: Some((10_000.0, 10_000.0)), gave_up_ms: Some(15_000.0), ..drip.clone() };
        assert_eq!(fired(&one_late), ["handshake-not-ssh", "handshake-tarpit"]);
        let mail = Facts { first_bytes: Some("220 mail ESMTP".into()), ..one_late };
        assert_eq!(fired(&mail), ["handshake-not-ssh"], "a mail server that greets late");
        let flood =
            Facts { lines_ms: Some((1.0, 40.0)), objection: Some(Objection::TooManyLines), gave_up_ms: None, ..drip };
        assert_eq!(fired(&flood), ["handshake-not-ssh", "handshake-tarpit"]);
    }
}
