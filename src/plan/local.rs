//! The user and the machine that we run as, as ssh sees them.

use std::path::PathBuf;

use nix::unistd::{Uid, User, gethostname};

/// The values of ssh's tokens for this side.
#[derive(Debug, Clone, Default)]
pub(super) struct Local {
    /// Login name (%u).
    pub(super) user: String,
    /// User number (%i).
    pub(super) uid: u32,
    /// Home directory (%d and ~): that of the user database, as in ssh, even if HOME differs.
    pub(super) home: PathBuf,
    /// Host name (%l).
    pub(super) host: String,
}

impl Local {
    /// Asks the user database and the kernel.
    pub(super) fn here() -> Self {
        let uid = Uid::current();
        let entry = User::from_uid(uid).ok().flatten();
        let (user, home) = match entry {
            Some(entry) => (entry.name, entry.dir),
            None => (std::env::var("USER").unwrap_or_default(), std::env::home_dir().unwrap_or_default()),
        };
        let host = gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { user, uid: uid.as_raw(), home, host }
    }
}
