//! Questions to the person at the terminal.

use secrecy::SecretString;

/// A question, and its source: nobody must mistake a server's text for ours, and type a secret that is meant for us
/// alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Our own, in one line.
    Ours(String),
    /// Words of a server, as they came, perhaps of many lines.
    Server {
        /// The login and the host as the user knows them, `user@host`.
        who: String,
        /// Its words; the question comes last.
        words: String,
    },
}

/// A question to the person at the terminal. Each call may block, and ends by itself after some minutes; without a terminal, or an
/// answer by then, the answer is `None` or no.
pub trait Ask: Send + Sync {
    /// A secret, typed without echo.
    fn secret(&self, question: &Question) -> Option<SecretString>;
    /// A line, typed with echo.
    fn line(&self, question: &Question) -> Option<String>;
    /// Yes or no, to our own question.
    fn confirm(&self, question: &str) -> bool;
}

/// Nobody to ask.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Ask for Nobody {
    fn secret(&self, _: &Question) -> Option<SecretString> {
        None
    }
    fn line(&self, _: &Question) -> Option<String> {
        None
    }
    fn confirm(&self, _: &str) -> bool {
        false
    }
}
