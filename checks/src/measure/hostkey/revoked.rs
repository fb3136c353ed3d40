//! The file of RevokedHostKeys: public keys one a line, as ssh reads them (ssh_config(5)).

use std::io::Read;
use std::path::Path;
use std::{fmt, io};

use russh::keys::ssh_key::public::KeyData;
use russh::keys::ssh_key::{Certificate, PublicKey};

use super::known_hosts_match::signer;
use crate::os::files;
use crate::ssh::observations::ServerKey;

/// The most that is read of the file, bytes; 100,000 keys fit in it.
const FILE_BYTES: u64 = 16 << 20;
/// The first bytes of a key revocation list (OpenSSH, PROTOCOL.krl).
const KRL: &[u8] = b"SSHKRL\n\0";

/// The reason why the file does not tell whether a key is revoked.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It is a key revocation list, which ssh reads and we do not.
    Krl,
    /// It could not be read; ssh refuses every key then.
    Unread(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Krl => {
                f.write_str("it is a key revocation list (KRL), which ssh reads and this examination does not")
            }
            Self::Unread(why) => write!(f, "{why}; ssh refuses every host key where it cannot read that file"),
        }
    }
}

/// True if the file lists the key or, for a certificate, the authority that signed it.
///
/// As OpenSSH 9.2 was seen to do it: the first line that holds no key ends the reading.
pub(super) fn lists(file: &Path, key: &ServerKey) -> Result<bool, Unreadable> {
    let bytes = read(file).map_err(|error| Unreadable::Unread(error.to_string()))?;
    if bytes.starts_with(KRL) {
        return Err(Unreadable::Krl);
    }
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let listed = parse(line).ok_or_else(|| Unreadable::Unread(format!("line {} holds no public key", at + 1)))?;
        if listed == *key.key_data() || signer(key) == Some(&listed) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The key in a line; that of a certificate is the certified key.
fn parse(line: &str) -> Option<KeyData> {
    let plain = PublicKey::from_openssh(line).map(|key| key.key_data().clone());
    plain.ok().or_else(|| Certificate::from_openssh(line).map(|shown| shown.public_key().clone()).ok())
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let Some(opened) = files::open(file)? else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    if opened.take(FILE_BYTES).read_to_end(&mut bytes)? as u64 == FILE_BYTES {
        return Err(io::Error::other(format!("only the first {} MiB were read", FILE_BYTES >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::hostkey::certificate::samples::{HOST, certified};
    use russh::keys::ssh_key::PublicKey;
    use std::fs;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn told(name: &str, text: &[u8], key: &ServerKey) -> Result<bool, String> {
        let file = std::env::temp_dir().join(format!("ssh-doctor-revoked-{}-{name}", std::process::id()));
        fs::write(&file, text).unwrap();
        let told = lists(&file, key).map_err(|untold| untold.to_string());
        fs::remove_file(&file).unwrap();
        told
    }

    #[test]
    fn a_key_is_listed_in_any_form_that_ssh_takes() {
        let one = ServerKey::Key(PublicKey::from_openssh(ONE).unwrap());
        for (text, expected) in [
            (format!("{ONE}\n"), true),
            (format!("# {ONE}\n\n  {TWO} a comment"), false),
            (format!("{TWO}\n \t{ONE} a comment\r\n"), true),
            (String::new(), false),
        ] {
            assert_eq!(told("plain", text.as_bytes(), &one), Ok(expected), "{text}");
        }
        let authority = signer(&certified()).cloned().unwrap();
        let authority = PublicKey::from(authority).to_openssh().unwrap();
        let bare = PublicKey::from(certified().key_data().clone()).to_openssh().unwrap();
        for (text, expected) in [(HOST, true), (&authority, true), (&bare, true), (TWO, false)] {
            assert_eq!(told("certificate", text.as_bytes(), &certified()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_as_keys_is_told() {
        let one = ServerKey::Key(PublicKey::from_openssh(ONE).unwrap());
        assert!(told("krl", b"SSHKRL\n\0\0\0\0\x01", &one).unwrap_err().contains("KRL"));
        assert!(told("garbage", format!("db.example {ONE}\n{ONE}\n").as_bytes(), &one).unwrap_err().contains("line 1"));
        assert_eq!(told("late", format!("{ONE}\ngarbage\n").as_bytes(), &one), Ok(true));
        for file in ["/nonexistent/revoked", "/dev/zero", "/"] {
            assert!(matches!(lists(Path::new(file), &one), Err(Unreadable::Unread(_))), "{file}");
        }
        assert!(lists(Path::new("/dev/null"), &one).is_ok_and(|listed| !listed));
    }
}
