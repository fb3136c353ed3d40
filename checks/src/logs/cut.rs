//! Messages that were cut at the edge of a screen, as systemctl and a pager cut them.

use super::outline::pieces;

/// The bytes of a text's piece with which a cut message ends, at least: fewer are many texts' words.
const LEAST: usize = 12;

/// Returns a message without the mark of a cut: `…` of systemctl, `>` of `less -S`.
pub(super) fn cut(message: &[u8]) -> Option<&[u8]> {
    let message = message.trim_ascii_end();
    let rest = message.strip_suffix("…".as_bytes()).or_else(|| message.strip_suffix(b">"))?;
    (rest.len() >= LEAST && !rest.contains(&b'<')).then_some(rest)
}

/// True if a message ends in the middle of a text, with half of the piece that is cut.
pub(super) fn ends_in(text: &'static str, message: &[u8]) -> bool {
    let mut rest = message;
    for (literal, _) in pieces(text) {
        let literal = literal.as_bytes();
        if let Some(at) = position(rest, literal) {
            rest = &rest[at + literal.len()..];
            continue;
        }
        let most = literal.len().min(rest.len());
        let least = LEAST.max(literal.len().div_ceil(2));
        return (least..=most).any(|length| rest[rest.len() - length..].eq_ignore_ascii_case(&literal[..length]));
    }
    false
}

fn position(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(0);
    }
    text.windows(piece.len()).position(|window| window.eq_ignore_ascii_case(piece))
}

#[cfg(test)]
mod tests {
    use super::{cut, ends_in};

    #[test]
    fn a_message_that_is_cut_has_the_text_that_it_began() {
        for (text, message) in [
            ("Start request repeated too quickly", "ssh.service: Start request repeated too quic…"),
            (
                "User <user> from <address> not allowed because not listed",
                "User dev from 192.0.2.7 not allowed because n>",
            ),
        ] {
            assert!(ends_in(text, cut(message.as_bytes()).unwrap()), "{message}");
        }
    }

    #[test]
    fn a_few_words_or_a_whole_line_are_no_cut_text() {
        assert!(!ends_in("Start request repeated too quickly", cut(b"ssh.service: Start request>").unwrap()));
        assert_eq!(cut(b"Start request repeated too quic"), None);
        assert_eq!(cut(b"<p>Start request repeated too quic</p>"), None);
    }
}
