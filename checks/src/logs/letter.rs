//! A message of a line or two in the midst of what somebody wrote about it.

use std::sync::LazyLock;

use memchr::memchr_iter;
use regex::bytes::{Regex, RegexBuilder};

/// The most lines of such a letter.
const LINES: usize = 20;

/// A paragraph, and the number of lines before it.
pub(super) struct Paragraph<'a> {
    pub(super) before: u64,
    pub(super) text: &'a [u8],
}

/// The paragraphs of a letter, those left out that its writer says in words of his own; none where there are no such words.
pub(super) fn paragraphs(text: &[u8]) -> Vec<Paragraph<'_>> {
    if memchr_iter(b'\n', text).take(LINES + 1).count() > LINES {
        return Vec::new();
    }
    let mut all: Vec<Paragraph<'_>> = Vec::new();
    let (mut begin, mut before, mut number) = (0, 0, 0);
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        if is_blank {
            all.push(Paragraph { before, text: &text[begin..at] });
            (begin, before) = (at + line.len(), number + 1);
        }
        at += line.len();
        number += 1;
    }
    all.push(Paragraph { before, text: &text[begin..] });
    all.retain(|paragraph| !paragraph.text.trim_ascii().is_empty());
    let count = all.len();
    all.retain(|paragraph| !is_in_own_words(paragraph.text));
    if all.len() < count { all } else { Vec::new() }
}

/// True for what a person says: of himself, to the reader, or in front of what follows.
fn is_in_own_words(paragraph: &[u8]) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        let words =
            r"\bI\b|\b(?i:I'm|my|we|our|please|anybody|anyone|someone|thanks|thank you|hello|hi|greetings)\b|[?:]\s*$";
        RegexBuilder::new(words).unicode(false).build().expect("the words of letters compile")
    });
    WORDS.is_match(paragraph.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::paragraphs;

    fn read(text: &str) -> Vec<(u64, &str)> {
        let all = paragraphs(text.as_bytes()).into_iter();
        all.map(|one| (one.before, std::str::from_utf8(one.text).unwrap().trim())).collect()
    }

    #[test]
    fn what_a_letter_is_about_is_told_from_the_words_around_it() {
        let letter =
            "Hello everybody,\nI get this since yesterday:\n\nssh: it failed\nat once\n\nDoes anybody have an idea?";
        assert_eq!(read(letter), [(3, "ssh: it failed\nat once")]);
        assert_eq!(read("It says:\n \nssh: it failed\n\nat once\n"), [(2, "ssh: it failed"), (4, "at once")]);
        assert_eq!(read("ssh: it failed\n\nat once\n"), []);
        assert_eq!(read("ssh: it failed\n"), []);
        assert_eq!(read(&"a line\n\n".repeat(20)), []);
    }
}
