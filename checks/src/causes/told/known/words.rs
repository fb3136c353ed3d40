//! The words by which texts are compared: without their endings, without names, addresses and numbers, which differ from host to host.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

/// Words that any text has.
const COMMON: [&str; 22] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "i", "in", "is", "it", "its", "my", "of", "on",
    "or", "the", "this", "to",
];
/// Endings that change nothing of what a word names.
const ENDINGS: [&str; 4] = ["ing", "ed", "es", "s"];
/// The letters that a word keeps at least where its ending is cut off.
const STEM: usize = 3;
/// The weight of two adjacent words relative to a single word.
const PAIR: f64 = 0.5;

/// Words of somebody, or of a program, that has trouble.
const TROUBLE: &str = r"(?ix)
    \b(?:no|not|never|none|nothing|without|cannot|cant|\w+n't|dont|doesnt|didnt|wont|isnt|un\w+|dis\w+|fail\w*|errors?|fatal|den(?:y|ies|ied)|refus\w*
    |reject\w*|los[et]\w*|clos(?:e|es|ed|ing)|drop\w*|h[au]ng\w*|fr[eo]+z\w*|stuck|slow\w*|stall\w*|time[ds]?\ ?out\w*|timeouts?|wrong|bad|invalid
    |incorrect|br[eo]+k\w*|die[sd]?|dead|dying|kill\w*|kick\w*|reset\w*|mis\w+|chang\w+|differ\w*|expire\w*|lock\w*|too|only|violat\w*|corrupt\w*
    |abort\w*|block\w*|bann?\w*|limit\w*|exceed\w*|garbl\w*|warn\w*|complain\w*|ask(?:s|ed|ing)?|still|instead|stop\w*|gone|goes|away|end(?:s|ed)?
    |exit\w*|quit\w*|full|old|outdated|deprecated|weak\w*|tak(?:e|es|ing)|took|wait\w*|long|lag\w*|minutes?|seconds|hours?|crash\w*|interrupt\w*
    |terminat\w*|problem\w*|trouble\w*|issues?|stale|prohibit\w*|forbid\w*|retr\w*|truncat\w*|partial|suddenly|since|already|busy|overload\w*
    |required|needs?|restrict\w*|odd|gets?|declin\w*|loss)\b";

/// Replacements, applied in this order.
static SUBSTITUTES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let substitutes = [
        (r"\b(?:can't|cannot|can not|could not|couldn't|unable|fail(?:ed|s|ure|ures|ing)?)\b", "fail"),
        (r"n't\b", " not"),
        (r"\b(?:\d+\.){3}\d+(?::\d+)?", " address "),
        (r"\b[\w.+-]+@[\w.-]+(?::\d+)?", " account "),
        (r"\b\d{4,}\b", " number "),
    ];
    substitutes.map(|(words, with)| (expression(words), with)).into()
});
static WORD: LazyLock<Regex> = LazyLock::new(|| expression(r"[a-z][a-z']+|\d+"));

/// The words of a text and its pairs of adjacent words, each weighted by how often it occurs.
pub(super) fn terms(text: &str) -> BTreeMap<String, f64> {
    let lower = text.to_lowercase();
    let text = SUBSTITUTES.iter().fold(lower, |text, (words, with)| words.replace_all(&text, *with).into_owned());
    let words: Vec<&str> =
        WORD.find_iter(&text).map(|word| word.as_str()).filter(|word| !COMMON.contains(word)).map(stem).collect();
    let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let pairs = words.windows(2).map(|pair| (format!("{} {}", pair[0], pair[1]), PAIR));
    for (term, weight) in words.iter().map(|word| ((*word).to_owned(), 1.0)).chain(pairs) {
        counts.entry(term).or_insert((0.0, weight)).0 += 1.0;
    }
    counts.into_iter().map(|(term, (count, weight))| (term, weight * (1.0 + count.ln()))).collect()
}

/// True if a text has a word of trouble.
pub(super) fn is_of_trouble(text: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| expression(TROUBLE));
    WORDS.is_match(text)
}

fn expression(words: &str) -> Regex {
    RegexBuilder::new(words).unicode(false).build().expect("the expression compiles")
}

fn stem(word: &str) -> &str {
    let stems = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending)).find(|stem| stem.len() >= STEM);
    stems.unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_endings_make_no_difference() {
        let of = |text: &str| terms(text).into_keys().collect::<Vec<_>>();
        assert_eq!(of("kim@web1 couldn't reach 192.0.2.7:22"), of("ann@db5.example failed reaching 198.51.100.1"));
        assert_ne!(of("refused by 192.0.2.7"), of("accepted by 192.0.2.7"));
    }
}
