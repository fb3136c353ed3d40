//! The causes that show in a login.

mod account;
mod agent;
mod certificates;
mod connection;
mod files;
mod further_question;
mod keys;
mod log;
mod lookup;
mod methods;
mod passwords;
mod shared;
mod slow;
mod violation;

use super::Cause;

/// The causes that show in a login.
pub static CAUSES: &[Cause] = &[
    violation::PROTOCOL_VIOLATION,
    connection::TOO_MANY_FAILURES,
    connection::DISCONNECTED,
    lookup::KEY_LOOKUP_HANGS,
    account::ACCOUNT_REFUSED,
    methods::PARTIAL_SUCCESS,
    further_question::QUESTION_UNANSWERED,
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
    keys::TOO_SHORT,
    keys::KEY_REJECTED,
    passwords::PASSWORD_EXPIRED,
    passwords::PASSWORD_REJECTED,
    slow::SLOW,
];

#[cfg(test)]
mod samples;
