//! One line of a known_hosts file: marker, names, key type, key, comment.

use russh::keys::parse_public_key_base64;
use russh::keys::ssh_key::public::KeyData;

use super::name::Names;
use crate::facts::hostkey::KnownHostsMarker;

/// A line that may name a host; its key is not read before the host is found in it.
pub(in crate::ssh) struct Line<'l> {
    kind: KnownHostsMarker,
    names: Names<'l>,
    key_type: &'l str,
    key: &'l str,
}

/// The fields of a line; none for a comment, an empty line, and one that makes no sense.
pub(in crate::ssh) fn parse(line: &str) -> Option<Line<'_>> {
    let mut fields = line.split([' ', '\t', '\r', '\n']).filter(|field| !field.is_empty());
    let first = fields.next().filter(|field| !field.starts_with('#'))?;
    let (kind, names) = match first {
        "@cert-authority" => (KnownHostsMarker::CertAuthority, fields.next()?),
        "@revoked" => (KnownHostsMarker::Revoked, fields.next()?),
        unknown if unknown.starts_with('@') => return None,
        names => (KnownHostsMarker::Host, names),
    };
    Some(Line { kind, names: Names::parse(names)?, key_type: fields.next()?, key: fields.next()? })
}

impl Line<'_> {
    /// Returns the line's kind, true if it names the host without its port, and its key; `None` if it names another
    /// host.
    pub(in crate::ssh) fn naming(
        &self,
        exact: &str,
        portless: Option<&str>,
    ) -> Option<(KnownHostsMarker, bool, KeyData)> {
        let is_portless = if self.names.name(exact) {
            false
        } else if portless.is_some_and(|host| self.names.name(host)) {
            true
        } else {
            return None;
        };
        let key = parse_public_key_base64(self.key).ok()?.key_data().clone();
        (key.algorithm().as_str() == self.key_type).then_some((self.kind, is_portless, key))
    }
}
