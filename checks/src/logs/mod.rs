//! Pure readers of logs: bytes in, facts out. Nothing here judges, and nothing waits for a network.

mod audit;
mod beside;
mod clients;
mod collector;
mod cut;
mod ends;
mod languages;
mod letter;
mod lexicon;
mod lines;
mod marks;
mod mask;
mod newest_first;
mod open;
mod openssh;
mod outline;
mod pattern;
mod phrases;
mod programs;
mod record;
mod served;
mod sshd;
mod stamp;
mod typography;
mod unquoted;
mod wrapped;

use std::io::{self, BufRead, Cursor, Read as _};
use std::sync::LazyLock;

use crate::facts::log::Log;
use audit::Audit;
use collector::Collector;
use letter::paragraphs;
use lexicon::Lexicon;
use lines::Lines;
use newest_first::turned;
use record::{Record, Records};
use wrapped::Joiner;

/// Bytes of a log that is looked at whole before it is read: what is pasted has fewer.
const PASTED: u64 = 1 << 20;

/// A reader of logs that also looks for the texts of a catalogue.
pub struct Reader {
    lexicon: Lexicon,
}

impl Reader {
    /// A reader that looks for these texts too; `<...>` in them are holes.
    #[must_use]
    pub fn new(symptoms: impl IntoIterator<Item = &'static str>) -> Self {
        let mut symptoms: Vec<_> = symptoms.into_iter().collect();
        symptoms.sort_unstable();
        symptoms.dedup();
        Self { lexicon: Lexicon::new(symptoms) }
    }

    /// Reads any log in one pass and in bounded memory. Lines of one that begins with its newest line are numbered from its oldest.
    ///
    /// # Errors
    /// Fails if the input cannot be read; no content is an error.
    pub fn read(&self, mut input: impl BufRead) -> io::Result<Log> {
        let mut begun = Vec::new();
        input.by_ref().take(PASTED).read_to_end(&mut begun)?;
        if (begun.len() as u64) < PASTED {
            let message = self.in_a_letter(&begun)?.map(Box::new);
            let turned = turned(&begun);
            let newest_first = turned.is_some();
            let log = self.read_in_order(turned.as_deref().unwrap_or(&begun))?;
            return Ok(Log { newest_first, message, ..log });
        }
        self.read_in_order(Cursor::new(begun).chain(input))
    }

    /// Reads the one message of a letter as if it stood alone, where there is one: that which complains, or else the one that does not.
    fn in_a_letter(&self, text: &[u8]) -> io::Result<Option<Log>> {
        let (mut complaints, mut others) = (Vec::new(), Vec::new());
        for paragraph in paragraphs(text) {
            let log = self.read_in_order(paragraph.text)?;
            let has_steps = log.connections.iter().any(|connection| !connection.entries.is_empty());
            if has_steps || log.has_stack_frames {
                return Ok(None);
            }
            let complains = log.unknown_count > 0 || !log.connections.is_empty();
            let those = if complains { &mut complaints } else { &mut others };
            those.push(log.after(paragraph.before));
        }
        let messages = if complaints.is_empty() { others } else { complaints };
        Ok(<[Log; 1]>::try_from(messages).ok().map(|[message]| message).filter(Log::is_brief))
    }

    /// Reads a log whose oldest line is its first.
    fn read_in_order(&self, input: impl BufRead) -> io::Result<Log> {
        let mut lines = Lines::new(input);
        let mut records = Records::default();
        let mut audit = Audit::default();
        let mut joiner = Joiner::new(&self.lexicon);
        let mut collector = Collector::new(&self.lexicon);
        let mut take = |number: u64, record: &Record<'_>| collector.take(number, record);
        // Empty lines at the end are none of the text.
        let mut last = 0;
        while let Some(line) = lines.next()? {
            if !line.text.trim_ascii().is_empty() {
                last = line.number;
            }
            if let Some(record) = records.next(line.text) {
                audit.take(line.number, record, |number, record| joiner.take(number, &record, &mut take));
            }
        }
        if let Some(record) = records.last() {
            audit.take(lines.count, record, |number, record| joiner.take(number, &record, &mut take));
        }
        audit.rest(|number, record| joiner.take(number, &record, &mut take));
        joiner.rest(&mut take);
        Ok(Log { bytes: lines.bytes, ..collector.log(last) })
    }
}

/// A text with every secret in it masked.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    String::from_utf8_lossy(&mask::masked(text.as_bytes())).into_owned()
}

/// Reads a log for the steps of its connections alone.
///
/// # Errors
/// Fails if the input cannot be read; no content is an error.
pub fn read(input: impl BufRead) -> io::Result<Log> {
    static READER: LazyLock<Reader> = LazyLock::new(|| Reader::new([]));
    READER.read(input)
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::facts::Check;
    use crate::facts::log::{Connection, Event};

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
        assert_eq!(connection.program.as_ref().unwrap().version.as_deref(), Some("9.2p1"));
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
        let thrice = one(&REFUSED.repeat(3));
        assert_eq!((thrice.count, thrice.entries.len()), (3, 3), "{thrice:#?}");
        let jump = "OpenSSH_9.2p1, OpenSSL 3\ndebug1: Executing proxy command: exec ssh -v -W '[db]:22' gate\n";
        one(&(jump.to_owned() + REFUSED));
    }

    #[test]
    fn a_long_log_keeps_its_beginning_and_its_end() {
        let log = "debug1: need rekeying\n".repeat(5000) + "Connection to db closed by remote host.\n";
        let connection = one(&log);
        assert_eq!(connection.entries.len() as u64 + connection.omitted, 5001);
        assert!(connection.omitted > 4000, "{}", connection.omitted);
        assert_eq!(connection.end().unwrap().line, 5001);
    }

    #[test]
    fn what_is_no_log_has_no_connection() {
        assert_eq!(read(&b"\0\xff\x1b[31m hello\n\n"[..]).unwrap().connections, []);
    }
}
