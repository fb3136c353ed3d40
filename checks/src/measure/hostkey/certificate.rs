//! A host certificate, and whether it holds for the name that was connected to (PROTOCOL.certkeys).

use jiff::Timestamp;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::{Algorithm, HashAlg, PublicKey, certificate};

use crate::base::pattern::matches as pattern_matches;
use crate::base::text;
use crate::facts::hostkey::Certificate;
use crate::ssh::observations::ServerKey;

/// The most principals that are kept.
const PRINCIPALS_KEPT: usize = 64;

/// The certificate that the server showed, if it did, held against `name`, `now` and what may sign it.
pub(super) fn read(key: &ServerKey, name: &str, now: Timestamp, signed_by: &[String]) -> Option<Certificate> {
    let ServerKey::Certificate(shown) = key else { return None };
    Some(Certificate {
        key_id: text::sanitize(shown.key_id()),
        serial: shown.serial(),
        principals: shown.valid_principals().iter().take(PRINCIPALS_KEPT).map(|name| text::sanitize(name)).collect(),
        valid_from: timestamp(shown.valid_after()).filter(|from| *from > Timestamp::UNIX_EPOCH),
        valid_until: timestamp(shown.valid_before()),
        authority: shown.signature_key().fingerprint(HashAlg::Sha256).to_string(),
        authority_key: PublicKey::new(shown.signature_key().clone(), "").to_openssh().ok(),
        misnamed: is_misnamed(shown, name),
        fits_pattern: is_misnamed(shown, name) && fits_pattern(shown, name),
        objection: objection(shown, name, now, signed_by),
    })
}

/// Seconds since 1970 as a moment; none for the values that stand for "for ever".
fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

/// True if it has names, and `name`, which is in lower case, is not among them; letter case counts.
fn is_misnamed(shown: &certificate::Certificate, name: &str) -> bool {
    let principals = shown.valid_principals();
    !principals.is_empty() && !principals.iter().any(|principal| principal == name)
}

pub(crate) fn fits_pattern(shown: &certificate::Certificate, name: &str) -> bool {
    let is_pattern = |principal: &&String| principal.contains(['*', '?']);
    shown.valid_principals().iter().filter(is_pattern).any(|principal| pattern_matches(principal, name))
}

/// The first thing that ssh would hold against the certificate, in ssh's order; `signed_by` has the algorithms that may sign it.
pub(crate) fn objection(
    shown: &certificate::Certificate,
    name: &str,
    now: Timestamp,
    signed_by: &[String],
) -> Option<String> {
    let signature = shown.signature().algorithm();
    let second = u64::try_from(now.as_second()).unwrap_or_default();
    if shown.verify_signature().is_err() {
        Some("its signature is not by the authority that it names".into())
    } else if signature == (Algorithm::Rsa { hash: None }) {
        Some("it is signed with SHA-1 (ssh-rsa)".into())
    } else if shown.cert_type() != CertType::Host {
        Some("it is not a host certificate".into())
    } else if second < shown.valid_after() {
        Some("it is not valid yet".into())
    } else if second >= shown.valid_before() {
        Some("it has expired".into())
    } else if is_misnamed(shown, name) {
        Some(format!("it is not for the name {name}"))
    } else if shown.critical_options().iter().next().is_some() {
        Some("it has critical options, which a host certificate must not have".into())
    } else if !signed_by.is_empty() && !signed_by.iter().any(|name| name == signature.as_str()) {
        Some(format!("it is signed with {signature}, which CASignatureAlgorithms does not allow"))
    } else {
        None
    }
}

#[cfg(test)]
pub(super) mod samples {
    use crate::ssh::observations::ServerKey;

    /// Made by `ssh-keygen -s ca -h -I id -n db.example,*.lan -V 20200101000000Z:20300101000000Z`.
    pub(in super::super) const HOST: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIBWI6OAZGjyglHHi5TVAsWk+M3iRXP9n+fj8JsttVje6AAAAIDn1Z4btPLslEhF7AW7hbkIyW8WBLONAwBCd5+snwgqqAAAAAAAAAAAAAAACAAAAAmlkAAAAFwAAAApkYi5leGFtcGxlAAAABSoubGFuAAAAAF4L4QAAAAAAcNvYgAAAAAAAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgqq/fGoYqpWK8TccaSUIwxSyGekJeAsLjfqcA+fR3AhEAAABTAAAAC3NzaC1lZDI1NTE5AAAAQIybLU77hbBrrtn9J8jnl/TYap0442OKxDlNRu7xCPGXRfiF8qIrkOI9xDhcbdoTPgeTzj9Vp4HKsjlkJ7lYXQs=";

    /// A key with that certificate.
    pub(in super::super) fn certified() -> ServerKey {
        ServerKey::Certificate(Box::new(HOST.parse().unwrap()))
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use super::samples::{HOST, certified};
    use crate::ssh::observations::ServerKey;
    use jiff::Timestamp;

    /// A certificate of the key for a user.
    const USER: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIF1de+pEJ90EQ8uYiEhYfx/qGwgtMEry9AHuhSb8Uy4VAAAAIDn1Z4btPLslEhF7AW7hbkIyW8WBLONAwBCd5+snwgqqAAAAAAAAAAAAAAABAAAAAmlkAAAADgAAAApkYi5leGFtcGxlAAAAAF4L4QAAAAAAcNvYgAAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIKqv3xqGKqVivE3HGklCMMUshnpCXgLC436nAPn0dwIRAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEDAk7c2h0Zh2apeUxlDooC1otgx2P0tWWN5swkYVQ3n/Dr7BeBMM6ASuoVDZd36j75a+ucK0xkufB/sSFRAs4UN";

    fn objection(certificate: &str, name: &str, now: &str) -> Option<String> {
        let key = ServerKey::Certificate(Box::new(certificate.parse().unwrap()));
        let now: Timestamp = now.parse().unwrap();
        read(&key, name, now, &[]).unwrap().objection
    }

    #[test]
    fn a_valid_certificate_has_no_objection() {
        assert_eq!(objection(HOST, "db.example", "2026-01-01T00:00:00Z"), None);
    }

    #[test]
    fn an_algorithm_that_no_authority_may_sign_with_is_held_against_it() {
        let objection = |allowed: &str| {
            read(&certified(), "db.example", "2026-01-01T00:00:00Z".parse().unwrap(), &[allowed.into()])
                .unwrap()
                .objection
        };
        assert_eq!(objection("ssh-ed25519"), None);
        assert!(objection("rsa-sha2-512").unwrap().contains("CASignatureAlgorithms"));
    }

    #[test]
    fn dates_names_and_kind_are_held_against_it() {
        let told = |certificate, name, now| objection(certificate, name, now).unwrap();
        assert!(told(HOST, "db.example", "2019-12-31T23:59:59Z").contains("not valid yet"));
        assert!(told(HOST, "db.example", "2030-01-01T00:00:00Z").contains("expired"));
        assert!(told(HOST, "web.example", "2026-01-01T00:00:00Z").contains("web.example"));
        assert!(told(USER, "db.example", "2026-01-01T00:00:00Z").contains("not a host certificate"));
    }

    #[test]
    fn names_count_as_they_are_written_and_a_pattern_is_told_apart() {
        let certificate = |name: &str| read(&certified(), name, "2026-01-01T00:00:00Z".parse().unwrap(), &[]).unwrap();
        for (name, misnamed, fits_pattern) in
            [("db.example", false, false), ("x.lan", true, true), ("*.lan", false, false), ("DB.example", true, false)]
        {
            let read = certificate(name);
            assert_eq!((read.misnamed, read.fits_pattern), (misnamed, fits_pattern), "{name}");
            assert_eq!(read.objection.is_some(), misnamed, "{name}");
        }
    }

    #[test]
    fn a_forged_signature_is_noticed() {
        // One letter of the signature is another.
        let mut bytes = HOST.as_bytes().to_vec();
        let place = bytes.len() - 30;
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        assert!(objection(&forged, "db.example", "2026-01-01T00:00:00Z").unwrap().contains("signature"));
    }
}
