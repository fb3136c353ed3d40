//! Host key fingerprints that DNS publishes (SSHFP, RFC 4255).

use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::files::Files;
use super::patience::{Patience, Waiting};
use super::servers;
use crate::base::text::hex;
use crate::facts::dns::{Fingerprint, Published};

/// Records that are kept.
const RECORDS: usize = 32;
/// Bytes of a fingerprint that are kept: a SHA-256 has 32.
const FINGERPRINT: usize = 64;

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
