//! The way a key stands to the lines of known_hosts, decided as ssh decides it.

use russh::keys::ssh_key::public::KeyData;

use crate::facts::hostkey::{KnownHostsMarker, KnownHostsMatch};
use crate::ssh::known_hosts::Entry;
use crate::ssh::observations::ServerKey;

/// True if the line is about this key; for an authority, whether it signed the certificate.
pub(crate) fn matches(key: &ServerKey, entry: &Entry) -> bool {
    match entry.kind {
        KnownHostsMarker::Host => entry.key == *key.key_data(),
        KnownHostsMarker::CertAuthority => signer(key) == Some(&entry.key),
        KnownHostsMarker::Revoked => entry.key == *key.key_data() || signer(key) == Some(&entry.key),
    }
}

/// Compares `key` with the lines; `valid` is true if its certificate, if it has one, is valid here.
///
/// As OpenSSH 9.2 was seen to do it: lines without the port are looked at only where those with it say nothing, and then they can
/// only confirm. A certificate is looked up first, and where that does not help, its bare key; a key is called changed even when
/// the lines hold only keys of other types.
pub(super) fn of(key: &ServerKey, entries: &[Entry], valid: bool) -> KnownHostsMatch {
    let (portless, exact): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.portless);
    let confirmed = || Some(by(key, &portless, valid, || None)).filter(|standing| standing.is_known());
    by(key, &exact, valid, confirmed)
}

/// Compares `key` with these lines, and calls `otherwise` if none applies.
fn by(
    key: &ServerKey,
    lines: &[&Entry],
    valid: bool,
    otherwise: impl Fn() -> Option<KnownHostsMatch>,
) -> KnownHostsMatch {
    let any = |kind| lines.iter().any(|entry| entry.kind == kind && matches(key, entry));
    let has = |kind| lines.iter().any(|entry| entry.kind == kind);
    let is_certified = signer(key).is_some();
    if any(KnownHostsMarker::Revoked) {
        KnownHostsMatch::Revoked
    } else if is_certified && valid && any(KnownHostsMarker::CertAuthority) {
        KnownHostsMatch::KnownAuthority
    } else if let Some(standing) = otherwise().filter(|_| is_certified && !has(KnownHostsMarker::CertAuthority)) {
        standing
    } else if any(KnownHostsMarker::Host) {
        KnownHostsMatch::Known
    } else if has(KnownHostsMarker::Host) {
        KnownHostsMatch::Changed
    } else {
        otherwise().unwrap_or(KnownHostsMatch::Unknown)
    }
}

/// The party that signed the key.
pub(super) fn signer(key: &ServerKey) -> Option<&KeyData> {
    match key {
        ServerKey::Certificate(certificate) => Some(certificate.signature_key()),
        ServerKey::Key(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{of, signer};
    use crate::facts::hostkey::{KnownHostsMarker, KnownHostsMatch};
    use crate::measure::hostkey::certificate::samples::certified;
    use crate::ssh::known_hosts::Entry;
    use crate::ssh::observations::ServerKey;
    use russh::keys::ssh_key::PublicKey;
    use russh::keys::ssh_key::public::KeyData;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwVhOhOig4vkbqAEc=";

    fn entry(key: &str, kind: KnownHostsMarker, portless: bool) -> Entry {
        let key = PublicKey::from_openssh(key).unwrap().key_data().clone();
        Entry { file: "known_hosts".into(), line: 1, kind, portless, key }
    }

    fn standing(entries: &[Entry]) -> KnownHostsMatch {
        of(&ServerKey::Key(PublicKey::from_openssh(ONE).unwrap()), entries, false)
    }

    #[test]
    fn one_line_that_matches_outweighs_others_that_do_not() {
        assert_eq!(
            standing(&[entry(TWO, KnownHostsMarker::Host, false), entry(ONE, KnownHostsMarker::Host, false)]),
            KnownHostsMatch::Known
        );
    }

    #[test]
    fn no_line_is_unknown_and_another_key_is_changed() {
        assert_eq!(standing(&[]), KnownHostsMatch::Unknown);
        assert_eq!(standing(&[entry(TWO, KnownHostsMarker::Host, false)]), KnownHostsMatch::Changed);
    }

    #[test]
    fn a_key_of_another_type_only_is_changed_too() {
        assert_eq!(standing(&[entry(ECDSA, KnownHostsMarker::Host, false)]), KnownHostsMatch::Changed);
    }

    #[test]
    fn a_line_without_the_port_confirms_and_never_contradicts() {
        assert_eq!(standing(&[entry(ONE, KnownHostsMarker::Host, true)]), KnownHostsMatch::Known);
        assert_eq!(standing(&[entry(TWO, KnownHostsMarker::Host, true)]), KnownHostsMatch::Unknown);
    }

    #[test]
    fn a_line_without_the_port_is_not_looked_at_where_one_with_it_speaks() {
        let (one, other) = (entry(ONE, KnownHostsMarker::Host, true), entry(TWO, KnownHostsMarker::Host, false));
        assert_eq!(standing(&[one.clone(), other.clone()]), KnownHostsMatch::Changed);
        assert_eq!(standing(&[other, one]), KnownHostsMatch::Changed);
        let revoked = entry(ONE, KnownHostsMarker::Revoked, true);
        assert_eq!(standing(&[revoked.clone(), entry(ONE, KnownHostsMarker::Host, false)]), KnownHostsMatch::Known);
        assert_eq!(standing(&[revoked.clone(), entry(TWO, KnownHostsMarker::Host, false)]), KnownHostsMatch::Changed);
        // ssh warns of it and goes on as with a key that it does not know.
        assert_eq!(standing(&[revoked.clone(), entry(ONE, KnownHostsMarker::Host, true)]), KnownHostsMatch::Unknown);
        assert_eq!(standing(&[revoked]), KnownHostsMatch::Unknown);
    }

    #[test]
    fn a_certificate_is_looked_up_as_ssh_was_seen_to_do_it() {
        let (bare, authority) = (certified().key_data().clone(), signer(&certified()).cloned().unwrap());
        let two = PublicKey::from_openssh(TWO).unwrap().key_data().clone();
        let line = |key: &KeyData, kind, portless| Entry { key: key.clone(), ..entry(ONE, kind, portless) };
        let [ca, other_ca] =
            [&authority, &two].map(|key| move |portless| line(key, KnownHostsMarker::CertAuthority, portless));
        let [host, other] = [&bare, &two].map(|key| move |portless| line(key, KnownHostsMarker::Host, portless));
        let [no_key, no_ca] =
            [&bare, &authority].map(|key| move |portless| line(key, KnownHostsMarker::Revoked, portless));
        for (lines, valid, expected) in [
            (vec![ca(true), other(false)], true, KnownHostsMatch::KnownAuthority),
            (vec![host(true), other(false)], true, KnownHostsMatch::Known),
            (vec![ca(true), other(true)], true, KnownHostsMatch::KnownAuthority),
            (vec![ca(true), no_key(true)], true, KnownHostsMatch::Unknown),
            (vec![ca(true), no_ca(true)], true, KnownHostsMatch::Unknown),
            (vec![ca(false), no_ca(true)], true, KnownHostsMatch::KnownAuthority),
            (vec![ca(false), no_key(false)], true, KnownHostsMatch::Revoked),
            (vec![host(false), no_ca(false)], true, KnownHostsMatch::Revoked),
            (vec![other_ca(false), host(false)], true, KnownHostsMatch::Known),
            (vec![other_ca(false)], true, KnownHostsMatch::Unknown),
            (vec![other_ca(false), host(true)], true, KnownHostsMatch::Known),
            (vec![other_ca(false), ca(true)], true, KnownHostsMatch::KnownAuthority),
            (vec![host(false), other_ca(true)], true, KnownHostsMatch::Known),
            (vec![ca(true), host(true)], false, KnownHostsMatch::Known),
            (vec![ca(false), host(true)], false, KnownHostsMatch::Known),
            (vec![ca(false), other(false)], false, KnownHostsMatch::Changed),
            (vec![ca(false), host(false)], false, KnownHostsMatch::Known),
            (vec![ca(false), other(false), host(true)], false, KnownHostsMatch::Changed),
        ] {
            assert_eq!(of(&certified(), &lines, valid), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_revoked_key_is_revoked_even_where_it_is_known() {
        assert_eq!(
            standing(&[entry(ONE, KnownHostsMarker::Host, false), entry(ONE, KnownHostsMarker::Revoked, false)]),
            KnownHostsMatch::Revoked
        );
        assert_eq!(
            standing(&[entry(ONE, KnownHostsMarker::Host, false), entry(TWO, KnownHostsMarker::Revoked, false)]),
            KnownHostsMatch::Known
        );
    }

    #[test]
    fn an_authority_says_nothing_of_a_bare_key() {
        assert_eq!(standing(&[entry(ONE, KnownHostsMarker::CertAuthority, false)]), KnownHostsMatch::Unknown);
    }
}
