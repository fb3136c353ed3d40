//! Texts whose causes are known. One that no rule understands is compared with them: what has the words of a known text may have its cause.

mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use words::{is_of_trouble, terms};

/// Texts of complaints, each below a line that begins with `==` and names its causes, or `none`.
const TEXTS: &str = include_str!("texts.txt");
/// Descriptions of faults by people and programs: below each `==` line, one description per line.
const PHRASES: &str = include_str!("phrases.txt");
/// Texts of what works, and of other programs, below lines that say which.
const HARMLESS: &str = include_str!("harmless.txt");
/// The words of the longest text that another is compared with: a whole log has words of everything.
const WORDS_MAX: usize = 40;
/// The neighbours that have a say, and what the say of each in its second cause is divided by beyond one, in its third twice that, and so on.
const NEIGHBOURS: usize = 7;
const RANK: f64 = 0.5;
/// The likeness from which a text is alike, from 0 to 1. Below it, two texts have no more than common words of the field.
const ALIKE: f64 = 0.2;
/// The likeness to harmless texts from which a text is harmless, and that to one from which the others have no say.
const ALIKE_IF_HARMLESS: f64 = 0.5;
const SAME: f64 = 0.75;
/// The share of the neighbours that are harmless from which nothing is said.
const HARMLESS_SHARE: f64 = 0.2;
/// The share of the neighbours that a candidate has at least, and the most candidates.
const SHARE_MIN: f64 = 0.2;
const CANDIDATES: usize = 4;

/// Texts whose causes are known; they are read at the first comparison.
#[derive(Debug)]
pub struct Known {
    index: LazyLock<Index>,
}

/// Texts, and where each term stands in them.
#[derive(Debug)]
struct Index {
    texts: Vec<Example>,
    /// The texts that have each term, and its weight in them.
    places: BTreeMap<String, Vec<(usize, f64)>>,
}

/// A known text.
#[derive(Debug, Clone, Copy)]
struct Example {
    /// Its causes, the likeliest first; none where nothing is wrong, or nothing that is SSH's.
    codes: &'static str,
    text: &'static str,
    /// True if it has no word of trouble.
    is_calm: bool,
}

/// The votes of the nearest texts for one cause.
struct Vote {
    of: Alike,
    /// The squares of their likeness, divided by the rank of the cause among those of each.
    say: f64,
    /// The squares of the likeness of all that name it.
    agree: f64,
}

/// A cause of texts that are like the one that was asked about.
#[derive(Debug, PartialEq)]
pub(super) struct Alike {
    pub(super) code: &'static str,
    /// The known text that is most like it.
    pub(super) text: &'static str,
}

impl Known {
    /// All texts.
    #[must_use]
    pub fn all() -> &'static Self {
        static ALL: Known = Known { index: LazyLock::new(|| Index::of(texts().collect())) };
        &ALL
    }

    /// No text: rules alone judge.
    #[must_use]
    pub fn nothing() -> Self {
        Self { index: LazyLock::new(|| Index::of(Vec::new())) }
    }

    /// The causes of the texts that are like this one; see [`Index::alike`].
    pub(super) fn alike(&self, text: &str, agreement: f64) -> Option<Vec<Alike>> {
        self.index.alike(text, agreement)
    }
}

impl Index {
    fn of(texts: Vec<Example>) -> Self {
        let mut places: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
        let all: Vec<_> = texts.iter().map(|text| terms(text.text)).collect();
        for (at, terms) in all.iter().enumerate() {
            for (term, weight) in terms {
                places.entry(term.clone()).or_default().push((at, *weight));
            }
        }
        let mut known = Self { texts, places };
        let lengths: Vec<f64> = all.iter().map(|terms| known.length(terms)).collect();
        let rarities: Vec<f64> = known.places.values().map(|places| known.rarity(places.len())).collect();
        for (places, rarity) in known.places.values_mut().zip(rarities) {
            for (at, weight) in places {
                *weight *= rarity / lengths[*at];
            }
        }
        known
    }

    /// The causes of the texts that are like this one, the likeliest first, and none where nothing is wrong in those; `None` where no text is like
    /// it, or where less than this share of them agrees.
    fn alike(&self, text: &str, agreement: f64) -> Option<Vec<Alike>> {
        let near = self.near(text);
        let votes = self.votes(&near);
        let all: f64 = near.iter().map(|(_, likeness)| likeness.powi(2)).sum();
        let (first, (at, likeness)) = (votes.first()?, *near.first()?);
        let harmless = votes.iter().find(|vote| !is_a_cause(vote.of.code)).map_or(0.0, |vote| vote.agree);
        if likeness >= SAME && !is_a_cause(self.texts[at].codes) {
            return Some(Vec::new());
        }
        if likeness < ALIKE || first.agree < agreement * all {
            None
        } else if !is_a_cause(first.of.code) {
            (likeness >= ALIKE_IF_HARMLESS).then(Vec::new)
        } else if harmless >= HARMLESS_SHARE * all || !is_of_trouble(text) {
            None
        } else {
            let candidates = votes.into_iter().filter(|vote| is_a_cause(vote.of.code) && vote.agree >= SHARE_MIN * all);
            Some(candidates.take(CANDIDATES).map(|vote| vote.of).collect())
        }
    }

    /// Counts the votes of the nearest texts, weighted by their similarity; the cause with the most votes comes first.
    fn votes(&self, near: &[(usize, f64)]) -> Vec<Vote> {
        let mut votes: Vec<Vote> = Vec::new();
        for (at, likeness) in near {
            let text = self.texts[*at];
            let agree = likeness.powi(2);
            for (rank, code) in (0_u8..).zip(text.codes.split(' ')) {
                let say = agree / RANK.mul_add(f64::from(rank), 1.0);
                match votes.iter_mut().find(|vote| vote.of.code == code) {
                    Some(vote) => (vote.say, vote.agree) = (vote.say + say, vote.agree + agree),
                    None => votes.push(Vote { of: Alike { code, text: text.text }, say, agree }),
                }
            }
        }
        votes.sort_by(|one, other| other.say.total_cmp(&one.say));
        votes
    }

    /// The texts that are most like this one, with their likeness: the cosine of the angle between the two as vectors of weighted terms.
    fn near(&self, text: &str) -> Vec<(usize, f64)> {
        let terms = terms(text);
        let length = self.length(&terms);
        let mut likeness: BTreeMap<usize, f64> = BTreeMap::new();
        for (term, weight) in &terms {
            let places = self.places.get(term).map_or(&[][..], Vec::as_slice);
            for (at, there) in places {
                *likeness.entry(*at).or_default() += weight * self.rarity(places.len()) / length * there;
            }
        }
        // What goes well tells nothing of trouble.
        let has_trouble = is_of_trouble(text);
        let is_apart = |at: usize| has_trouble && self.texts[at].is_calm && !is_a_cause(self.texts[at].codes);
        let mut near: Vec<_> = likeness.into_iter().filter(|(at, _)| !is_apart(*at)).collect();
        near.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        near.truncate(NEIGHBOURS);
        near
    }

    /// The inverse document frequency of a term that occurs in this many texts.
    fn rarity(&self, texts: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some thousands of texts")]
        let (all, having) = (self.texts.len() as f64, texts as f64);
        ((all + 1.0) / (having + 1.0)).ln()
    }

    /// The length of a text as a vector of weighted terms.
    fn length(&self, terms: &BTreeMap<String, f64>) -> f64 {
        let weights =
            terms.iter().map(|(term, weight)| weight * self.rarity(self.places.get(term).map_or(0, Vec::len)));
        weights.map(|weight| weight * weight).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
    }
}

fn is_a_cause(code: &str) -> bool {
    code != "none"
}

/// The texts of all files that are short enough to be compared.
fn texts() -> impl Iterator<Item = Example> {
    let below = |file: &'static str| file.split("\n== ").skip(1).filter_map(|one| one.split_once('\n'));
    let texts = [TEXTS, HARMLESS].into_iter().flat_map(below);
    let phrases = below(PHRASES).flat_map(|(codes, lines)| lines.lines().map(move |line| (codes, line)));
    let texts = texts.chain(phrases).map(|(codes, text)| {
        let is_harmless = ["unknown", "healthy", "succeeded"].contains(&codes);
        Example { codes: if is_harmless { "none" } else { codes }, text: text.trim(), is_calm: !is_of_trouble(text) }
    });
    texts.filter(|text| text.text.split_whitespace().take(WORDS_MAX + 1).count() <= WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two fifths of the texts are left out, each in its turn, and compared with the others.
    #[test]
    fn what_is_like_a_text_has_its_cause() {
        let (mut right, mut wrong, mut alarms) = (0, 0, 0);
        for part in [0, 2] {
            let (others, left_out): (Vec<_>, Vec<_>) = texts().enumerate().partition(|(at, _)| at % 5 != part);
            let known = Index::of(others.into_iter().map(|(_, text)| text).collect());
            for (_, text) in left_out {
                let Some(first) = known.alike(text.text, 0.5).and_then(|all| all.into_iter().next()) else { continue };
                let is_right = text.codes.split(' ').any(|code| code == first.code);
                right += usize::from(is_right);
                wrong += usize::from(!is_right);
                alarms += usize::from(!is_a_cause(text.codes));
            }
        }
        let said = right + wrong;
        println!("{right} right, {wrong} wrong, {alarms} alarms");
        assert!(said > 1500 && right * 100 > said * 80, "{right} of {said} are right");
        assert!(alarms * 100 < said * 5, "{alarms} harmless texts of {said}");
    }
}
