//! The signals that end a tap: ssh sends SIGHUP as it exits, and Ctrl-C reaches its whole process group.

use std::sync::{Arc, OnceLock};
use std::thread;

use nix::sys::signal::{SigSet, Signal};

use super::shared::Shared;

/// The exit status of a proxy command without a connection, as ssh's own failures have it.
const FAILED: i32 = 255;

/// A thread that takes the signals; as long as there is no connection, the first one ends the process.
pub(super) struct Signals(Arc<OnceLock<Arc<Shared>>>);

impl Signals {
    /// Blocks the signals in this thread and those that it starts, and begins to take them.
    pub(super) fn block() -> Self {
        let connected: Arc<OnceLock<Arc<Shared>>> = Arc::default();
        let signals = SigSet::from_iter([Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT]);
        if signals.thread_block().is_ok() {
            let connected = Arc::clone(&connected);
            let _ = thread::Builder::new().name("signals".to_owned()).spawn(move || {
                while let Ok(signal) = signals.wait() {
                    match connected.get() {
                        None => std::process::exit(FAILED),
                        // ssh ends, or goes on: either way Ctrl-C is for ssh alone.
                        Some(_) if signal == Signal::SIGINT => {}
                        Some(shared) => shared.signalled(),
                    }
                }
            });
        }
        Self(connected)
    }

    /// From now on signals are only noted.
    pub(super) fn tell(&self, shared: &Arc<Shared>) {
        let _ = self.0.set(Arc::clone(shared));
    }
}
