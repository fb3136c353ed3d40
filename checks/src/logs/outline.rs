//! A quick look whether a message has a text with holes, which spares most regular expressions.

use memchr::{memchr_iter, memchr2_iter};

/// Steps of a look; a message that takes more is left to the regular expression, whose time is bounded by the message's length.
const STEPS: u32 = 1000;

/// Holes that hold digits.
const NUMBERS: [&str; 10] = ["n", "port", "pid", "code", "status", "channel", "sent", "received", "type", "line"];
/// Holes that hold anything.
const TEXTS: [&str; 6] = ["text", "why", "command", "names", "methods", "key"];

/// The hole that holds the end of a message.
pub(super) const END: &str = "end";

/// The name that the debug module of Node.js puts before the messages of ssh2.
const NAME_OF_DEBUG: &[u8] = b"ssh2 ";

/// The place in a message where a text may begin, and the comparison to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At the beginning of a message, which a level, a name or a bracket may precede.
    Begins,
    /// Anywhere, in capitals or not.
    Anywhere,
}

/// The literal parts of a text, each with the hole after it.
pub(super) struct Outline {
    place: Place,
    parts: Vec<(Vec<u8>, Option<Hole>)>,
}

/// The bytes that a hole may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hole {
    /// A number, which may be negative.
    Number,
    /// One byte or more, without spaces.
    Word,
    /// Anything on the line.
    Text,
    /// Nothing but marks, up to the end of the message.
    End,
}

impl Hole {
    /// The hole of this name; `None` where the name states a value.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name.contains('=') {
            None
        } else if name == END {
            Some(Self::End)
        } else if NUMBERS.contains(&name) {
            Some(Self::Number)
        } else if TEXTS.contains(&name) {
            Some(Self::Text)
        } else {
            Some(Self::Word)
        }
    }

    /// The fewest and the most bytes at the beginning of `rest` that it may hold.
    fn room(self, rest: &[u8]) -> (usize, usize) {
        let run = |bytes: &[u8], holds: fn(&u8) -> bool| bytes.iter().take_while(|byte| holds(byte)).count();
        match self {
            Self::Number => {
                let sign = usize::from(rest.first() == Some(&b'-'));
                (sign + 1, sign + run(&rest[sign..], u8::is_ascii_digit))
            }
            Self::Word => (1, run(rest, |byte| !matches!(byte, b' ' | b'\t'..=b'\r'))),
            Self::Text => (0, run(rest, |byte| *byte != b'\n')),
            // More than there is where a letter or a digit follows.
            Self::End => (usize::from(rest.iter().any(u8::is_ascii_alphanumeric)), 0),
        }
    }
}

impl Outline {
    pub(super) fn new(place: Place, text: &'static str) -> Self {
        let mut parts: Vec<(Vec<u8>, Option<Hole>)> = vec![(Vec::new(), None)];
        for (literal, name) in pieces(text) {
            let hole = name.and_then(Hole::named);
            match parts.last_mut() {
                Some((before, is @ None)) => {
                    before.extend_from_slice(literal.as_bytes());
                    *is = hole;
                }
                _ => parts.push((literal.into(), hole)),
            }
        }
        Self { place, parts }
    }

    /// True if a message has the text; `None` if only the regular expression can tell.
    pub(super) fn is_in(&self, message: &[u8]) -> Option<bool> {
        let (&first, _) = self.parts.first()?.0.split_first()?;
        let mut steps = STEPS;
        let mut is_at = |at: usize| self.begins_at(message, at) && self.follows(0, &message[at..], &mut steps);
        let is_in = match self.place {
            Place::Begins => memchr_iter(first, message).any(&mut is_at),
            Place::Anywhere => {
                memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), message).any(&mut is_at)
            }
        };
        (steps > 0).then_some(is_in)
    }

    /// True if a message may begin there, after a level, a name or a bracket.
    fn begins_at(&self, message: &[u8], at: usize) -> bool {
        let before = &message[..at];
        let spaces = before.iter().rev().take_while(|byte| **byte == b' ').count();
        self.place == Place::Anywhere
            || before.is_empty()
            || matches!(before[..at - spaces].last(), Some(b']' | b':' | b'>' | b'|' | b'\t' | b'-'))
            || matches!(before.last(), Some(b'"' | b'\'' | b'`'))
            || matches!(before, [.., b')' | b'*' | b'$' | b'#', b' '])
            || before.trim_ascii_start() == NAME_OF_DEBUG
    }

    /// True if this part and all after it stand at the beginning of `rest`.
    fn follows(&self, part: usize, rest: &[u8], steps: &mut u32) -> bool {
        let Some((literal, hole)) = self.parts.get(part) else { return true };
        *steps = steps.saturating_sub(1);
        if *steps == 0 {
            // Nothing more is tried.
            return true;
        }
        let Some((begin, rest)) = rest.split_at_checked(literal.len()) else { return false };
        let is_alike = match self.place {
            Place::Begins => begin == literal,
            Place::Anywhere => begin.eq_ignore_ascii_case(literal),
        };
        let Some(hole) = hole.filter(|_| is_alike) else { return is_alike };
        let (least, most) = hole.room(rest);
        // What follows the last hole is anything.
        let is_last = self.parts.get(part + 1).is_none_or(|(literal, hole)| literal.is_empty() && hole.is_none());
        if is_last { least <= most } else { (least..=most).any(|held| self.follows(part + 1, &rest[held..], steps)) }
    }
}

/// The pieces of a text: what stands there, and the name of the hole after it.
pub(super) fn pieces(text: &'static str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let mut pieces = text.split('<');
    let first = pieces.next().unwrap_or_default();
    let mut all = vec![(first, None)];
    for piece in pieces {
        let (name, rest) = piece.split_once('>').expect("a hole is closed");
        if let Some(last) = all.last_mut() {
            last.1 = Some(name);
        }
        all.push((rest, None));
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_where_its_parts_follow_each_other() {
        let has = |place, text, message: &[u8]| Outline::new(place, text).is_in(message);
        for (text, yes, no) in [
            ("Invalid user <user> from", "sshd[1]: Invalid user a from h", "sshd[1]: Failed for Invalid user a from h"),
            ("closed by <address> port <port>", "closed by h port 22", "closed by user a h port 22"),
            ("try <n> of <n>", "try -1 of 22", "try - of 22"),
            ("<kind=cipher>no <names>", "> no ", "a no"),
            ("exit <code>", "$ exit 1", "$ exit x"),
            ("a <why> b", "a  b", "a\nb"),
            ("said <why>: <n>", "said a: b: 7", "said a: b: c"),
        ] {
            assert_eq!(has(Place::Begins, text, yes.as_bytes()), Some(true), "{text}");
            assert_eq!(has(Place::Begins, text, no.as_bytes()), Some(false), "{text}");
        }
        assert_eq!(has(Place::Anywhere, "Invalid User <user>", b"for invalid user a"), Some(true));
        assert_eq!(has(Place::Begins, "<user>: no", b""), None);
    }

    #[test]
    fn a_message_that_takes_long_is_left_to_the_regular_expression() {
        let outline = Outline::new(Place::Anywhere, "a<why>a<why>a<why>a<why>b");
        assert_eq!(outline.is_in(&vec![b'a'; 4000]), None);
    }
}
