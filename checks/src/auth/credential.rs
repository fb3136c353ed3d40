//! One way to prove who we are, ready to be presented again.

use crate::connection::Connection;

/// One accepted proof; a login with several factors has several.
#[derive(Debug, Clone)]
pub enum Credential {
    /// The server wants no proof.
    None,
}

/// The server's answer to a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted; nothing more is wanted.
    Success,
    /// Accepted, and more is wanted: the methods that can continue.
    Partial(Vec<String>),
    /// Refused: the methods that can continue.
    Refused(Vec<String>),
    /// The connection ended, or the library could not go on: its words.
    Broken(String),
}

impl Outcome {
    /// Whether the proof was accepted, alone or as one factor.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Success | Self::Partial(_))
    }
}

impl Credential {
    /// Presents this proof for `user` on `connection`; the caller has the deadline.
    pub async fn present(&self, _connection: &mut Connection, _user: &str) -> Outcome {
        Outcome::Broken("not written yet".into())
    }
}
