//! A password from a file or the environment; never from the command line.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use ssh_doctor_checks::base::target::PASSWORD_VARIABLE;

use crate::named_file;
use crate::terminal::reason;

/// The longest password that we read, bytes.
const LONGEST: u64 = 1024;

/// The password that the user gave a way to, if any.
pub(super) fn password(file: Option<&Path>) -> Result<Option<SecretString>> {
    match file {
        Some(path) => from_file(path).map(Some),
        None => match std::env::var(PASSWORD_VARIABLE) {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => Ok(Some(text.into())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("the password in {PASSWORD_VARIABLE} is not UTF-8"),
        },
    }
}

fn from_file(path: &Path) -> Result<SecretString> {
    let shown = path.display();
    let text = match named_file::secret(path, LONGEST) {
        Ok(text) => Zeroizing::new(text),
        Err(error) => bail!("the password file {shown} cannot be read: {}", reason(&error)),
    };
    ensure!(
        text.len() as u64 <= LONGEST,
        "the password file {shown} holds more than {LONGEST} bytes; is it the right file?"
    );
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    ensure!(!line.is_empty(), "the password file {shown} is empty");
    ensure!(!line.contains(['\n', '\0']), "the password file {shown} holds more than one line; is it the right file?");
    Ok(line.into())
}
