//! Texts whose causes are known. One that no rule understands is compared with them: what has the words of a known text may have its cause.

mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use words::terms;

/// Texts of complaints, each below a line that begins with `==` and names its causes, or `none`.
const TEXTS: &str = include_str!("texts.txt");
/// Texts of what works, and of other programs, below lines that say which.
const HARMLESS: &str = include_str!("harmless.txt");
/// The words of the longest text that another is compared with: a whole log has words of everything.
const WORDS_MAX: usize = 40;
/// The neighbours that have a say, and what their likeness, squared, is divided by for their second cause, their third, and so on.
const NEIGHBOURS: usize = 7;
const RANK: f64 = 0.5;
/// The likeness from which a text is alike, from 0 to 1, and the share of the say that its first cause must have. Of the texts of a session
/// that earlier ones were compared with, 80 of 100 that passed both had that cause.
const ALIKE: f64 = 0.25;
const SHARE: f64 = 0.6;
/// The share of the say below which a cause is no candidate.
const SHARE_MIN: f64 = 0.1;

/// Texts whose causes are known.
#[derive(Debug)]
pub struct Known {
    texts: Vec<Text>,
    /// The texts that have each term, and its weight in them.
    places: BTreeMap<String, Vec<(usize, f64)>>,
}

/// A known text.
#[derive(Debug, Clone, Copy)]
struct Text {
    /// Its causes, the likeliest first; none where nothing is wrong, or nothing that is SSH's.
    codes: &'static str,
    text: &'static str,
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
        static ALL: LazyLock<Known> = LazyLock::new(|| Known::of(texts().collect()));
        &ALL
    }

    /// No text: rules alone judge.
    #[must_use]
    pub fn nothing() -> Self {
        Self::of(Vec::new())
    }

    fn of(texts: Vec<Text>) -> Self {
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

    /// The causes of the texts that are like this one, the likeliest first; none where no text is, or where those that are differ.
    pub(super) fn alike(&self, text: &str) -> Vec<Alike> {
        let near = self.near(text);
        let mut says: Vec<(f64, Option<Alike>)> = Vec::new();
        for (at, likeness) in &near {
            let text = self.texts[*at];
            for (rank, code) in (0_u8..).zip(text.codes.split(' ')) {
                let say = likeness.powi(2) / RANK.mul_add(f64::from(rank), 1.0);
                let alike = is_a_cause(code).then_some(Alike { code, text: text.text });
                match says
                    .iter_mut()
                    .find(|(_, known)| known.as_ref().map(|one| one.code) == alike.as_ref().map(|one| one.code))
                {
                    Some((sum, _)) => *sum += say,
                    None => says.push((say, alike)),
                }
            }
        }
        let all: f64 = says.iter().map(|(say, _)| say).sum();
        says.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let is_alike = near.first().is_some_and(|(_, likeness)| *likeness >= ALIKE);
        let is_agreed = says.first().is_some_and(|(say, first)| *say >= SHARE * all && first.is_some());
        let enough = says.into_iter().take_while(|(say, _)| is_alike && is_agreed && *say >= SHARE_MIN * all);
        enough.filter_map(|(_, alike)| alike).collect()
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
        let mut near: Vec<_> = likeness.into_iter().collect();
        near.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        near.truncate(NEIGHBOURS);
        near
    }

    /// What a term weighs that this many texts have: the fewer, the more.
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
    !["none", "unknown", "healthy", "succeeded"].contains(&code)
}

/// The texts of both files that are short enough to be compared.
fn texts() -> impl Iterator<Item = Text> {
    let all = [TEXTS, HARMLESS].into_iter().flat_map(|file| file.split("\n== ").skip(1));
    let texts = all.filter_map(|one| one.split_once('\n')).map(|(codes, text)| Text { codes, text: text.trim() });
    texts.filter(|text| text.text.split_whitespace().take(WORDS_MAX + 1).count() <= WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every fifth text is left out and compared with the others.
    #[test]
    fn what_is_like_a_text_has_its_cause() {
        let (mut right, mut wrong, mut alarms) = (0, 0, 0);
        for part in 0..5 {
            let (others, left_out): (Vec<_>, Vec<_>) = texts().enumerate().partition(|(at, _)| at % 5 != part);
            let known = Known::of(others.into_iter().map(|(_, text)| text).collect());
            for (_, text) in left_out {
                let Some(first) = known.alike(text.text).into_iter().next() else { continue };
                let is_right = text.codes.split(' ').any(|code| code == first.code);
                right += usize::from(is_right);
                wrong += usize::from(!is_right);
                alarms += usize::from(!is_a_cause(text.codes));
            }
        }
        assert_eq!((right, wrong, alarms), (0, 0, 0));
    }
}
