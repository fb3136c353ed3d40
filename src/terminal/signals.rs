//! Ctrl-C and SIGTERM: the first ends the examination, the second ends the doctor.

use std::sync::mpsc;
use std::{io, thread};

use anyhow::{Context as _, Result, anyhow};
use ssh_doctor_checks::base::stop::Stop;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::ask;
use super::live_display::LiveDisplay;
use super::{reason, remark};

/// A wish to stop that the first signal makes; the second one exits at once with 128 and the signal's number.
///
/// The signals have a thread of their own: a question at the terminal may hold up the examination's.
pub fn stop_on_signals(board: LiveDisplay) -> Result<Stop> {
    let (wish, stop) = watch::channel(false);
    let (ready, outcome) = mpsc::channel();
    let obeying = move || match listen() {
        Ok((runtime, interrupt, terminate)) => {
            // Whoever waits for it has not gone away.
            let _ = ready.send(Ok(()));
            runtime.block_on(obey(interrupt, terminate, &wish, &board));
        }
        Err(error) => {
            let _ = ready.send(Err(error));
        }
    };
    let started = thread::Builder::new().name("signals".to_owned()).spawn(obeying);
    let cannot = |error: io::Error| anyhow!("a thread for signals cannot be started: {}", reason(&error));
    started.map_err(cannot)?;
    outcome.recv().context("the thread of signals ended")?.map_err(cannot)?;
    Ok(Stop::new(stop))
}

/// The signals, and a runtime for them. It is made in their own thread: one that is dropped in a task of another runtime panics.
fn listen() -> io::Result<(Runtime, Signal, Signal)> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let (interrupt, terminate) = {
        let _context = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    Ok((runtime, interrupt, terminate))
}

async fn obey(mut interrupt: Signal, mut terminate: Signal, wish: &watch::Sender<bool>, board: &LiveDisplay) {
    loop {
        let signal = tokio::select! {
            Some(()) = interrupt.recv() => SignalKind::interrupt(),
            Some(()) = terminate.recv() => SignalKind::terminate(),
            else => return,
        };
        if wish.send_replace(true) {
            board.wipe();
            ask::restore_terminal();
            std::process::exit(128 + signal.as_raw_value());
        }
        board.set_ending();
        if !board.is_live() && !board.is_quiet() {
            remark("ssh-doctor: ending the examination; once more to leave without a report");
        }
    }
}
