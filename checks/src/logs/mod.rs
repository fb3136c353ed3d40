//! Pure readers of logs: bytes in, facts out. Nothing here judges, and nothing waits for a network.

mod lines;
mod openssh;
mod pattern;

use std::io::{self, BufRead};
use std::sync::LazyLock;

use crate::facts::log::{Connection, Entry, Event, Log, Program};
use lines::Lines;
use pattern::Patterns;

/// The entries that are kept of the beginning of a connection, and of its end.
const FIRST: usize = 400;
const LAST: usize = 200;
/// The connections that are kept of one log.
const CONNECTIONS: usize = 64;

/// Reads a log of OpenSSH's client (`ssh -v`, `-vv`, `-vvv`, with or without `-E`) in one pass, in bounded memory.
///
/// Lines of other programs in between are passed over. `-vv` and more give the lists of algorithms, `-v` all else.
///
/// # Errors
/// If the input cannot be read; whatever it contains is no error.
pub fn read(input: impl BufRead) -> io::Result<Log> {
    static TEXTS: LazyLock<Patterns> = LazyLock::new(|| {
        let texts: Vec<_> = openssh::TEXTS.iter().map(|(text, _)| *text).collect();
        Patterns::new(&texts)
    });
    static VERSION: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(&[openssh::VERSION_LINE]));
    let mut lines = Lines::new(input);
    let mut connections = vec![Connection::default()];
    while let Some(line) = lines.next()? {
        let message = without_level(line.text);
        let at = connections.len() - 1;
        if VERSION.found(message).next().is_some() {
            if !connections[at].entries.is_empty() && !opens_a_tunnel(&connections[at]) && at < CONNECTIONS {
                connections.push(Connection::default());
            }
            let version = VERSION.values(0, message).remove("text");
            if let Some(connection) = connections.last_mut().filter(|connection| connection.program.is_none()) {
                connection.program = Some(Program { name: "OpenSSH".to_owned(), version });
            }
        } else if let Some(found) = TEXTS.found(message).next() {
            let entry =
                Entry { line: line.number, event: openssh::TEXTS[found].1, values: TEXTS.values(found, message) };
            keep(&mut connections[at], entry);
        }
    }
    connections.retain(|connection| connection.program.is_some() || !connection.entries.is_empty());
    Ok(Log { bytes: lines.bytes, lines: lines.count, connections })
}

/// A message of ssh without the level in front of it.
fn without_level(line: &[u8]) -> &[u8] {
    match line {
        [b'd', b'e', b'b', b'u', b'g', b'1'..=b'3', b':', b' ', message @ ..] => message,
        _ => line,
    }
}

/// Whether the next first line of a log may be that of the ssh that makes the connection to a jump host.
fn opens_a_tunnel(connection: &Connection) -> bool {
    connection.first(Event::ProxyStarted).is_some() && connection.first(Event::VersionReceived).is_none()
}

fn keep(connection: &mut Connection, entry: Entry) {
    if connection.entries.len() == FIRST + LAST {
        connection.entries.remove(FIRST);
        connection.omitted += 1;
    }
    connection.entries.push(entry);
}

#[cfg(test)]
mod tests {
    use super::{Connection, Event, FIRST, LAST, read};
    use crate::facts::Check;

    fn one(log: &str) -> Connection {
        let mut read = read(log.as_bytes()).unwrap();
        assert_eq!(read.connections.len(), 1, "{read:#?}");
        read.connections.remove(0)
    }

    const REFUSED: &str = "OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.9 30 May 2023\n\
        debug1: Connecting to db [192.0.2.7] port 2222.\n\
        debug1: connect to address 192.0.2.7 port 2222: Connection refused\n\
        ssh: connect to host db port 2222: Connection refused\n";

    #[test]
    fn a_refused_connection_is_read_with_its_address_and_reason() {
        let connection = one(REFUSED);
        assert_eq!(connection.program.as_ref().unwrap().version.as_deref(), Some("9.2p1 Debian-2"));
        let failed = connection.first(Event::ConnectFailed).unwrap();
        assert_eq!((failed.value("address"), failed.value("port")), (Some("192.0.2.7"), Some("2222")));
        assert_eq!((failed.value("why"), failed.line), (Some("Connection refused"), 3));
        assert!(!connection.passed(Check::Tcp) && connection.end().is_some());
    }

    #[test]
    fn a_step_is_named_whole_and_the_one_before_the_end_is_found() {
        let connection = one("debug1: Connection established.\n\
            debug1: Remote protocol version 2.0, remote software version OpenSSH_10.0p2 Debian-7\n\
            debug2: peer server KEXINIT proposal\n\
            debug2: KEX algorithms: a,b\n\
            debug1: kex: algorithm: mlkem768x25519-sha256\n\
            debug1: kex: server->client cipher: aes128-ctr MAC: hmac-sha2-256 compression: none\n\
            debug1: expecting SSH2_MSG_KEX_ECDH_REPLY\n\
            Connection closed by 192.0.2.7 port 22\n");
        assert!(connection.passed(Check::Tcp) && !connection.passed(Check::Handshake));
        assert_eq!(connection.last_step().unwrap().value("message"), Some("SSH2_MSG_KEX_ECDH_REPLY"));
        assert_eq!(connection.end().unwrap().event, Event::Closed);
        let list = connection.first(Event::ProposalList).unwrap();
        assert_eq!((list.value("kind"), list.value("names")), (Some("kex"), Some("a,b")));
        let cipher = connection.first(Event::Cipher).unwrap();
        assert_eq!((cipher.value("mac"), cipher.value("direction")), (Some("hmac-sha2-256"), Some("server->client")));
    }

    #[test]
    fn keys_are_told_by_file_kind_and_fingerprint_in_old_and_new_texts() {
        let connection = one("debug1: Offering public key: /home/a b/key ED25519 SHA256:abc explicit agent\n\
            debug1: Offering RSA public key: /root/.ssh/id_rsa\n");
        let keys: Vec<_> =
            connection.all(Event::KeyOffered).map(|entry| (entry.value("key"), entry.value("kind"))).collect();
        assert_eq!(keys, [(Some("/home/a b/key"), Some("ED25519")), (Some("/root/.ssh/id_rsa"), Some("RSA"))]);
    }

    #[test]
    fn each_first_line_begins_a_connection_unless_a_jump_host_is_on_the_way() {
        assert_eq!(read(REFUSED.repeat(3).as_bytes()).unwrap().connections.len(), 3);
        let jump = "OpenSSH_9.2p1, OpenSSL 3\ndebug1: Executing proxy command: exec ssh -v -W '[db]:22' gate\n";
        one(&(jump.to_owned() + REFUSED));
    }

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let log = "debug1: need rekeying\n".repeat(5000) + "Connection to db closed by remote host.\n";
        let connection = one(&log);
        assert_eq!(connection.entries.len(), FIRST + LAST);
        assert_eq!(connection.omitted, 5001 - (FIRST + LAST) as u64);
        assert_eq!(connection.end().unwrap().line, 5001);
    }

    #[test]
    fn what_is_no_log_has_no_connection() {
        assert_eq!(read(&b"\0\xff\x1b[31m hello\n\n"[..]).unwrap().connections, []);
    }
}
