//! A list of lines: a target each, labels behind it, comments.

use std::io::{BufRead, Error, Result};
use std::ops::ControlFlow;

use ssh_doctor_checks::base::text::sanitize_bytes;

use super::Entry;

/// The longest line that is taken for one, bytes; a longer one is discarded as it is read.
const LONGEST: usize = 8 * 1024;

/// The length at which an unfinished line counts as that of a device, which may never end; bytes.
const ENDLESS: usize = 64 * 1024 * 1024;

/// Passes on the target of every line.
pub(super) fn each(mut reader: impl BufRead, to: &mut impl FnMut(Entry) -> ControlFlow<()>) -> Result<()> {
    let (mut line, mut length, mut first) = (Vec::new(), 0_usize, true);
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let piece = &buffer[..end.unwrap_or(buffer.len())];
        let room = LONGEST - line.len();
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        length += piece.len();
        if length > ENDLESS {
            return Err(Error::other("it has a line without end"));
        }
        let (used, at_end) = (piece.len() + usize::from(end.is_some()), buffer.is_empty());
        reader.consume(used);
        if end.is_none() && !at_end {
            continue;
        }
        let text = if first { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line) } else { &line };
        if entry(text, length > LONGEST).is_some_and(|entry| to(entry).is_break()) || at_end {
            return Ok(());
        }
        line.clear();
        (length, first) = (0, false);
    }
}

/// Reads the entry of a line; `None` for an empty one and a comment.
fn entry(line: &[u8], too_long: bool) -> Option<Entry> {
    let fault =
        |why: &str| Some(Entry { input: sanitize_bytes(line), fault: Some(why.to_owned()), ..Entry::default() });
    if too_long {
        return fault("the line is longer than 8 KiB");
    }
    let Ok(text) = std::str::from_utf8(line) else { return fault("the line is not UTF-8") };
    let mut words = text.split_whitespace().take_while(|word| !word.starts_with('#'));
    let mut entry = Entry { input: words.next()?.to_owned(), ..Entry::default() };
    for word in words {
        match word.split_once('=').filter(|(name, _)| !name.is_empty()) {
            Some((name, value)) => drop(entry.labels.insert(name.to_owned(), value.to_owned())),
            None => {
                entry.fault = Some(format!("'{}' is not a label: write name=value", sanitize_bytes(word.as_bytes())));
            }
        }
    }
    Some(entry)
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::ops::ControlFlow;

    use super::super::Entry;
    use super::each;

    fn read(text: &[u8]) -> Vec<Entry> {
        let mut entries = Vec::new();
        let keep = &mut |entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        };
        // A small buffer: lines lie across its ends.
        each(BufReader::with_capacity(7, text), keep).unwrap();
        entries
    }

    #[test]
    fn a_line_is_a_target_with_labels_and_comments_are_none() {
        let entries = read(b"\xef\xbb\xbf# all\na\r\n\n  me@b:22  site=fra role=db=1 # old\n#c\n[::1]:22");
        let inputs: Vec<_> = entries.iter().map(|entry| entry.input.as_str()).collect();
        assert_eq!(inputs, ["a", "me@b:22", "[::1]:22"]);
        let labels: Vec<_> = entries[1].labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(labels, [("role", "db=1"), ("site", "fra")]);
        assert!(entries.iter().all(|entry| entry.fault.is_none()));
    }

    #[test]
    fn what_cannot_be_used_is_an_entry_with_a_reason() {
        let long = [b"x".repeat(100_000), b"\nok\n\xff\xfe\nh other\n".to_vec()].concat();
        let faults: Vec<_> = read(&long).into_iter().map(|entry| entry.fault).collect();
        let said = |at: usize, words: &str| faults[at].as_deref().is_some_and(|fault| fault.contains(words));
        assert!(said(0, "8 KiB") && faults[1].is_none() && said(2, "UTF-8") && said(3, "'other' is not a label"));
        assert_eq!(faults.len(), 4);
    }

    #[test]
    fn reading_ends_where_no_more_is_wanted() {
        let mut seen = 0;
        let stop = &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        };
        each(&b"a\nb\n"[..], stop).unwrap();
        assert_eq!(seen, 1);
    }
}
