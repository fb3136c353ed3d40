//! The server's answer to a credential.

use russh::MethodSet;
use russh::client::AuthResult;

use super::link;
use crate::ssh::connection::Connection;
use crate::ssh::tap::Asking;

/// The words for an answer that came before its request can have been read.
const UNASKED: &str = "the server answered before it was asked";

/// The server's answer to a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialOutcome {
    /// Accepted; nothing more is required.
    Success,
    /// Accepted, and more is required: the methods that can continue.
    Partial(Vec<String>),
    /// Refused: the methods that can continue.
    Refused(Vec<String>),
    /// The connection ended, or the library could not go on: its words.
    Broken(String),
}

impl CredentialOutcome {
    /// True if the credential was accepted, alone or as one factor.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Success | Self::Partial(_))
    }

    /// The library's words for an answer; a list of methods that is empty may mean that the link died.
    pub(crate) async fn of(result: AuthResult, asking: &Asking, connection: &Connection) -> Self {
        match result {
            AuthResult::Success if asking.may_be_answered() => Self::Success,
            AuthResult::Success => Self::unasked(),
            AuthResult::Failure { remaining_methods, partial_success } => {
                Self::failed(&remaining_methods, partial_success, asking, connection).await
            }
        }
    }

    /// Returns the outcome of an unsolicited answer: any answer after it may belong to another request.
    pub(crate) fn unasked() -> Self {
        Self::Broken(UNASKED.to_owned())
    }

    pub(crate) async fn failed(methods: &MethodSet, partial: bool, asking: &Asking, connection: &Connection) -> Self {
        let names: Vec<String> = methods.iter().map(String::from).collect();
        // Without methods it may be the library's own word for a connection that ended.
        if !names.is_empty() && !asking.may_be_answered() {
            return Self::unasked();
        }
        match (partial, names.is_empty()) {
            (true, _) => Self::Partial(names),
            (false, false) => Self::Refused(names),
            (false, true) => link::after_silence(connection).await.map_or(Self::Refused(names), Self::Broken),
        }
    }
}
