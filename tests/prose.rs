//! The texts that people read: no phrase that the guide to language replaces, titles and explanations of bounded length.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The longest title, in characters.
const TITLE: usize = 70;
/// The longest first part of an explanation, which a report shows, in words.
const EXPLANATION: usize = 90;

/// Phrases that are not used, as they would stand in a text, each in two halves so that this file has none of them.
const BANNED: [[&str; 2]; 36] = [
    ["what me", "nds it"],
    ["something will b", "ite"],
    ["cannot be h", "ad"],
    ["lived thr", "ough"],
    ["silence that k", "illed"],
    ["has forg", "otten"],
    ["what forg", "ets"],
    ["look-al", "ikes"],
    ["it was seen; its re", "ason"],
    ["never acknow", "ledged"],
    ["names no SSH ver", "sion"],
    ["The proof was ri", "ght"],
    ["does not let this account", " in"],
    ["authenticate and may not log", " in"],
    ["everybody but root are sw", "itched off"],
    ["owns up t", "o it"],
    ["does not sign w", "ith it"],
    ["keep it from a k", "ind of key"],
    ["takes long o", "ver one step"],
    ["bears ssh's ma", "rks"],
    ["if the reason is written d", "own"],
    ["Min", "d: "],
    ["Cannot be t", "old"],
    ["Not ask", "ed:"],
    ["(of at m", "ost"],
    [", a byte i", "n"],
    ["is spelt the s", "ame"],
    ["Tell a keep", "alive"],
    ["causes are told ap", "art"],
    ["one object a tar", "get"],
    ["asked wron", "gly"],
    ["is no comm", "and"],
    ["is no value o", "f"],
    ["one argument too m", "any"],
    ["examined like a real o", "ne"],
    ["as you l", "ike"],
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|ext| ["rs", "md", "snap", "json", "yml"].iter().any(|known| ext == *known))
        {
            found.push(path);
        }
    }
}

#[test]
fn no_text_has_a_phrase_that_the_guide_replaces() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<_> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|file| root.join(file)).into();
    for folder in ["src", "checks/src", "docs", "fixtures/src", "tests/snapshots"] {
        files(&root.join(folder), &mut all);
    }
    let mut found = Vec::new();
    for file in all {
        let text = fs::read_to_string(&file).unwrap();
        let words = text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let banned = BANNED.iter().map(|halves| halves.concat());
        found.extend(
            banned.filter(|phrase| words.contains(phrase)).map(|phrase| format!("{}: {phrase}", file.display())),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn titles_and_explanations_are_short() {
    for cause in ssh_doctor_checks::causes::all() {
        let (title, first) = (cause.title, cause.explanation.split("\n\n").next().unwrap_or_default());
        let (characters, words) = (title.chars().count(), first.split_whitespace().count());
        assert!(characters <= TITLE, "{}: a title of {characters} characters: {title}", cause.code);
        assert!(words <= EXPLANATION, "{}: an explanation of {words} words: {first}", cause.code);
    }
}
