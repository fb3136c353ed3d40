//! Host key fingerprints that DNS publishes (SSHFP, RFC 4255).

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use serde::{Deserialize, Serialize};

use super::files::Files;
use super::patience::{Patience, Waiting};
use super::servers;
use crate::text::hex;

/// Records that are kept.
const RECORDS: usize = 32;
/// Bytes of a fingerprint that are kept: a SHA-256 has 32.
const FINGERPRINT: usize = 64;

/// What DNS publishes of the host's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The name that was asked for.
    pub name: String,
    /// The records; `null` where the question got no answer.
    pub records: Option<Vec<Fingerprint>>,
    /// Whether the name server says that it has validated the answer (the AD bit, RFC 4035 section 3.2.3).
    pub authentic: bool,
}

/// One SSHFP record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The key's algorithm: 1 RSA, 2 DSA, 3 ECDSA, 4 Ed25519, 6 Ed448.
    pub algorithm: u8,
    /// The hash: 1 SHA-1, 2 SHA-256.
    pub hash: u8,
    /// The fingerprint, hexadecimal.
    pub hex: String,
}

/// Asks the first configured name server, as long as the others are waited for.
pub(super) async fn ask(host: &str, files: &Files, patience: &Patience) -> Option<Published> {
    let server = files.servers.first()?.clone();
    let mut waiting: Waiting = patience.waiting();
    let resolver: TokioResolver = servers::resolver(server, files.options.clone(), &waiting).ok()?;
    let mut name = Name::from_ascii(host).ok()?;
    name.set_fqdn(true);
    let found = tokio::select! {
        found = resolver.lookup(name.clone(), RecordType::SSHFP) => Some(found),
        _ = waiting.over() => None,
    };
    let (records, authentic) = match found {
        Some(Ok(lookup)) => {
            let records = lookup.answers().iter().filter_map(|record| fingerprint(&record.data)).take(RECORDS);
            (Some(records.collect()), lookup.message().metadata.authentic_data)
        }
        Some(Err(NetError::Dns(DnsError::NoRecordsFound(_)))) => (Some(Vec::new()), false),
        Some(Err(_)) | None => (None, false),
    };
    Some(Published { name: name.to_ascii(), records, authentic })
}

fn fingerprint(data: &RData) -> Option<Fingerprint> {
    let RData::SSHFP(sshfp) = data else { return None };
    let hex = hex(sshfp.fingerprint.get(..FINGERPRINT).unwrap_or(&sshfp.fingerprint));
    Some(Fingerprint { algorithm: sshfp.algorithm.into(), hash: sshfp.fingerprint_type.into(), hex })
}
