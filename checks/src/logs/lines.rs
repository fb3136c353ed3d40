//! The lines of a log, of any length and content.

use std::io::{self, BufRead};

use memchr::memchr;

use super::typography;

/// The bytes of a line that are read; sshd's own longest line is 1 KiB, a KEXINIT's list at most a few, a whole stack trace in one line of JSON more.
const KEPT: usize = 16 * 1024;
/// FreeBSD builds OpenSSH with this before the names of its functions, and the messages that begin with one have it too.
const PREFIX_OF_FREEBSD: &[u8] = b"Fssh_";
/// UTF-16, little endian, as PowerShell writes what is redirected to a file.
const UTF_16: [u8; 2] = [0xff, 0xfe];

/// One line.
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub(super) number: u64,
    /// The line without its end, terminal escapes, characters of a typesetter and the bytes beyond [`KEPT`].
    pub(super) text: &'a [u8],
}

/// Reads lines one by one into a buffer of its own.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// Lines read so far.
    pub(super) count: u64,
    /// Bytes read so far.
    pub(super) bytes: u64,
    is_utf_16: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::with_capacity(KEPT), count: 0, bytes: 0, is_utf_16: false }
    }

    /// The next line.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut begun = false;
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                break;
            }
            begun = true;
            let end = memchr(b'\n', bytes);
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            let room = KEPT.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.input.consume(used);
            self.bytes += used as u64;
            if end.is_some() {
                break;
            }
        }
        if !begun {
            return Ok(None);
        }
        self.count += 1;
        self.is_utf_16 |= self.count == 1 && self.line.starts_with(&UTF_16);
        if self.is_utf_16 {
            self.line.retain(|byte| !matches!(byte, 0 | 0xfe | 0xff));
        }
        while self.line.last().is_some_and(u8::is_ascii_whitespace) {
            self.line.pop();
        }
        if memchr(0x1b, &self.line).is_some() {
            strip_escapes(&mut self.line);
        }
        typography::restore(&mut self.line);
        if memchr::memmem::find(&self.line, PREFIX_OF_FREEBSD).is_some() {
            strip_prefixes(&mut self.line);
        }
        Ok(Some(Line { number: self.count, text: &self.line }))
    }
}

/// Removes colours and cursor movements: ESC [ parameters letter (ECMA-48 section 5.4).
fn strip_escapes(line: &mut Vec<u8>) {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line.as_slice();
    while let Some(at) = memchr(0x1b, rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let parameters = rest.get(2..).unwrap_or_default();
        let length = parameters.iter().position(|byte| (0x40..=0x7e).contains(byte));
        if let (Some(b'['), Some(length)) = (rest.get(1), length) {
            rest = &parameters[length + 1..];
        } else {
            // Any other escape is kept: it is no colour, and is escaped where the line is shown.
            plain.push(0x1b);
            rest = &rest[1..];
        }
    }
    plain.extend_from_slice(rest);
    *line = plain;
}

/// Removes FreeBSD's prefix where a word begins with it.
fn strip_prefixes(line: &mut Vec<u8>) {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line.as_slice();
    while let Some(at) = memchr::memmem::find(rest, PREFIX_OF_FREEBSD) {
        let (before, after) = (&rest[..at], &rest[at + PREFIX_OF_FREEBSD.len()..]);
        plain.extend_from_slice(before);
        if before.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            plain.extend_from_slice(PREFIX_OF_FREEBSD);
        }
        rest = after;
    }
    plain.extend_from_slice(rest);
    *line = plain;
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Lines};

    fn lines(input: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Lines::new(std::io::BufReader::with_capacity(7, input));
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(line.text.to_vec());
        }
        assert_eq!(lines.bytes, input.len() as u64);
        assert_eq!(lines.count, all.len() as u64);
        all
    }

    #[test]
    fn a_line_ends_at_its_end_or_at_the_logs() {
        assert_eq!(lines(b"one\r\n\ntwo"), [&b"one"[..], b"", b"two"]);
        assert_eq!(lines(b""), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let long = [vec![b'x'; 100_000], b"\nnext".to_vec()].concat();
        assert_eq!(lines(&long), [vec![b'x'; KEPT], b"next".to_vec()]);
    }

    #[test]
    fn colours_go_and_other_bytes_stay() {
        assert_eq!(lines(b"\x1b[0;31mfatal: \x1b[0mno\xff\0"), [b"fatal: no\xff\0"]);
        assert_eq!(lines(b"\x1b]0;title\x07 \x1b["), [b"\x1b]0;title\x07 \x1b["]);
    }

    #[test]
    fn functions_of_freebsd_have_the_names_that_they_have_elsewhere() {
        assert_eq!(
            lines(b"Fssh_packet_write_wait: Connection\ndebug1: Fssh_kex_input: Fssh_x\nMy_Fssh_x"),
            [&b"packet_write_wait: Connection"[..], b"debug1: kex_input: x", b"My_Fssh_x"]
        );
    }

    #[test]
    fn utf_16_of_a_windows_shell_is_read() {
        let text: Vec<u8> = "\u{feff}a b\r\nc\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&text), [b"a b".to_vec(), b"c".to_vec(), b"".to_vec()]);
    }
}
