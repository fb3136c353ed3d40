//! Free text: what a server, a key or the user's settings say in words of their own. What causes look for is kept; every other word
//! becomes as many `x`, every digit `0`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;
use ssh_doctor_checks::causes::told::texts;

/// Fields with free text, or with lists of it, and their names for people.
const FREE: [(&str, &str); 27] = [
    ("banner", "login banner"),
    ("comments", "server version"),
    ("configuration_error", "error of the configuration"),
    ("deciding", "settings"),
    ("first_bytes", "first bytes of the server"),
    ("first_octets", "first bytes of the server"),
    ("instructions", "prompts"),
    ("key_id", "key id of a certificate"),
    ("labels", "labels"),
    ("lines", "lines of the server's log"),
    ("lines_before_version", "first bytes of the server"),
    ("not_honoured", "settings"),
    ("notices", "notices of the server"),
    ("objection", "principals of a certificate"),
    ("options", "settings"),
    ("other_output", "output of the session"),
    ("output", "output of the session"),
    ("path", "file names"),
    ("phrases", "output of the ProxyCommand"),
    ("principals", "principals of a certificate"),
    ("refused", "refusals of the server"),
    ("said", "output of ssh"),
    ("stderr", "standard error of the session"),
    ("text", "messages of the server"),
    ("unfinished_line", "first bytes of the server"),
    ("value", "settings"),
    ("words", "output of ssh"),
];
/// The files in sentences of ours, as if in a field of this name.
const SENTENCES: &str = "sentences";
/// Further fields that name files.
const FILES: [&str; 5] = ["config", "file", "first_file", "revoked_by", "socket"];
/// Fields with a version line.
const VERSIONS: [&str; 2] = ["server_version", "version"];
/// Words that say nothing of anybody: of paths, of protocols and their greetings, of this program.
const WORDS: &str = "access agent ask bad bin choice close command conf config connection content date default dev doctype dsa ecdsa ed25519 \
    env error esmtp etc false ftp ftpd head home hosts html http https id imap key keys known leave length lib libexec limit local menu mysql no \
    nologin none null ok openssh options pipe pkcs11 pop3 postfix proc pub ready request rfb root rsa run sbin server service session \
    sessions sftp share shell sk smtp so socket ssh sshd status sys system text title tmp true type unknown usr var xmss yes";
/// The words after the software in the version lines of distributions.
const PACKAGES: [&str; 13] =
    ["debian", "ubuntu", "raspbian", "freebsd", "netbsd", "pkix", "hpn", "deb", "bpo", "u", "v", "p", "rc"];

/// The part of a field that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kept {
    /// Words that causes look for.
    Known,
    /// And numbers of up to three digits.
    Numbers,
    /// All of it.
    All,
}

/// The part kept of each field with free text, by its name.
#[derive(Debug, Clone)]
pub(super) struct Keeping(Vec<(&'static str, &'static str, Kept)>);

impl Keeping {
    /// Keeps this part of every field.
    pub(super) fn of_all(kept: Kept) -> Self {
        let files = FILES.iter().chain([&SENTENCES]).map(|name| (*name, "file names"));
        Self(FREE.iter().copied().chain(files).map(|(name, person)| (name, person, kept)).collect())
    }

    /// The least that leaves what `is_same` compares as it is.
    pub(super) fn least(is_same: impl Fn(&Self) -> bool) -> Self {
        let masked = Self::of_all(Kept::Known);
        if is_same(&masked) {
            return masked;
        }
        let mut keeping = Self::of_all(Kept::All);
        for at in 0..keeping.0.len() {
            for kept in [Kept::Known, Kept::Numbers] {
                let mut less = keeping.clone();
                less.0[at].2 = kept;
                if is_same(&less) {
                    keeping = less;
                    break;
                }
            }
        }
        keeping
    }

    /// Returns the fields kept whole, as a person calls them.
    pub(super) fn whole(&self) -> BTreeSet<&'static str> {
        self.0.iter().filter(|(_, _, kept)| *kept == Kept::All).map(|(_, person, _)| *person).collect()
    }

    fn of(&self, field: &str) -> Option<Kept> {
        self.0.iter().find(|(name, _, _)| *name == field).map(|(_, _, kept)| *kept)
    }

    /// Masks every field with free text in a value.
    pub(super) fn mask(&self, value: &mut Value) {
        self.walk(value, None);
    }

    fn walk(&self, value: &mut Value, within: Option<Kept>) {
        match value {
            Value::String(text) => {
                *text = match within {
                    Some(kept) => masked(text, kept),
                    None => without_files(text, self.of(SENTENCES).unwrap_or(Kept::All)),
                };
            }
            Value::Array(items) => match (within, octets(items)) {
                (Some(kept), Some(text)) => {
                    let safe = masked(&text, kept);
                    *items = safe.chars().map(|c| Value::from(u32::from(c))).collect();
                }
                _ => items.iter_mut().for_each(|item| self.walk(item, within)),
            },
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(version) if VERSIONS.contains(&name.as_str()) => {
                            *version = without_addendum(version);
                        }
                        Value::Object(labels) if name == "labels" => {
                            labels.values_mut().for_each(|label| self.walk(label, self.of(name)));
                        }
                        _ => self.walk(field, self.of(name)),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Bytes as a text with a character for each; none where a list has something else, or nothing.
fn octets(items: &[Value]) -> Option<String> {
    let byte = |item: &Value| u8::try_from(item.as_u64()?).ok().map(char::from);
    if items.is_empty() { None } else { items.iter().map(byte).collect() }
}

/// A text in which every word is a known one or masked.
fn masked(text: &str, kept: Kept) -> String {
    if kept == Kept::All {
        return text.to_owned();
    }
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let begins_line =
            safe.is_empty() || safe.ends_with(['\n', '\r']) || safe.ends_with("\\n") || safe.ends_with("\\r");
        let length = if begins_line && rest.starts_with("SSH-") {
            let end = rest.find(['\\', '\r', '\n']).unwrap_or(rest.len());
            safe.push_str(&without_addendum(&rest[..end]));
            end
        } else if first == '\\' {
            let end = escape(rest);
            safe.push_str(&rest[..end]);
            end
        } else if let Some(end) = stand_in(rest).filter(|_| !safe.ends_with(char::is_alphanumeric)) {
            safe.push_str(&rest[..end]);
            end
        } else if first.is_alphanumeric() {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            safe.push_str(&word(&rest[..end], kept));
            end
        } else {
            safe.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    safe
}

/// A sentence of ours with the files in it masked.
fn without_files(text: &str, kept: Kept) -> String {
    let is_file = |word: &str| ["/", "~/", "\"/", "\"~/", "'/", "'~/"].iter().any(|start| word.starts_with(start));
    if !text.contains(char::is_whitespace) {
        return text.to_owned();
    }
    text.split_inclusive(' ').map(|word| if is_file(word) { masked(word, kept) } else { word.to_owned() }).collect()
}

/// The length of an escape at the beginning of a text, as reports write one: `\n`, `\x1b`, `\u{202e}`.
fn escape(text: &str) -> usize {
    let bytes = text.as_bytes();
    let length = match bytes.get(1) {
        Some(b'x') => 4,
        Some(b'u') if bytes.get(2) == Some(&b'{') => text.find('}').map_or(2, |end| end + 1),
        Some(_) => 2,
        None => 1,
    };
    if text.is_char_boundary(length.min(text.len())) { length.min(text.len()) } else { 1 }
}

/// The length of what stands in for a name at the beginning of a text, or of an address of the documentation ranges and loopback.
fn stand_in(text: &str) -> Option<usize> {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || b".-:".contains(byte);
    // The longest one is an address of IPv6 with its port.
    let end = text.bytes().take(64).position(|byte| !in_word(&byte)).unwrap_or(text.len().min(64));
    let word = text[..end].trim_end_matches(['.', ':', '-']);
    let numbered = |prefix: &str, suffix: &str| {
        let number = word.split(':').next()?.strip_prefix(prefix)?.strip_suffix(suffix)?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| prefix.len() + number.len() + suffix.len())
    };
    let is_address = word.contains(['.', ':']) && word.parse::<std::net::IpAddr>().is_ok();
    numbered("host-", ".example")
        .or_else(|| numbered("user-", ""))
        .or_else(|| numbered("key-", ""))
        .or_else(|| is_address.then_some(word.len()))
}

fn word(word: &str, kept: Kept) -> String {
    static VOCABULARY: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let words = texts().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        words.chain(WORDS.split(' ')).map(str::to_ascii_lowercase).collect()
    });
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let stays = if is_number {
        kept == Kept::Numbers && word.len() <= 3
    } else {
        word.chars().count() == 1 || VOCABULARY.contains(&word.to_lowercase())
    };
    if stays {
        return word.to_owned();
    }
    word.chars().map(|c| if c.is_numeric() { '0' } else { 'x' }).collect()
}

/// A version line whose addendum is a distribution's, or masked: RFC 4253 section 4.2 lets a vendor write there what it wants.
fn without_addendum(line: &str) -> String {
    let Some((software, addendum)) = line.split_once(' ') else { return line.to_owned() };
    let mut letters = addendum.split(|c: char| !c.is_ascii_alphabetic()).filter(|run| !run.is_empty());
    let is_package = letters.all(|run| PACKAGES.contains(&run.to_ascii_lowercase().as_str()));
    let is_package = is_package && addendum.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_package { line.to_owned() } else { format!("{software} {}", masked(addendum, Kept::Known)) }
}

#[cfg(test)]
mod tests {
    use super::{Kept, masked, without_addendum, without_files};

    #[test]
    fn known_words_stay_and_all_others_are_masked() {
        for (text, safe) in [
            (
                "Call Joan Doe, +1 555 0199, anent Permission denied",
                "Call xxxx xxx, +0 000 0000, xxxxx Permission denied",
            ),
            ("user-1@host-2.example:22: Permission denied", "user-1@host-2.example:00: Permission denied"),
            ("Exceeded MaxStartups\\r\\nAcme", "Exceeded MaxStartups\\r\\nxxxx"),
            ("SSH-2.0-OpenSSH_9.6 acme-db7\\r\\n", "SSH-2.0-OpenSSH_9.6 xxxx-xx0\\r\\n"),
            ("~/.ssh/acme-known_hosts", "~/.ssh/xxxx-known_hosts"),
            ("Grüße", "xxxxx"),
        ] {
            assert_eq!(masked(text, Kept::Known), safe);
        }
        assert_eq!(masked("line 12 of 4711", Kept::Numbers), "line 12 of 0000");
    }

    #[test]
    fn a_file_in_a_sentence_is_masked_and_a_bare_value_is_not() {
        for (text, safe) in [
            ("RevokedHostKeys /etc/acme/krllist: No such file", "RevokedHostKeys /etc/xxxx/xxxxxxx: No such file"),
            ("the key '~/.ssh/acme' at 1/2 of a/b", "the key '~/.ssh/xxxx' at 1/2 of a/b"),
            ("/AAAAacme/", "/AAAAacme/"),
        ] {
            assert_eq!(without_files(text, Kept::Known), safe);
        }
    }

    #[test]
    fn an_addendum_of_a_distribution_stays() {
        for line in ["SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5", "SSH-2.0-x"]
        {
            assert_eq!(without_addendum(line), line);
        }
        assert_eq!(without_addendum("SSH-2.0-OpenSSH_9.2p1 payroll 42"), "SSH-2.0-OpenSSH_9.2p1 xxxxxxx 00");
    }
}
