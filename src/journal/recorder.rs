//! A journal that is written by a thread of its own: a slow, full or missing disk never holds a session up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use ssh_doctor_checks::facts::journal::Event;

use super::{Sync, Writer};

/// The number of records that wait for the disk; further ones are lost, and the session goes on.
const WAITING: usize = 256;

/// The handle of the writing thread.
#[derive(Debug)]
pub struct Recorder {
    records: SyncSender<(Event, Sync)>,
    finished: Receiver<()>,
    failed: Arc<AtomicBool>,
}

impl Recorder {
    /// Creates a journal that `open` opens once there is a first record; if it cannot be opened, all records are discarded.
    #[must_use]
    pub fn start(open: impl FnOnce() -> Option<Writer> + Send + 'static) -> Self {
        let (records, waiting) = sync_channel::<(Event, Sync)>(WAITING);
        let (tell, finished) = channel();
        let failed = Arc::new(AtomicBool::new(false));
        let failing = failed.clone();
        // Without this thread the records fill the channel and are thrown away.
        let _ = thread::Builder::new().name("journal".to_owned()).spawn(move || {
            write_all(open, &waiting, &failing);
            let _ = tell.send(());
        });
        Self { records, finished, failed }
    }

    /// Records something, unless the disk is too far behind.
    pub fn record(&self, event: Event, sync: Sync) {
        let _ = self.records.try_send((event, sync));
    }

    /// True if the last record could not be written.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Waits until everything is on the disk, but no longer than this.
    pub fn finish(self, patience: Duration) {
        drop(self.records);
        let _ = self.finished.recv_timeout(patience);
    }
}

fn write_all(open: impl FnOnce() -> Option<Writer>, waiting: &Receiver<(Event, Sync)>, failed: &AtomicBool) {
    let Ok(mut first) = waiting.recv().map(Some) else { return };
    let Some(mut journal) = open() else { return };
    while let Some((event, sync)) = first.take().or_else(|| waiting.recv().ok()) {
        // The journal counts what it could not write.
        failed.store(journal.write(event, sync).is_err(), Ordering::Relaxed);
    }
}
