//! Home folders, which name their owners.

/// Home folders become `~`.
pub(super) fn without_homes(text: &str) -> String {
    let mut text = text.to_owned();
    for parent in ["/home/", "/Users/"] {
        while let Some(start) = text.find(parent) {
            let name = start + parent.len();
            let end = text[name..].find(|c: char| c == '/' || !is_of_a_name(c)).map_or(text.len(), |end| name + end);
            text.replace_range(start..end, "~");
        }
    }
    match text.strip_prefix("/root") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => text,
    }
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':' | '%')
}
