//! Texts as web pages, services that run jobs, and other logs show them.

use ssh_doctor_checks::causes::told::{Known, judge, texts};
use ssh_doctor_checks::logs::Reader;

use super::asked;

/// Every so many of the known texts is shown in each way: the others are of the same kinds.
const EVERY: usize = 7;

/// A way of showing a text, its name, and the most texts in a thousand whose causes it may change.
struct Way {
    name: &'static str,
    changed: usize,
    show: fn(&str) -> String,
}

const fn way(name: &'static str, changed: usize, show: fn(&str) -> String) -> Way {
    Way { name, changed, show }
}

/// The ways. The head of a logger has words of its own, and hides those that count only at a line's beginning.
const WAYS: &[Way] = &[
    way("spaces that do not break", 0, |text| text.replace(' ', "\u{a0}")),
    way("typographic quotes", 2, typeset),
    way("entities", 5, as_entities),
    way("line ends as letters", 15, |text| text.trim_end().replace('\n', "\\n")),
    way("a quotation", 10, |text| each(text, "> ")),
    way("a job's time stamps", 10, |text| each(text, "2024-05-03T10:11:12.1234567Z ")),
    way("a container's name", 10, |text| each(text, "\u{1b}[36mweb-1  |\u{1b}[0m ")),
    way("a logger's heads", 20, |text| {
        each(text, "2024-05-03 10:11:12,123 ERROR [pool-3-thread-1] com.example.Job - ")
    }),
    way("a letter", 10, |text| {
        format!("Hello everybody,\nI get this since yesterday:\n\n{}\n\nDoes anybody have an idea?", text.trim_end())
    }),
];

/// A text with the quotes of a typesetter.
fn typeset(text: &str) -> String {
    let mut is_open = false;
    let quoted = text.chars().map(|letter| match letter {
        '\'' => '\u{2019}',
        '"' => {
            is_open = !is_open;
            if is_open { '\u{201c}' } else { '\u{201d}' }
        }
        other => other,
    });
    quoted.collect()
}

/// A text as HTML writes it.
fn as_entities(text: &str) -> String {
    let signs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    signs.iter().fold(text.to_owned(), |text, (sign, entity)| text.replace(*sign, entity))
}

/// A text with this before each line.
fn each(text: &str, before: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(|line| format!("{before}{line}")).collect();
    lines.join("\n")
}

#[test]
fn a_message_in_a_letter_is_given_the_cause_that_it_has_alone() {
    let (reader, rules) = (Reader::new(texts()), Known::nothing());
    let first = |text: &str| {
        let told = judge(&reader.read(text.as_bytes()).unwrap(), &rules);
        told.first().map(|one| (one.cause.code, one.found.because[0].clone()))
    };
    for message in ["ssh tunnel did not come up", "ssh said the fingerprint differs"] {
        let (code, alone) = first(message).expect(message);
        let letter = format!("Hello everybody,\nI get this:\n\n{message}\n\nDoes anybody have an idea?");
        assert_eq!(first(&letter), Some((code, alone.replace("line 1", "line 4"))), "{message}");
    }
    let two = "Hello,\n\nssh tunnel did not come up\n\nssh said the fingerprint differs\n";
    assert_eq!(first(two), None, "which of the two is meant is not known");
}

#[test]
fn a_text_has_its_cause_in_whatever_it_is_shown() {
    let (reader, rules) = (Reader::new(texts()), Known::nothing());
    let all = asked("texts.txt");
    let is_chosen = |text: &str| text.bytes().map(usize::from).sum::<usize>() % EVERY == 0;
    let chosen: Vec<_> = all.iter().filter(|(_, text)| is_chosen(text)).collect();
    let is_right = |codes: &str, text: &str| {
        let told = judge(&reader.read(text.as_bytes()).unwrap(), &rules);
        let first = told.first().map_or("none", |one| one.cause.code);
        codes.split(' ').any(|code| code == first)
    };
    for Way { name, changed: allowed, show } in WAYS {
        let changed: Vec<_> = chosen.iter().filter(|(codes, text)| !is_right(codes, &show(text))).collect();
        assert!(
            changed.len() * 1000 <= chosen.len() * allowed,
            "{name}: {} of {}: {changed:#?}",
            changed.len(),
            chosen.len()
        );
    }
}
