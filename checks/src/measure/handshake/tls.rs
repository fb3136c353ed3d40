//! Does the port speak TLS: a further connection that begins as a TLS client does.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::reconnects::reconnect;
use crate::base::nonce::{noise, seed};
use crate::base::target::Route;
use crate::facts::handshake::Reconnect;
use crate::measure::context::Context;
use crate::os::pause::timeout_at;
use crate::ssh::dial;
use crate::ssh::tap::Tap;

/// The time that an answer is waited for: it takes a round trip.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks once, until `until` at most; none where no further connection may be opened, or where none came about.
pub(super) async fn greet(ctx: &Context, route: Route, began: Instant, until: Instant) -> Option<Reconnect> {
    // A proxy command may be a login at a bastion: it is not repeated.
    if !matches!(route, Route::Direct(_)) || ctx.budget.left() == 0 {
        return None;
    }
    let left = until.saturating_duration_since(Instant::now());
    let transport = dial::open(&ctx.budget, &ctx.target, route, left).await.ok()?;
    let opened = Instant::now();
    let (mut stream, watch) = Tap::new(transport);
    let exchange = async {
        stream.write_all(&client_hello(&ctx.target.host, &noise(seed(), 32))).await?;
        stream.read(&mut [0; 1]).await
    };
    // What came is in the watch, whether the reading ended or not.
    let _ = timeout_at(until.min(opened + PATIENCE), exchange).await;
    Some(reconnect(&watch.seen(), began, opened))
}

/// Returns the first message of a TLS client (RFC 8446 section 4.1.2 in the form of RFC 5246), as short as possible.
fn client_hello(host: &str, random: &[u8]) -> Vec<u8> {
    /// Cipher suites of TLS 1.2 that servers take: ECDHE or RSA with AES-GCM or AES-CBC (RFC 5289, RFC 5246).
    const SUITES: [u16; 8] = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xc013, 0xc014, 0x009c, 0x002f];
    /// X25519 and the NIST curves P-256 and P-384 (RFC 8422).
    const GROUPS: [u16; 3] = [0x001d, 0x0017, 0x0018];
    /// ECDSA and RSA with SHA-256, RSA-PSS with SHA-256 (RFC 8446 section 4.2.3).
    const SIGNATURES: [u16; 3] = [0x0403, 0x0401, 0x0804];
    let list = |numbers: &[u16]| sized(&numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>());
    let extension = |kind: u16, body: &[u8]| [&kind.to_be_bytes()[..], &sized(body)].concat();
    let mut extensions = [extension(10, &list(&GROUPS)), extension(13, &list(&SIGNATURES))].concat();
    // A server of many names may answer only to one (RFC 6066 section 3); an address is none.
    if host.is_ascii() && host.parse::<std::net::IpAddr>().is_err() && host.len() <= 253 {
        extensions.extend(extension(0, &sized(&[&[0][..], &sized(host.as_bytes())].concat())));
    }
    let (version, no_session, no_compression) = ([3, 3], [0], [1, 0]);
    let body = [&version[..], random, &no_session, &list(&SUITES), &no_compression, &sized(&extensions)].concat();
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let message = [&[1][..], &length[1..], &body].concat();
    [&[0x16, 3, 1][..], &sized(&message)].concat()
}

/// The bytes after their length in two bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::client_hello;

    #[test]
    fn every_length_is_that_of_what_follows() {
        for host in ["db.example", "192.0.2.7", "2001:db8::7"] {
            let hello = client_hello(host, &[7; 32]);
            let word = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
            assert_eq!(word(3), hello.len() - 5, "the record");
            assert_eq!(word(7), hello.len() - 9, "the message");
            let suites = word(44);
            assert_eq!(hello[43], 0, "no session");
            let extensions = 46 + suites + 2;
            assert_eq!(word(extensions), hello.len() - extensions - 2, "the extensions");
            let names = hello.windows(host.len()).any(|part| part == host.as_bytes());
            assert_eq!(names, host == "db.example", "only a name is named");
        }
    }
}
