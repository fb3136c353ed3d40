//! The connection works, by means that are no longer safe or that newer software refuses.

use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::handshake::Negotiated;
use crate::facts::{Check, Evidence};

/// The smallest RSA key that current guidance and the crypto policies of distributions accept (NIST SP 800-131A).
const RSA_BITS: u32 = 2048;

pub(super) const WEAK_ALGORITHMS: Cause = Cause {
    code: "handshake-weak-algorithms",
    stage: Check::Handshake,
    title: "Client and server negotiate weak or deprecated algorithms",
    severity: Severity::Warning,
    explanation: "The best algorithms that your ssh, as configured, and this server have in common are disabled in OpenSSH by \
        default or have known attacks: SHA-1 signatures and key exchange, CBC ciphers, RSA keys below 2048 bits, or \
        chacha20-poly1305 and CBC with encrypt-then-MAC without strict key exchange (the Terrapin attack, \
        CVE-2023-48795: a man in the middle can remove the first messages). It works today; the next upgrade of either \
        side may end it.\n\n\
        Only the algorithms negotiated for this connection count. A tool such as ssh-audit lists what else the server \
        offers.",
    fixes: &[
        Fix { side: Side::Server, summary: "Upgrade the SSH server", ..Fix::CHANGE },
        Fix {
            side: Side::Server,
            summary: "Show the algorithms that its configuration enables",
            snippet: Some("sshd -T | grep -iE '^(kexalgorithms|hostkeyalgorithms|ciphers|macs|hostkey) '"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Add an Ed25519 host key, and let clients learn it before removing the old one",
            snippet: Some("sudo ssh-keygen -A && sudo systemctl reload ssh"),
            caution: Some("clients with strict checking need the new key in known_hosts first"),
            when: has_old_host_key,
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Check whether your own settings still request the old ones",
            snippet: Some("ssh -G {alias} | grep -iE '^(kexalgorithms|hostkeyalgorithms|ciphers|macs) '"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "is below the configured warning threshold",
        "connection is not using a post-quantum key exchange algorithm",
        "Cannot confirm a weak crypto primitive in batch mode",
    ],
    hides: &[],
    judge: |evidence| {
        let agreed = evidence.handshake.passed()?.negotiated.as_ref()?;
        let mut weak = outdated(agreed);
        let bits = evidence.hostkey.facts().and_then(|facts| facts.bits).filter(|bits| *bits < RSA_BITS);
        weak.extend(bits.map(|bits| format!("the host key is an RSA key of {bits} bits")));
        let severity = if weak.is_empty() { Severity::Info } else { Severity::Warning };
        weak.extend(worth_knowing(agreed));
        (!weak.is_empty()).then(|| Match::new(Certainty::Certain, weak).at(severity))
    },
    ..Cause::NEW
};

/// True if the host key is the weak part: a new one fixes nothing else.
fn has_old_host_key(evidence: &Evidence) -> bool {
    let signs_with =
        evidence.handshake.facts().and_then(|facts| facts.negotiated.as_ref()).map(|agreed| &agreed.host_key);
    let is_short = evidence.hostkey.facts().and_then(|facts| facts.bits).is_some_and(|bits| bits < RSA_BITS);
    is_short || signs_with.is_some_and(|name| ["ssh-rsa", "ssh-dss"].contains(&name.as_str()))
}

/// Returns the agreed algorithms that newer clients and servers refuse.
fn outdated(agreed: &Negotiated) -> Vec<String> {
    let Negotiated { kex, host_key, cipher, mac, .. } = agreed;
    let found = [
        (kex.ends_with("-sha1"), format!("the key exchange is {kex}, which relies on SHA-1")),
        (host_key == "ssh-rsa", "the host key signs with ssh-rsa, which relies on SHA-1".to_owned()),
        (host_key == "ssh-dss", "the host key is a DSA key".to_owned()),
        (cipher.ends_with("-cbc"), format!("the cipher is {cipher}, in CBC mode")),
        (uses_mac(cipher) && mac.contains("-md5"), format!("the message authentication code is {mac}")),
    ];
    found.into_iter().filter_map(|(is_found, words)| is_found.then_some(words)).collect()
}

/// Returns the agreed algorithms that are weaker than they could be, and refused nowhere.
fn worth_knowing(agreed: &Negotiated) -> Vec<String> {
    let Negotiated { cipher, mac, strict_kex, .. } = agreed;
    let terrapin = cipher.starts_with("chacha20-poly1305") || (cipher.ends_with("-cbc") && mac.contains("-etm@"));
    let found = [
        (uses_mac(cipher) && mac.starts_with("hmac-sha1"), format!("the message authentication code is {mac}")),
        (terrapin && !strict_kex, format!("the cipher is {cipher}, and the server does not know strict key exchange")),
    ];
    found.into_iter().filter_map(|(is_found, words)| is_found.then_some(words)).collect()
}

/// True if the cipher needs a message authentication code of its own.
fn uses_mac(cipher: &str) -> bool {
    !cipher.contains("gcm") && !cipher.contains("poly1305")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::handshake::Facts;
    use crate::facts::{Step, Timed};

    fn judged(change: impl FnOnce(&mut Negotiated)) -> Option<Severity> {
        let mut agreed = Negotiated {
            kex: "curve25519-sha256".into(),
            host_key: "ssh-ed25519".into(),
            cipher: "chacha20-poly1305@openssh.com".into(),
            mac: "hmac-sha1".into(),
            compression: "none".into(),
            strict_kex: true,
        };
        change(&mut agreed);
        let facts = Facts { negotiated: Some(agreed), ..Facts::default() };
        let handshake = Timed { step: Step::Passed(facts), duration_ms: 1.0 };
        (WEAK_ALGORITHMS.judge)(&Evidence { handshake, ..Evidence::unexamined() })?.severity
    }

    #[test]
    fn what_a_current_server_agrees_on_is_not_weak() {
        assert_eq!(judged(|_| ()), None);
        assert_eq!(
            judged(|agreed| (agreed.cipher, agreed.strict_kex) = ("aes256-gcm@openssh.com".into(), false)),
            None
        );
        let ctr = |agreed: &mut Negotiated| (agreed.cipher, agreed.mac) = ("aes128-ctr".into(), "hmac-sha2-256".into());
        assert_eq!(judged(ctr), None);
    }

    #[test]
    fn what_newer_software_refuses_is_a_warning_and_the_rest_is_said() {
        assert_eq!(judged(|agreed| agreed.kex = "diffie-hellman-group14-sha1".into()), Some(Severity::Warning));
        assert_eq!(judged(|agreed| agreed.host_key = "ssh-rsa".into()), Some(Severity::Warning));
        assert_eq!(judged(|agreed| agreed.cipher = "aes128-cbc".into()), Some(Severity::Warning));
        assert_eq!(judged(|agreed| agreed.strict_kex = false), Some(Severity::Info));
        assert_eq!(judged(|agreed| agreed.cipher = "aes128-ctr".into()), Some(Severity::Info));
    }
}
