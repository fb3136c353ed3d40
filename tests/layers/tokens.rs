//! Rust source as the names and marks that paths are made of. A whole parser would be one more dependency to build for all tests.

/// A name or a mark, and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is_name(&self) -> bool {
        self.text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
    }
}

/// The tokens of a file; comments, texts, characters, numbers and lifetimes are left out.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let (mut tokens, mut line, mut rest) = (Vec::new(), 1, source);
    while let Some(first) = rest.chars().next() {
        let name = rest.len() - rest.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_').len();
        let taken = if let Some(length) = literal(rest) {
            length
        } else if name > 0 {
            if !first.is_ascii_digit() {
                tokens.push(Token { text: rest[..name].to_owned(), line });
            }
            name
        } else {
            let mark = if rest.starts_with("::") { "::" } else { &rest[..first.len_utf8()] };
            if !first.is_whitespace() {
                tokens.push(Token { text: mark.to_owned(), line });
            }
            mark.len()
        };
        line += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    tokens
}

/// The length of the comment, text, character or lifetime that the source begins with, bytes; none where it begins with none.
fn literal(source: &str) -> Option<usize> {
    let until =
        |end: &str, from: usize| Some(source[from..].find(end).map_or(source.len(), |at| from + at + end.len()));
    if source.starts_with("//") {
        return until("\n", 0).map(|end| end - 1).map(|end| end.max(2));
    }
    if source.starts_with("/*") {
        return until("*/", 2);
    }
    let raw = source.strip_prefix('b').unwrap_or(source);
    if let Some(raw) = raw.strip_prefix('r').filter(|raw| raw.trim_start_matches('#').starts_with('"')) {
        let marks = raw.len() - raw.trim_start_matches('#').len();
        let begun = source.len() - raw.len() + marks + 1;
        return until(&format!("\"{}", "#".repeat(marks)), begun);
    }
    let plain = source.strip_prefix('b').filter(|rest| rest.starts_with(['"', '\''])).unwrap_or(source);
    let before = source.len() - plain.len();
    match plain.chars().next()? {
        '"' => Some(before + quoted(plain, '"')),
        // A lifetime has no second quote behind one letter or an escape.
        '\'' if plain[1..].starts_with('\\') || plain[1..].chars().nth(1) == Some('\'') => {
            Some(before + quoted(plain, '\''))
        }
        '\'' => {
            let name = plain[1..].trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
            Some(source.len() - name.len())
        }
        _ => None,
    }
}

/// Where a text ends that begins with its quote, bytes.
fn quoted(source: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in source.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + letter.len_utf8(),
            _ => {}
        }
    }
    source.len()
}

#[test]
fn only_names_and_marks_are_left() {
    let source = "a::b /* c::d */ \"e\\\"::f\" r#\"g\"::h\"# 'i' '\\'' 'j b\"k\" // l\nm!(1.0..n)";
    let told: Vec<_> = tokens(source).into_iter().map(|token| (token.text, token.line)).collect();
    let expected =
        [("a", 1), ("::", 1), ("b", 1), ("m", 2), ("!", 2), ("(", 2), (".", 2), (".", 2), (".", 2), ("n", 2), (")", 2)];
    assert_eq!(told, expected.map(|(text, line)| (text.to_owned(), line)));
}
