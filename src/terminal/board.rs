//! The live progress on standard error: drawn over and over, wiped when it is done.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::frame::Looks;
use super::{colored, unicode};
use crate::cli::Color;

/// The board on which the progress is drawn; clones draw on the same one.
#[derive(Debug, Clone)]
pub struct Board {
    bar: Arc<Mutex<Option<ProgressBar>>>,
    asking: Arc<AtomicBool>,
    ending: Arc<AtomicBool>,
    color: bool,
}

/// The board is away for as long as this is held.
#[derive(Debug)]
pub struct Room<'a>(&'a Board);

impl Board {
    /// A live board where standard error is a terminal and nobody asked for quiet; else one that draws nothing.
    #[must_use]
    pub fn new(quiet: bool, color: Color) -> Self {
        let live = !quiet && io::stderr().is_terminal();
        let bar = live.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.with_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar: Arc::new(Mutex::new(bar)),
            asking: Arc::default(),
            ending: Arc::default(),
            color: colored(color, &io::stderr()),
        }
    }

    /// Whether anything is drawn.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.with(|_| ()).is_some()
    }

    /// What a frame should look like now: the terminal may have another size than before.
    #[must_use]
    pub(super) fn looks(&self) -> Looks {
        let size = terminal_size::terminal_size_of(io::stderr());
        let (width, height) = size.map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)));
        Looks { width, height, color: self.color, unicode: unicode(true) }
    }

    /// Draws lines in place of those before.
    pub(super) fn draw(&self, lines: &[String]) {
        if !self.asking.load(Ordering::SeqCst) {
            self.with(|bar| {
                bar.set_message(lines.join("\n"));
                bar.tick();
            });
        }
    }

    /// Leaves nothing behind; drawing again brings it back.
    pub fn wipe(&self) {
        self.with(|bar| {
            bar.set_message("");
            bar.finish_and_clear();
            bar.reset();
        });
    }

    /// Makes room for a question until the value returned is dropped.
    #[must_use]
    pub fn make_room(&self) -> Room<'_> {
        self.asking.store(true, Ordering::SeqCst);
        self.wipe();
        Room(self)
    }

    /// Notes that the user wants it to end.
    pub(super) fn set_ending(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Whether the user wants it to end.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    fn with<T>(&self, act: impl FnOnce(&ProgressBar) -> T) -> Option<T> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(act)
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.asking.store(false, Ordering::SeqCst);
    }
}
