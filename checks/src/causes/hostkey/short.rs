//! The server's RSA key is shorter than ssh accepts.

use super::shared::shown_key;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::hostkey::Decision;

pub(super) const TOO_SHORT: Cause = Cause {
    code: "hostkey-too-short",
    stage: Check::Hostkey,
    title: "The RSA host key is shorter than ssh accepts (RequiredRSASize)",
    severity: Severity::Critical,
    explanation: "ssh requires a minimum length of RSA keys and disconnects from a server that proves a shorter one, before \
        it looks into known_hosts. The minimum is RequiredRSASize, 1024 bits by default; a system-wide crypto policy often \
        raises it to 2048 or more. The server may hold a key of another type too, which this ssh did not choose.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Create an Ed25519 host key, and reload sshd",
            snippet: Some("ssh-keygen -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key"),
            caution: Some(
                "without HostKey lines sshd uses it by itself; else add one. Clients have to learn the new key",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, accept {bits} bits from this server only",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    RequiredRSASize {bits}"),
            caution: Some("a key below 1024 bits can be broken and is never accepted"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Find the file that sets the minimum",
            snippet: Some(
                "ssh -G {alias} | grep -i '^requiredrsasize '; grep -rni requiredrsasize ~/.ssh/config /etc/ssh /etc/crypto-policies 2>/dev/null",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "<address> port <port>: Invalid key length",
        "Bad server host key: Invalid key length",
        "key length too small",
    ],
    judge: |evidence| {
        let facts = evidence.hostkey.facts().filter(|facts| facts.decision == Decision::TooShort)?;
        let (bits, required) = facts.too_short()?;
        let because = [shown_key(facts), format!("it has {bits} bits; RequiredRSASize is {required}")];
        Some(Match::new(Certainty::Certain, because).with("bits", bits.to_string()))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use crate::causes::hostkey::samples::fired;
    use crate::facts::hostkey::samples::known;
    use crate::facts::hostkey::{Decision, Facts};

    #[test]
    fn a_short_key_is_named_and_no_other() {
        let rsa = Facts { key_type: "ssh-rsa".into(), bits: Some(2048), required_bits: Some(2048), ..known() };
        assert!(fired(&rsa).is_empty());
        let short = Facts { required_bits: Some(3072), decision: Decision::TooShort, ..rsa };
        assert_eq!(fired(&short), ["hostkey-too-short"]);
    }
}
