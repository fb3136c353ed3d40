//! All texts that are looked for, compiled together: steps, programs, complaints, and the texts of the catalogue.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::cut::ends_in;
use super::languages;
use super::mask::Message;
use super::outline::Place;
use super::pattern::Patterns;
use super::phrases;
use super::programs::PROGRAMS;
use super::{clients, openssh, sshd};
use crate::facts::log::{Event, Program};

/// The words for which a line that no text matches is worth quoting.
const COMPLAINT: &str = r"(?i)\b(?:error|failed|failure|fatal|refused|denied|timed? ?out|timeout|unable|cannot|can't|could not|couldn't|invalid|reset|aborted|rejected|unreachable|broken|exception|not allowed|no such|expired|disconnected|mismatch|unexpected(?:ly)?|lost|unknown|missing|not found|too many|too long|not permitted|prohibited|(?:does|do|did)(?: not|n't) (?:match|support|accept|recogni[sz]e)|not (?:yet )?(?:been )?(?:captured|pinned|accepted|trusted|verified|confirmed|recorded)|not supported|unsupported|incompatible)\b|[a-z](?:exception|error|lost|verifiable):|^(?:exception|caused by)?:? ?[a-z_]+(?:\.[a-z_]+)*\.\w+exception$";

/// The texts, and the meaning of each.
pub(super) struct Lexicon {
    patterns: Patterns,
    symptoms: Vec<&'static str>,
}

/// The findings in a message.
#[derive(Default)]
pub(super) struct Found {
    /// The step that it records.
    pub(super) event: Option<Event>,
    /// The values in it.
    pub(super) values: BTreeMap<String, String>,
    /// The program that writes so.
    pub(super) program: Option<Program>,
    /// The texts of the catalogue in it, by their places in it.
    pub(super) symptoms: Vec<usize>,
    /// True if it sounds like a complaint, and has nothing else that is known.
    pub(super) complains: bool,
    /// The message in English, where it has words of another language that are known.
    pub(super) english: Option<Vec<u8>>,
}

fn events() -> impl Iterator<Item = &'static (&'static str, Event)> {
    sshd::TEXTS.iter().chain(openssh::TEXTS).chain(clients::TEXTS)
}

fn complains(message: &[u8]) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        RegexBuilder::new(COMPLAINT).unicode(false).build().expect("the words of a complaint compile")
    });
    WORDS.is_match(message)
}

impl Lexicon {
    /// Compiles everything, with these texts of the catalogue.
    pub(super) fn new(symptoms: Vec<&'static str>) -> Self {
        let texts = events().map(|(text, _)| (Place::Begins, *text));
        let programs = PROGRAMS.iter().map(|(text, _)| (Place::Anywhere, *text));
        let own = symptoms.iter().map(|text| (Place::Anywhere, *text));
        let patterns = Patterns::new(texts.chain(programs).chain(own));
        Self { patterns, symptoms }
    }

    /// The texts of the catalogue.
    pub(super) fn symptoms(&self) -> &[&'static str] {
        &self.symptoms
    }

    /// The texts of the catalogue in whose middle a message was cut.
    pub(super) fn symptoms_cut(&self, message: &[u8]) -> Vec<usize> {
        (0..self.symptoms.len()).filter(|at| ends_in(self.symptoms[*at], message)).collect()
    }

    /// Looks for everything in one message, in whatever language.
    pub(super) fn look(&self, message: &Message<'_>) -> Found {
        let english = languages::english(message.text).or_else(|| phrases::english(message.text));
        let Some(english) = english else { return self.look_in_english(message) };
        let found = self.look_in_english(&Message::new(&english));
        Found { english: Some(english), ..found }
    }

    /// Looks for everything in one message of a program that translates none.
    pub(super) fn look_in_english(&self, message: &Message<'_>) -> Found {
        let mut found = Found::default();
        let (events_end, programs_end) = (events().count(), events().count() + PROGRAMS.len());
        for at in self.patterns.candidates(message.text) {
            if at < events_end {
                // The first text in the lists is the closest one.
                if found.event.is_none()
                    && let Some(values) = self.patterns.values(at, message)
                {
                    found.event = events().nth(at).map(|(_, event)| *event);
                    found.values = values;
                }
            } else if at < programs_end {
                if found.program.is_none() {
                    found.program = self.program(at, PROGRAMS[at - events_end].1, message);
                }
            } else if self.patterns.has(at, message.text) {
                found.symptoms.push(at - programs_end);
            }
        }
        found.complains = found.event.is_none() && found.symptoms.is_empty() && complains(message.text);
        found
    }

    fn program(&self, at: usize, name: &str, message: &Message<'_>) -> Option<Program> {
        let version = self.patterns.values(at, message)?.remove("version");
        let version = version.map(|version| version.trim_end_matches([',', ')', ']', '\'', ':', ';']).to_owned());
        Some(Program { name: name.to_owned(), version: version.filter(|version| !version.is_empty()) })
    }
}
