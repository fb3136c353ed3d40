//! The idle results on disk, written so that even `kill -9` loses none.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::named_file;
use crate::terminal::remark;

/// The file in the state directory.
const FILE: &str = "idle.json";

/// The largest that is read, bytes: some ten thousand groups.
const LARGEST: u64 = 4 << 20;

/// The version of its format.
const VERSION: u32 = 1;

/// The idle result of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::serve) struct Measured {
    /// The time of the measurement, Unix seconds.
    pub(in crate::serve) at_unix: f64,
    /// The measured target.
    pub(in crate::serve) target: String,
    /// The number of measured targets.
    pub(in crate::serve) samples: u32,
    /// The longest idle time survived, seconds.
    pub(in crate::serve) survived_s: Option<f64>,
    /// The shortest that ended a session, seconds.
    pub(in crate::serve) died_s: Option<f64>,
    /// The keepalive interval to set, seconds.
    pub(in crate::serve) interval_s: Option<u32>,
    /// True if sessions with that keepalive survived.
    pub(in crate::serve) verified: Option<bool>,
}

impl Measured {
    /// Returns the result with the shorter idle timeout: a keepalive that holds there holds on the whole path.
    pub(super) fn worse(self, other: Self) -> Self {
        let samples = self.samples + other.samples;
        let rank = |one: &Self| (one.died_s.unwrap_or(f64::INFINITY), one.survived_s.unwrap_or_default());
        let mut worse = if rank(&other) < rank(&self) { other } else { self };
        worse.samples = samples;
        worse
    }
}

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    groups: BTreeMap<String, Measured>,
}

/// Reads the results; a file that cannot be used is reported and renamed.
pub(super) fn load(folder: &Path) -> BTreeMap<String, Measured> {
    let file = folder.join(FILE);
    let text = match named_file::whole(&file, LARGEST) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            remark(format_args!("ssh-doctor serve: {} cannot be read: {error}", file.display()));
            return BTreeMap::new();
        }
    };
    match serde_json::from_slice::<Saved>(&text) {
        Ok(saved) if saved.version == VERSION => saved.groups,
        _ => {
            let aside: PathBuf = folder.join(format!("{FILE}.unreadable"));
            remark(format_args!(
                "ssh-doctor serve: {} is not a state of this version; kept as {}",
                file.display(),
                aside.display()
            ));
            // If the file stays, the next result overwrites it.
            let _ = fs::rename(&file, &aside);
            BTreeMap::new()
        }
    }
}

/// Writes all results, replacing the file atomically.
pub(super) fn save(folder: &Path, groups: BTreeMap<String, Measured>) -> Result<()> {
    let write = || -> Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &Saved { version: VERSION, groups })?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(folder.join(FILE))?;
        fs::File::open(folder)?.sync_all()?;
        Ok(())
    };
    write().with_context(|| format!("the idle results cannot be saved in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Measured, load, save};

    fn measured(survived_s: Option<f64>, died_s: Option<f64>) -> Measured {
        Measured {
            at_unix: 1.0,
            target: "db".to_owned(),
            samples: 1,
            survived_s,
            died_s,
            interval_s: None,
            verified: None,
        }
    }

    #[test]
    fn of_several_samples_the_shortest_timer_counts() {
        let lived = measured(Some(360.0), None);
        let died = measured(Some(50.0), Some(60.0));
        let sooner = measured(Some(20.0), Some(30.0));
        let worst = lived.clone().worse(died).worse(sooner.clone()).worse(lived);
        assert_eq!(worst, Measured { samples: 4, ..sooner });
    }

    #[test]
    fn results_survive_and_an_unusable_file_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(load(folder.path()).is_empty());
        let groups = [("login/10.0.0.0/24".to_owned(), measured(Some(1.5), None))];
        save(folder.path(), groups.clone().into()).unwrap();
        assert_eq!(load(folder.path()), groups.into());
        fs::write(folder.path().join("idle.json"), "{torn").unwrap();
        assert!(load(folder.path()).is_empty());
        assert!(folder.path().join("idle.json.unreadable").exists());
    }
}
