//! The contents of the server's answers, by name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

impl ServerAnswers {
    /// A setting as `sshd -T` names and prints it, where that was allowed.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        let mut settings = self.lines("sshd settings", true).filter_map(|line| line.split_once(' '));
        settings.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// True if `sshd -T` printed its settings.
    pub(crate) fn has_settings(&self) -> bool {
        self.lines("sshd settings", true).next().is_some()
    }

    /// The last line that sshd logged about us with one of these words in it.
    pub(crate) fn logged(&self, words: &[&str]) -> Option<&str> {
        self.lines("log of our connections", false).filter(|line| words.iter().any(|word| line.contains(word))).last()
    }

    /// A number that the kernel keeps, as `grep` prints it behind the name of its file.
    pub(crate) fn kernel(&self, about: &str, name: &str) -> Option<f64> {
        let mut pairs = self.lines(about, false).filter_map(|line| line.split_once(':'));
        pairs.find(|(known, _)| *known == name)?.1.trim().parse().ok()
    }

    /// The lines of an answer; only of one that succeeded, where `whole` says so.
    pub(crate) fn lines(&self, about: &str, whole: bool) -> impl Iterator<Item = &str> {
        let answer = self.answers.iter().find(move |answer| answer.about == about);
        let answer = answer.filter(|answer| !whole || answer.status == Some(0));
        answer.into_iter().flat_map(|answer| &answer.lines).map(String::as_str)
    }
}

/// The answers of the server, in the order of the questions.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ServerAnswers {
    /// The answers; a refusal is one too.
    pub answers: Vec<ServerAnswer>,
    /// The reason why there are none, or not all.
    pub failure: Option<String>,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ServerAnswer {
    /// The question.
    pub about: String,
    /// The server's source of it: a file, or a command.
    pub source: String,
    /// The lines, escaped, standard error included.
    pub lines: Vec<String>,
    /// The exit status of what was run or read; `null` where the answer was cut off.
    pub status: Option<i32>,
}
