//! Key files as ssh reads them: the public half first, the private half only when it is needed.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use russh::keys;
use russh::keys::decode_secret_key;
use russh::keys::ssh_key::{Certificate, HashAlg, PrivateKey, PublicKey};
use secrecy::{ExposeSecret, SecretString};

use crate::base::target;
use crate::facts::auth::{KeyFile, KeyProblem};

/// The most that is read of a key file, bytes (MAX_KEY_FILE_SIZE of OpenSSH's authfile).
const FILE_BYTES: u64 = 1 << 20;

/// An identity file and what is beside it.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) path: PathBuf,
    pub(super) explicit: bool,
    pub(super) public: Option<PublicKey>,
    pub(super) private: Private,
    /// `<path>-cert.pub`.
    pub(super) certificate: Option<Certificate>,
}

/// The private half of an identity.
#[derive(Debug)]
pub(super) enum Private {
    /// At hand.
    Ready(Arc<PrivateKey>),
    /// Available only with its passphrase, or not at all.
    Not(KeyProblem),
}

impl Identity {
    /// Reads the identity; with the certificate beside it unless the user names certificates.
    pub(super) fn read(identity: &target::Identity, beside: bool) -> Self {
        let path = identity.path.clone();
        let text = read(&path);
        let itself = text.as_ref().ok().and_then(|text| public_half(text));
        let (private, within) = match text {
            Ok(_) if itself.is_some() => (Private::Not(KeyProblem::NoPrivateHalf), None),
            Ok(text) => private_half(&path, &text),
            Err(obstacle) => (Private::Not(obstacle), None),
        };
        let public = itself.or_else(|| public_half(&read(&suffixed(&path, ".pub")).ok()?)).or(within);
        let private = match (&private, &public) {
            (Private::Ready(key), Some(public)) if key.public_key().key_data() != public.key_data() => {
                Private::Not(KeyProblem::OtherPrivateHalf)
            }
            (Private::Not(KeyProblem::Missing), Some(_)) => Private::Not(KeyProblem::NoPrivateHalf),
            _ => private,
        };
        let certificate = if beside { certificate(&suffixed(&path, "-cert.pub")).ok() } else { None };
        Self { path, explicit: identity.explicit, public, private, certificate }
    }

    /// True if there is anything at all: a default name that does not exist is not worth a word.
    pub(super) fn exists(&self) -> bool {
        self.public.is_some() || !matches!(self.private, Private::Not(KeyProblem::Missing))
    }

    /// The private half, opened with a passphrase; takes long, as it is meant to.
    pub(super) fn unlock(path: &Path, passphrase: &SecretString) -> Result<Arc<PrivateKey>, KeyProblem> {
        match decode_secret_key(&read(path)?, Some(passphrase.expose_secret())) {
            Ok(key) if is_hardware(&key) => Err(KeyProblem::HardwareKey),
            Ok(key) => Ok(Arc::new(key)),
            Err(_) => Err(KeyProblem::WrongPassphrase),
        }
    }

    /// The file as a fact.
    pub(super) fn fact(&self) -> KeyFile {
        KeyFile {
            path: self.path.clone(),
            explicit: self.explicit,
            fingerprint: self.public.as_ref().map(|key| key.fingerprint(HashAlg::Sha256).to_string()),
            obstacle: match &self.private {
                Private::Ready(_) => None,
                Private::Not(obstacle) => Some(obstacle.clone()),
            },
        }
    }
}

/// The user certificate in a file.
pub(super) fn certificate(path: &Path) -> Result<Certificate, KeyProblem> {
    Certificate::from_openssh(&read(path)?).map_err(|error| KeyProblem::Unreadable { error: error.to_string() })
}

fn public_half(text: &str) -> Option<PublicKey> {
    PublicKey::from_openssh(text).ok().filter(|key| !key.key_data().is_certificate())
}

/// The private half, and the public half that its container shows even when it is encrypted.
fn private_half(path: &Path, text: &str) -> (Private, Option<PublicKey>) {
    let within = PrivateKey::from_openssh(text).ok().map(|key| key.public_key().clone());
    let private = match (too_open(path), decode_secret_key(text, None)) {
        (Some(obstacle), _) => Private::Not(obstacle),
        (None, Ok(key)) if is_hardware(&key) => Private::Not(KeyProblem::HardwareKey),
        (None, Ok(key)) => return (Private::Ready(Arc::new(key.clone())), Some(key.public_key().clone())),
        (None, Err(keys::Error::KeyIsEncrypted)) => Private::Not(KeyProblem::Encrypted),
        // Older formats say so in a header line.
        (None, Err(_)) if text.contains("ENCRYPTED") => Private::Not(KeyProblem::Encrypted),
        (None, Err(error)) => Private::Not(KeyProblem::Unreadable { error: error.to_string() }),
    };
    (private, within)
}

fn is_hardware(key: &PrivateKey) -> bool {
    key.algorithm().as_str().starts_with("sk-")
}

/// ssh refuses a private key of the user's own that others may read (`sshkey_perm_ok`).
fn too_open(path: &Path) -> Option<KeyProblem> {
    let file = fs::metadata(path).ok()?;
    let ours = file.uid() == nix::unistd::getuid().as_raw();
    let mode = file.mode() & 0o777;
    (ours && mode & 0o077 != 0).then(|| KeyProblem::TooOpen { mode: format!("{mode:04o}") })
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn read(path: &Path) -> Result<String, KeyProblem> {
    let unreadable = |error: String| KeyProblem::Unreadable { error };
    let file = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyProblem::Missing,
        _ => unreadable(error.to_string()),
    })?;
    if !file.is_file() || file.len() > FILE_BYTES {
        return Err(unreadable("it is not a key file".into()));
    }
    fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Identity, Private};
    use crate::base::target;
    use crate::facts::auth::KeyProblem;
    use russh::keys::PrivateKey;
    use russh::keys::ssh_key::LineEnding;
    use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    /// A directory of our own that goes when the test ends.
    struct Keys(PathBuf);

    impl Keys {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ssh-doctor-keys-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn put(&self, name: &str, text: &str, mode: u32) {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn read(&self, name: &str) -> Identity {
            Identity::read(&target::Identity { path: self.0.join(name), explicit: true }, true)
        }
    }

    impl Drop for Keys {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&[seed; 32])), "").unwrap()
    }

    fn text(key: &PrivateKey) -> String {
        key.to_openssh(LineEnding::LF).unwrap().to_string()
    }

    fn obstacle(identity: &Identity) -> Option<KeyProblem> {
        identity.fact().obstacle
    }

    #[test]
    fn a_private_key_shows_its_public_half() {
        let keys = Keys::new("plain");
        keys.put("id", &text(&key(1)), 0o600);
        let identity = keys.read("id");
        assert!(matches!(identity.private, Private::Ready(_)));
        assert_eq!(
            identity.public.map(|public| public.key_data().clone()),
            Some(key(1).public_key().key_data().clone())
        );
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_and_still_shows_its_public_half() {
        let keys = Keys::new("open");
        keys.put("id", &text(&key(1)), 0o644);
        let identity = keys.read("id");
        assert_eq!(obstacle(&identity), Some(KeyProblem::TooOpen { mode: "0644".into() }));
        assert!(identity.public.is_some());
    }

    #[test]
    fn a_public_half_of_another_key_is_noticed() {
        let keys = Keys::new("other");
        keys.put("id", &text(&key(1)), 0o600);
        keys.put("id.pub", &key(2).public_key().to_openssh().unwrap(), 0o644);
        assert_eq!(obstacle(&keys.read("id")), Some(KeyProblem::OtherPrivateHalf));
    }

    #[test]
    fn a_public_half_alone_is_enough_for_an_agent() {
        let keys = Keys::new("alone");
        keys.put("id.pub", &key(1).public_key().to_openssh().unwrap(), 0o644);
        for name in ["id", "id.pub"] {
            let identity = keys.read(name);
            assert!(identity.exists() && identity.public.is_some(), "{name}");
            assert_eq!(obstacle(&identity), Some(KeyProblem::NoPrivateHalf), "{name}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart_from_what_is_missing() {
        let keys = Keys::new("none");
        keys.put("id", "no key", 0o600);
        assert!(matches!(obstacle(&keys.read("id")), Some(KeyProblem::Unreadable { .. })));
        assert_eq!(obstacle(&keys.read("absent")), Some(KeyProblem::Missing));
        assert!(!keys.read("absent").exists());
    }

    #[test]
    fn an_encrypted_key_in_an_older_format_hides_its_public_half() {
        let keys = Keys::new("locked");
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        keys.put("id", pem, 0o600);
        let identity = keys.read("id");
        assert_eq!(obstacle(&identity), Some(KeyProblem::Encrypted));
        assert!(identity.public.is_none());
    }
}
