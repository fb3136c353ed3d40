//! Data both ways over sftp, where no command runs: paths that are resolved, which touches no file.

use super::returned::in_time;
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::base::service::Service;
use crate::facts::transfer::{Echo, Facts, Requests};
use crate::ssh::connection::Connection;
use crate::ssh::sftp::{SftpSession, packets};

/// Requests of the bulk: with [`NAME`] they fill a hundred full-size packets.
const REQUESTS: usize = 400;
/// Requests that are sent at once, whose answers tell the rate: these come in 3 s at 64 kbit/s.
const FIRST: usize = 40;
/// The time that the others may take at that rate, seconds.
const TIME_S: f64 = 8.0;
/// Bytes of the name in each, below NAME_MAX of every file system.
const NAME: usize = 240;

/// Resolves many long paths at once, as many as the path carries in little time, and then a few short ones, one after the other; returns true
/// if all were answered.
pub(super) async fn moved(connection: &Connection, sftp: &mut SftpSession, patience: Patience) -> (bool, Facts) {
    // A name that nothing has: a server echoes it, or says that there is no such file.
    let name = nonce().repeat(NAME).into_bytes();
    let paths = vec![[b"/", &name[..NAME]].concat(); REQUESTS];
    let (mut ran, mut sent_bytes) = sftp.resolve(&paths[..FIRST], patience, connection).await;
    let (mut requests, mut answered) = (FIRST, packets(&ran.stdout));
    if answered >= FIRST {
        let rate = FIRST as f64 / (ran.duration_ms / 1000.0).max(f64::EPSILON);
        let rest = &paths[FIRST..][..in_time(rate, TIME_S, REQUESTS - FIRST)];
        let (further, more) = sftp.resolve(rest, patience, connection).await;
        (requests, answered) = (requests + rest.len(), answered + packets(&further.stdout));
        sent_bytes += more;
        ran = ran.followed_by(further);
    }
    let whole = answered >= requests;
    let mut facts = Facts {
        of: Some(Service::Sftp),
        requests: Some(Requests { sent: requests as u64, answered: answered as u64 }),
        sent_bytes,
        returned_bytes: ran.stdout_bytes,
        rate: whole.then(|| (sent_bytes + ran.stdout_bytes) as f64 / (ran.duration_ms / 1000.0)),
        compression: connection.compression(),
        ending: connection.ending().map(|ending| ending.manner),
        tcp: connection.socket().and_then(crate::os::socket::Socket::tcp_info),
        ran,
        ..Facts::default()
    };
    if whole {
        facts.echo = round_trip(connection, sftp, patience).await;
    }
    (whole, facts)
}

/// The time of one request after the other.
async fn round_trip(connection: &Connection, sftp: &mut SftpSession, patience: Patience) -> Option<Echo> {
    let count = if connection.is_far() { 1 } else { 3 };
    let mut times = Vec::new();
    for _ in 0..count {
        let (ran, _) = sftp.resolve(&[b".".to_vec()], patience, connection).await;
        if packets(&ran.stdout) == 0 {
            return None;
        }
        times.push(ran.duration_ms);
    }
    times.sort_by(f64::total_cmp);
    Some(Echo { samples: count, min_ms: *times.first()?, median_ms: *times.get(count / 2)?, max_ms: *times.last()? })
}
