//! The server's certificate does not hold.

use super::shared::{compared, qualified, scan_type, shown_key};
use super::unknown::severity;
use crate::causes::validity::{CHECK_CLOCK, validity};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::hostkey::{KnownHostsMarker, KnownHostsMatch};

pub(super) const CERT_INVALID: Cause = Cause {
    code: "hostkey-cert-invalid",
    stage: Check::Hostkey,
    title: "The host certificate is not valid for this name or at this time",
    severity: Severity::Critical,
    explanation: "The certificate is signed by an authority that known_hosts trusts for this server, but it has expired, is not \
        valid yet, is for other names, or has another flaw. ssh then looks for the plain key, which known_hosts does \
        not have. The dates are compared with this machine's clock: if that is wrong, a good certificate looks \
        invalid.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Sign the host key again, for the names that clients use and with a future expiry, and reload sshd",
            snippet: Some(
                "ssh-keygen -s ca_key -h -I {host} -n {names} -V -5m:+52w /etc/ssh/ssh_host_{scan_type}_key.pub",
            ),
            caution: Some(
                "ca_key is the authority's key, and the file is the one beside HostCertificate; ssh-keygen -Lf shows a \
                certificate",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "If the certificate is for the right server under another name, let ssh use that name",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    HostKeyAlias {principal}"),
            caution: Some(
                "only if {principal} is the intended server; the @cert-authority line of known_hosts must match \
                {principal} too",
            ),
            ..Fix::CHANGE
        },
        CHECK_CLOCK,
    ],
    symptoms: &[
        "Certificate invalid: not a host certificate",
        "No matching CA found",
        "ssh: cert is not yet valid",
        "Rejected certificate",
        "certificate signed by unrecognized authority",
    ],
    hides: &["hostkey-unknown"],
    judge: |evidence| {
        let facts = compared(evidence).filter(|facts| facts.standing == KnownHostsMatch::Unknown)?;
        let certificate = facts.certificate.as_ref()?;
        let objection = certificate.objection.as_ref()?;
        facts.entries.iter().find(|entry| entry.kind == KnownHostsMarker::CertAuthority && entry.matches)?;
        let mut because = vec![
            shown_key(facts),
            format!(
                "its certificate \"{}\" is signed by the known authority {}",
                certificate.key_id, certificate.authority
            ),
            objection.clone(),
        ];
        because.extend(validity(&certificate.principals, certificate.valid_until));
        let is_name = |name: &&String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
        let plain: Vec<&str> = certificate.principals.iter().filter(is_name).map(String::as_str).collect();
        let misnamed = certificate.misnamed;
        let names = plain.iter().copied().chain(misnamed.then_some(&*evidence.target.host));
        let names: Vec<&str> = if plain.is_empty() { vec![&evidence.target.host] } else { names.collect() };
        let mut certainty = Certainty::Certain;
        if certificate.fits_pattern {
            because.push(
                "a pattern among its names fits, which some versions of OpenSSH take for the name and others do not"
                    .into(),
            );
            certainty = Certainty::Likely;
        }
        let found = qualified(Match::new(certainty, because), facts).at(severity(facts));
        // By its dates it may as well be this machine's clock that is wrong.
        let now = evidence.started_at;
        let by_date = certificate.valid_until.is_some_and(|until| until <= now)
            || certificate.valid_from.is_some_and(|from| from > now);
        let found = if by_date { found.reason_open() } else { found }
            .with("scan_type", scan_type(facts))
            .with("names", names.join(","));
        // A pattern among the principals is no name that could be asked for.
        let principal = plain.first().filter(|_| misnamed);
        Some(principal.into_iter().fold(found, |found, name| found.with("principal", *name)))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::CERT_INVALID;
    use crate::causes::hostkey::samples::{evidence, fired};
    use crate::facts::Evidence;
    use crate::facts::certainty::Certainty;
    use crate::facts::hostkey::samples::{entry, known};
    use crate::facts::hostkey::{Certificate, Decision, Facts, KnownHostsMarker, KnownHostsMatch};

    fn certified(objection: Option<&str>) -> Facts {
        let certificate = Certificate {
            key_id: "db".into(),
            serial: 1,
            principals: vec!["db.example".into()],
            valid_from: None,
            valid_until: None,
            authority: "SHA256:ca".into(),
            authority_key: None,
            misnamed: false,
            fits_pattern: false,
            objection: objection.map(Into::into),
        };
        let known_authority = objection.is_none();
        Facts {
            certificate: Some(certificate),
            entries: vec![entry("SHA256:ca", KnownHostsMarker::CertAuthority, true)],
            standing: if known_authority { KnownHostsMatch::KnownAuthority } else { KnownHostsMatch::Unknown },
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
    fn a_pattern_that_some_versions_take_leaves_a_doubt() {
        let mut facts = certified(Some("it is not for the name x.lan"));
        let certainty = |facts: &Facts| (CERT_INVALID.judge)(&evidence(facts)).map(|found| found.certainty);
        assert_eq!(certainty(&facts), Some(Certainty::Certain));
        facts.certificate.as_mut().unwrap().fits_pattern = true;
        assert_eq!(certainty(&facts), Some(Certainty::Likely));
    }

    #[test]
    fn what_the_clock_decides_may_be_the_clocks_fault() {
        let open = |certificate: fn(&mut Certificate)| {
            let mut facts = certified(Some("it does not hold"));
            facts.certificate.as_mut().map(certificate).unwrap();
            let now = "2026-03-01T00:00:00Z".parse().unwrap();
            let evidence = Evidence { started_at: now, ..evidence(&facts) };
            (CERT_INVALID.judge)(&evidence).map(|found| found.reason_open)
        };
        assert_eq!(open(|shown| shown.valid_until = "2026-02-01T00:00:00Z".parse().ok()), Some(true));
        assert_eq!(open(|shown| shown.valid_from = "2026-04-01T00:00:00Z".parse().ok()), Some(true));
        assert_eq!(open(|shown| shown.misnamed = true), Some(false));
    }

    #[test]
    fn an_authority_that_nobody_knows_leaves_the_key_merely_unknown() {
        let mut facts = certified(Some("it has expired"));
        facts.entries.clear();
        assert_eq!(fired(&facts), ["hostkey-unknown"]);
    }
}
