//! Names folded as node sets: `web[04,07-09].fra`.

use std::collections::{BTreeMap, BTreeSet};

/// A name taken apart: text, and numbers in it as they are written.
type Parts = Vec<Part>;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    Numbers(BTreeSet<Number>),
}

/// A number with its leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    value: u64,
    width: usize,
}

/// The most digits that are taken for a number.
const DIGITS: usize = 15;

/// The names, those that differ in numbers alone as one with ranges in brackets; sorted, each once.
pub(super) fn fold(names: &BTreeSet<String>) -> Vec<String> {
    let mut sets: Vec<Parts> = names.iter().map(|name| parts(name)).collect();
    let longest = sets.iter().map(Vec::len).max().unwrap_or_default();
    // The last number varies most.
    for at in (0..longest).rev() {
        let mut groups: BTreeMap<Parts, BTreeSet<Number>> = BTreeMap::new();
        let mut others = Vec::new();
        for mut set in sets {
            match set.get_mut(at) {
                Some(Part::Numbers(numbers)) => {
                    let numbers = std::mem::take(numbers);
                    groups.entry(set).or_default().extend(numbers);
                }
                _ => others.push(set),
            }
        }
        for (mut set, numbers) in groups {
            set[at] = Part::Numbers(numbers);
            others.push(set);
        }
        sets = others;
    }
    sets.sort();
    sets.iter().map(|set| set.iter().map(describe).collect()).collect()
}

fn parts(name: &str) -> Parts {
    let mut parts = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        parts.push(match piece.parse() {
            Ok(value) if digit && piece.len() <= DIGITS => {
                let width = if piece.starts_with('0') { piece.len() } else { 0 };
                Part::Numbers([Number { value, width }].into())
            }
            _ => Part::Text(piece.to_owned()),
        });
        rest = after;
    }
    parts
}

fn describe(part: &Part) -> String {
    let numbers = match part {
        Part::Text(text) => return text.clone(),
        Part::Numbers(numbers) => numbers,
    };
    let written = |number: &Number| format!("{:0width$}", number.value, width = number.width);
    let mut ranges: Vec<(&Number, &Number)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if follows(last, number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let ranges: Vec<_> = ranges
        .into_iter()
        .map(|(first, last)| match last.value - first.value {
            0 => written(first),
            1 => format!("{},{}", written(first), written(last)),
            _ => format!("{}-{}", written(first), written(last)),
        })
        .collect();
    if numbers.len() == 1 { ranges.concat() } else { format!("[{}]", ranges.join(",")) }
}

/// True if a number comes right after another and is written alike: 9 and 10, 09 and 10, not 9 and 010.
fn follows(last: &Number, next: &Number) -> bool {
    let digits = |number: &Number| number.width.max(number.value.to_string().len());
    let alike = last.width == next.width || (last.width > 0 && next.width == 0 && digits(last) == digits(next));
    alike && next.value == last.value + 1
}

#[cfg(test)]
mod tests {
    use super::fold;

    fn folded(names: &[&str]) -> Vec<String> {
        fold(&names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn numbers_fold_into_ranges_and_keep_their_zeros() {
        assert_eq!(folded(&["web04.fra", "web07.fra", "web08.fra", "web09.fra"]), ["web[04,07-09].fra"]);
        assert_eq!(folded(&["n8", "n9", "n10", "n11"]), ["n[8-11]"]);
        assert_eq!(folded(&["n09", "n10", "n11"]), ["n[09-11]"]);
        assert_eq!(folded(&["n9", "n010"]), ["n[9,010]"]);
        assert_eq!(folded(&["db", "web1", "db"]), ["db", "web1"]);
    }

    #[test]
    fn several_numbers_fold_where_all_combinations_are_there() {
        let all: Vec<String> = (0..2).flat_map(|a| (1..=3).map(move |b| format!("10.0.{a}.{b}:22"))).collect();
        assert_eq!(fold(&all.into_iter().collect()), ["10.0.[0,1].[1-3]:22"]);
        assert_eq!(folded(&["r1n1", "r1n2", "r2n1"]), ["r1n[1,2]", "r2n1"]);
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for name in ["", "ü1", "[::1]:22", "a99999999999999999999b", "me@db"] {
            assert_eq!(folded(&[name]), [name], "{name}");
        }
    }
}
