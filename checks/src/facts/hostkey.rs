//! The observations of the server's key, and its known_hosts entries.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::target::Strictness;
use crate::facts;

/// The contents of a host certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The authority's name for it.
    pub key_id: String,
    /// The authority's number for it.
    pub serial: u64,
    /// The names that it is for; none means any.
    pub principals: Vec<String>,
    /// The beginning of its validity; `None` is since ever.
    pub valid_from: Option<Timestamp>,
    /// The end of its validity; `None` is for ever.
    pub valid_until: Option<Timestamp>,
    /// The fingerprint of the key that signed it.
    pub authority: String,
    /// The key that signed it, as known_hosts has keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_key: Option<String>,
    /// True if it is for other names than the one that was connected to.
    #[serde(default)]
    pub misnamed: bool,
    /// True if one of its names is a pattern that fits, which OpenSSH 9.2 does not take for a name and other versions do.
    #[serde(default)]
    pub fits_pattern: bool,
    /// The reason for which it is not valid for this server and moment, by our clock.
    pub objection: Option<String>,
}

/// The observations of the server's key, and its known_hosts entries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// The key's type, such as `ssh-ed25519`; of a certificate, that of the certified key.
    pub key_type: String,
    /// The length of an RSA key, bits.
    pub bits: Option<u32>,
    /// The length that ssh asks of an RSA key, bits (`RequiredRSASize`).
    #[serde(default)]
    pub required_bits: Option<u32>,
    /// The key's `SHA256:` fingerprint.
    pub fingerprint: String,
    /// Its SHA-1, hexadecimal, as SSHFP records have it (RFC 4255).
    #[serde(default)]
    pub sha1: Option<String>,
    /// The certificate, where the server showed one.
    pub certificate: Option<Certificate>,
    /// The name that known_hosts was searched for.
    pub name: String,
    /// True if that is the server's address, whose key ssh compares too (`CheckHostIP`), and which contradicts it.
    #[serde(default)]
    pub by_address: bool,
    /// The first file in which ssh would find a line.
    #[serde(default)]
    pub first_file: Option<PathBuf>,
    /// The lines that name the server.
    pub entries: Vec<Entry>,
    /// Files that could not be read to their end.
    pub unread: Vec<Unread>,
    /// The file of `RevokedHostKeys`, where it lists the key or the authority that signed it.
    #[serde(default)]
    pub revoked_by: Option<PathBuf>,
    /// The way the key stands to those lines and that file.
    pub standing: KnownHostsMatch,
    /// `StrictHostKeyChecking`.
    pub strictness: Strictness,
    /// True if ssh asks a `KnownHostsCommand` too, which is not run here.
    #[serde(default)]
    pub known_hosts_command: bool,
    /// The decision about the key.
    pub decision: Decision,
    /// The keys that answered on further connections, where this one contradicts known_hosts.
    #[serde(default)]
    pub others: Vec<Other>,
}

/// One line of known_hosts that names the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The file.
    pub file: PathBuf,
    /// Its line, counted from 1.
    pub line: usize,
    /// The text that the line says about its key.
    pub kind: KnownHostsMarker,
    /// True when the line names the host without the port that was connected to.
    pub portless: bool,
    /// The type of the key in it.
    pub key_type: String,
    /// The fingerprint of the key in it.
    pub fingerprint: String,
    /// True if that is the server's key or, for an authority, the one that signed its certificate.
    pub matches: bool,
}

/// The decision about the key, and its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is known.
    Known,
    /// `StrictHostKeyChecking` accepts unknown keys.
    AcceptedBySetting,
    /// The user said yes.
    AcceptedByUser,
    /// A KnownHostsCommand that was not run may know the key, or a line without the port calls it revoked: the login goes on with
    /// public keys only, which a false server cannot use elsewhere.
    PublicKeysOnly,
    /// ssh would have asked, and the run is unattended: ssh ends there, and so does the login.
    NobodyToAsk,
    /// It is an RSA key that is shorter than ssh accepts, known or not.
    TooShort,
    /// `StrictHostKeyChecking` refuses unknown keys.
    RefusedBySetting,
    /// The user said no.
    RefusedByUser,
    /// The key contradicts known_hosts.
    Stopped,
    /// The key contradicts known_hosts, and with `StrictHostKeyChecking no` ssh goes on without passwords; no login is tried here.
    Withheld,
    /// At a loopback address ssh takes any key (`NoHostAuthenticationForLocalhost`).
    NotChecked,
}

impl Decision {
    /// True if the login may go on, and with passwords.
    pub(crate) fn trust(self) -> Option<bool> {
        match self {
            Self::Known | Self::AcceptedBySetting | Self::AcceptedByUser | Self::NotChecked => Some(true),
            Self::PublicKeysOnly => Some(false),
            Self::TooShort
            | Self::RefusedBySetting
            | Self::RefusedByUser
            | Self::NobodyToAsk
            | Self::Stopped
            | Self::Withheld => None,
        }
    }
}

impl Facts {
    /// The key's length and the one that ssh requires, bits, where it is an RSA key and too short.
    #[must_use]
    pub fn too_short(&self) -> Option<(u32, u32)> {
        self.bits.zip(self.required_bits).filter(|(bits, required)| bits < required)
    }

    /// True if no known_hosts file has the key, and ssh asks a command for it before it refuses or asks a person.
    pub(crate) fn is_left_to_a_command(&self) -> bool {
        let is_refused = matches!(self.strictness, Strictness::Yes | Strictness::Ask);
        self.known_hosts_command && is_refused && self.standing == KnownHostsMatch::Unknown
    }

    /// True if a line without the port calls the key revoked; ssh warns of it, and takes the key as one that it does not know.
    pub(crate) fn is_revoked_without_port(&self) -> bool {
        self.entries.iter().any(|entry| entry.portless && entry.kind == KnownHostsMarker::Revoked && entry.matches)
    }
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        // The fingerprint is longer than a table's column: it stands in the diagnosis.
        let key = format!("the {} key", self.key_type);
        match (self.standing, self.decision) {
            (_, Decision::TooShort) => {
                let (bits, required) = self.too_short().unwrap_or_default();
                format!("{key} has {bits} bits, and ssh requires {required}")
            }
            (_, Decision::NotChecked) => format!("{key} is not checked: NoHostAuthenticationForLocalhost"),
            (KnownHostsMatch::Known, _) => format!("{key} is the known one"),
            (KnownHostsMatch::KnownAuthority, _) => format!("{key} is certified by a known authority"),
            (KnownHostsMatch::Changed, _) => format!("{key} is not the one in known_hosts"),
            (KnownHostsMatch::Revoked, _) => format!("{key} is revoked"),
            (KnownHostsMatch::Unknown, Decision::AcceptedByUser) => {
                format!("{key} is not in known_hosts; the user accepted it")
            }
            (KnownHostsMatch::Unknown, Decision::RefusedByUser) => {
                format!("{key} is not in known_hosts; the user refused it")
            }
            (KnownHostsMatch::Unknown, Decision::PublicKeysOnly) => {
                format!("{key} is not in known_hosts; going on with public keys only")
            }
            (KnownHostsMatch::Unknown, Decision::NobodyToAsk) => {
                format!("{key} is not in known_hosts, and nobody could be asked")
            }
            (KnownHostsMatch::Unknown, _) => format!("{key} is not in known_hosts"),
        }
    }
}

/// A key that answered on a further connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// Its type.
    pub key_type: String,
    /// Its `SHA256:` fingerprint.
    pub fingerprint: String,
    /// True if a line of known_hosts holds it.
    pub known: bool,
}

/// The way a key stands to the lines of known_hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownHostsMatch {
    /// A line holds this very key.
    Known,
    /// A line names the authority that signed the certificate, and the certificate is valid here.
    KnownAuthority,
    /// No line names the server.
    Unknown,
    /// Lines name the server, and none of them holds this key.
    Changed,
    /// A line, or the file of `RevokedHostKeys`, says that this key, or the one that signed it, must not be accepted.
    Revoked,
}

impl KnownHostsMatch {
    /// True if the key is one that ssh takes without a question.
    pub(crate) fn is_known(self) -> bool {
        matches!(self, Self::Known | Self::KnownAuthority)
    }
}

/// The text that a line says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownHostsMarker {
    /// It is the host's.
    Host,
    /// It signs host certificates (`@cert-authority`).
    CertAuthority,
    /// It must never be accepted (`@revoked`).
    Revoked,
}

/// A file that could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The path.
    pub file: PathBuf,
    /// The reason.
    pub error: String,
}

/// Facts for the tests of those who read them.
#[cfg(test)]
pub(crate) mod samples {
    use super::{Decision, Entry, Facts, KnownHostsMarker, KnownHostsMatch};
    use crate::base::target::Strictness;

    /// A key that is known.
    pub(crate) fn known() -> Facts {
        Facts {
            key_type: "ssh-ed25519".into(),
            bits: None,
            required_bits: None,
            fingerprint: "SHA256:new".into(),
            sha1: None,
            certificate: None,
            name: "[db.example]:2222".into(),
            by_address: false,
            first_file: Some("/home/me/.ssh/known_hosts".into()),
            entries: vec![entry("SHA256:new", KnownHostsMarker::Host, true)],
            unread: Vec::new(),
            revoked_by: None,
            standing: KnownHostsMatch::Known,
            strictness: Strictness::Ask,
            known_hosts_command: false,
            decision: Decision::Known,
            others: Vec::new(),
        }
    }

    /// A line with that key.
    pub(crate) fn entry(fingerprint: &str, kind: KnownHostsMarker, matches: bool) -> Entry {
        Entry {
            file: "/home/me/.ssh/known_hosts".into(),
            line: 7,
            kind,
            portless: false,
            key_type: "ssh-ed25519".into(),
            fingerprint: fingerprint.into(),
            matches,
        }
    }
}
