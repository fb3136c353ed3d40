//! The names in front of a key: a list of patterns, or one hashed name.

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::HostPatterns;
use sha1::Sha1;

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

    /// Whether the field names `host`, which is in lower case.
    pub(super) fn name(&self, host: &str) -> bool {
        match self {
            Self::Patterns(list) => in_list(list, host),
            Self::Hashed { salt, hash } => {
                Hmac::<Sha1>::new_from_slice(salt).is_ok_and(|hmac| hmac.chain_update(host).verify_slice(hash).is_ok())
            }
        }
    }
}

/// Whether one pattern matches and no negated one does (ssh_config(5), PATTERNS).
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

/// Whether a pattern with `*` and `?` matches the whole of `text`; letter case does not count in the pattern.
///
/// Goes back to the last `*` only, so that hostile patterns cannot make it slow.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::{in_list, matches};

    #[test]
    fn patterns_match_as_in_ssh() {
        for (pattern, text, expected) in [
            ("db.example", "db.example", true),
            ("DB.example", "db.example", true),
            ("*.example", "db.example", true),
            ("*.example", "db.examples", false),
            ("d?.example", "db.example", true),
            ("d?.example", "d.example", false),
            ("*", "", true),
            ("", "x", false),
            ("[*.example]:22??", "[db.example]:2222", true),
            ("*a*b", "xaxxab", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_not_slow() {
        assert!(!matches(&"*a".repeat(2_000), &"a".repeat(1_999)));
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        assert!(in_list("*.example,!web.example", "db.example"));
        assert!(!in_list("*.example,!web.example", "web.example"));
        assert!(!in_list("!web.example,*.example", "web.example"));
        assert!(!in_list("!web.example", "db.example"));
    }
}
