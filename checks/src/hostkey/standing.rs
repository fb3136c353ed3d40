//! How a key stands to the lines of known_hosts, decided as ssh decides it.

use serde::{Deserialize, Serialize};

use crate::connection::ServerKey;
use crate::known_hosts::{Entry, Kind};

/// How a key stands to the lines of known_hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A line holds this very key.
    Known,
    /// A line names the authority that signed the certificate, and the certificate is valid here.
    KnownAuthority,
    /// No line names the server.
    Unknown,
    /// Lines name the server, and none of them holds this key.
    Changed,
    /// A line says that this key, or the one that signed it, must not be accepted.
    Revoked,
}

/// Whether the line is about this key; for an authority, whether it signed the certificate.
pub(super) fn matches(key: &ServerKey, entry: &Entry) -> bool {
    let signer = match key {
        ServerKey::Certificate(certificate) => Some(certificate.signature_key()),
        ServerKey::Key(_) => None,
    };
    match entry.kind {
        Kind::Host => entry.key == *key.key_data(),
        Kind::CertAuthority => signer == Some(&entry.key),
        Kind::Revoked => entry.key == *key.key_data() || signer == Some(&entry.key),
    }
}

/// How `key` stands to the lines; `valid` says whether its certificate, if it has one, holds here.
///
/// OpenSSH 9.2 calls a key changed even when the lines hold only keys of other types, and looks up the bare key where a
/// certificate does not help; a line without the port can only confirm.
pub(super) fn of(key: &ServerKey, entries: &[Entry], valid: bool) -> Standing {
    let any = |kind| entries.iter().any(|entry| entry.kind == kind && matches(key, entry));
    if any(Kind::Revoked) {
        Standing::Revoked
    } else if any(Kind::CertAuthority) && valid {
        Standing::KnownAuthority
    } else if any(Kind::Host) {
        Standing::Known
    } else if entries.iter().any(|entry| entry.kind == Kind::Host && !entry.portless) {
        Standing::Changed
    } else {
        Standing::Unknown
    }
}

#[cfg(test)]
mod tests {
    use russh::keys::ssh_key::PublicKey;

    use super::{Standing, of};
    use crate::connection::ServerKey;
    use crate::known_hosts::{Entry, Kind};

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwVhOhOig4vkbqAEc=";

    fn entry(key: &str, kind: Kind, portless: bool) -> Entry {
        let key = PublicKey::from_openssh(key).unwrap().key_data().clone();
        Entry { file: "known_hosts".into(), line: 1, kind, portless, key }
    }

    fn standing(entries: &[Entry]) -> Standing {
        of(&ServerKey::Key(PublicKey::from_openssh(ONE).unwrap()), entries, false)
    }

    #[test]
    fn one_line_that_matches_outweighs_others_that_do_not() {
        assert_eq!(standing(&[entry(TWO, Kind::Host, false), entry(ONE, Kind::Host, false)]), Standing::Known);
    }

    #[test]
    fn no_line_is_unknown_and_another_key_is_changed() {
        assert_eq!(standing(&[]), Standing::Unknown);
        assert_eq!(standing(&[entry(TWO, Kind::Host, false)]), Standing::Changed);
    }

    #[test]
    fn a_key_of_another_type_only_is_changed_too() {
        assert_eq!(standing(&[entry(ECDSA, Kind::Host, false)]), Standing::Changed);
    }

    #[test]
    fn a_line_without_the_port_confirms_and_never_contradicts() {
        assert_eq!(standing(&[entry(ONE, Kind::Host, true)]), Standing::Known);
        assert_eq!(standing(&[entry(TWO, Kind::Host, true)]), Standing::Unknown);
    }

    #[test]
    fn a_revoked_key_is_revoked_even_where_it_is_known() {
        assert_eq!(standing(&[entry(ONE, Kind::Host, false), entry(ONE, Kind::Revoked, false)]), Standing::Revoked);
        assert_eq!(standing(&[entry(ONE, Kind::Host, false), entry(TWO, Kind::Revoked, false)]), Standing::Known);
    }

    #[test]
    fn an_authority_says_nothing_of_a_bare_key() {
        assert_eq!(standing(&[entry(ONE, Kind::CertAuthority, false)]), Standing::Unknown);
    }
}
