//! Messages of translated clients, told by words that they have in any order: translations of WinSCP and others differ in their grammar,
//! and share a few words in each language.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// The words in each language, and the messages that have them.
const TABLE: &str = include_str!("phrases.txt");

/// The stems of every word, compiled, and the messages.
struct Phrases {
    stems: AhoCorasick,
    /// Of each stem the messages that have its word, and the place of the word in each.
    places: Vec<Vec<(usize, usize)>>,
    /// The English messages, each with the number of its words.
    english: Vec<(&'static str, usize)>,
}

/// The English message before a message that has its words; `None` where it has those of none.
pub(super) fn english(message: &[u8]) -> Option<Vec<u8>> {
    static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::new);
    let phrase = PHRASES.of(message)?;
    Some([phrase.as_bytes(), b" (", message, b")"].concat())
}

impl Phrases {
    fn new() -> Self {
        let lines = || TABLE.lines().filter(|line| !line.starts_with("# "));
        let messages = lines().filter_map(|line| line.strip_prefix("== ")?.split_once(" == "));
        let messages: Vec<(_, Vec<_>)> =
            messages.map(|(english, words)| (english, words.split(' ').collect())).collect();
        let words = lines().filter(|line| !line.starts_with("== ")).filter_map(|line| line.split_once(": "));
        let (mut stems, mut places) = (Vec::new(), Vec::new());
        for (name, all) in words {
            let place = |(message, (_, words)): (usize, &(_, Vec<&str>))| {
                words.iter().position(|word| *word == name).map(|word| (message, word))
            };
            let own: Vec<_> = messages.iter().enumerate().filter_map(place).collect();
            for stem in all.split('|') {
                stems.push(stem);
                places.push(own.clone());
            }
        }
        let stems = AhoCorasick::builder().ascii_case_insensitive(true).build(stems);
        let english = messages.iter().map(|(english, words)| (*english, words.len())).collect();
        Self { stems: stems.expect("the stems compile together"), places, english }
    }

    fn of(&self, message: &[u8]) -> Option<&'static str> {
        // Capitals beyond ASCII begin a sentence.
        let lower = std::str::from_utf8(message).ok().filter(|text| !text.is_ascii()).map(str::to_lowercase);
        let text = lower.as_deref().map_or(message, str::as_bytes);
        let mut seen: Option<Vec<u32>> = None;
        for found in self.stems.find_overlapping_iter(text) {
            let seen = seen.get_or_insert_with(|| vec![0; self.english.len()]);
            for (message, word) in &self.places[found.pattern().as_usize()] {
                seen[*message] |= 1 << word;
            }
        }
        let whole = self.english.iter().zip(seen?).find(|((_, words), seen)| *seen + 1 == 1 << words);
        whole.map(|((english, _), _)| *english)
    }
}

#[cfg(test)]
mod tests {
    use super::english;

    #[test]
    fn a_message_has_the_words_of_a_phrase_in_any_order_and_language() {
        for (message, phrase) in [
            ("Netzwerkfehler: Zeitüberschreitung bei der Verbindung zu \"db\".", "Network error: Connection timed out"),
            ("Erreur réseau : la connexion à \"db\" a été refusée.", "Network error: Connection refused"),
            ("网络错误: 连接到 \"db\" 超时。", "Network error: Connection timed out"),
            ("Сервер отклонил наш ключ", "Server refused our key"),
            ("Le serveur a refusé notre clé", "Server refused our key"),
            ("El servidor cerró la conexión de forma inesperada", "Server unexpectedly closed network connection"),
            ("Die Verbindung wurde unerwartet beendet.", "Connection has been unexpectedly closed"),
            ("Échec de l'authentification.", "Authentication failed"),
            ("Der Host \"db\" existiert nicht.", "Host \"name\" does not exist"),
        ] {
            let read = english(message.as_bytes()).map(|read| String::from_utf8(read).unwrap());
            assert_eq!(read, Some(format!("{phrase} ({message})")));
        }
    }

    #[test]
    fn english_messages_are_left_alone() {
        for message in [
            "Network error: Connection timed out",
            "Server refused our key",
            "Server unexpectedly closed network connection",
            "Authentication failed, host does not exist, timeout expired",
            "sshd[1]: error: kex_exchange_identification: Connection closed by remote host",
        ] {
            assert_eq!(english(message.as_bytes()), None, "{message}");
        }
    }
}
