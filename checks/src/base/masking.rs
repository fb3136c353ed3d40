//! Words that may hold a secret, and their replacement in a report.

use sha2::{Digest, Sha256};

use super::text::hex;

/// Bytes kept of the hash: enough to distinguish two texts, too few to confirm a guessed one.
const HASH_BYTES: usize = 4;

/// The first bytes of a text's SHA-256, as hexadecimal digits.
#[must_use]
pub fn short_hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..HASH_BYTES])
}

/// The length and the start of the hash of a text: `(34 bytes, SHA-256 begins 1a2b3c4d)`.
#[must_use]
pub fn masked(text: &str) -> String {
    format!("({} bytes, SHA-256 begins {})", text.len(), short_hash(text))
}

/// True if a text has a URL with a password in it (`ssh://user:password@host`).
#[must_use]
pub fn holds_password(text: &str) -> bool {
    passwords(text).any(|(login, _, _)| text[..login].ends_with("://"))
}

/// True if a text is, as a whole, a URL with a password in it; unlike one in a sentence, it may hold spaces.
#[must_use]
pub fn is_url_with_password(text: &str) -> bool {
    let login = text.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    login.is_some_and(|(login, _)| login.contains(':'))
}

/// A text with the passwords of the URLs in it replaced by `***`.
#[must_use]
pub fn without_passwords(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut done = 0;
    for (_, start, end) in passwords(text) {
        safe.push_str(&text[done..start]);
        safe.push_str("***");
        done = end;
    }
    safe + &text[done..]
}

/// True if a login name is the beginning of a URL, mistyped or not: `ssh:/user`, `//user`.
#[must_use]
pub fn is_of_url(login: &str) -> bool {
    login.starts_with('/') || login.contains(":/")
}

/// The places of the logins in URLs, mistyped ones too (`ssh:/u:p@h`, `//u:p@h`), and of their passwords: from the first colon to the
/// last `@` of the word.
fn passwords(text: &str) -> impl Iterator<Item = (usize, usize, usize)> {
    let is_delimiter = |c: char| c.is_whitespace() || "\"'<>,".contains(c);
    let begins_word = move |at: usize| text[..at].ends_with(is_delimiter) || at == 0;
    let slashes = text.match_indices('/').map(|(at, _)| at);
    let first =
        slashes.filter(move |at| text[..*at].ends_with(':') || text[*at..].starts_with("//") && begins_word(*at));
    first.filter_map(move |at| {
        let start = at + text[at..].find(|c| c != '/')?;
        let word = &text[start..];
        let end = word.find(is_delimiter).unwrap_or(word.len());
        let login = &word[..word[..end].rfind('@')?];
        let colon = login.find(':').filter(|_| !login.contains("://"))?;
        Some((start, start + colon + 1, start + login.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::{holds_password, masked, without_passwords};

    #[test]
    fn the_password_of_a_url_goes_and_the_rest_stays() {
        for (text, safe) in [
            ("ssh://u:secret@h", "ssh://u:***@h"),
            ("ssh://u:se@cr/et@h:22/", "ssh://u:***@h:22/"),
            ("a,ssh://u:p@h,b", "a,ssh://u:***@h,b"),
            ("ssh://u:@h", "ssh://u:***@h"),
            ("ProxyJump=ssh://a:b@c,ssh://d:e@f", "ProxyJump=ssh://a:***@c,ssh://d:***@f"),
            ("'http://a:b@c' is no target", "'http://a:***@c' is no target"),
            ("ssh:/u:p@h", "ssh:/u:***@h"),
            ("is //u:p@h a target", "is //u:***@h a target"),
        ] {
            assert_eq!(without_passwords(text), safe);
            assert_eq!(holds_password(text), text.contains("://"), "{text}");
        }
        for text in [
            "ssh://u@h:22",
            "u:secret@h",
            "ssh://h:22",
            "ssh://[::1]:22",
            "see https://x/y:z",
            "://",
            "",
            "/a/b:c@d",
            ":/",
            "/run/x:%p-%r@%h",
            "a//b:c@d",
        ] {
            assert_eq!(without_passwords(text), text);
            assert!(!holds_password(text), "{text}");
        }
    }

    #[test]
    fn a_masked_text_has_its_length_and_no_more_of_its_hash_than_tells_it_apart() {
        assert_eq!(
            masked("mysql -psecret"),
            format!("(14 bytes, SHA-256 begins {})", super::short_hash("mysql -psecret"))
        );
        assert_eq!(super::short_hash("").len(), 8);
    }
}
