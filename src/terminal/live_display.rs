//! The live progress on standard error: drawn over and over, wiped when it is done.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ssh_doctor_checks::measure::watch::WatchedSession;

use super::Color;
use super::frame::FrameStyle;
use super::{USUAL_COLUMNS, colored, unicode, watch_frame};

/// Rows where the terminal does not tell.
const USUAL_ROWS: usize = 24;

/// The board on which the progress is drawn; clones draw on the same one.
#[derive(Debug, Clone)]
pub struct LiveDisplay {
    quiet: bool,
    live: bool,
    color: bool,
    /// The number of lines on the terminal; the cursor is below them.
    drawn: Arc<Mutex<usize>>,
    asking: Arc<AtomicBool>,
    ending: Arc<AtomicBool>,
}

/// The board is away for as long as this is held.
#[derive(Debug)]
pub struct Room<'a>(&'a LiveDisplay);

impl LiveDisplay {
    /// Creates a live board where standard error is a terminal that can be drawn on and `quiet` is not set; else one
    /// that draws nothing.
    #[must_use]
    pub fn new(quiet: bool, color: Color) -> Self {
        Self {
            quiet,
            live: !quiet && io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb"),
            color: colored(color, &io::stderr()),
            drawn: Arc::default(),
            asking: Arc::default(),
            ending: Arc::default(),
        }
    }

    /// True if nothing is to be said beside the report.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// True if anything is drawn.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Returns the style of a frame now: the terminal may have changed its size.
    pub(super) fn frame_style(&self) -> FrameStyle {
        let size = terminal_size::terminal_size_of(io::stderr());
        let (width, height) =
            size.map_or((USUAL_COLUMNS, USUAL_ROWS), |(width, height)| (width.0.into(), height.0.into()));
        FrameStyle { width, height, color: self.color, unicode: unicode(true) }
    }

    /// Draws lines in place of those before.
    pub(super) fn draw(&self, lines: &[String]) {
        if self.live && !self.asking.load(Ordering::SeqCst) {
            self.replace(lines);
        }
    }

    /// Draws a watch: its target, for how long it has run, its sessions.
    pub fn draw_watch(&self, target: &str, elapsed: Duration, sessions: &[WatchedSession]) {
        if self.live {
            self.draw(&watch_frame::lines(target, elapsed, sessions, self.frame_style()));
        }
    }

    /// Leaves nothing behind; drawing again brings it back.
    pub fn wipe(&self) {
        if self.live {
            self.replace(&[]);
        }
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

    /// True if the user wants it to end.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// One write for a frame, lest it flickers: up to its first line, each line anew, and nothing below (ECMA-48: CUU, EL, ED).
    fn replace(&self, lines: &[String]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut frame = String::from("\r");
        if *drawn > 0 {
            // Writing to a String cannot fail.
            let _ = write!(frame, "\x1b[{drawn}A");
        }
        for line in lines {
            frame.push_str(line);
            frame.push_str("\x1b[K\r\n");
        }
        frame.push_str("\x1b[J");
        *drawn = lines.len();
        // A terminal that has gone away takes nothing from the report.
        let _ = io::stderr().lock().write_all(frame.as_bytes());
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.asking.store(false, Ordering::SeqCst);
    }
}
