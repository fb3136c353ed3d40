//! Helpers shared by the causes of a host key.

use crate::causes::{Fix, Match, Severity, Side};
use crate::facts::Evidence;
use crate::facts::certainty::Certainty;
use crate::facts::hostkey::{Decision, Entry, Facts};

/// The fix that obtains the true fingerprint without trusting the network.
pub(super) const COMPARE_ON_SERVER: Fix = Fix {
    side: Side::Server,
    summary: "On the server's console, or over another trusted route, print its fingerprints and compare",
    snippet: Some("for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf \"$key\"; done"),
    caution: Some("a fingerprint that came over the same connection proves nothing"),
    ..Fix::LOOK
};

/// The caution of signing a host key.
pub(super) const SIGNED: &str = "ca_key is the authority's own key; add -V +52w to have the certificate expire, and name it by HostCertificate in sshd_config";

/// The key that the server showed, as a sentence.
pub(super) fn shown_key(facts: &Facts) -> String {
    format!("the server proved to hold the {} key {}", facts.key_type, facts.fingerprint)
}

/// The kind of the key that the server showed, as `ssh-keyscan -t`, `ssh-keygen -t` and the names of sshd's key files have it.
pub(super) fn scan_type(facts: &Facts) -> &'static str {
    match facts.key_type.as_str() {
        "ssh-ed25519" => "ed25519",
        "ssh-rsa" => "rsa",
        _ => "ecdsa",
    }
}

/// One line of known_hosts, as a sentence.
pub(super) fn describe(entry: &Entry) -> String {
    format!("{}:{} holds the {} key {}", entry.file.display(), entry.line, entry.key_type, entry.fingerprint)
}

/// The match as far as it goes where ssh goes on with the key, and where it asks a command that is not run here.
pub(super) fn qualified(mut found: Match, facts: &Facts) -> Match {
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

/// Returns the facts that the judges of known_hosts go by: `None` where ssh does not check known_hosts.
pub(super) fn compared(evidence: &Evidence) -> Option<&Facts> {
    evidence.hostkey.facts().filter(|facts| !matches!(facts.decision, Decision::NotChecked | Decision::TooShort))
}

/// True if the text can stand between single quotes in a shell command.
pub(super) fn quotable(text: &str) -> bool {
    !text.chars().any(|c| c == '\'' || c.is_control())
}
