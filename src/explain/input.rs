//! The words of the command line, read as a code, files, standard input, or a text.

use std::io::{self, BufRead, BufReader, Cursor, IsTerminal as _, Read};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use ssh_doctor_checks::causes;
use ssh_doctor_checks::logs::without_secrets;

use super::cause::suggest;
use crate::named_file;

/// The bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// The subject to explain.
pub enum Asked {
    /// A cause.
    Code(&'static str),
    /// A log, and its name.
    Log {
        /// Its lines.
        input: Box<dyn BufRead>,
        /// The file, `standard input`, or the text itself.
        name: String,
    },
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => f.debug_tuple("Code").field(code).finish(),
            Self::Log { name, .. } => f.debug_struct("Log").field("name", name).finish_non_exhaustive(),
        }
    }
}

/// Returns the subject of the words; the error is one sentence.
pub fn asked(words: &[String]) -> Result<Asked> {
    if let [word] = words {
        if let Some(cause) = causes::all().find(|cause| cause.code == word) {
            return Ok(Asked::Code(cause.code));
        }
        if word == "-" {
            return Ok(Asked::Log {
                input: Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
                name: "standard input".to_owned(),
            });
        }
        let is_a_path = word.starts_with(['/', '~'])
            || word.starts_with("./")
            || Path::new(word).extension().is_some_and(|ext| ext == "log");
        if is_a_path && !Path::new(word).exists() && !word.contains(' ') {
            bail!("cannot read {word}: there is no such file");
        }
        if looks_like_a_code(word) && !Path::new(word).exists() {
            let hint = suggest(word).map(|known| format!(" (similar: {known})")).unwrap_or_default();
            bail!("unknown code '{word}'{hint}: ssh-doctor causes lists all codes; a text goes between quotes");
        }
    }
    if words.iter().all(|word| Path::new(word).exists()) {
        return files(words);
    }
    let text = words.join(" ");
    if text.trim().is_empty() {
        bail!(
            "nothing to explain: give a code, an error text between quotes, a file with a log, or - for standard input"
        );
    }
    Ok(Asked::Log { name: without_secrets(&text), input: Box::new(Cursor::new(text.into_bytes())) })
}

fn files(names: &[String]) -> Result<Asked> {
    let mut input: Box<dyn Read> = Box::new(io::empty());
    for name in names {
        let file = named_file::open(name.as_ref()).with_context(|| format!("cannot read {name}"))?;
        let kind = file.metadata()?.file_type();
        if kind.is_dir() {
            bail!("cannot read {name}: it is a folder; give the file with the log");
        }
        if (kind.is_char_device() || kind.is_block_device()) && !file.is_terminal() {
            bail!("cannot read {name}: it is a device; give the file with the log");
        }
        input = Box::new(input.chain(file));
    }
    Ok(Asked::Log { input: Box::new(BufReader::with_capacity(BUFFER, input)), name: names.join(", ") })
}

/// True for one word of lower case letters with dashes between: it means a code, or a file that does not exist.
fn looks_like_a_code(word: &str) -> bool {
    let kebab = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    word.contains('-') && word.split('-').all(kebab)
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_code_a_file_and_a_text_are_told_apart() {
        assert!(matches!(asked(&words(&["tcp-refused"])), Ok(Asked::Code("tcp-refused"))));
        assert!(matches!(asked(&words(&["Cargo.toml"])), Ok(Asked::Log { name, .. }) if name == "Cargo.toml"));
        assert!(matches!(asked(&words(&["Broken", "pipe"])), Ok(Asked::Log { name, .. }) if name == "Broken pipe"));
        let misspelt = asked(&words(&["tcp-refusd"])).unwrap_err().to_string();
        assert!(misspelt.contains("unknown code 'tcp-refusd' (similar: tcp-refused)"), "{misspelt}");
        assert!(asked(&words(&[" "])).unwrap_err().to_string().contains("nothing to explain"));
        assert!(asked(&words(&["src"])).unwrap_err().to_string().contains("it is a folder"));
    }
}
