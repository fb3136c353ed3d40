//! A certificate that was refused, and the objections to it.

use super::log::{OTHER_LOG, SSHD_LOG};
use super::shared::refused;
use crate::causes::validity::{CHECK_CLOCK, validity};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::auth::{Certificate, Facts, Key, Objection};
use crate::facts::certainty::Certainty;

pub(super) const CERT_INVALID: Cause = Cause {
    code: "auth-cert-invalid",
    stage: Check::Auth,
    title: "The server rejected a user certificate: expired or not yet valid",
    severity: Severity::Critical,
    explanation: "The offered certificate has expired or is not valid yet, and sshd rejects such certificates. The dates are \
        compared with this machine's clock. A server that does not trust the certificate authority rejects the \
        certificate as well; its log shows which.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Have the authority issue a new certificate for the login name {user}",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Show the principals and the validity of the certificate",
            snippet: Some("ssh-keygen -Lf '{certificate}'"),
            ..Fix::LOOK
        },
        SSHD_LOG,
        OTHER_LOG,
        CHECK_CLOCK,
    ],
    symptoms: &[
        "Certificate invalid: expired",
        "Certificate invalid: not yet valid",
        "certificate has expired",
        "cert has expired",
    ],
    hides: &["auth-key-rejected"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let is = |objection: &Objection| matches!(objection, Objection::Expired | Objection::NotYetValid);
        found(facts, Certainty::Likely, is)
    },
    ..Cause::NEW
};

pub(super) const CERT_PRINCIPAL: Cause = Cause {
    code: "auth-cert-principal",
    stage: Check::Auth,
    title: "The server rejected a user certificate without this login name in it",
    severity: Severity::Critical,
    explanation: "The offered certificate does not list the login name as a principal. By default sshd compares the two; then \
        the authority has to issue a certificate for the login name.\n\n\
        Where principals are roles that the server maps to accounts (AuthorizedPrincipalsFile, \
        AuthorizedPrincipalsCommand), this is as intended, and the login was refused for another reason: the account \
        does not have the role, or the server does not trust the authority. The client cannot see which; the server's \
        log shows it.",
    fixes: &[
        SSHD_LOG,
        OTHER_LOG,
        Fix {
            side: Side::Server,
            summary: "Check whether sshd maps principals to this account, and which authorities it trusts ({authority} \
                signed this certificate)",
            snippet: Some(
                "sshd -T -C user={user} | grep -E '^(authorizedprincipals(file|command)|trustedusercakeys) '",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Show the principals of the certificate",
            snippet: Some("ssh-keygen -Lf '{certificate}'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "name is not a listed principal",
        "Certificate does not contain an authorized principal",
        "certificate lacks principal list",
        "not in the set of valid principals",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let is = |objection: &Objection| matches!(objection, Objection::NotFor(_));
        found(facts, Certainty::Possible, is)
    },
    ..Cause::NEW
};

/// The first refused certificate with such an objection.
fn found(facts: &Facts, certainty: Certainty, is: impl Fn(&Objection) -> bool) -> Option<Match> {
    let objected = |key: &'_ Key| key.certificate.as_ref().and_then(|found| found.objection.clone());
    let (key, objection) =
        facts.refused_keys().find_map(|key| Some((key, objected(key).filter(|found| is(found))?)))?;
    let Certificate { key_id, principals, valid_until, authority, .. } = key.certificate.as_ref()?;
    let mut because =
        vec![format!("refused: {}, issued as \"{key_id}\" by {authority}", key.words()), objection.words()];
    because.extend(validity(principals, *valid_until));
    let found = Match::new(certainty, because).with("authority", authority);
    let file = key.file.as_ref().map(|file| match file.extension() {
        Some(extension) if extension == "pub" => file.display().to_string(),
        _ => format!("{}-cert.pub", file.display()),
    });
    Some(match file.filter(|file| !file.contains('\'')) {
        Some(file) => found.with("certificate", file),
        None => found,
    })
}

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, certified};
    use crate::facts::auth::{AuthAnswer, Objection};
    use crate::facts::certainty::Certainty;

    fn refused(objection: Option<Objection>) -> Sample {
        Sample::refused(["publickey"]).with(attempt(certified("a", objection), AuthAnswer::Refused))
    }

    #[test]
    fn a_certificate_out_of_its_dates_is_suspected_first() {
        for objection in [Objection::Expired, Objection::NotYetValid] {
            let sample = refused(Some(objection));
            assert_eq!(sample.fired(), ["auth-cert-invalid", "auth-key-rejected"]);
            assert_eq!(sample.certainty("auth-cert-invalid"), Certainty::Likely);
            assert_eq!(super::CERT_INVALID.hides, ["auth-key-rejected"]);
        }
        assert_eq!(refused(None).fired(), ["auth-key-rejected"]);
    }

    #[test]
    fn a_certificate_for_a_role_is_one_suspect_among_others() {
        let sample = refused(Some(Objection::NotFor("root".into())));
        assert_eq!(sample.fired(), ["auth-cert-principal", "auth-key-rejected"]);
        assert_eq!(sample.certainty("auth-cert-principal"), Certainty::Possible);
        assert!(super::CERT_PRINCIPAL.hides.is_empty());
    }
}
