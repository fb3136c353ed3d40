//! Sentences that a mail client, a terminal or a web page broke into several lines.

use memchr::memchr_iter;

use super::lexicon::{Found, Lexicon};
use super::mask::Message;
use super::record::Record;

/// The lines of one sentence: at 40 columns, the longest text of the catalogue has four.
const LINES: usize = 4;
/// The shortest line that was broken, bytes, where syslog put nothing before it: a long word leaves most of a line empty.
const SHORTEST: usize = 12;
/// The shortest line that a terminal broke in the middle of a word, bytes.
const TERMINAL: usize = 60;
/// The bytes of a broken line and the sentence so far; no page is this wide.
const WIDEST: usize = 1024;
/// The lines at the beginning of a log that are joined. What is pasted from a mail or a page is shorter; a log of a service is not broken.
const JOINED: u32 = 20_000;
/// The beginnings of lines that are never the rest of another: levels, prompts, stack frames, rulers.
const BEGINNINGS: [&[u8]; 21] = [
    b"debug",
    b"DEBUG",
    b"INFO",
    b"WARN",
    b"ERROR",
    b"FATAL",
    b"TRACE",
    b"Traceback",
    b"Caused by",
    b"File \"",
    b"at ",
    b"{",
    b"}",
    b"$ ",
    b"% ",
    b"@@",
    b"==",
    b"--",
    b"~",
    b"ssh ",
    b"sudo ",
];

/// The beginnings of lines of code, as stack traces quote them.
const CODE: [&[u8]; 6] = [b"raise ", b"throw ", b"return ", b"await ", b"self.", b"File \""];

/// Joins lines where the whole has a text of the catalogue, or a step, that none of its lines has.
pub(super) struct Joiner<'a> {
    lexicon: &'a Lexicon,
    /// Lines each of which may be the rest of the one before, and may go on.
    held: Vec<Held>,
    taken: u32,
}

struct Held {
    number: u64,
    record: Record<'static>,
    found: Option<Found>,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(lexicon: &'a Lexicon) -> Self {
        Self { lexicon, held: Vec::with_capacity(LINES), taken: 0 }
    }

    /// Takes the record of a line, and hands on those that nothing can follow any more.
    pub(super) fn take(&mut self, number: u64, record: &Record<'_>, mut next: impl FnMut(u64, &Record<'_>)) {
        self.taken = self.taken.saturating_add(1);
        let is_rest = self.is_rest(record);
        let goes_on = may_go_on(record, if is_rest { 1 } else { SHORTEST });
        if is_rest {
            let found = self.look(&record.message);
            if self.join(&record.message, &found) {
                if !goes_on {
                    self.rest(&mut next);
                }
                return;
            }
            if goes_on {
                if self.held.len() + 1 == LINES {
                    let first = self.held.remove(0);
                    next(first.number, &first.record);
                }
                self.held.push(Held { number, record: record.to_owned(), found: Some(found) });
                return;
            }
        }
        self.rest(&mut next);
        if goes_on && self.taken < JOINED {
            self.held.push(Held { number, record: record.to_owned(), found: None });
        } else {
            next(number, record);
        }
    }

    /// Hands on the lines that are left.
    pub(super) fn rest(&mut self, mut next: impl FnMut(u64, &Record<'_>)) {
        for held in self.held.drain(..) {
            next(held.number, &held.record);
        }
    }

    fn look(&self, message: &[u8]) -> Found {
        self.lexicon.look(&Message::new(message))
    }

    /// True if a line may be the rest of the last one.
    fn is_rest(&self, record: &Record<'_>) -> bool {
        let Some(last) = self.held.last() else { return false };
        let text = text(&record.message, &last.record.message);
        record.stamp.is_none()
            && record.ident.is_none()
            && record.pid.is_none()
            && !text.is_empty()
            && text.len() <= WIDEST
            && !BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
    }

    /// Joins a line to the lines before it with which it makes a text.
    fn join(&mut self, rest: &[u8], rest_found: &Found) -> bool {
        for held in &mut self.held {
            if held.found.is_none() {
                held.found = Some(self.lexicon.look(&Message::new(&held.record.message)));
            }
        }
        let mut best: Option<(usize, Vec<u8>, Found)> = None;
        for first in (0..self.held.len()).rev() {
            let lines: Vec<&[u8]> = self.held[first..].iter().map(|held| &*held.record.message).collect();
            let end = best.as_ref().map_or(self.held.len(), |(first, ..)| *first);
            let last = best.as_ref().map_or(rest_found, |(.., found)| found);
            let parts: Vec<&Found> =
                self.held[first..end].iter().filter_map(|held| held.found.as_ref()).chain([last]).collect();
            let is_open = is_open(lines[0]);
            let found = wholes(&lines, rest).into_iter().find_map(|whole| {
                let found = self.look(&whole);
                is_one(&found, &parts, is_open).then_some((first, whole, found))
            });
            best = found.or(best);
        }
        let Some((first, whole, found)) = best else { return false };
        self.held.truncate(first + 1);
        self.held[first].record.message = whole.into();
        self.held[first].found = Some(found);
        true
    }
}

/// True if a whole has a text or a step that none of its parts has, or if its parts have texts and the first one is open.
fn is_one(whole: &Found, parts: &[&Found], is_open: bool) -> bool {
    let has_text = |symptom: &usize| parts.iter().any(|part| part.symptoms.contains(symptom));
    let steps = parts.iter().filter(|part| part.event.is_some()).count();
    let is_step = whole.event.is_some() && parts.iter().all(|part| part.event != whole.event);
    let is_new = is_step || whole.symptoms.iter().any(|symptom| !has_text(symptom));
    // Two steps in two lines are no broken sentence.
    is_open && (is_new || parts.iter().all(|part| !part.symptoms.is_empty())) || is_new && steps < 2
}

/// True if a line announces what follows: it ends in a colon or comma, or in a bracket.
fn is_open(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let count = |bracket: u8| memchr_iter(bracket, line).count();
    line.ends_with(b":") || line.ends_with(b",") || count(b'(') > count(b')')
}

/// True if a line is long enough to have been broken, and ends in the middle of a sentence.
fn may_go_on(record: &Record<'_>, shortest: usize) -> bool {
    let message = record.message.trim_ascii();
    // A line of code in a stack trace has its message in the line after it.
    if CODE.iter().any(|word| message.starts_with(word)) {
        return false;
    }
    let shortest = if record.stamp.is_some() || record.ident.is_some() { 1 } else { shortest };
    (shortest..=WIDEST).contains(&message.len()) && message.last().is_some_and(|last| !b".!?{}".contains(last))
}

/// A line without the indent and the marks of a quotation, and those of a comment where the line before has them too.
fn text<'a>(line: &'a [u8], before: &[u8]) -> &'a [u8] {
    let is_comment = before.trim_ascii_start().first().is_some_and(|first| b"#*/+".contains(first));
    let is_mark = |byte: &u8| b" \t>|".contains(byte) || is_comment && b"#*/+".contains(byte);
    &line[line.iter().take_while(|byte| is_mark(byte)).count()..]
}

/// The sentences that lines may have been: broken at a space, or in the middle of a word.
fn wholes(parts: &[&[u8]], rest: &[u8]) -> Vec<Vec<u8>> {
    let joined = |between: &[u8]| {
        let mut whole = Vec::new();
        for (at, part) in parts.iter().chain([&rest]).enumerate() {
            if at == 0 {
                whole.extend_from_slice(part.trim_ascii_end());
            } else {
                whole.extend_from_slice(between);
                whole.extend_from_slice(text(part, parts[0]).trim_ascii_end());
            }
        }
        whole
    };
    let in_a_word = parts.iter().all(|part| part.len() >= TERMINAL) && !rest.starts_with(b" ");
    let mut wholes = vec![joined(b" ")];
    if in_a_word {
        wholes.push(joined(b""));
    }
    wholes
}

#[cfg(test)]
mod tests {
    use super::Joiner;
    use crate::logs::lexicon::Lexicon;
    use crate::logs::record::Records;

    const TEXTS: [&str; 3] = [
        "no matching key exchange method found. Their offer: <names>",
        "Connection refused",
        "open failed: administratively prohibited: open failed",
    ];

    fn joined(log: &str) -> Vec<(u64, String)> {
        let lexicon = Lexicon::new(TEXTS.to_vec());
        let mut joiner = Joiner::new(&lexicon);
        let mut records = Records::default();
        let mut all = Vec::new();
        let mut keep = |number, record: &crate::logs::record::Record<'_>| {
            all.push((number, String::from_utf8_lossy(&record.message).into_owned()));
        };
        for (at, line) in log.lines().enumerate() {
            if let Some(record) = records.next(line.as_bytes()) {
                joiner.take(at as u64 + 1, &record, &mut keep);
            }
        }
        joiner.rest(&mut keep);
        all
    }

    #[test]
    fn a_sentence_in_several_lines_is_one_message_with_the_number_of_its_first() {
        for (log, message) in [
            (
                "ssh: connect to host db port 22: Connection\nrefused",
                "ssh: connect to host db port 22: Connection refused",
            ),
            (
                "> ssh: connect to host db port 22: Connection\n>   refused",
                "> ssh: connect to host db port 22: Connection refused",
            ),
            (
                "Unable to negotiate with 192.0.2.7 port 22: no matching\n    key exchange method\n    found. Their offer: a",
                "Unable to negotiate with 192.0.2.7 port 22: no matching key exchange method found. Their offer: a",
            ),
            (
                "channel 3 of the forwarding to db.example.com:5432: open failed: administra\ntively prohibited: open failed",
                "channel 3 of the forwarding to db.example.com:5432: open failed: administratively prohibited: open failed",
            ),
        ] {
            assert_eq!(joined(log), [(1, message.to_owned())], "{log}");
        }
    }

    #[test]
    fn lines_that_are_whole_stay_apart() {
        for log in [
            "the peer of this client printed: Connection\n\nrefused by its owner",
            "the peer of this client printed: Connection\ndebug1: refused",
            "the peer of this client printed: Connection\nNov 20 10:00:00 web1 sshd[12]: refused",
            "the peer of this client printed a Connection.\nrefused by its owner",
            "one line about nothing in particular\nand another line about nothing",
            "too short\nConnection refused",
        ] {
            assert_eq!(joined(log).len(), log.lines().count(), "{log}");
        }
    }

    #[test]
    fn lines_that_are_handed_on_keep_their_order() {
        let log = "a first line that could go on\na second line that could go on\na third line that could go on\n\
            a fourth line that could go on\na fifth line that could go on\nlast.";
        let numbers: Vec<_> = joined(log).iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    }
}
