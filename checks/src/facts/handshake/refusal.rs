//! A connection that ended before the server let anybody in.

use super::Facts;
use crate::facts::connection::Manner;

/// The text with which sshd 8.2 to 9.7 refuses a connection before its version.
pub(crate) const EXCEEDED_MAX_STARTUPS: &str = "Exceeded MaxStartups";
/// The text with which sshd 9.8 and later do.
pub(crate) const NOT_ALLOWED: &str = "Not allowed at this time";

impl Facts {
    /// True if `text` begins a line that came before the version, on this connection or on a later one.
    pub(crate) fn says(&self, text: &str) -> bool {
        let first =
            || self.first_bytes.iter().chain(self.reconnects.iter().filter_map(|look| look.first_bytes.as_ref()));
        self.version.is_none()
            && (self.lines_before_version.iter().any(|line| line.starts_with(text))
                || first().any(|first| first.starts_with(text)))
    }

    /// True if the text is one with which sshd itself refuses.
    pub(crate) fn is_refused_by_sshd(&self) -> bool {
        self.says(EXCEEDED_MAX_STARTUPS) || self.says(NOT_ALLOWED)
    }

    /// True if sshd refused with the words of 9.8 and later, behind which there may be chance.
    pub(crate) fn may_be_chance(&self) -> bool {
        self.says(NOT_ALLOWED)
    }

    /// True if a reconnect can show more: the connection ended before the version, without a message or with one of sshd's, or it was
    /// reset before the list of algorithms.
    pub(crate) fn is_refusal(&self) -> bool {
        let said_little = self.version.is_none() && (self.received_bytes == 0 || self.is_refused_by_sshd());
        match self.end {
            Some((Manner::Fin, _)) => said_little,
            Some((Manner::Reset, _)) => said_little || (self.version.is_some() && self.server_offer.is_none()),
            _ => false,
        }
    }
}
