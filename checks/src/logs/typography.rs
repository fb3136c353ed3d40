//! Characters that web pages and word processors put in the place of those that programs print.

/// Each such character in UTF-8, and what a program printed: spaces and signs without width, quotes and hyphens.
const PRINTED: [(&str, &[u8]); 24] = [
    ("\u{a0}", b" "),
    ("\u{2002}", b" "),
    ("\u{2003}", b" "),
    ("\u{2007}", b" "),
    ("\u{2009}", b" "),
    ("\u{200a}", b" "),
    ("\u{202f}", b" "),
    ("\u{3000}", b" "),
    ("\u{ad}", b""),
    ("\u{200b}", b""),
    ("\u{200c}", b""),
    ("\u{200d}", b""),
    ("\u{2060}", b""),
    ("\u{feff}", b""),
    ("\u{2018}", b"'"),
    ("\u{2019}", b"'"),
    ("\u{201a}", b"'"),
    ("\u{2032}", b"'"),
    ("\u{201c}", b"\""),
    ("\u{201d}", b"\""),
    ("\u{201e}", b"\""),
    ("\u{2033}", b"\""),
    ("\u{2010}", b"-"),
    ("\u{2011}", b"-"),
];

/// Replaces them in a line.
pub(super) fn restore(line: &mut Vec<u8>) {
    if !has_any(line) {
        return;
    }
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let known = PRINTED.iter().find(|(shown, _)| is_lead(*first) && rest.starts_with(shown.as_bytes()));
        if let Some((shown, printed)) = known {
            plain.extend_from_slice(printed);
            rest = &rest[shown.len()..];
        } else {
            plain.push(*first);
            rest = after;
        }
    }
    *line = plain;
}

/// A text of ours as it is read in a log.
pub(super) fn restored(text: &str) -> String {
    let mut line = text.as_bytes().to_vec();
    restore(&mut line);
    String::from_utf8_lossy(&line).into_owned()
}

fn has_any(line: &[u8]) -> bool {
    line.iter().any(|byte| is_lead(*byte))
}

/// True for a byte that one of these characters begins with.
fn is_lead(byte: u8) -> bool {
    matches!(byte, 0xc2 | 0xe2 | 0xe3 | 0xef)
}

#[cfg(test)]
mod tests {
    use super::{PRINTED, is_lead, restore, restored};

    #[test]
    fn what_a_page_shows_is_what_a_program_printed() {
        for (shown, printed) in [
            ("ssh:\u{a0}connect\u{a0}to", "ssh: connect to"),
            ("couldn\u{2019}t open \u{201c}x\u{201d}", "couldn't open \"x\""),
            ("\u{feff}debug1:\u{200b} caf\u{e9} \u{4e2d}", "debug1: caf\u{e9} \u{4e2d}"),
        ] {
            let mut line = shown.as_bytes().to_vec();
            restore(&mut line);
            assert_eq!((String::from_utf8(line).unwrap().as_str(), restored(shown).as_str()), (printed, printed));
        }
        assert!(PRINTED.iter().all(|(shown, _)| is_lead(shown.as_bytes()[0])));
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        let mut line = b"\xc2\xff\xe2\x80\x99\xe2\x80".to_vec();
        restore(&mut line);
        assert_eq!(line, b"\xc2\xff'\xe2\x80");
    }
}
