//! Questions to the person at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use ssh_doctor_checks::base::ask::{Ask, Question};
use ssh_doctor_checks::base::stop::Stop;

use super::live_display::LiveDisplay;
use super::question;

/// The longest answer, in bytes; a terminal's line editing takes 4096.
const LONGEST: usize = 4096;
/// The time that a question waits for its answer; sshd hangs up after two minutes (`LoginGraceTime`).
const PATIENCE: Duration = Duration::from_mins(5);
/// The interval at which a wish to stop is looked for meanwhile, milliseconds.
const GLANCE_MS: u8 = 50;

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

    /// Asks, and reads what is typed; nothing where nothing is, or the user wishes to stop.
    fn answer(&self, question: &str, echo: bool) -> Option<Zeroizing<String>> {
        let _room = self.board.make_room();
        let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        let _guard = if echo { None } else { Some(Echo::off(&terminal)?) };
        terminal.write_all(question.as_bytes()).ok()?;
        let answer = self.typed(&terminal);
        if answer.is_none() {
            // Whatever comes next begins on a line of its own.
            let _ = terminal.write_all(b"\n");
        }
        answer
    }

    fn typed(&self, mut terminal: &File) -> Option<Zeroizing<String>> {
        let until = Instant::now() + PATIENCE;
        let mut line = Zeroizing::new(Vec::with_capacity(2 * LONGEST));
        while !line.ends_with(b"\n") {
            if self.stop.asked() || Instant::now() >= until || line.len() > LONGEST {
                return None;
            }
            let mut waiting = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
            if poll(&mut waiting, PollTimeout::from(GLANCE_MS)).is_ok_and(|ready| ready > 0) {
                let mut typed = Zeroizing::new([0; LONGEST]);
                match terminal.read(typed.as_mut_slice()) {
                    Ok(0) => return None,
                    Ok(count) => line.extend_from_slice(&typed[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return None,
                }
            }
        }
        let line = std::str::from_utf8(&line).ok()?;
        Some(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

impl Ask for AtTerminal {
    fn secret(&self, question: &Question) -> Option<SecretString> {
        let answer = self.answer(&question::set(question, super::columns_of_terminal()), false)?;
        (!answer.is_empty()).then(|| SecretString::from(answer.as_str()))
    }

    fn line(&self, question: &Question) -> Option<String> {
        self.answer(&question::set(question, super::columns_of_terminal()), true)
            .map(|answer| answer.as_str().to_owned())
    }

    fn confirm(&self, question: &str) -> bool {
        let answer = self.answer(&format!("ssh-doctor: {} (yes/no) ", question.trim_end()), true);
        answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }
}

/// Switches the echo on again if a secret was being asked for.
pub(super) fn restore_terminal() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(before), Ok(terminal)) = (before, File::open("/dev/tty")) {
        // There is nothing left to do about a terminal that does not take its settings back.
        let _ = tcsetattr(&terminal, SetArg::TCSANOW, &before);
    }
}

/// The echo is off for as long as this is held.
struct Echo;

impl Echo {
    fn off(terminal: &File) -> Option<Self> {
        let before = tcgetattr(terminal).ok()?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        silent.local_flags.insert(LocalFlags::ECHONL);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let held = Self;
        // What was typed before the question was no answer to it.
        tcsetattr(terminal, SetArg::TCSAFLUSH, &silent).ok()?;
        Some(held)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        restore_terminal();
    }
}
