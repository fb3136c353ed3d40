//! A question as the terminal shows it: a server's text cannot look like our own question, and cannot fill the screen.

use ssh_doctor_checks::base::ask::Question;
use ssh_doctor_checks::base::text::escaped;
use textwrap::{Options, WordSplitter, wrap};

/// The beginning of our own questions, which no row of a server's text has.
const OURS: &str = "ssh-doctor: ";
/// The most rows of a server's words.
const ROWS: usize = 8;
/// The most characters of them.
const CHARS: usize = 1000;
/// The fewest columns for the words in a row; a narrower terminal breaks the rows itself.
const NARROWEST: usize = 20;

/// The question, ready to be written; the cursor stays behind it.
pub(super) fn set(question: &Question, columns: usize) -> String {
    match question {
        Question::Ours(words) => format!("{OURS}{} ", escaped(words.trim())),
        Question::Server { who, words } => of_server(&format!("({}) ", escaped(who)), words, columns) + " ",
    }
}

fn of_server(prefix: &str, words: &str, columns: usize) -> String {
    let room = columns.saturating_sub(1).saturating_sub(textwrap::core::display_width(prefix)).max(NARROWEST);
    let options = Options::new(room).break_words(true).word_splitter(WordSplitter::NoHyphenation);
    let words = words.trim();
    // The question itself stands at the end: where there is too much, the beginning and the end are shown.
    let mut last: Vec<char> = words.chars().rev().take(CHARS / 2).collect();
    last.reverse();
    let begins = words.chars().count() - last.len();
    let first: String = words.chars().take(begins.min(CHARS / 2)).collect();
    let is_cut = begins > first.chars().count();
    let rows = |text: &str| -> Vec<String> {
        let lines: Vec<String> = text.lines().map(escaped).collect();
        lines.iter().flat_map(|line| wrap(line, &options)).map(std::borrow::Cow::into_owned).collect()
    };
    let (mut head, tail) = if is_cut {
        (rows(&first), rows(&last.iter().collect::<String>()))
    } else {
        let mut all = rows(words);
        if all.is_empty() {
            all.push(String::new());
        }
        let tail = all.split_off(all.len().saturating_sub(ROWS / 2));
        (all, tail)
    };
    let tail = &tail[tail.len().saturating_sub(ROWS / 2)..];
    if is_cut || head.len() + tail.len() > ROWS {
        head.truncate(ROWS - 1 - tail.len());
        head.push("[...]".to_owned());
    }
    head.iter().chain(tail).map(|row| format!("{prefix}{row}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::base::ask::Question;

    use super::set;

    fn of_server(words: &str, columns: usize) -> String {
        set(&Question::Server { who: "me@db".into(), words: words.into() }, columns)
    }

    #[test]
    fn every_row_of_a_server_is_marked_whatever_it_sends() {
        let ours = "ssh-doctor: Passphrase for /home/me/.ssh/id_ed25519: ";
        let wrapped = format!("{}{ours}", " ".repeat(80));
        for words in [
            format!("All is well.\n{ours}"),
            format!("All is well.\r{ours}"),
            format!("All is well.\u{2028}{ours}\u{85}{ours}"),
            format!("\u{1b}[2J\u{1b}[H{ours}"),
            wrapped,
            format!("{}{ours}", "x".repeat(79)),
            "Good.\n".repeat(20_000) + ours,
            "x".repeat(240_000),
            "\u{300}".repeat(5000),
            String::new(),
            "\n \u{2028}\n".to_owned(),
        ] {
            for columns in [30, 80, 200] {
                let set = of_server(&words, columns);
                assert!(set.lines().all(|row| row.starts_with("(me@db) ")), "{set}");
                assert!(set.lines().count() <= 8, "{set}");
                assert!(set.chars().count() < 1200, "{}", set.chars().count());
                assert!(set.lines().all(|row| textwrap::core::display_width(row) < columns.max(30)), "{set}");
                assert!(!set.chars().any(|c| c.is_control() && c != '\n'), "{set:?}");
            }
        }
    }

    #[test]
    fn a_menu_keeps_its_lines_and_the_question_comes_last() {
        let menu = "Choose a factor:\n 1. phone\n 2. key\nPasscode or option (1-2): ";
        assert_eq!(
            of_server(menu, 80),
            "(me@db) Choose a factor:\n(me@db)  1. phone\n(me@db)  2. key\n(me@db) Passcode or option (1-2): "
        );
        let long = "Read this.\n".repeat(100) + "Password: ";
        let set = of_server(&long, 80);
        assert!(set.contains("[...]") && set.ends_with("(me@db) Password: "), "{set}");
    }

    #[test]
    fn our_own_question_says_whose_it_is() {
        let ours = Question::Ours("Passphrase for /a\u{1b}b: ".into());
        assert_eq!(set(&ours, 80), "ssh-doctor: Passphrase for /a\\u{1b}b: ");
    }
}
