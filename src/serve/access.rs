//! TLS and basic authentication in use: their files are read again when they change.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::web_config::{Web, load};
use crate::terminal::remark;

/// The time between two checks whether the files have changed.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The hash compared for an unknown user, so that the response time does not reveal which users exist: bcrypt at the default cost of 10.
const DUMMY_HASH: &str = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

/// The number of successful logins that are cached, as bcrypt is slow by design.
const MAX_REMEMBERED: usize = 100;

/// The access rules in use.
#[derive(Debug)]
pub(super) struct Access {
    file: Option<PathBuf>,
    web: RwLock<Arc<Web>>,
    /// The last check of the files, and their modification times then.
    checked: Mutex<(Instant, Vec<Option<SystemTime>>)>,
    /// One bcrypt at a time: it is slow by design.
    hashing: Semaphore,
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
            checked: Mutex::new((Instant::now(), times)),
            hashing: Semaphore::new(1),
            passed: Mutex::default(),
        })
    }

    /// Returns the current rules; files that cannot be used leave the previous ones in force.
    pub(super) fn web(&self) -> Arc<Web> {
        let current = || self.web.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(file) = &self.file else { return current() };
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.0.elapsed() >= POLL_INTERVAL {
            let times = times(&current().files);
            checked.0 = Instant::now();
            if times != checked.1 {
                checked.1 = times;
                match load(file) {
                    Ok(web) => {
                        *self.web.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(web);
                        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clear();
                    }
                    Err(error) => remark(format_args!(
                        "ssh-doctor serve: web.yml was not reloaded, the previous access rules stay in force: {error:#}"
                    )),
                }
            }
        }
        current()
    }

    /// Returns true if the value of an Authorization header is accepted (RFC 7617).
    pub(super) async fn allows(&self, header: Option<&str>) -> bool {
        let web = self.web();
        if web.users.is_empty() {
            return true;
        }
        let Some((user, password)) = header.and_then(credentials) else { return false };
        let (hash, known) = match web.users.get(&user) {
            Some(hash) => (hash.clone(), true),
            None => (DUMMY_HASH.to_owned(), false),
        };
        let digest = Sha256::new().chain_update(&hash).chain_update([0]).chain_update(&user).chain_update([0]);
        let digest: [u8; 32] = digest.chain_update(&password).finalize().into();
        if known && self.passed.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest) {
            return true;
        }
        let Ok(_permit) = self.hashing.acquire().await else { return false };
        let compared = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false)).await;
        let allowed = known && compared.unwrap_or(false);
        if allowed {
            let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
            if passed.len() >= MAX_REMEMBERED {
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

/// Returns the user and the password of a header `Basic BASE64`.
fn credentials(header: &str) -> Option<(String, Vec<u8>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(decoded[..colon].to_vec()).ok()?;
    Some((user, decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Access, DUMMY_HASH, credentials};

    #[test]
    fn only_the_basic_scheme_is_read() {
        assert_eq!(credentials("basic bWU6c2U6Y3JldA=="), Some(("me".to_owned(), b"se:cret".to_vec())));
        assert!(
            ["Bearer x", "Basic", "Basic bWU6c2U6Y3JldA", "Basic bWU="]
                .iter()
                .all(|header| credentials(header).is_none())
        );
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
        assert!(DUMMY_HASH.parse::<bcrypt::HashParts>().is_ok());
    }
}
