//! A user certificate as a fact.

use jiff::Timestamp;
use russh::keys;
use russh::keys::HashAlg;

use crate::base::text::sanitize;
use crate::facts::auth::{Certificate, Objection};

/// The most principals of a certificate that are kept.
const PRINCIPALS_KEPT: usize = 32;
/// The most characters of the list of clients that a certificate is for.
const SOURCES_KEPT: usize = 200;

/// The certificate as a fact, held against the login name `user` and `now`.
pub(super) fn read(certificate: &keys::Certificate, user: &str, now: Timestamp) -> Certificate {
    let second = u64::try_from(now.as_second()).unwrap_or_default();
    let principals = certificate.valid_principals();
    let objection = if second < certificate.valid_after() {
        Some(Objection::NotYetValid)
    } else if second >= certificate.valid_before() {
        Some(Objection::Expired)
    } else if !principals.iter().any(|principal| principal == user) {
        Some(Objection::NotFor(user.to_owned()))
    } else {
        None
    };
    let options = certificate.critical_options();
    let sources = options.iter().find(|(name, _)| *name == "source-address");
    Certificate {
        key_id: sanitize(certificate.key_id()),
        principals: principals.iter().take(PRINCIPALS_KEPT).map(|name| sanitize(name)).collect(),
        valid_until: i64::try_from(certificate.valid_before()).ok().and_then(|at| Timestamp::from_second(at).ok()),
        authority: certificate.signature_key().fingerprint(HashAlg::Sha256).to_string(),
        sources: sources.map(|(_, addresses)| sanitize(&addresses.chars().take(SOURCES_KEPT).collect::<String>())),
        objection,
    }
}
