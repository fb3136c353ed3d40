//! Patterns with `*` and `?` (ssh_config(5), PATTERNS).

/// True if a pattern matches the whole of `text`; letter case does not count in the pattern.
///
/// Goes back to the last `*` only, so that hostile patterns cannot make it slow.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
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
    use super::matches;

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
}
