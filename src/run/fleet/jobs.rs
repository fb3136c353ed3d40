//! The number of targets examined in parallel.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::plan::Plan;
use crate::terminal::remark;

/// Targets for each processor: they mostly wait.
const A_PROCESSOR: usize = 32;

/// The most that are examined side by side unless more are asked for.
const USUAL_MOST: usize = 256;

/// Descriptors for one target without an idle test: a connection, a socket for each name server, the pipes of an ssh -G.
const DESCRIPTORS: usize = 8;

/// Descriptors of the process itself: standard streams, files, runtimes.
const OWN: u64 = 64;

/// The number that was asked for, or the machine's own; never more than the limit on open files allows.
pub(super) fn number(asked: Option<usize>, plan: &Plan) -> usize {
    let usual = (A_PROCESSOR * processors()).min(USUAL_MOST);
    let possible =
        usize::try_from(open_files().saturating_sub(OWN)).unwrap_or(usize::MAX) / (DESCRIPTORS + plan.sessions_held());
    let possible = possible.max(1);
    if let Some(asked) = asked.filter(|asked| *asked > possible) {
        remark(format_args!(
            "ssh-doctor: --jobs {asked} needs more open files than the limit allows (ulimit -n); using {possible}"
        ));
    }
    asked.unwrap_or(usual).min(possible)
}

/// The processors that this process may use.
pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The limit on open files, after it was raised as far as is allowed: the soft limit is kept low for select(2), which is not used here.
pub(crate) fn open_files() -> u64 {
    const USUAL: u64 = 1024;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return USUAL };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}
