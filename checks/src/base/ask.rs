//! Questions to the person at the terminal.

use secrecy::SecretString;

/// A question to the person at the terminal. Each call may block; without a terminal the answer is `None` or no.
pub trait Ask: Send + Sync {
    /// A secret, typed without echo.
    fn secret(&self, prompt: &str) -> Option<SecretString>;
    /// A line, typed with echo.
    fn line(&self, prompt: &str) -> Option<String>;
    /// Yes or no.
    fn confirm(&self, question: &str) -> bool;
}

/// Nobody to ask.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Ask for Nobody {
    fn secret(&self, _: &str) -> Option<SecretString> {
        None
    }
    fn line(&self, _: &str) -> Option<String> {
        None
    }
    fn confirm(&self, _: &str) -> bool {
        false
    }
}
