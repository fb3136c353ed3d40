//! Misspellings of a name for which the system's resolver sends no query.

use std::net::Ipv6Addr;

use hickory_resolver::proto::rr::Name;

/// Longest label, octets (RFC 1035 section 2.3.4).
const LABEL: usize = 63;
/// Longest name as it is written, without a dot at its end, octets (255 on the wire, RFC 1035 section 2.3.4).
const NAME: usize = 253;

/// The reason why no resolver asks for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Two dots in a row, one at the beginning, or nothing else.
    EmptyLabel,
    /// A label of this many octets.
    LongLabel(usize),
    /// A name of this many octets in all.
    LongName(usize),
    /// A dash at the beginning.
    LeadingDash,
    /// A character other than the letters, digits, dashes and underscores that C libraries ask for.
    Character(char),
    /// An IPv6 address in a zone that is none of this machine's interfaces (RFC 4007 section 11).
    Zone(String),
    /// Letters beyond ASCII, which ssh hands on as they are; the name in the form that DNS has (IDNA, RFC 5891).
    NotAscii(Option<String>),
}

impl Flaw {
    /// The first flaw of a name that the system does not take for an address.
    pub(crate) fn of(name: &str) -> Option<Self> {
        if !name.is_ascii() {
            let ascii = Name::from_utf8(name).ok().map(|name| name.to_ascii());
            return Some(Self::NotAscii(ascii.filter(|ascii| Self::of(ascii).is_none())));
        }
        if let Some((_, zone)) = name.split_once('%').filter(|(address, _)| address.parse::<Ipv6Addr>().is_ok()) {
            return Some(Self::Zone(zone.to_owned()));
        }
        let plain = name.strip_suffix('.').unwrap_or(name);
        if let Some(label) = plain.split('.').find(|label| label.is_empty() || label.len() > LABEL) {
            return Some(if label.is_empty() { Self::EmptyLabel } else { Self::LongLabel(label.len()) });
        }
        if plain.len() > NAME {
            return Some(Self::LongName(plain.len()));
        }
        let usual = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match plain.chars().find(|&c| !usual(c)) {
            Some(odd) => Some(Self::Character(odd)),
            None => plain.starts_with('-').then_some(Self::LeadingDash),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flaw;

    #[test]
    fn what_glibc_asks_nobody_for_has_a_flaw() {
        for (name, flaw) in [
            ("a..b", Flaw::EmptyLabel),
            (".a", Flaw::EmptyLabel),
            (".", Flaw::EmptyLabel),
            ("a.b..", Flaw::EmptyLabel),
            ("-a.example", Flaw::LeadingDash),
            ("fe80::1%gone", Flaw::Zone("gone".into())),
            ("*.example", Flaw::Character('*')),
            ("foo!bar", Flaw::Character('!')),
            ("bücher.example", Flaw::NotAscii(Some("xn--bcher-kva.example".into()))),
            ("bü..cher", Flaw::NotAscii(None)),
        ] {
            assert_eq!(Flaw::of(name), Some(flaw), "{name}");
        }
        assert_eq!(Flaw::of(&format!("{}.example", "a".repeat(64))), Some(Flaw::LongLabel(64)));
        assert_eq!(Flaw::of(&format!("{}b", "a.".repeat(127))), Some(Flaw::LongName(255)));
    }

    #[test]
    fn what_it_asks_for_has_none() {
        let longest = format!("{}b", "a.".repeat(126));
        for name in ["db", "db.example.", "_x.example", "a-.example", "10.example", "xn--bcher-kva.example", &longest] {
            assert_eq!(Flaw::of(name), None, "{name}");
        }
    }
}
