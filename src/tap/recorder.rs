//! The journal of one carried connection, written by a thread of its own: a slow, full or missing disk never holds the connection up.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use ssh_doctor_checks::facts::journal::Event;

use crate::journal::{Sync, Writer, folder, new_file, prune};

/// Records that wait for the disk; what comes beyond is lost, and the carrying goes on.
const WAITING: usize = 256;

/// The handle of the writing thread.
pub(super) struct Recorder {
    records: SyncSender<(Event, Sync)>,
    finished: Receiver<()>,
}

impl Recorder {
    /// Begins a journal in the folder of `tap`; where there can be none, everything is thrown away.
    pub(super) fn start() -> Self {
        let (records, waiting) = sync_channel::<(Event, Sync)>(WAITING);
        let (tell, finished) = channel();
        // Without this thread the records fill the channel and are thrown away.
        let _ = thread::Builder::new().name("journal".to_owned()).spawn(move || {
            if let Some(folder) = folder("tap") {
                write_all(&folder, &waiting);
            }
            let _ = tell.send(());
        });
        Self { records, finished }
    }

    /// Records something, unless the disk is too far behind.
    pub(super) fn record(&self, event: Event, sync: Sync) {
        let _ = self.records.try_send((event, sync));
    }

    /// Waits until everything is on the disk, but no longer than this.
    pub(super) fn finish(self, patience: Duration) {
        drop(self.records);
        let _ = self.finished.recv_timeout(patience);
    }
}

fn write_all(folder: &Path, waiting: &Receiver<(Event, Sync)>) {
    // The first record comes once there is a connection; before it nothing is worth a file.
    let Ok(mut first) = waiting.recv().map(Some) else { return };
    let Ok(mut journal) = Writer::open(&new_file(folder)) else { return };
    while let Some((event, sync)) = first.take().or_else(|| waiting.recv().ok()) {
        // The journal counts what it could not write.
        let _ = journal.write(event, sync);
    }
    let _ = prune(folder);
}
