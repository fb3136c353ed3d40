//! Messages of the system and of clients in other languages, read as the English ones that the catalogue has.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::typography::restored;

/// English messages after `==`, each followed by its translations, one a line.
const TABLE: &str = include_str!("languages.txt");

/// The translations, compiled, and the English message of each.
struct Languages {
    translations: AhoCorasick,
    english: Vec<&'static str>,
}

/// A message with every translation in it replaced by the English words; `None` where it has none.
pub(super) fn english(message: &[u8]) -> Option<Vec<u8>> {
    static LANGUAGES: LazyLock<Languages> = LazyLock::new(Languages::new);
    LANGUAGES.translate(message)
}

impl Languages {
    fn new() -> Self {
        let pairs = pairs();
        let (texts, english): (Vec<_>, _) = pairs.into_iter().unzip();
        let translations =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true).build(texts);
        Self { translations: translations.expect("the translations compile together"), english }
    }

    fn translate(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut translated = Vec::new();
        let mut read = 0;
        for found in self.translations.find_iter(message) {
            translated.extend_from_slice(&message[read..found.start()]);
            translated.extend_from_slice(self.english[found.pattern().as_usize()].as_bytes());
            read = found.end();
        }
        translated.extend_from_slice(&message[read..]);
        (read > 0).then_some(translated)
    }
}

/// Each translation with its English message.
fn pairs() -> Vec<(String, &'static str)> {
    let mut english = "";
    let mut pairs = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with("# ")) {
        if let Some(message) = line.strip_prefix("== ") {
            english = message;
            continue;
        }
        pairs.push((restored(line), english));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{english, pairs};

    fn read(message: &str) -> Option<String> {
        english(message.as_bytes()).map(|english| String::from_utf8(english).unwrap())
    }

    #[test]
    fn translations_are_read_as_the_english_words_with_what_stands_around_them() {
        for (message, as_english) in [
            (
                "ssh: connect to host db port 22: Verbindungsaufbau abgelehnt",
                "ssh: connect to host db port 22: Connection refused",
            ),
            ("fatal: Impossible de lire le dépôt distant.", "fatal: Could not read from remote repository."),
            ("bash: rsync: 未找到命令", "bash: rsync: command not found"),
            (
                "Aucune connexion n'a pu être établie car l'ordinateur cible l'a expressément refusée 192.0.2.7:22",
                "No connection could be made because the target machine actively refused it 192.0.2.7:22",
            ),
        ] {
            assert_eq!(read(message).unwrap_or_else(|| message.to_owned()), as_english);
        }
        assert_eq!(read("ssh: connect to host db port 22: Connection refused"), None);
    }

    #[test]
    fn each_translation_stands_once_and_none_is_english() {
        let pairs = pairs();
        let texts: BTreeSet<_> = pairs.iter().map(|(text, _)| text.to_lowercase()).collect();
        assert!(pairs.len() > 600 && texts.len() == pairs.len(), "{} of {}", texts.len(), pairs.len());
        for (text, english) in &pairs {
            assert!(!english.is_empty() && text.trim() == text && text.chars().count() > 3, "{text:?}: {english:?}");
            assert!(!english.eq_ignore_ascii_case(text), "{text}");
        }
    }
}
