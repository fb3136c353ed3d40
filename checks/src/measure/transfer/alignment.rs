//! The alignment of the data that came back with the data sent, and the bytes between: the text of another process, or
//! an alteration.

use std::iter::zip;

/// The number of bytes of noise that do not agree by chance.
const PROOF: usize = 16;
/// The longest text in between that is looked for, and the longest alteration, bytes.
const LONGEST: usize = 4096;
/// The largest number of inserted texts: a line end that is altered everywhere is an alteration.
const MAX_INSERTIONS: usize = 16;

/// The data that came back, compared with the data sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Text that was not sent: where it stands in what was sent, and the text.
    pub(super) inserted: Vec<(usize, Vec<u8>)>,
    /// The first difference after which the data sent does not continue.
    pub(super) difference: Option<Difference>,
    /// Bytes of what was sent that have not come.
    pub(super) missing: usize,
}

/// The bytes that came back in place of those sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    /// The offset in the data sent.
    pub(super) at: usize,
    /// The offset in the data that came back.
    pub(super) back_at: usize,
    /// True if the data sent continues after it at its own offset: bytes were altered, and none added or lost.
    pub(super) in_place: bool,
    /// So little of it has come that it may still be text in front of what was sent.
    pub(super) open: bool,
}

impl Alignment {
    /// Compares what came back so far.
    pub(super) fn of(sent: &[u8], back: &[u8]) -> Self {
        let (mut at, mut back_at) = (0, 0);
        let mut found = Self::default();
        loop {
            let (there, here) = (rest(sent, at), rest(back, back_at));
            let same = zip(there, here).take_while(|(there, here)| there == here).count();
            at += same;
            back_at += same;
            let (there, here) = (rest(sent, at), rest(back, back_at));
            found.missing = there.len();
            if here.is_empty() {
                return found;
            }
            let length = if found.inserted.len() < MAX_INSERTIONS { text_before(there, here) } else { None };
            let Some(length) = length else {
                let in_place = altered(there, here);
                let open =
                    !in_place && found.inserted.len() < MAX_INSERTIONS && here.len() <= LONGEST && is_text_so_far(here);
                found.difference = Some(Difference { at, back_at, in_place, open });
                return found;
            };
            let from = whole_lines(back, back_at, length);
            found.inserted.push((at - (back_at - from), rest(back, from)[..length].to_vec()));
            back_at += length;
        }
    }

    /// True if nothing more may come that would tell anything.
    pub(super) fn is_settled(&self) -> bool {
        match self.difference {
            Some(difference) => !difference.open,
            None => self.missing == 0,
        }
    }

    /// Concludes once nothing more comes: text at the end of less than was sent is text.
    pub(super) fn at_the_end(mut self, back: &[u8]) -> Self {
        let text = self.difference.filter(|difference| difference.open).map(|it| (it.at, rest(back, it.back_at)));
        if let Some((at, text)) = text
            && text.len() != self.missing
            && is_text(text)
        {
            self.inserted.push((at, text.to_vec()));
            self.difference = None;
        }
        self
    }
}

fn rest(bytes: &[u8], from: usize) -> &[u8] {
    bytes.get(from..).unwrap_or_default()
}

/// Returns the length of the inserted text after which the data sent continues.
fn text_before(there: &[u8], here: &[u8]) -> Option<usize> {
    let proof = &there[..there.len().min(PROOF)];
    let mut lengths = 1..=here.len().min(LONGEST);
    let length = if proof.len() == PROOF {
        lengths.find(|length| rest(here, *length).starts_with(proof))?
    } else {
        // At the end of what was sent, little or nothing is left to prove it: nothing else may follow.
        here.len().checked_sub(proof.len()).filter(|length| lengths.contains(length) && here.ends_with(proof))?
    };
    is_text(&here[..length]).then_some(length)
}

/// True if what was sent goes on at the same distance.
fn altered(there: &[u8], here: &[u8]) -> bool {
    let (there, here) = (there.windows(PROOF), here.windows(PROOF));
    zip(there, here).take(LONGEST).any(|(there, here)| there == here)
}

/// Returns the beginning of an insertion that ends with a line: its first bytes may by chance equal the next ones sent.
fn whole_lines(back: &[u8], at: usize, length: usize) -> usize {
    /// The number of bytes that agree by chance at most.
    const CHANCE: usize = 3;
    let shifts = (0..=CHANCE.min(at))
        .take_while(|shift| (1..=*shift).all(|back_by| back.get(at - back_by) == back.get(at + length - back_by)));
    let ends_a_line = |shift: &usize| back.get(at + length - shift - 1) == Some(&b'\n');
    at - shifts.filter(|shift| *shift < length).find(ends_a_line).unwrap_or(0)
}

/// True if all that came back is what was sent with CR LF in place of each LF, as a terminal and some servers write it.
pub(super) fn ends_lines_anew(sent: &[u8], back: &[u8]) -> bool {
    let mut written =
        sent.iter().flat_map(|byte| if *byte == b'\n' { "\r\n".as_bytes() } else { std::slice::from_ref(byte) });
    back.iter().all(|byte| written.next() == Some(byte)) && back.windows(2).any(|pair| pair == b"\r\n")
}

/// True if a process may have printed it for people to read.
fn is_text(bytes: &[u8]) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c.is_ascii_punctuation();
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_printed) && text.chars().any(is_word))
}

/// True if it is text where the last character may be incomplete, and what was sent may follow it.
fn is_text_so_far(bytes: &[u8]) -> bool {
    /// Bytes of the data sent that may follow the text and prove nothing yet.
    const LAST: usize = PROOF + 3;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().saturating_sub(LAST)]).into_owned();
    text.chars().all(is_printed)
}

fn is_printed(c: char) -> bool {
    !c.is_control() && c != char::REPLACEMENT_CHARACTER || matches!(c, '\n' | '\r' | '\t' | '\u{1b}' | '\u{7}')
}

#[cfg(test)]
mod tests {
    use super::{Alignment, ends_lines_anew};
    use crate::base::nonce::noise;

    fn flipped_at(sent: &[u8], at: usize) -> Vec<u8> {
        let mut back = sent.to_vec();
        back[at] ^= 0x20;
        back
    }

    fn with(sent: &[u8], at: usize, text: &str) -> Vec<u8> {
        [&sent[..at], text.as_bytes(), &sent[at..]].concat()
    }

    #[test]
    fn text_between_is_found_wherever_it_stands() {
        for seed in 1..300 {
            let sent = noise(seed, 9000);
            for at in [0, 1, 4000, 8990, 8999, 9000] {
                let found = Alignment::of(&sent, &with(&sent, at, "late line\n"));
                assert_eq!(found.inserted, [(at, b"late line\n".to_vec())], "{seed} at {at}");
                assert!(found.difference.is_none() && found.is_settled(), "{seed} at {at}: {found:?}");
            }
        }
        let sent = noise(7, 9000);
        let twice = with(&with(&sent, 5000, "second\n"), 30, "first\n");
        assert_eq!(Alignment::of(&sent, &twice).inserted, [(30, b"first\n".to_vec()), (5000, b"second\n".to_vec())]);
        let long = "no more than a start-up file prints\n".repeat(100);
        assert_eq!(Alignment::of(&sent, &with(&sent, 5, &long)).inserted.len(), 1);
    }

    #[test]
    fn what_has_come_so_far_settles_nothing_too_early() {
        let sent = noise(3, 9000);
        let whole = with(&sent, 8995, "late line\n");
        let early = Alignment::of(&sent, &whole[..9000]);
        assert!(!early.is_settled(), "{early:?}");
        assert!(!Alignment::of(&sent, &whole[..whole.len() - 1]).is_settled());
        assert!(Alignment::of(&sent, &whole).is_settled());
        let cut = Alignment::of(&sent, &whole[..9005]).at_the_end(&whole[..9005]);
        assert_eq!((cut.inserted.len(), cut.difference), (1, None), "a last word in front of the end");
        assert!(!Alignment::of(&sent, &sent[..8000]).is_settled());
        assert!(Alignment::of(&sent, &sent).is_settled());
    }

    #[test]
    fn an_alteration_is_none_of_this() {
        let sent = noise(5, 9000);
        let flipped = |at: usize| {
            let back = flipped_at(&sent, at);
            Alignment::of(&sent, &back).at_the_end(&back)
        };
        for at in [0, 100, 8980, 8999] {
            let found = flipped(at);
            assert!(found.inserted.is_empty(), "{at}: {found:?}");
            assert_eq!(found.difference.unwrap().at, at);
            assert_eq!(found.difference.unwrap().in_place, at < 8983, "{at}");
        }
        let lines: Vec<u8> =
            sent.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
        let found = Alignment::of(&sent, &lines);
        assert!(found.inserted.is_empty() && found.difference.is_some_and(|it| !it.in_place), "{found:?}");
        assert!(ends_lines_anew(&sent, &lines) && ends_lines_anew(&sent, &lines[..5000]));
        assert!(!ends_lines_anew(&sent, &sent) && !ends_lines_anew(&sent, &flipped_at(&sent, 4000)));
        let repeated = [&sent[..5000], &sent[4000..]].concat();
        let found = Alignment::of(&sent, &repeated);
        assert!(found.inserted.is_empty() && found.difference.is_some(), "a packet that came twice is no text");
        let lost = [&sent[..5000], &sent[5100..]].concat();
        let found = Alignment::of(&sent, &lost);
        assert!(found.inserted.is_empty() && found.difference.is_some_and(|it| !it.in_place));
    }
}
