//! Names in a text, and the replacement for each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ssh_doctor_checks::facts::Examined;

use super::homes::without_homes;
use super::keys::Keys;

/// Accounts that come with a system or a service and so identify no person; a judge may need to know `root`.
const ROLES: [&str; 12] =
    ["root", "admin", "core", "debian", "ec2-user", "fedora", "git", "nobody", "pi", "sshd", "ubuntu", "vagrant"];

/// Domains after the `@` of algorithm and extension names (RFC 4251 section 6), which are not hosts of anybody's.
const VENDORS: [&str; 9] = [
    "amazon.com",
    "google.com",
    "libssh.org",
    "lysator.liu.se",
    "matt.ucc.asn.au",
    "openssh.com",
    "putty.projects.tartarus.org",
    "ssh.com",
    "tinyssh.org",
];

/// The scope of the replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Every name that is known or can be recognised.
    Everywhere,
    /// Not those that look like any other word: a host without a domain, a user's name standing alone.
    NotWords,
}

/// The names met so far, each by its place in its list.
#[derive(Debug, Default)]
pub(super) struct Names {
    hosts: Vec<String>,
    users: Vec<String>,
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    pub(super) keys: Keys,
}

impl Names {
    /// The names that the target itself gives away.
    pub(super) fn of(target: &Examined) -> Self {
        let mut names = Self::default();
        names.know(target);
        names
    }

    /// Notes the names that a target reveals.
    pub(super) fn know(&mut self, target: &Examined) {
        self.know_host(&target.host);
        self.know_user(&target.user);
        for place in target.via.iter().chain([&target.input, &target.known_as]) {
            let place = place.trim_start_matches("ssh://");
            let (user, place) = place.rsplit_once('@').map_or(("", place), |(user, place)| (user, place));
            let host = place.trim_start_matches('[').split([':', ']', '/']).next().unwrap_or("");
            self.know_user(user);
            self.know_host(host);
        }
    }

    /// The text with every name in it replaced.
    pub(super) fn replaced(&mut self, text: &str, reach: Reach) -> String {
        let text = self.odd_users_replaced(self.keys.replaced(&without_homes(text)));
        let mut safe = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(start) = rest.find(in_word) {
            safe.push_str(&rest[..start]);
            let word = &rest[start..];
            let word = &word[..word.find(|c| !in_word(c)).unwrap_or(word.len())];
            let is_file = safe.ends_with('/') && !safe.ends_with("//");
            let (core, tail) = word.split_at(word.trim_end_matches(['.', '-', '%']).len());
            safe.push_str(&self.word(core, reach, is_file));
            safe.push_str(tail);
            rest = &rest[start + word.len()..];
        }
        safe + rest
    }

    /// The text without users whose names are no single word: `CORP\alice`, `alice:db`.
    fn odd_users_replaced(&self, text: String) -> String {
        let is_odd = |user: &str| {
            user.contains(|c| !in_word(c) || matches!(c, ':' | '%' | '@'))
                && user.matches(char::is_alphanumeric).count() > 1
        };
        let odd = self.users.iter().enumerate().filter(|(_, user)| is_odd(user));
        odd.fold(text, |text, (at, user)| text.replace(user, &user_stand_in(at)))
    }

    fn word(&mut self, word: &str, reach: Reach, is_file: bool) -> String {
        if let Some((user, host)) = word.rsplit_once('@') {
            return self.user_at_host(user, host, reach);
        }
        if let Some((address, zone)) = word.split_once('%') {
            return format!("{}%{zone}", self.word(address, reach, is_file));
        }
        if let Ok(address) = word.parse() {
            return self.address(address).to_string();
        }
        if word.contains(':') {
            // A time, a host with its port, or a label: each piece for itself.
            return word.split(':').map(|piece| self.word(piece, reach, is_file)).collect::<Vec<_>>().join(":");
        }
        let is_word = !word.contains('.');
        if is_word && reach == Reach::NotWords {
            return word.to_owned();
        }
        let lower = word.to_ascii_lowercase();
        if let Some(at) = self.users.iter().position(|user| user == word) {
            user_stand_in(at)
        } else if self.hosts.contains(&lower) || (!is_file && is_host_name(&lower)) {
            self.host(&lower)
        } else {
            word.to_owned()
        }
    }

    fn user_at_host(&mut self, user: &str, host: &str, reach: Reach) -> String {
        if is_vendor(&host.to_ascii_lowercase()) {
            return format!("{user}@{host}");
        }
        let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
        let user = if user.is_empty() || ROLES.contains(&user) { user.to_owned() } else { self.user(user) };
        let host = match host.parse() {
            Ok(address) => self.address(address).to_string(),
            // Behind an @ any word is a host.
            Err(_) if !host.is_empty() => self.host(&host.to_ascii_lowercase()),
            Err(_) => String::new(),
        };
        let port = port.map_or_else(String::new, |port| format!(":{}", self.word(port, reach, false)));
        format!("{user}@{host}{port}")
    }

    fn know_host(&mut self, host: &str) {
        if !host.is_empty() && host.parse::<IpAddr>().is_err() && !is_nobodys(&host.to_ascii_lowercase()) {
            place(&mut self.hosts, host.to_ascii_lowercase());
        }
    }

    fn know_user(&mut self, user: &str) {
        if !user.is_empty() && !ROLES.contains(&user) {
            place(&mut self.users, user.to_owned());
        }
    }

    fn host(&mut self, host: &str) -> String {
        if is_nobodys(host) {
            return host.to_owned();
        }
        format!("host-{}.example", place(&mut self.hosts, host.to_owned()) + 1)
    }

    fn user(&mut self, user: &str) -> String {
        user_stand_in(place(&mut self.users, user.to_owned()))
    }

    /// Returns an address of the documentation ranges (RFC 5737, RFC 3849); loopback and the unspecified address stay,
    /// since they identify no host.
    fn address(&mut self, address: IpAddr) -> IpAddr {
        match address {
            _ if address.is_loopback() || address.is_unspecified() => address,
            IpAddr::V4(address) => {
                let place = place(&mut self.v4, address);
                let last = u8::try_from(place % 254 + 1).unwrap_or(u8::MAX);
                let [a, b, c] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][(place / 254).min(2)];
                Ipv4Addr::new(a, b, c, last).into()
            }
            IpAddr::V6(address) => {
                let last = u16::try_from(place(&mut self.v6, address) + 1).unwrap_or(u16::MAX);
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()
            }
        }
    }
}

fn user_stand_in(place: usize) -> String {
    format!("user-{}", place + 1)
}

/// Returns the index of an item in a list, at its end if it is new.
fn place<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|known| *known == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':' | '%')
}

/// A dotted name that ends in what could be a top-level domain: letters only, unlike a version.
fn is_host_name(word: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    word.rsplit_once('.').is_some_and(|(rest, last)| {
        let top = (2..=24).contains(&last.len()) && last.chars().all(|c| c.is_ascii_alphabetic());
        (top || last.starts_with("xn--")) && rest.split('.').all(label)
    })
}

/// Documentation names (RFC 2606), which our stand-ins are too, this machine, and vendors.
fn is_nobodys(host: &str) -> bool {
    host == "localhost" || host.rsplit_once('.').is_some_and(|(_, last)| last == "example") || is_vendor(host)
}

fn is_vendor(host: &str) -> bool {
    VENDORS.iter().any(|vendor| host.strip_suffix(vendor).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::facts::Examined;

    use super::{Names, Reach};

    fn names() -> Names {
        Names::of(&Examined {
            input: "db".into(),
            host: "db.corp.test".into(),
            user: "alice".into(),
            port: 22,
            known_as: String::new(),
            via: vec!["bob@gate:22".into()],
            ..Examined::default()
        })
    }

    #[test]
    fn the_name_that_known_hosts_is_searched_for_is_one() {
        let target = Examined { known_as: "[pool-key]:2222".into(), ..Examined::default() };
        assert_eq!(Names::of(&target).replaced("[pool-key]:2222", Reach::Everywhere), "[host-1.example]:2222");
    }

    #[test]
    fn names_and_addresses_get_stable_stand_ins() {
        let mut names = names();
        for (text, safe) in [
            ("db.corp.test", "host-1.example"),
            ("bob@gate:22", "user-2@host-2.example:22"),
            ("Could not resolve DB.corp.test.", "Could not resolve host-1.example."),
            ("alice from 10.1.2.3:4711 and 10.1.2.4.", "user-1 from 192.0.2.1:4711 and 192.0.2.2."),
            ("10.1.2.3", "192.0.2.1"),
            ("[fe80::1%eth0]:22", "[2001:db8::1%eth0]:22"),
            ("127.0.0.53 ::1 0.0.0.0", "127.0.0.53 ::1 0.0.0.0"),
            ("/home/alice/.ssh/id_rsa.pub", "~/.ssh/id_rsa.pub"),
            ("/root/.ssh/known_hosts", "~/.ssh/known_hosts"),
            ("carol@laptop", "user-3@host-4.example"),
            ("220 mail.other.test ESMTP", "220 host-5.example ESMTP"),
            ("https://www.other.test/x.html", "https://host-6.example/x.html"),
        ] {
            assert_eq!(names.replaced(text, Reach::Everywhere), safe);
        }
    }

    #[test]
    fn what_judges_read_stays_as_it_is() {
        let mut names = names();
        for text in [
            "chacha20-poly1305@openssh.com,curve25519-sha256@libssh.org,kexguess2@matt.ucc.asn.au",
            "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
            "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
            "2026-11-20T22:41:07.5Z",
            "/etc/resolv.conf",
            "Exceeded MaxStartups",
            "root@",
            "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "localhost",
        ] {
            assert_eq!(names.replaced(text, Reach::Everywhere), text);
        }
    }

    #[test]
    fn a_name_like_any_word_can_be_left_where_it_is() {
        assert_eq!(names().replaced("db", Reach::Everywhere), "host-3.example");
        assert_eq!(names().replaced("db", Reach::NotWords), "db");
    }
}
