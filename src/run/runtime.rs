//! The asynchronous runtime, where the limits of this process leave room for one.

use anyhow::{Result, anyhow, ensure};
use ssh_doctor_checks::os::pause;
use tokio::runtime::{Builder, Runtime};

use super::fleet::jobs::open_files;
use crate::terminal::reason;

/// The fewest files that a run needs to have open: its own, a connection, and the pipes of an `ssh -G`.
const FILES: u64 = 24;

/// One thread: an examination mostly waits.
pub(crate) fn of_one_thread() -> Result<Runtime> {
    start(&mut Builder::new_current_thread())
}

/// A runtime as the builder has it.
pub(crate) fn start(builder: &mut Builder) -> Result<Runtime> {
    // Before the settings are read: a stop in the middle of `ssh -G` is no fault of theirs.
    pause::monitor();
    let files = open_files();
    ensure!(
        files >= FILES,
        "at most {files} files may be open at the same time, and {FILES} are needed: raise the limit (ulimit -n 1024)"
    );
    builder.enable_all().build().map_err(|error| anyhow!("cannot start: {}", reason(&error)))
}
