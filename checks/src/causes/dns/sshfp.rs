//! The host keys that DNS publishes.

use data_encoding::BASE64_NOPAD;

use crate::base::text::{hex, sanitize};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::dns::{Fingerprint, Published};
use crate::facts::hostkey::Facts;
use crate::facts::{Check, Evidence};

/// The hashes of SSHFP records: SHA-1 (RFC 4255) and SHA-256 (RFC 6594).
const SHA1: u8 = 1;
const SHA256: u8 = 2;

const RECORDS: Fix = Fix {
    side: Side::Server,
    summary: "On the server's console, print the records for its keys, and compare them with DNS",
    snippet: Some("ssh-keygen -r {host}"),
    ..Fix::LOOK
};

const LOOK: Fix = Fix {
    side: Side::Client,
    summary: "Show the records in DNS",
    snippet: Some("dig +short {host} SSHFP"),
    ..Fix::LOOK
};

pub(super) const SSHFP_MISMATCH: Cause = Cause {
    code: "hostkey-sshfp-mismatch",
    stage: Check::Hostkey,
    title: "The SSHFP record in DNS does not match the server's host key",
    severity: Severity::Warning,
    explanation: "DNS has fingerprints of the host's keys (SSHFP records), and one for this key type does not match the key that \
        the server proved to hold. With VerifyHostKeyDNS ssh then warns or asks. Usually the server or its keys were \
        replaced and DNS was not updated. It can also be another machine, by an outdated address or on purpose.\n\n\
        One record that does not match is enough, even beside one that does: newer ssh treats it as a mismatch (tested \
        with OpenSSH 9.2). An answer that is not validated by DNSSEC proves little by itself; ssh does not trust it \
        either.",
    fixes: &[RECORDS, LOOK],
    symptoms: &["mismatching host key fingerprint found in DNS", "Update the SSHFP RR in DNS with the new host key"],
    hides: &[],
    judge: |evidence| {
        let (published, compared) = compare(evidence)?;
        if compared.iter().all(|hash| hash.matches) {
            return None;
        }
        let validated = if published.authentic { "says that it has" } else { "has not" };
        let certainty = if published.authentic { Certainty::Certain } else { Certainty::Likely };
        let validated = format!("the name server {validated} validated the answer (DNSSEC)");
        Some(Match::new(certainty, compared.into_iter().map(|hash| hash.told).chain([validated])).reason_open())
    },
    ..Cause::NEW
};

pub(super) const SSHFP_WEAK: Cause = Cause {
    code: "hostkey-sshfp-weak",
    stage: Check::Hostkey,
    title: "The SSHFP records in DNS have SHA-1 fingerprints only",
    severity: Severity::Info,
    explanation: "The server's key matches its SSHFP record in DNS, but that record is a SHA-1 fingerprint, a weaker proof than \
        SHA-256: whoever makes both keys can make two with the same SHA-1. RFC 6594 added SHA-256 to SSHFP and prefers \
        it.\n\n\
        Nothing is wrong with the connection. ssh still compares such a record; once it stops, there is none left to \
        compare.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Add SSHFP records of type 2 (SHA-256) to the zone",
            file: Some("zone file"),
            caution: Some("also raise the serial of the zone's SOA record"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Print the records for the server's keys",
            snippet: Some("ssh-keygen -r {host}"),
            ..Fix::LOOK
        },
        LOOK,
    ],
    symptoms: &[],
    hides: &[],
    judge: |evidence| {
        let (_, compared) = compare(evidence)?;
        let weak = compared.iter().all(|hash| hash.matches && !hash.is_strong);
        weak.then(|| Match::new(Certainty::Certain, compared.into_iter().map(|hash| hash.told)))
    },
    ..Cause::NEW
};

/// The published digests of the proven key's type by one hash, beside the key's own.
struct Compared {
    is_strong: bool,
    /// True if every record has it.
    matches: bool,
    told: String,
}

/// The proven key against the records of its type, the stronger hash first; none where DNS has nothing of that type.
fn compare(evidence: &Evidence) -> Option<(&Published, Vec<Compared>)> {
    let published = evidence.dns.facts()?.host_keys.as_ref()?;
    let key = evidence.hostkey.facts()?;
    let algorithm = number(&key.key_type)?;
    let own = [(SHA256, "SHA-256", hexadecimal(&key.fingerprint)), (SHA1, "SHA-1", key.sha1.clone())];
    let compared = own.into_iter().filter_map(|(hash, name, own)| {
        let is_of = |record: &&Fingerprint| (record.algorithm, record.hash) == (algorithm, hash);
        let records: Vec<&str> =
            published.records.iter().flatten().filter(is_of).map(|record| record.hex.as_str()).collect();
        let own = own.filter(|_| !records.is_empty())?;
        let matches = records.iter().all(|record| *record == own);
        Some(Compared { is_strong: hash == SHA256, matches, told: describe(key, name, &own, published, &records) })
    });
    let compared: Vec<_> = compared.collect();
    (!compared.is_empty()).then_some((published, compared))
}

fn describe(key: &Facts, hash: &str, own: &str, published: &Published, records: &[&str]) -> String {
    format!(
        "the server's {} key has the {hash} fingerprint {own}; for {} and that type DNS has {}",
        sanitize(&key.key_type),
        sanitize(&published.name),
        records.join(", ")
    )
}

/// The number of a key's algorithm in an SSHFP record (RFC 4255, RFC 6594, RFC 7479).
fn number(key_type: &str) -> Option<u8> {
    match key_type {
        "ssh-rsa" => Some(1),
        "ssh-dss" => Some(2),
        "ssh-ed25519" => Some(4),
        name if name.starts_with("ecdsa-sha2-") => Some(3),
        _ => None,
    }
}

/// A `SHA256:` fingerprint as SSHFP writes it.
fn hexadecimal(fingerprint: &str) -> Option<String> {
    let bytes = BASE64_NOPAD.decode(fingerprint.strip_prefix("SHA256:")?.as_bytes()).ok()?;
    Some(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::{SSHFP_MISMATCH, SSHFP_WEAK};
    use crate::base::target::AddressFamily;
    use crate::facts::dns::{Facts, Fingerprint, Published, literal};
    use crate::facts::{Evidence, Step, Timed, hostkey};

    const SHA256_OF_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    const SHA1_OF_KEY: &str = "1111111111111111111111111111111111111111";
    const OTHER: &str = "2222";

    fn fired(records: &[(u8, u8, &str)]) -> Vec<&'static str> {
        let records = records.iter().map(|&(algorithm, hash, hex)| Fingerprint { algorithm, hash, hex: hex.into() });
        let published = Published { name: "db.".into(), records: Some(records.collect()), authentic: false };
        let facts = Facts { host_keys: Some(published), ..literal("db", AddressFamily::Any, Vec::new()) };
        let key = hostkey::Facts {
            fingerprint: format!("SHA256:{}", "A".repeat(43)),
            sha1: Some(SHA1_OF_KEY.into()),
            ..hostkey::samples::known()
        };
        let evidence = Evidence {
            dns: Timed { step: Step::Passed(facts), duration_ms: 1.0 },
            hostkey: Timed { step: Step::Passed(key), duration_ms: 1.0 },
            ..Evidence::unexamined()
        };
        [SSHFP_MISMATCH, SSHFP_WEAK].iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
    }

    #[test]
    fn every_record_of_the_keys_type_has_to_fit_and_sha_1_alone_is_weak() {
        let (right, right_sha1) = ((4, 2, SHA256_OF_KEY), (4, 1, SHA1_OF_KEY));
        let (wrong, wrong_sha1) = ((4, 2, OTHER), (4, 1, OTHER));
        assert_eq!(fired(&[right]), [""; 0]);
        assert_eq!(fired(&[right, right_sha1]), [""; 0]);
        assert_eq!(fired(&[right_sha1]), ["hostkey-sshfp-weak"]);
        for mismatched in [&[wrong][..], &[wrong_sha1], &[wrong, right_sha1], &[right, wrong_sha1], &[right, wrong]] {
            assert_eq!(fired(mismatched), ["hostkey-sshfp-mismatch"], "{mismatched:?}");
        }
        assert_eq!(fired(&[(1, 2, OTHER), (1, 1, OTHER)]), [""; 0], "records of another key type");
        assert_eq!(fired(&[]), [""; 0]);
    }
}
