//! The causes that show in the server's key.

mod certificate;
mod changed;
mod several;
mod unknown;

use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::evidence::Evidence;
use crate::hostkey::{Decision, Entry, Facts};

/// The causes that show in the server's key.
pub static CAUSES: &[Cause] =
    &[changed::REVOKED, several::SEVERAL, changed::CHANGED, certificate::CERT_INVALID, unknown::UNKNOWN];

/// How to learn the true fingerprint without trusting the network.
const COMPARE_ON_SERVER: Fix = Fix {
    side: Side::Server,
    summary: "On the server's own console, or over another way that you trust, print its fingerprints and compare",
    snippet: Some("for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf \"$key\"; done"),
    caution: Some("a fingerprint that came over the same connection proves nothing"),
    ..Fix::LOOK
};

/// The caution of signing a host key.
const SIGNED: &str = "ca_key is the authority's own key; add -V +52w to have the certificate expire, and name it by HostCertificate in sshd_config";

/// The key that the server showed, as a sentence.
fn shown_key(facts: &Facts) -> String {
    format!("the server proved to hold the {} key {}", facts.key_type, facts.fingerprint)
}

/// The kind of the key that the server showed, as `ssh-keyscan -t`, `ssh-keygen -t` and the names of sshd's key files have it.
fn scan_type(facts: &Facts) -> &'static str {
    match facts.key_type.as_str() {
        "ssh-ed25519" => "ed25519",
        "ssh-rsa" => "rsa",
        _ => "ecdsa",
    }
}

/// One line of known_hosts, as a sentence.
fn told(entry: &Entry) -> String {
    format!("{}:{} holds the {} key {}", entry.file.display(), entry.line, entry.key_type, entry.fingerprint)
}

/// The match as far as it goes where ssh goes on with the key, and where it asks a command that is not run here.
fn qualified(mut found: Match, facts: &Facts) -> Match {
    if facts.decision == Decision::Withheld {
        found.because.push(
            "StrictHostKeyChecking is no: ssh warns and goes on, without passwords and agent forwarding. This examination does not: \
             whoever answers may be someone else, and nothing after the host key was tested"
                .into(),
        );
        found = found.at(Severity::Warning);
    }
    if facts.known_hosts_command {
        found.because.push(
            "KnownHostsCommand is set, and this examination does not run that command: ssh may know the key from what it prints"
                .into(),
        );
        found.certainty = Certainty::Possible;
    }
    found
}

/// What the judges of known_hosts go by: none where ssh does not look there.
fn compared(evidence: &Evidence) -> Option<&Facts> {
    evidence.hostkey.facts().filter(|facts| facts.decision != Decision::NotChecked)
}

/// Whether the text can stand between single quotes in a shell command.
fn quotable(text: &str) -> bool {
    !text.chars().any(|c| c == '\'' || c.is_control())
}

/// Evidence of a host key check for the tests of all the judges here.
#[cfg(test)]
pub(super) mod samples {
    use crate::evidence::{Evidence, Step, Timed};
    use crate::hostkey::{CAUSES, Decision, Entry, Facts, Standing};
    use crate::known_hosts::Kind;
    use crate::target::Strictness;

    /// A key that is known.
    pub(crate) fn known() -> Facts {
        Facts {
            key_type: "ssh-ed25519".into(),
            bits: None,
            fingerprint: "SHA256:new".into(),
            sha1: None,
            certificate: None,
            name: "[db.example]:2222".into(),
            first_file: Some("/home/me/.ssh/known_hosts".into()),
            entries: vec![entry("SHA256:new", Kind::Host, true)],
            unread: Vec::new(),
            revoked_by: None,
            standing: Standing::Known,
            strictness: Strictness::Ask,
            known_hosts_command: false,
            decision: Decision::Known,
            others: Vec::new(),
        }
    }

    /// A line with that key.
    pub(super) fn entry(fingerprint: &str, kind: Kind, matches: bool) -> Entry {
        Entry {
            file: "/home/me/.ssh/known_hosts".into(),
            line: 7,
            kind,
            portless: false,
            key_type: "ssh-ed25519".into(),
            fingerprint: fingerprint.into(),
            matches,
        }
    }

    /// The evidence with these facts; passed where the decision lets the login go on.
    pub(super) fn evidence(facts: &Facts) -> Evidence {
        let facts = facts.clone();
        let goes_on = facts.decision.trust().is_some() || facts.decision == Decision::Withheld;
        let step = if goes_on { Step::Passed(facts) } else { Step::Failed(facts) };
        Evidence { hostkey: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    /// The codes that fire on these facts.
    pub(super) fn fired(facts: &Facts) -> Vec<&'static str> {
        let evidence = evidence(facts);
        CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
    }

    #[test]
    fn a_known_key_is_healthy_and_so_is_one_that_ssh_does_not_check() {
        assert!(fired(&known()).is_empty());
        let entries = vec![entry("SHA256:old", Kind::Host, false), entry("SHA256:new", Kind::Revoked, true)];
        for standing in [Standing::Unknown, Standing::Changed, Standing::Revoked] {
            let (entries, decision) = (entries.clone(), Decision::NotChecked);
            assert!(fired(&Facts { entries, standing, decision, ..known() }).is_empty());
        }
    }
}
