//! The software that a server claims to be, and the limits that can exist in that version.

use serde::{Deserialize, Serialize};

/// The identification string (RFC 4253 section 4.2); a server may claim anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// The software's name, such as `OpenSSH`.
    pub name: String,
    /// Its version, such as `9.2p1`.
    pub version: Option<String>,
    /// The text after the first space.
    pub comments: Option<String>,
}

/// A limit of a server that came with some version of OpenSSH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A refusal by MaxStartups is silent; since 8.2 it is said in words.
    SilentMaxStartups,
    /// `PerSourceMaxStartups`, since 8.5.
    PerSourceMaxStartups,
    /// `ChannelTimeout` and `UnusedConnectionTimeout`, since 9.2.
    ChannelTimeout,
    /// `PerSourcePenalties`, since 9.8.
    PerSourcePenalties,
    /// `RefuseConnection`, since 9.9.
    RefuseConnection,
}

impl Software {
    /// Reads an identification string.
    #[must_use]
    pub fn of(identification: &str) -> Option<Self> {
        let (_, rest) = identification.strip_prefix("SSH-")?.split_once('-')?;
        let (software, comments) = match rest.split_once(' ') {
            Some((software, comments)) => (software, Some(comments.to_owned())),
            None => (rest, None),
        };
        // The version begins at the first separator that a digit follows: OpenSSH_for_Windows_8.1, Cisco-1.25.
        let digit_follows = |at: usize| software[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let split = software.match_indices(['_', '-']).map(|(at, _)| at).find(|at| digit_follows(*at));
        let (name, version) = match split {
            Some(at) => (&software[..at], Some(software[at + 1..].to_owned())),
            None => (software, None),
        };
        Some(Self { name: name.to_owned(), version, comments })
    }

    /// Major and minor version of OpenSSH, from any vendor.
    #[must_use]
    pub fn openssh(&self) -> Option<(u32, u32)> {
        if !self.name.starts_with("OpenSSH") {
            return None;
        }
        let version = self.version.as_deref()?;
        let mut numbers = version.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }

    /// True if the server opens a port of its own choice for ssh -R 0, as far as its history is known: OpenSSH since 5.3 (serverloop.c), dropbear
    /// since 2018.76 (svr-tcpfwd.c). Older ones refuse it, and open a port that is named.
    #[must_use]
    pub fn chooses_ports(&self) -> bool {
        let year = || self.version.as_deref()?.split('.').next()?.parse::<u32>().ok();
        match (self.openssh(), self.name.as_str()) {
            (Some(version), _) => version >= (5, 3),
            (None, "dropbear") => year().is_some_and(|year| year >= 2018),
            _ => true,
        }
    }

    /// True if a connection without a login costs its source a penalty: a server that says so must not be asked again lightly.
    #[must_use]
    pub fn penalizes(identification: Option<&str>) -> bool {
        identification.and_then(Self::of).and_then(|software| software.can_have(Limit::PerSourcePenalties))
            == Some(true)
    }

    /// True if the limit can exist; none where the software is not one whose history we know.
    ///
    /// A distribution that carries a feature back to an older version makes this wrong; none is known to do so for these.
    #[must_use]
    pub fn can_have(&self, limit: Limit) -> Option<bool> {
        if let Some(version) = self.openssh() {
            return Some(match limit {
                Limit::SilentMaxStartups => version < (8, 2),
                Limit::PerSourceMaxStartups => version >= (8, 5),
                Limit::ChannelTimeout => version >= (9, 2),
                Limit::PerSourcePenalties => version >= (9, 8),
                Limit::RefuseConnection => version >= (9, 9),
            });
        }
        // Dropbear limits unauthenticated connections too (MAX_UNAUTH_CLIENTS), and closes without a word.
        (self.name == "dropbear").then_some(limit == Limit::SilentMaxStartups)
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Software};

    fn read(identification: &str) -> (String, Option<String>, Option<String>) {
        let Software { name, version, comments } = Software::of(identification).unwrap();
        (name, version, comments)
    }

    #[test]
    fn the_common_servers_are_told_apart() {
        let some = |text: &str| Some(text.to_owned());
        for (identification, name, version, comments) in [
            ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", "OpenSSH", some("9.2p1"), some("Debian-2+deb12u10")),
            ("SSH-2.0-OpenSSH_for_Windows_8.1", "OpenSSH_for_Windows", some("8.1"), None),
            ("SSH-2.0-dropbear_2022.83", "dropbear", some("2022.83"), None),
            ("SSH-2.0-AsyncSSH_2.24.1", "AsyncSSH", some("2.24.1"), None),
            ("SSH-2.0-libssh_0.10.6", "libssh", some("0.10.6"), None),
            ("SSH-2.0-Go", "Go", None, None),
            ("SSH-1.99-Cisco-1.25", "Cisco", some("1.25"), None),
            ("SSH-2.0-ROSSSH", "ROSSSH", None, None),
            ("SSH-2.0--", "-", None, None),
        ] {
            assert_eq!(read(identification), (name.to_owned(), version, comments));
        }
        assert_eq!(Software::of("HTTP/1.1 400"), None);
    }

    #[test]
    fn a_limit_exists_from_its_version_on() {
        let can = |version: &str, limit| Software::of(&format!("SSH-2.0-{version}")).unwrap().can_have(limit);
        assert_eq!(can("OpenSSH_9.1", Limit::ChannelTimeout), Some(false));
        assert_eq!(can("OpenSSH_9.2p1", Limit::ChannelTimeout), Some(true));
        assert_eq!(can("OpenSSH_9.7p1", Limit::PerSourcePenalties), Some(false));
        assert_eq!(can("OpenSSH_10.0p2", Limit::PerSourcePenalties), Some(true));
        assert_eq!(can("OpenSSH_8.4", Limit::PerSourceMaxStartups), Some(false));
        assert_eq!(can("OpenSSH_8.1", Limit::SilentMaxStartups), Some(true));
        assert_eq!(can("dropbear_2022.83", Limit::ChannelTimeout), Some(false));
        assert_eq!(can("Go", Limit::ChannelTimeout), None);
    }

    #[test]
    fn old_servers_open_only_a_port_that_is_named() {
        let chooses = |version: &str| Software::of(&format!("SSH-2.0-{version}")).unwrap().chooses_ports();
        for old in ["dropbear_0.52", "dropbear_2012.55", "dropbear_2017.75", "OpenSSH_5.2", "OpenSSH_4.3"] {
            assert!(!chooses(old), "{old}");
        }
        for newer in ["dropbear_2018.76", "dropbear_2025.88", "OpenSSH_5.3", "OpenSSH_10.0p2", "AsyncSSH_2.24.1", "Go"]
        {
            assert!(chooses(newer), "{newer}");
        }
    }
}
