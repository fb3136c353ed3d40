//! The conduct of what runs in a session in place of our command: whether it prints, waits, hangs or ends.

use super::account::PAM_STATUS;
use super::session::{Facts, HungUp, Lead, LoginOfShell, OUR_STATUS, OnInput, Shell};
use super::unknown_words::names_unknown;
use super::words::{NOT_RUN, ends_with_prompt, finds_no_exec, is_menu, refuses_c, says_no_connection};
use crate::base::service::Service;

impl Facts {
    /// True if the shell was asked for, and stands at what looks like a prompt: not in a menu, where Enter may choose something.
    #[must_use]
    pub fn shell_is_at_prompt(&self) -> bool {
        let prompts =
            |shell: &Shell| [&shell.output, &shell.stderr].into_iter().flatten().any(|text| ends_with_prompt(text));
        let at_prompt = |shell: &Shell| shell.stays && prompts(shell);
        self.shell.as_deref().is_some_and(at_prompt)
    }

    /// True if a session stands at a prompt.
    pub(super) fn is_at_prompt(&self) -> bool {
        let shell = self.shell.as_ref().is_some_and(|shell| shell.stays);
        shell || self.waits_with_output() && self.other_output.as_deref().is_some_and(ends_with_prompt)
    }

    /// True if what ran in place of our command printed nothing and ended with an error at once, as a full-screen program without a terminal does.
    #[must_use]
    pub fn fails_in_silence(&self) -> bool {
        let ran = &self.ran;
        let failed = ran.status.is_some_and(|status| status != 0 && status != PAM_STATUS && !NOT_RUN.contains(&status));
        ran.accepted == Some(true) && ran.closed && failed && !self.has_printed() && !self.mark_seen
    }

    /// True if that same program goes on where it has a terminal, and does there as no shell does: it fills the screen (terminfo's civis and
    /// smcup: it hides the cursor or takes the alternate screen), shows a menu, or asks a question.
    #[must_use]
    pub fn runs_on_terminal_only(&self) -> bool {
        const FULL_SCREEN: [&str; 2] = ["[?25l", "[?1049h"];
        let shell = self.shell.as_deref().filter(|shell| shell.stays && self.fails_in_silence());
        let output = shell.and_then(|shell| shell.output.as_deref()).unwrap_or_default();
        let asks = output.trim_end().ends_with([':', '?']);
        FULL_SCREEN.iter().any(|sequence| output.contains(sequence)) || is_menu(output) || asks
    }

    /// True if it read its input, and ended at a line of ours or at the end.
    #[must_use]
    pub fn ended_at_input(&self) -> bool {
        self.on_input.as_ref().is_some_and(|seen| seen.closed)
    }

    /// True if the command, or what ran in its place, printed anything but our mark.
    pub(super) fn has_printed(&self) -> bool {
        self.other_output.is_some() || self.stderr.is_some()
    }

    /// True if what was accepted goes on and has printed something: a menu, or a prompt.
    #[must_use]
    pub fn waits_with_output(&self) -> bool {
        let ran = &self.ran;
        ran.accepted == Some(true)
            && ran.gave_up.is_some()
            && !self.mark_seen
            && self.has_printed()
            && !self.is_shell_in_place()
            && !self.is_stuck_after_a_complaint()
            && !self.goes_on_after_output()
    }

    /// True if what was accepted goes on in silence, without our command: at the end of its input too, or with another shell in its place.
    #[must_use]
    pub fn hangs(&self) -> bool {
        let ran = &self.ran;
        if ran.accepted != Some(true)
            || ran.gave_up.is_none()
            || self.mark_seen
            || self.has_printed() && !self.is_shell_in_place() && !self.is_stuck_after_a_complaint()
            || self.reads_its_own_language()
            || self.sends_back()
        {
            return false;
        }
        let goes_on = |seen: &OnInput| !seen.closed && !seen.forced;
        self.on_input.as_ref().is_none_or(|seen| goes_on(seen) || seen.line_answered && !seen.forced || seen.own_mark)
    }

    /// True if our command ran, as its status shows at the end of its input, and its output came to nobody: neither the mark nor what it was sent.
    #[must_use]
    pub fn loses_output(&self) -> bool {
        let is_ours = |seen: &OnInput| seen.closed && seen.status == Some(OUR_STATUS) && seen.output.is_none();
        !self.mark_seen && self.on_input.as_deref().is_some_and(|seen| is_ours(seen) && !seen.line_answered)
    }

    /// True if a shell of the account's own stands in our command's place and has read a line of ours, or our command waited for one.
    fn is_shell_in_place(&self) -> bool {
        let waited = |seen: &OnInput| seen.own_mark && (seen.line_sent || seen.ran_later());
        self.on_input.as_ref().is_some_and(|seen| seen.line_answered && !seen.forced || waited(seen))
    }

    /// True if complaints on standard error are all that came, neither a line nor the end of the input changed that.
    fn is_stuck_after_a_complaint(&self) -> bool {
        self.other_output.is_none()
            && self.on_input.as_ref().is_some_and(|seen| {
                let is_silent = seen.output.is_none() && seen.stderr.is_none();
                seen.line_sent && is_silent && !seen.closed && !seen.line_answered && !seen.own_mark
            })
    }

    /// True if the account's own shell printed something on standard output, or without end, and never came to our command, nor to an end by
    /// itself: SIGTERM ended it. A start-up file hangs after a greeting or prints without end, or the account's shell is a program that does.
    #[must_use]
    pub fn goes_on_after_output(&self) -> bool {
        let was_terminated = self.on_input.as_ref().is_some_and(|seen| seen.terminated == Some(true));
        was_terminated && !self.mark_seen && (self.other_output.is_some() || self.prints_without_end())
    }

    /// True if its output came to no end: it was sent no line for that.
    #[must_use]
    pub fn prints_without_end(&self) -> bool {
        self.has_printed() && self.on_input.as_ref().is_some_and(|seen| seen.terminated.is_some() && !seen.line_sent)
    }

    /// True if it hangs as a forced command does that waits for ever, or for a service behind it: neither did SIGTERM end it, which sshd passes
    /// on to the account's own shell, nor was sftp served, in whose place such a command would run as well.
    #[must_use]
    pub fn may_wait_on_purpose(&self) -> bool {
        let is_shell = |seen: &OnInput| seen.terminated == Some(true) || seen.own_mark || seen.line_answered;
        self.hangs()
            && self.on_input.as_ref().is_some_and(|seen| !is_shell(seen))
            && !self.serves().contains(&Service::Sftp)
    }

    /// True if a shell reads lines in our command's place, and SIGHUP ended nothing: it is forced, or a start-up file put it there and it ignores
    /// the signal or belongs to another user. True as well where the server passes no signals on, and the shell does not belong to our login: a
    /// forced command that leads to another host or account looks so.
    #[must_use]
    pub fn may_be_forced_shell(&self) -> bool {
        let is_untold = |seen: &OnInput| {
            seen.hung_up.is_none()
                && seen.line_answered
                && !seen.own_mark
                && matches!(seen.login, Some(LoginOfShell::Another | LoginOfShell::Unset))
        };
        self.on_input.as_deref().is_some_and(|seen| seen.hung_up == Some(HungUp::Nothing) || is_untold(seen))
    }

    /// True if it hangs in a way that the account may be there for: it waits on purpose, its shell may be forced, or our command ran some time after
    /// the end of its input, where what had been printed asks for input.
    #[must_use]
    pub fn hangs_unclearly(&self) -> bool {
        let ran_at_end = |seen: &OnInput| seen.own_mark && !seen.line_sent;
        let ran_at_end = self.on_input.as_deref().is_some_and(ran_at_end);
        self.hangs()
            && (self.may_wait_on_purpose() || self.may_be_forced_shell() || self.asks_on_terminal() || ran_at_end)
    }

    /// True if something in front of our command took a line of ours before the command ran: a start-up file or a wrapper reads it.
    #[must_use]
    pub fn waits_for_a_line(&self) -> bool {
        let waited = |seen: &OnInput| seen.own_mark && seen.line_sent && !seen.line_answered && !seen.line_passed_on;
        self.hangs() && self.on_input.as_deref().is_some_and(waited)
    }

    /// True if a single line was enough, and a terminal shows why: what reads it asks a question there, and waits.
    #[must_use]
    pub fn asks_on_terminal(&self) -> bool {
        let asks = |shell: &Shell| {
            let last = shell.output.as_deref().filter(|_| shell.stays).and_then(|output| output.rsplit("\\n").next());
            last.is_some_and(|line| line.trim_end().ends_with([':', '?']) || line.contains("? "))
        };
        self.waits_for_one_line() && self.shell.as_deref().is_some_and(asks)
    }

    /// True if something in front of our command took one line of ours, and the command ran at once then.
    #[must_use]
    pub fn waits_for_one_line(&self) -> bool {
        self.waits_for_a_line() && self.on_input.as_deref().is_some_and(|seen| !seen.ran_later())
    }

    /// True if an imitation of a shell read our command: it does not know `exec`.
    #[must_use]
    pub fn is_imitation(&self) -> bool {
        [&self.other_output, &self.stderr].into_iter().flatten().any(|said| finds_no_exec(said))
    }

    /// True if all that what ran in place of our command printed before our input is, on standard error, that a connection of its own did not come
    /// about.
    #[must_use]
    pub fn does_not_reach_its_service(&self) -> bool {
        let seen = self.on_input.as_deref().filter(|seen| !seen.line_answered && !seen.own_mark);
        let complains =
            |seen: &OnInput| seen.output.is_none() && self.stderr.as_deref().is_some_and(says_no_connection);
        !self.mark_seen && self.other_output.is_none() && seen.is_some_and(complains)
    }

    /// True if what ran in place of our command read a line of ours and quoted it as one that it does not know: an interpreter, a database's
    /// client, or a service behind a relay.
    #[must_use]
    pub fn reads_its_own_language(&self) -> bool {
        !self.mark_seen && self.on_input.as_ref().is_some_and(|seen| seen.line_quoted && !seen.own_mark)
    }

    /// True if what ran in place of our command sent a line of ours back as it was, and nothing ran behind it: a service behind a relay that
    /// goes on at the end of its input.
    #[must_use]
    pub fn sends_back(&self) -> bool {
        !self.mark_seen && self.on_input.as_ref().is_some_and(|seen| seen.line_passed_on && !seen.own_mark)
    }

    /// True if something was started for our command: it was accepted, or printed or ended with a status before that was said, as with servers
    /// that start a command first and answer then.
    #[must_use]
    pub fn was_started(&self) -> bool {
        let ran = &self.ran;
        let ran_first = ran.closed && (ran.status.is_some() || self.has_printed());
        ran.accepted == Some(true) || ran.accepted.is_none() && ran_first
    }

    /// True if the server left the request for our command unanswered, and something runs in the session: it prints, or answered a line.
    #[must_use]
    pub fn runs_unanswered(&self) -> bool {
        let ran = &self.ran;
        let goes_on = ran.gave_up.is_some() && !ran.closed && !ran.connection_lost && self.ending.is_none();
        let answers = self.on_input.as_ref().is_some_and(|seen| seen.output.is_some());
        ran.accepted.is_none() && goes_on && !self.mark_seen && (self.other_output.is_some() || answers)
    }

    /// True if what ran in place of our command, or refused to, names its first word as something that it was given and does not know.
    #[must_use]
    pub fn reads_our_command(&self) -> bool {
        let first = match self.lead {
            Lead::ExecSh => "exec",
            Lead::Sh => "sh",
        };
        self.ran.closed
            && [&self.other_output, &self.stderr].into_iter().flatten().any(|text| names_unknown(text, first))
    }

    /// True if the account's shell is a restricted one, such as rbash, which may not replace itself: it said so of our command.
    #[must_use]
    pub fn has_restricted_shell(&self) -> bool {
        let said = self.stderr.as_deref().filter(|_| self.mark_seen).unwrap_or_default();
        said.split("\\n").any(|line| line.trim_end_matches("\\r").ends_with(": restricted"))
    }

    /// True if the account's shell says that it does not know the option `-c`, with which it was given our command: it may be one for
    /// people only, such as a database's client.
    #[must_use]
    pub fn does_not_know_c(&self) -> bool {
        self.words().any(refuses_c)
    }

    /// True if that shell, started without a command, printed something and ended well: it is a program that shows a state.
    pub(super) fn works_as_a_shell_without_options(&self) -> bool {
        let ended_well = |shell: &Shell| shell.ran.closed && shell.ran.status == Some(0) && shell.output.is_some();
        self.does_not_know_c() && self.shell.as_deref().is_some_and(ended_well)
    }

    /// True if a shell read commands from standard input, and ours did not run before its end.
    #[must_use]
    pub fn reads_lines_first(&self) -> bool {
        self.hangs() && self.on_input.as_ref().is_some_and(|seen| seen.line_answered)
    }

    /// True if a shell read commands from standard input, and ours never ran.
    #[must_use]
    pub fn only_reads_lines(&self) -> bool {
        self.reads_lines_first() && self.on_input.as_ref().is_some_and(|seen| !seen.own_mark)
    }

    /// True if a shell in our command's place was sent SIGHUP, and what that did tells whose it is.
    #[must_use]
    pub fn is_settled_by_signal(&self) -> bool {
        self.on_input.as_ref().is_some_and(|seen| seen.hung_up.is_some())
    }

    /// True if our command ran late, and not for what was sent to it: start-up files are slow.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        // Whatever else waited would have read the line.
        let is_late = |seen: &OnInput| seen.own_mark && seen.ran_later() && (seen.line_passed_on || !seen.line_sent);
        let seen = self.on_input.as_deref().filter(|seen| !seen.line_answered);
        !self.mark_seen && self.ran.accepted == Some(true) && seen.is_some_and(is_late)
    }

    /// True if commands are refused, and the shell is accepted and waits in silence: for input, or for ever.
    #[must_use]
    pub fn has_silent_shell(&self) -> bool {
        self.ran.accepted == Some(false) && self.shell.as_ref().is_some_and(|shell| shell.is_silent())
    }
}
