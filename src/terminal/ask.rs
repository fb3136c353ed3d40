//! Questions to the person at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use ssh_doctor_checks::base::ask::Ask;
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::text::sanitize;
use tokio::signal::unix::SignalKind;

use super::live_display::LiveDisplay;
use super::remark;

/// The longest answer, in bytes; a terminal's line editing takes 4096.
const LONGEST: u64 = 4096;

/// The longest time from a signal to the wish to stop.
const SIGNAL: Duration = Duration::from_secs(1);

/// Whether a line is being waited for.
static PENDING: AtomicBool = AtomicBool::new(false);

/// The terminal as it was before its echo was switched off.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Somebody who can be asked; the live progress makes room meanwhile.
#[derive(Debug)]
pub struct AtTerminal {
    board: LiveDisplay,
    stop: Stop,
}

impl AtTerminal {
    /// Questions that the board makes room for, and that a wish to stop ends.
    #[must_use]
    pub fn new(board: LiveDisplay, stop: Stop) -> Self {
        Self { board, stop }
    }

    /// Ctrl-C at a secret has become a signal: whoever asked must find the wish to stop made, and not take it for an answer.
    fn await_stop(&self) {
        let began = Instant::now();
        while !self.stop.asked() && began.elapsed() < SIGNAL {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Ask for AtTerminal {
    fn secret(&self, prompt: &str) -> Option<SecretString> {
        let _room = self.board.make_room();
        let _guard = Echo::remember();
        let answer = rpassword::prompt_password(safe(prompt));
        if answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
            self.await_stop();
        }
        answer.ok().filter(|text| !text.is_empty()).map(SecretString::from)
    }

    fn line(&self, prompt: &str) -> Option<String> {
        let _room = self.board.make_room();
        PENDING.store(true, Ordering::SeqCst);
        let answer = read_line(&safe(prompt));
        PENDING.store(false, Ordering::SeqCst);
        answer
    }

    fn confirm(&self, question: &str) -> bool {
        let answer = self.line(&format!("{} (yes/no)", question.trim_end()));
        answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }
}

/// Whether an answer is being waited for that this signal does not end: a wish to stop would not be heard.
pub(super) fn deaf_to(signal: SignalKind) -> bool {
    // While a secret is typed, Ctrl-C is a character, and ends the question before it becomes a signal.
    let secret = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    PENDING.load(Ordering::SeqCst) || (secret && signal != SignalKind::interrupt())
}

/// Leaves a question's line, and switches the echo on again if a secret was being asked for.
pub(super) fn restore_terminal() {
    if PENDING.load(Ordering::SeqCst) {
        remark("");
    }
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(before), Ok(terminal)) = (before, File::open("/dev/tty")) {
        // There is nothing left to do about a terminal that does not take its settings back.
        let _ = tcsetattr(&terminal, SetArg::TCSANOW, &before);
    }
}

/// The terminal's settings while a secret is asked for.
struct Echo;

impl Echo {
    fn remember() -> Self {
        let now = File::open("/dev/tty").ok().and_then(|terminal| tcgetattr(&terminal).ok());
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Self
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A server may have written the prompt.
fn safe(prompt: &str) -> String {
    let lines: Vec<String> = prompt.trim_end().lines().map(sanitize).collect();
    lines.join("\n") + " "
}

fn read_line(prompt: &str) -> Option<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    terminal.write_all(prompt.as_bytes()).and_then(|()| terminal.flush()).ok()?;
    let mut line = String::new();
    let read = BufReader::new(terminal.take(LONGEST)).read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
