//! The server's answer to a credential.

use russh::MethodSet;
use russh::client::AuthResult;

use super::link;
use crate::ssh::connection::Connection;

/// The server's answer to a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialOutcome {
    /// Accepted; nothing more is wanted.
    Success,
    /// Accepted, and more is wanted: the methods that can continue.
    Partial(Vec<String>),
    /// Refused: the methods that can continue.
    Refused(Vec<String>),
    /// The connection ended, or the library could not go on: its words.
    Broken(String),
}

impl CredentialOutcome {
    /// Whether the proof was accepted, alone or as one factor.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Success | Self::Partial(_))
    }

    /// The library's words for an answer; a list of methods that is empty may mean that the link died.
    pub(crate) async fn of(result: AuthResult, connection: &Connection) -> Self {
        match result {
            AuthResult::Success => Self::Success,
            AuthResult::Failure { remaining_methods, partial_success } => {
                Self::failed(&remaining_methods, partial_success, connection).await
            }
        }
    }

    pub(crate) async fn failed(methods: &MethodSet, partial: bool, connection: &Connection) -> Self {
        let names: Vec<String> = methods.iter().map(String::from).collect();
        match (partial, names.is_empty()) {
            (true, _) => Self::Partial(names),
            (false, false) => Self::Refused(names),
            (false, true) => link::after_silence(connection).await.map_or(Self::Refused(names), Self::Broken),
        }
    }
}
