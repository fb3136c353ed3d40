//! The names in front of a key: a list of patterns, or one hashed name.

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::HostPatterns;
use sha1::Sha1;

use crate::base::pattern::matches;

/// The first field of a line.
pub(super) enum Names<'l> {
    /// Patterns, separated by commas.
    Patterns(&'l str),
    /// HMAC-SHA1 of one name, keyed with a salt (`HashKnownHosts`).
    Hashed {
        /// The salt.
        salt: Vec<u8>,
        /// The HMAC.
        hash: [u8; 20],
    },
}

impl<'l> Names<'l> {
    /// Reads the field; none when it begins like a hashed name and is not one.
    pub(super) fn parse(field: &'l str) -> Option<Self> {
        if !field.starts_with('|') {
            return Some(Self::Patterns(field));
        }
        match field.parse() {
            Ok(HostPatterns::HashedName { salt, hash }) => Some(Self::Hashed { salt, hash }),
            _ => None,
        }
    }

    /// True if the field names `host`, which is in lower case.
    pub(super) fn name(&self, host: &str) -> bool {
        match self {
            Self::Patterns(list) => in_list(list, host),
            Self::Hashed { salt, hash } => {
                Hmac::<Sha1>::new_from_slice(salt).is_ok_and(|hmac| hmac.chain_update(host).verify_slice(hash).is_ok())
            }
        }
    }
}

/// True if one pattern matches and no negated one does (ssh_config(5), PATTERNS).
fn in_list(list: &str, host: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, host) => return false,
            Some(_) => {}
            None => found |= matches(pattern, host),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::in_list;

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        assert!(in_list("*.example,!web.example", "db.example"));
        assert!(!in_list("*.example,!web.example", "web.example"));
        assert!(!in_list("!web.example,*.example", "web.example"));
        assert!(!in_list("!web.example", "db.example"));
    }
}
