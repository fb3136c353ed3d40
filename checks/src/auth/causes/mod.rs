//! The causes that show in a login.

mod account;
mod agent;
mod certificates;
mod connection;
mod files;
mod keys;
mod log;
mod methods;
mod passwords;
mod slow;

use crate::auth::{Conclusion, Facts};
use crate::cause::Cause;
use crate::evidence::Evidence;

/// The causes that show in a login.
pub static CAUSES: &[Cause] = &[
    connection::TOO_MANY_FAILURES,
    connection::DISCONNECTED,
    account::ACCOUNT_REFUSED,
    methods::PARTIAL_SUCCESS,
    methods::METHOD_UNAVAILABLE,
    methods::NO_CREDENTIALS,
    files::KEY_ENCRYPTED,
    files::KEY_UNREADABLE,
    files::SECURITY_KEY_FILE,
    agent::AGENT_REFUSED,
    agent::AGENT_UNREACHABLE,
    agent::AGENT_SILENT,
    certificates::CERT_INVALID,
    certificates::CERT_PRINCIPAL,
    keys::SIGNATURE_ALGORITHM,
    keys::KEY_REJECTED,
    passwords::PASSWORD_EXPIRED,
    passwords::PASSWORD_REJECTED,
    slow::SLOW,
];

/// The facts of a login that ended with nothing left to try.
fn refused(evidence: &Evidence) -> Option<&Facts> {
    evidence.auth.failed().filter(|facts| facts.conclusion == Conclusion::Refused)
}

/// What the server offers, as a sentence.
fn offers(facts: &Facts) -> String {
    match facts.methods.as_slice() {
        [] => "the server offers no method that this client knows".into(),
        methods => format!("the server offers {}", methods.join(", ")),
    }
}

#[cfg(test)]
mod samples;
