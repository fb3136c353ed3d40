//! Words that a shell reads back as they were.

/// One word for any shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("a'b c"), r"'a'\''b c'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("me@db:22"), "me@db:22");
    }
}
