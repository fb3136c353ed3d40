//! The command or the login shell that a session of the idle test holds.

use super::super::starting::{SETTLED, Starting};
use super::IdleSession;
use crate::base::limits::Patience;
use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::channel::Lead;
use crate::facts::connection::{GaveUp, NotLoggedIn, Ran};
use crate::facts::idle::Holds;
use crate::measure::channel::command::LONG;
use crate::ssh::run::Running;

impl IdleSession {
    /// A command that says its process numbers, and after that a line for each line it is sent, so many seconds later; or, once it is
    /// told to, a line every so many seconds for as long as anybody takes them.
    pub(super) async fn start_command(
        &mut self,
        lead: Lead,
        mark: &str,
        starting: Starting,
    ) -> Result<(), NotLoggedIn> {
        let script = "echo $$ $PPID; while read -r wait; do case $wait in 0) ;; \
            *s) while echo; do sleep ${wait%s}; done;; *) sleep $wait;; esac; echo; done";
        let command = format!("{} {mark}", lead.command(script));
        let mut ran = Ran::default();
        let running = self.connection.start(&command, starting.usual(), &mut ran).await;
        let Some(running) = self.greeted(running, starting, &mut ran).await else {
            // Silence is not the server's no: the path may have gone down.
            return Err(match ran.refused {
                None if ran.gave_up.is_some() || self.connection.is_closed() => NotLoggedIn::NoAnswer,
                Some((_, text)) => NotLoggedIn::NoCommand(sanitize(&text)),
                None => NotLoggedIn::NoCommand(sanitize_bytes(&ran.stderr)),
            });
        };
        self.channel = Some(running.into_channel());
        self.holds = Holds::Command;
        Ok(())
    }

    /// A login shell on a terminal, once it has said all it says at its start; false where the server gives none.
    pub(super) async fn start_shell(&mut self, mark: &str, starting: Starting) -> bool {
        let command = format!("exec env SSH_DOCTOR={mark} sh -c 'echo $$ $PPID; exec \"${{SHELL:-sh}}\" -l'");
        let mut ran = Ran::default();
        let running = self.connection.start_on_terminal(&command, starting.usual(), &mut ran).await;
        let Some(mut running) = self.greeted(running, starting, &mut ran).await else { return false };
        let settled = Patience { silence: SETTLED, total: starting.silence };
        running.read(0, settled, &mut ran, |_| false).await;
        let at_prompt = ran.gave_up == Some(GaveUp::Silence);
        if at_prompt {
            self.channel = Some(running.into_channel());
            self.holds = Holds::Shell;
        }
        at_prompt
    }

    /// Reads the process numbers that a command says first.
    async fn greeted(&mut self, running: Option<Running>, starting: Starting, ran: &mut Ran) -> Option<Running> {
        let mut running = running?;
        running.read(LONG, starting.usual(), ran, |ran| ran.stdout.contains(&b'\n')).await;
        let greeted = ran.stdout.contains(&b'\n');
        if greeted && greeting(&ran.stdout).is_none() {
            // Start-up files print before it, and may go on for as long as they did at the first command.
            let settled = Patience { silence: starting.settled, total: starting.silence };
            let enough = |ran: &Ran| ran.stdout.len() >= LONG || greeting(&ran.stdout).is_some();
            running.read(LONG, settled, ran, enough).await;
            ran.gave_up = None;
        }
        self.pids = greeting(&ran.stdout).filter(|(own, parent)| *own > 1 && *parent > 1);
        greeted.then_some(running)
    }
}

/// The process numbers in the last line of an output that is two numbers.
fn greeting(output: &[u8]) -> Option<(u32, u32)> {
    // A shell's prompt may have come with the line, and is not ended by a line feed.
    let ended = output.iter().rposition(|byte| *byte == b'\n')?;
    let text = String::from_utf8_lossy(&output[..ended]);
    text.lines().rev().find_map(|line| {
        let (own, parent) = line.trim().split_once(' ')?;
        Some((own.parse().ok()?, parent.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn process_numbers_are_read_and_never_guessed() {
        assert_eq!(greeting(b"1234 1200\n"), Some((1234, 1200)));
        assert_eq!(greeting(b"motd\n1234 1200\r\n# "), Some((1234, 1200)), "the prompt came with it");
        assert_eq!(greeting(b"1234 1200\r\nwelcome\r\n# "), Some((1234, 1200)));
        assert_eq!(greeting(b"1234 12"), None);
        assert_eq!(greeting(b"caf\xe9\n1234 1\n"), Some((1234, 1)), "in a container");
        assert_eq!(greeting(b"$$ $PPID\n"), None);
    }
}
