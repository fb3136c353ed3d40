//! TLS and basic authentication in use: their files are read again when they change.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::Semaphore;

use super::web_config::{Web, load};
use crate::terminal::remark;

/// How often it is looked whether the files have changed.
const GLANCE: Duration = Duration::from_secs(1);

/// What is compared for a user that does not exist, so that the time tells nothing: bcrypt of nothing in particular, at the usual cost.
const NOBODY: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// The answers of bcrypt that are remembered.
const REMEMBERED: usize = 100;

/// The guard of the exporter.
#[derive(Debug)]
pub(super) struct Access {
    file: Option<PathBuf>,
    web: RwLock<Arc<Web>>,
    looked: Mutex<(Instant, Vec<Option<SystemTime>>)>,
    /// One bcrypt at a time: it is made to take long.
    turn: Semaphore,
    passed: Mutex<HashSet<[u8; 32]>>,
}

impl Access {
    /// Reads the file, if there is one.
    pub(super) fn open(file: Option<PathBuf>) -> Result<Self> {
        let web = file.as_deref().map(load).transpose()?.unwrap_or_default();
        let times = times(&web.files);
        Ok(Self {
            file,
            web: RwLock::new(Arc::new(web)),
            looked: Mutex::new((Instant::now(), times)),
            turn: Semaphore::new(1),
            passed: Mutex::default(),
        })
    }

    /// What holds now; files that cannot be used leave what held before.
    pub(super) fn web(&self) -> Arc<Web> {
        let current = || self.web.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(file) = &self.file else { return current() };
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.0.elapsed() >= GLANCE {
            let times = times(&current().files);
            looked.0 = Instant::now();
            if times != looked.1 {
                looked.1 = times;
                match load(file) {
                    Ok(web) => {
                        *self.web.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(web);
                        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    }
                    Err(error) => remark(format_args!("ssh-doctor serve: the old access rules stay: {error:#}")),
                }
            }
        }
        current()
    }

    /// Whether the value of an Authorization header lets its sender in (RFC 7617).
    pub(super) async fn allows(&self, header: Option<&str>) -> bool {
        let web = self.web();
        if web.users.is_empty() {
            return true;
        }
        let Some((user, password)) = header.and_then(credentials) else { return false };
        let (hash, known) = match web.users.get(&user) {
            Some(hash) => (hash.clone(), true),
            None => (NOBODY.to_owned(), false),
        };
        let digest = Sha256::new().chain_update(&hash).chain_update([0]).chain_update(&user).chain_update([0]);
        let digest: [u8; 32] = digest.chain_update(&password).finalize().into();
        if known && self.passed.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return true;
        }
        let Ok(_turn) = self.turn.acquire().await else { return false };
        let compared = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
        let allowed = known && compared.unwrap_or(false);
        if allowed {
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            if passed.len() >= REMEMBERED {
                passed.clear();
            }
            passed.insert(digest);
        }
        allowed
    }
}

fn times(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| file.metadata().and_then(|metadata| metadata.modified()).ok()).collect()
}

/// The user and the password of a header `Basic BASE64`.
fn credentials(header: &str) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = base64(encoded.trim())?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((user, decoded[colon + 1..].to_vec()))
}

/// Base64 with its padding (RFC 4648 section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits.bytes() {
        bits = bits << 6 | u32::from(value(digit)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Access, NOBODY, base64, credentials};

    #[test]
    fn base64_is_read_as_it_is_written() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("bWU6c2U6Y3JldA==", "me:se:cret")]
        {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert!(["Zg", "Z===", "Zm9*", "="].iter().all(|text| base64(text).is_none()));
        assert_eq!(credentials("basic bWU6c2U6Y3JldA=="), Some(("me".to_owned(), b"se:cret".to_vec())));
        assert!(credentials("Bearer x").is_none());
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.yml");
        let hash = bcrypt::hash("secret", 4).unwrap();
        fs::write(&file, format!("basic_auth_users:\n  me: {hash}\n")).unwrap();
        let access = Access::open(Some(file)).unwrap();
        // me:secret, me:wrong, you:secret
        for (header, allowed) in [
            ("Basic bWU6c2VjcmV0", true),
            ("Basic bWU6c2VjcmV0", true),
            ("Basic bWU6d3Jvbmc=", false),
            ("Basic eW91OnNlY3JldA==", false),
        ] {
            assert_eq!(access.allows(Some(header)).await, allowed, "{header}");
        }
        assert!(!access.allows(None).await);
        assert!(NOBODY.parse::<bcrypt::HashParts>().is_ok());
    }
}
