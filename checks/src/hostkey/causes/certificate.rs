//! The server's certificate does not hold.

use super::shown_key;
use super::unknown::severity;
use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::evidence::Check;
use crate::hostkey::Standing;
use crate::known_hosts::Kind;
use crate::validity::{CHECK_CLOCK, validity};

pub(super) const CERT_INVALID: Cause = Cause {
    code: "hostkey-cert-invalid",
    stage: Check::Hostkey,
    title: "The server's host certificate does not hold for this name or moment",
    severity: Severity::Critical,
    explanation: "The certificate is signed by an authority that known_hosts trusts for this server, but it has expired, is not valid yet, is for other \
        names, or has another flaw. ssh then looks for the bare key instead, and known_hosts does not have it. The dates are compared with this \
        machine's clock: where that is wrong, a good certificate looks bad.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Look at the certificate that sshd shows, and have the authority sign the key again for the names that clients use",
            snippet: Some("ssh-keygen -Lf /etc/ssh/ssh_host_ed25519_key-cert.pub"),
            ..Fix::NEW
        },
        Fix {
            side: Side::Client,
            summary: "Connect by a name that the certificate is for, or set that name as HostKeyAlias",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostKeyAlias <a name in the certificate>"),
            ..Fix::NEW
        },
        CHECK_CLOCK,
    ],
    symptoms: &[
        "Certificate invalid: expired",
        "Certificate invalid: not yet valid",
        "Certificate invalid: name is not a listed principal",
        "Certificate invalid: not a host certificate",
    ],
    hides: &["hostkey-unknown"],
    judge: |evidence| {
        let facts = evidence.hostkey.facts().filter(|facts| facts.standing == Standing::Unknown)?;
        let certificate = facts.certificate.as_ref()?;
        let objection = certificate.objection.as_ref()?;
        facts.entries.iter().find(|entry| entry.kind == Kind::CertAuthority && entry.matches)?;
        let mut because = vec![
            shown_key(facts),
            format!(
                "its certificate \"{}\" is signed by the known authority {}",
                certificate.key_id, certificate.authority
            ),
            objection.clone(),
        ];
        because.extend(validity(&certificate.principals, certificate.valid_until));
        Some(Match::new(Certainty::Certain, because).at(severity(facts.decision)))
    },
};

#[cfg(test)]
mod tests {
    use super::super::samples::{entry, fired, known};
    use crate::hostkey::{Certificate, Decision, Facts, Standing};
    use crate::known_hosts::Kind;

    fn certified(objection: Option<&str>) -> Facts {
        let certificate = Certificate {
            key_id: "db".into(),
            serial: 1,
            principals: vec!["db.example".into()],
            valid_from: None,
            valid_until: None,
            authority: "SHA256:ca".into(),
            objection: objection.map(Into::into),
        };
        let known_authority = objection.is_none();
        Facts {
            certificate: Some(certificate),
            entries: vec![entry("SHA256:ca", Kind::CertAuthority, true)],
            standing: if known_authority { Standing::KnownAuthority } else { Standing::Unknown },
            decision: if known_authority { Decision::Known } else { Decision::RefusedBySetting },
            ..known()
        }
    }

    #[test]
    fn a_flawed_certificate_is_named_and_a_good_one_is_not() {
        assert_eq!(fired(&certified(Some("it has expired"))), ["hostkey-cert-invalid", "hostkey-unknown"]);
        assert!(fired(&certified(None)).is_empty());
    }

    #[test]
    fn an_authority_that_nobody_knows_leaves_the_key_merely_unknown() {
        let mut facts = certified(Some("it has expired"));
        facts.entries.clear();
        assert_eq!(fired(&facts), ["hostkey-unknown"]);
    }
}
