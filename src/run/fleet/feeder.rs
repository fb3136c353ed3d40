//! The thread that reads the list: a read may block for as long as a pipe is silent.

use std::ops::ControlFlow;

use anyhow::Result;
use ssh_doctor_checks::base::stop::Stop;
use tokio::sync::{mpsc, oneshot};

use crate::targets::{Earlier, Entry, Shard, Source};

/// The outcome of a list.
#[derive(Debug, Default)]
pub(super) struct Fed {
    /// Targets that were read and not handed on, because the run was ended.
    pub(super) left: u64,
    /// True if more may be left that were not read.
    pub(super) more_left: bool,
    /// The reason why the list could not be read to its end.
    pub(super) error: Option<anyhow::Error>,
}

impl Fed {
    /// A reader that went away.
    pub(super) fn lost() -> Self {
        Self { more_left: true, ..Self::default() }
    }
}

/// Reads a list in a thread of its own and hands on what belongs to this run.
pub(super) fn start(
    source: Source,
    shard: Option<Shard>,
    earlier: Earlier,
    queue: mpsc::Sender<Entry>,
    stop: Stop,
) -> Result<oneshot::Receiver<Fed>> {
    let (told, fed) = oneshot::channel();
    std::thread::Builder::new().name("targets".to_owned()).spawn(move || {
        // Nobody listens where the run has ended with an error.
        let _ = told.send(feed(source, shard, earlier, queue, &stop));
    })?;
    Ok(fed)
}

fn feed(source: Source, shard: Option<Shard>, mut earlier: Earlier, queue: mpsc::Sender<Entry>, stop: &Stop) -> Fed {
    let (mut fed, has_end) = (Fed::default(), source.has_end());
    let mut queue = Some(queue);
    let read = source.each(|entry| {
        if shard.is_some_and(|shard| !shard.holds(&entry.input)) || earlier.takes(&entry.input) {
            return ControlFlow::Continue(());
        }
        if stop.asked() || queue.as_ref().is_none_or(|queue| queue.blocking_send(entry).is_err()) {
            queue = None;
            fed.left += 1;
            fed.more_left = !has_end;
            if !has_end {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    fed.error = read.err();
    fed
}
