//! Clients from the internet that guess names and passwords, told from a server's own users.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::causes::Cause;
use crate::facts::Check;
use crate::facts::log::{Connection, Event};

/// Login names that are guessed on every server of the internet, without those that images of clouds give their users.
const GUESSED: [&str; 26] = [
    "root",
    "admin",
    "administrator",
    "test",
    "tester",
    "user",
    "guest",
    "pi",
    "oracle",
    "postgres",
    "mysql",
    "ftp",
    "ftpuser",
    "www-data",
    "nagios",
    "ubnt",
    "support",
    "hadoop",
    "tomcat",
    "nobody",
    "bin",
    "daemon",
    "sshd",
    "info",
    "operator",
    "supervisor",
];

/// The addresses of a connection's other end: those that its steps record, and those that its lines name.
pub(super) fn addresses(connection: &Connection) -> Vec<IpAddr> {
    let recorded = connection.peers.iter().map(|(address, _)| address.as_str());
    let named = connection.sightings.iter().flat_map(|seen| named_addresses(&seen.line.text));
    recorded.chain(named).filter_map(|address| address.trim_matches(['[', ']']).parse().ok()).collect()
}

/// The addresses in a server's line, without its own.
fn named_addresses(line: &str) -> impl Iterator<Item = &str> {
    let before = [""].into_iter().chain(line.split(' '));
    let words = before
        .zip(line.split(' '))
        .filter(|(before, word)| !["on", "to"].contains(before) && !word.starts_with("DST="));
    words.filter_map(|(_, word)| named_address(word))
}

/// The address that a word of a server's line is: `192.0.2.7`, `rhost=192.0.2.7`, `[192.0.2.7]:22`, `192.0.2.7/32`.
fn named_address(word: &str) -> Option<&str> {
    let word = word.rsplit('=').next().unwrap_or(word).trim_matches(['(', ')', '<', '>', '"', '\'', ',', ';', '.']);
    let word = word.strip_suffix(':').unwrap_or(word);
    let word = word.split_once("]:").map_or(word, |(address, _)| address);
    let word = word.split('/').next().unwrap_or(word);
    (word.contains('.') && word.split('.').count() == 4 || word.matches(':').count() >= 2).then_some(word)
}

/// True if a connection is from the internet, and what keeps it out is met by whoever tries a server's door: at the login, the names are those
/// that everybody guesses.
pub(super) fn is_of_a_stranger(connection: &Connection, cause: &Cause) -> bool {
    let addresses = addresses(connection);
    let is_from_outside = !addresses.is_empty() && addresses.iter().all(is_of_the_internet);
    let names = names(connection);
    let is_guessed = |name: &String| GUESSED.contains(&name.to_ascii_lowercase().as_str());
    let has_unknown_user = connection.first(Event::UnknownUser).is_some();
    is_from_outside
        && (cause.stage < Check::Auth || has_unknown_user || names.iter().all(is_guessed) && !names.is_empty())
}

/// The login names in a connection.
fn names(connection: &Connection) -> Vec<String> {
    static NAMES: LazyLock<Regex> = LazyLock::new(|| {
        let names = r#"(?i)(?:\b(?:user|for)[ =:]+(?:(?:invalid|illegal) user )?|acct=)['"`]?([\w.@-]+)"#;
        RegexBuilder::new(names).unicode(false).build().expect("the words before a name compile")
    });
    let recorded = connection.entries.iter().filter_map(|entry| entry.value("user")).map(str::to_owned);
    let named = connection.sightings.iter().flat_map(|seen| {
        let root = seen.line.text.contains("ROOT LOGIN").then(|| "root".to_owned());
        let found = NAMES.captures_iter(seen.line.text.as_bytes());
        found.map(|found| String::from_utf8_lossy(&found[1]).into_owned()).chain(root).collect::<Vec<_>>()
    });
    recorded.chain(named).collect()
}

fn is_of_the_internet(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            let is_own = address.is_private() || address.is_loopback() || address.is_link_local();
            !(is_own || is_shared || address.is_unspecified())
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_of_the_internet(&IpAddr::V4(mapped)),
            None => !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{is_of_the_internet, named_address};

    #[test]
    fn addresses_of_the_internet_are_told_from_those_of_a_network_of_ones_own() {
        for address in ["203.0.113.5", "2001:db8::5", "::ffff:203.0.113.5", "100.128.0.1"] {
            assert!(is_of_the_internet(&address.parse().unwrap()), "{address}");
        }
        for address in ["10.0.0.5", "192.168.1.4", "172.20.0.1", "127.0.0.1", "100.64.0.9", "fd00::1", "fe80::1", "::1"]
        {
            assert!(!is_of_the_internet(&address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_is_found_in_the_word_that_holds_it() {
        for (word, address) in [
            ("203.0.113.5", Some("203.0.113.5")),
            ("rhost=203.0.113.5", Some("203.0.113.5")),
            ("[203.0.113.5]:41122", Some("[203.0.113.5")),
            ("\"203.0.113.5/32\"", Some("203.0.113.5")),
            ("2001:db8::5", Some("2001:db8::5")),
            ("SRC=203.0.113.5", Some("203.0.113.5")),
            ("OpenSSH_9.2p1", None),
            ("10:00:00", Some("10:00:00")),
        ] {
            assert_eq!(named_address(word), address, "{word}");
        }
    }
}
