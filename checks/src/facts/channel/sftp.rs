//! The first bytes of an sftp server, or the text in front of them.

use serde::{Deserialize, Serialize};

use super::words::says_not_found;
use crate::base::text::sanitize_bytes;

/// SSH_FXP_VERSION.
const VERSION: u8 = 2;
/// The longest packet that OpenSSH's client takes (SFTP_MAX_MSG_LENGTH in sftp-common.h): beyond it says "Received message too long".
const LONGEST: u32 = 256 * 1024;
/// Bytes of a version packet that tell what we want to know.
const ENOUGH: usize = 9;

/// The reply to SSH_FXP_INIT.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sftp {
    /// The protocol version that the server speaks.
    pub version: Option<u32>,
    /// The length in front of the first packet; for text, four letters read as a number.
    pub first_length: Option<u32>,
    /// The first bytes, escaped, where they are no version packet.
    pub first_bytes: Option<String>,
    /// The exit status, where it ended.
    pub status: Option<u32>,
    /// It neither answered nor ended.
    #[serde(default)]
    pub is_silent: bool,
    /// Standard error, escaped.
    pub stderr: Option<String>,
}

impl Sftp {
    /// Interprets the first bytes of standard output.
    pub(crate) fn of(output: &[u8]) -> Self {
        let word = |at: usize| output.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_be_bytes);
        let first_length = word(0);
        let is_version = first_length.is_some_and(|length| length <= LONGEST) && output.get(4) == Some(&VERSION);
        Self {
            version: word(5).filter(|_| is_version),
            first_length,
            first_bytes: (!is_version && !output.is_empty()).then(|| sanitize_bytes(output)),
            ..Self::default()
        }
    }

    /// True if these bytes are enough to tell.
    pub(crate) fn is_told(output: &[u8]) -> bool {
        output.len() >= ENOUGH
    }

    /// The complaint of a shell that does not find the program of the subsystem: on standard error, or on standard output where a wrapper
    /// merges both.
    #[must_use]
    pub fn not_found(&self) -> Option<&str> {
        let said = [&self.first_bytes, &self.stderr].into_iter().flatten().map(String::as_str);
        let names_it = |text: &&str| text.contains("sftp") && says_not_found(text);
        said.filter(|_| self.version.is_none()).find(names_it)
    }

    /// True if something that is no packet stands where the first packet must.
    #[must_use]
    pub fn is_preceded(&self) -> bool {
        self.first_bytes.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Sftp;

    #[test]
    fn a_version_is_read_and_text_in_front_of_it_is_told() {
        let version = Sftp::of(&[0, 0, 0, 95, 2, 0, 0, 0, 3, 0, 0]);
        assert_eq!((version.version, version.is_preceded()), (Some(3), false));
        let text = Sftp::of(b"Welcome to db\n");
        // "Welc", as in ssh's "Received message too long 1466264675".
        assert_eq!((text.version, text.first_length, text.is_preceded()), (None, Some(1_466_264_675), true));
        assert_eq!(Sftp::of(b""), Sftp::default());
        assert!(Sftp::of(b"hi\n").is_preceded());
    }

    #[test]
    fn a_complaint_of_a_shell_is_no_greeting() {
        let merged = Sftp::of(b"sh: 1: internal-sftp: not found\n");
        assert!(merged.not_found().is_some_and(|text| text.contains("internal-sftp")));
        let stderr = Some("sh: 1: /usr/lib/sftp-server: not found\\n".to_owned());
        assert!(Sftp { stderr: stderr.clone(), ..Sftp::default() }.not_found().is_some());
        assert!(Sftp { version: Some(3), stderr, ..Sftp::default() }.not_found().is_none());
        assert!(Sftp::of(b"Welcome to db\n").not_found().is_none());
    }
}
