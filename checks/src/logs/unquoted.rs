//! Messages that quote others: line ends, quotes and brackets as Ansible, JSON and web pages write them.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// Characters as HTML writes them.
const ENTITIES: [(&[u8], u8); 11] = [
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&quot;", b'"'),
    (b"&#34;", b'"'),
    (b"&apos;", b'\''),
    (b"&#39;", b'\''),
    (b"&#039;", b'\''),
    (b"&#x27;", b'\''),
    (b"&nbsp;", b' '),
    (b"&#47;", b'/'),
    (b"&amp;", b'&'),
];
/// Characters as JSON writes them.
const ESCAPES: [(&[u8], u8); 7] = [
    (b"\\\"", b'"'),
    (b"\\/", b'/'),
    (b"\\u003c", b'<'),
    (b"\\u003e", b'>'),
    (b"\\u0026", b'&'),
    (b"\\u0027", b'\''),
    (b"\\u0022", b'"'),
];

/// The lines of a message that quotes others, as Ansible quotes what ssh printed: `b'one\\r\\ntwo'`.
pub(super) fn unquoted(message: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let plain = plain(message);
    if let Cow::Owned(plain) = plain {
        let lines = lines(&plain).into_iter().flat_map(without_warning);
        return lines.map(|line| Cow::Owned(line.to_vec())).collect();
    }
    lines(message).into_iter().flat_map(without_warning).map(Cow::Borrowed).collect()
}

/// The parts of a line in which a program joined ssh's lines, where those of its warning of a key exchange (OpenSSH 10.1 and later) are among them: ssh's
/// next line, which follows the address, is none of it.
fn without_warning(line: &[u8]) -> Vec<&[u8]> {
    const BEGINS: &[u8] = b"** WARNING: connection is not using a post-quantum";
    const ENDS: &[u8] = b"openssh.com/pq.html";
    let Some(begin) = memmem::find(line, BEGINS).filter(|begin| *begin > 0 || memmem::find(line, ENDS).is_some())
    else {
        return vec![line];
    };
    let end = memmem::find(line, ENDS).map_or(line.len(), |at| at + ENDS.len());
    let (before, after) = (line[..begin].trim_ascii(), line[end.max(begin)..].trim_ascii());
    let parts = [before, &line[begin..end.max(begin)], after];
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

fn lines(message: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut begin, mut read) = (Vec::new(), 0, 0);
    while let Some(at) = memmem::find(&message[read..], b"\\n").map(|at| read + at) {
        read = at + 2;
        let before = unescaped_end(&message[begin..at]);
        let before_return = before.strip_suffix(b"\\r").map(unescaped_end);
        if before_return.is_none() && is_of_a_name(before, &message[read..]) {
            continue;
        }
        lines.push(before_return.unwrap_or(before));
        begin = read;
    }
    lines.push(&message[begin..]);
    lines
}

/// True if a backslash and an n between these parts of a message are of a path or an account of Windows (`C:\new`, `~\.ssh\nas`, `CORP\nina`), and no line
/// end: what follows is in lower case.
fn is_of_a_name(before: &[u8], after: &[u8]) -> bool {
    /// The longest name of a folder or a domain that is looked at, bytes.
    const LONGEST: usize = 64;
    if !after.first().is_some_and(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_')) {
        return false;
    }
    let tail = &before[before.len().saturating_sub(LONGEST)..];
    let ends_word = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'(' | b'=' | b'>');
    let (around, word) = tail.split_at(tail.iter().rposition(ends_word).map_or(0, |at| at + 1));
    let is_drive =
        |text: &[u8]| text[0].is_ascii_alphabetic() && text[1] == b':' && text.get(2).is_none_or(|byte| *byte == b'\\');
    let is_variable = word.starts_with(b"%") && word.ends_with(b"%");
    // sshd names the account of a domain so.
    let is_domain = [&b"for "[..], b"user ", b"User ", b"by ", b"user="].iter().any(|words| around.ends_with(words));
    // A folder's name may have spaces.
    let has_drive = tail.windows(3).any(is_drive) || word.len() == 2 && is_drive(word);
    word == b"~" || word.contains(&b'\\') || has_drive || is_variable || is_domain
}

/// A text without the backslashes at its end: what is quoted twice has two before each letter.
fn unescaped_end(text: &[u8]) -> &[u8] {
    let backslashes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
    &text[..text.len() - backslashes]
}

/// True if a message is a frame of a Python stack trace with a path of Windows: its `\n` is a folder's name.
fn is_a_frame_of_windows(message: &[u8]) -> bool {
    let path = message.trim_ascii_start().strip_prefix(b"File \"").unwrap_or_default();
    memmem::find(path, b"\", line ").is_some_and(|end| path[..end].contains(&b'\\'))
}

/// A message with the characters that HTML, JSON or Windows writes otherwise.
fn plain(message: &[u8]) -> Cow<'_, [u8]> {
    if is_a_frame_of_windows(message) {
        return message.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    }
    let has_entities = memchr(b'&', message).is_some() && memchr(b';', message).is_some();
    let has_escapes = memchr(b'\\', message).is_some();
    if !has_entities && !has_escapes {
        return Cow::Borrowed(message);
    }
    let mut plain = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.first() {
        let known = match first {
            b'&' => ENTITIES.iter().find(|(written, _)| rest.starts_with(written)),
            b'\\' => ESCAPES.iter().find(|(written, _)| rest.starts_with(written)),
            _ => None,
        };
        let (written, character) = known.map_or((1, *first), |(written, character)| (written.len(), *character));
        plain.push(character);
        rest = &rest[written..];
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::unquoted;

    #[test]
    fn quoted_lines_are_read_as_they_were_printed() {
        for (written, lines) in [
            (r#"{"stderr": "ssh: a\r\nssh: b"}"#, vec![r#"{"stderr": "ssh: a"#, r#"ssh: b"}"#]),
            (r#"{"log": "b'ssh: a\\r\\nssh: b'"}"#, vec![r#"{"log": "b'ssh: a"#, r#"ssh: b'"}"#]),
            (r#"{"msg":"exec: \"ssh\": not found"}"#, vec![r#"{"msg":"exec: "ssh": not found"}"#]),
            ("can&#39;t open &lt;x&gt; &amp;quot; & y;", vec!["can't open <x> &quot; & y;"]),
            (r"C:\users\new", vec![r"C:\users\new"]),
            (r#"cannot open "C:\new\notes""#, vec![r#"cannot open "C:\new\notes""#]),
            (r"no C:\new\key here\nNext", vec![r"no C:\new\key here", "Next"]),
            (r"Failed password for CORP\nina from 10.0.0.5", vec![r"Failed password for CORP\nina from 10.0.0.5"]),
            (r"FATAL ERROR\nnext", vec!["FATAL ERROR", "next"]),
            (r"no %USERPROFILE%\.ssh\new_key and ~\nas", vec![r"no %USERPROFILE%\.ssh\new_key and ~\nas"]),
            (r"C:\Program Files\nodejs\npm failed", vec![r"C:\Program Files\nodejs\npm failed"]),
            (r"PTY allocation request failed\nWelcome\nbye", vec!["PTY allocation request failed", "Welcome", "bye"]),
            (
                r#"Traceback:\n  File "a.py", line 5\nEOFError"#,
                vec!["Traceback:", r#"  File "a.py", line 5"#, "EOFError"],
            ),
            (r#"File "C:\lib\netmiko\a.py", line 5, in f"#, vec![r#"File "C:/lib/netmiko/a.py", line 5, in f"#]),
        ] {
            assert_eq!(unquoted(written.as_bytes()), lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>());
        }
    }
}
