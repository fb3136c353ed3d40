//! The services of an account, derived from its sessions.

use super::programs::{Program, Purpose, known, named};
use super::session::{Facts, HungUp, OUR_STATUS, OnInput, Shell};
use super::words::{NOT_RUN, ends_with_prompt, is_menu, is_process_limit, refuses_c, says_no_login, says_not_run};
use crate::base::service::Service;

/// The status with which sshd ends a session that PAM does not open (session.c).
pub const PAM_STATUS: u32 = 254;
/// The status of ssh that did not get to its host (ssh(1)).
const SSH_FAILED: u32 = 255;

/// The way an account answers to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// It runs commands.
    Commands,
    /// It runs no commands from us, and does what it is there for.
    Restricted,
    /// It ran something, and whether that is what it is there for does not show.
    Unclear,
    /// It serves nothing.
    Nothing,
}

impl Facts {
    /// Returns the services that were seen to work, in the order of [`Service`].
    #[must_use]
    pub fn serves(&self) -> Vec<Service> {
        let may = &self.capabilities;
        let purpose = self.program().map(|program| program.purpose);
        let has_shell = (may.shell.is_allowed() || self.is_at_prompt()) && !self.runs_on_terminal_only();
        let command_line = self
            .program()
            .is_some_and(|program| program.purpose == Purpose::CommandLine && (program.is_sure || has_shell));
        let sftp = match &may.sftp_said {
            Some(said) => said.version.is_some(),
            None => may.sftp.is_allowed(),
        };
        let is_program = self.is_program() || self.runs_on_terminal_only();
        let is_sftp_server = sftp && self.ended_at_input();
        let program = is_program && !(self.mark_seen || command_line || has_shell || is_sftp_server);
        [
            (Service::Exec, self.mark_seen || command_line),
            (Service::Shell, has_shell),
            (Service::Sftp, sftp),
            (Service::Git, purpose == Some(Purpose::Git) && !self.mark_seen || may.git == Some(true)),
            (Service::Forward, may.direct_tcpip.is_allowed() || self.forwards_back_only()),
            (Service::Program, program),
        ]
        .into_iter()
        .filter_map(|(service, is_served)| is_served.then_some(service))
        .collect()
    }

    /// True if a service was asked for in vain; not where it was not asked for, or where the answer may mean something else.
    #[must_use]
    pub fn denies(&self, service: Service) -> bool {
        if self.serves().contains(&service) {
            return false;
        }
        let may = &self.capabilities;
        match service {
            Service::Exec => self.ran.is_answered(),
            Service::Shell => may.shell.is_refused() || self.shell.as_ref().is_some_and(|shell| !shell.stays),
            Service::Sftp => may.sftp.is_refused() || may.sftp_said.as_ref().is_some_and(|said| said.version.is_none()),
            Service::Git => may.git == Some(false) || !self.mark_seen && self.ran.is_answered(),
            // Where ports that lead back are allowed, other destinations may be too (PermitOpen).
            Service::Forward => may.direct_tcpip.is_refused() && !may.remote_forward.is_allowed(),
            Service::Program => false,
        }
    }

    /// The way the account answers to a command.
    #[must_use]
    pub fn account(&self) -> Account {
        if self.mark_seen {
            return Account::Commands;
        }
        let serves = self.serves();
        if self.refuses_sessions_by_policy() && serves.contains(&Service::Forward) {
            return Account::Restricted;
        }
        if self.may_forward_only() {
            return Account::Unclear;
        }
        // sshd serves sftp itself, also to an account whose shell hangs.
        if self.loses_output() {
            return Account::Nothing;
        }
        if self.hangs() || self.says_limit() {
            return if self.hangs_unclearly() { Account::Unclear } else { Account::Nothing };
        }
        if self.goes_on_after_output() {
            return Account::Unclear;
        }
        // A start-up file that ends every shell without a terminal does this.
        if self.fails_in_silence() && serves.contains(&Service::Shell) {
            return Account::Unclear;
        }
        if serves.iter().any(|service| *service != Service::Forward) {
            return Account::Restricted;
        }
        if self.is_unclear() || self.has_silent_shell() { Account::Unclear } else { Account::Nothing }
    }

    /// The program that ran in place of our command, or of what was asked for behind it, by its words.
    #[must_use]
    pub fn program(&self) -> Option<&'static Program> {
        // The words of its ssh about a terminal tell nothing of it.
        if self.fails_at_next_host() {
            return None;
        }
        let by_words = || self.program.as_deref().and_then(named).or_else(|| self.words().find_map(known));
        by_words().or_else(|| self.reader_of_data())
    }

    /// True if what ran in place of our command is ssh to another host, and it did not get there.
    #[must_use]
    pub fn fails_at_next_host(&self) -> bool {
        let ran = &self.ran;
        ran.closed && ran.status == Some(SSH_FAILED) && !self.quoted_back && self.words().any(says_no_login)
    }

    /// The program that ended at a line of ours, or at the end of its input, and said that this is not the data it reads.
    fn reader_of_data(&self) -> Option<&'static Program> {
        let seen = self.on_input.as_ref().filter(|seen| seen.closed && !seen.line_answered && !seen.own_mark)?;
        let said = [&seen.output, &seen.stderr].into_iter().flatten();
        said.filter_map(|text| known(text)).find(|program| program.purpose == Purpose::Copying)
    }

    /// All that was printed in place of what was asked for, escaped; that of the command first.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let shell = self.shell.as_ref().and_then(|shell| shell.output.as_ref());
        let words = [self.other_output.as_ref(), self.stderr.as_ref(), shell];
        words.into_iter().flatten().filter(|_| !self.mark_seen).map(String::as_str)
    }

    /// True if the shell was asked for, and stands at what looks like a prompt: not in a menu, where Enter may choose something.
    #[must_use]
    pub fn shell_is_at_prompt(&self) -> bool {
        let at_prompt = |shell: &Shell| shell.stays && shell.output.as_deref().is_some_and(ends_with_prompt);
        self.shell.as_deref().is_some_and(at_prompt)
    }

    /// True if a session stands at a prompt.
    fn is_at_prompt(&self) -> bool {
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
    fn has_printed(&self) -> bool {
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

    /// True if a program of the account's own ran and did what it is there for.
    fn is_program(&self) -> bool {
        let ran = &self.ran;
        if ran.accepted != Some(true) || self.hangs() {
            return false;
        }
        match self.program().filter(|program| program.is_sure || ran.status != Some(PAM_STATUS)) {
            Some(program) => matches!(
                program.purpose,
                Purpose::Copying | Purpose::Terminal | Purpose::Refusal | Purpose::CommandLine
            ),
            None if self.works_as_a_shell_without_options() => true,
            // Whoever quotes our command has read it, and decided.
            None if self.quoted_back => true,
            None if self.waits_with_output() || self.reads_its_own_language() || self.sends_back() => true,
            None if ran.closed => ran.status == Some(0) && self.words().next().is_some(),
            // It took the end of its input for the end of its work, or what it was sent for no data of its kind.
            None => self.on_input.as_ref().is_some_and(|seen| {
                let is_done = seen.closed && (seen.status == Some(0) || seen.rejects_input());
                (is_done || seen.forced) && !self.says_limit()
            }),
        }
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
    /// the signal or belongs to another user.
    #[must_use]
    pub fn may_be_forced_shell(&self) -> bool {
        self.on_input.as_ref().is_some_and(|seen| seen.hung_up == Some(HungUp::Nothing))
    }

    /// True if it hangs in a way that the account may be there for: it waits on purpose, its shell may be forced, or our command ran some time after
    /// the end of its input, where what had been printed asks for input.
    #[must_use]
    pub fn hangs_unclearly(&self) -> bool {
        let ran_at_end = |seen: &OnInput| seen.own_mark && !seen.line_sent;
        let ran_at_end = self.on_input.as_deref().is_some_and(ran_at_end);
        self.hangs() && (self.may_wait_on_purpose() || self.may_be_forced_shell() || ran_at_end)
    }

    /// True if the first session was refused by a policy, and not for want of resources: as prohibited, as a kind of channel that the server
    /// does not have, or as sshd does where MaxSessions is 0, which sshd_config(5) calls a way to permit forwarding only.
    #[must_use]
    pub fn refuses_sessions_by_policy(&self) -> bool {
        /// RFC 4254 section 5.1.
        const RESOURCE_SHORTAGE: u32 = 4;
        self.ran.refused.as_ref().is_some_and(|(code, _)| *code != RESOURCE_SHORTAGE)
    }

    /// True if sessions are refused by policy, and the answer about forwarding is one that this server may give to what it allows as well.
    #[must_use]
    pub fn may_forward_only(&self) -> bool {
        self.refuses_sessions_by_policy() && self.capabilities.direct_tcpip.is_untold()
    }

    /// True if sessions are refused, and ports that lead back to us are what is allowed.
    fn forwards_back_only(&self) -> bool {
        self.ran.refused.is_some() && self.capabilities.remote_forward.is_allowed()
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
    fn works_as_a_shell_without_options(&self) -> bool {
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

    /// True if something ran and ended that may be what the account is there for, or a start-up file that is broken.
    fn is_unclear(&self) -> bool {
        let ran = &self.ran;
        let is_refused = matches!(self.program().map(|program| program.purpose), Some(Purpose::Closed | Purpose::Full));
        if ran.accepted != Some(true)
            || is_refused
            || self.missing_shell().is_some()
            || self.says_limit()
            || self.ending.is_some()
        {
            return false;
        }
        if let Some(seen) = &self.on_input {
            return seen.closed;
        }
        let is_command_missing =
            ran.status.is_some_and(|status| NOT_RUN.contains(&status)) && self.words().any(says_not_run);
        // A greeting on a terminal is none of it.
        let has_words = self.has_printed() || !self.fails_in_silence() && self.words().next().is_some();
        let is_end = ran.status == Some(0) || has_words && ran.status != Some(PAM_STATUS) && !is_command_missing;
        ran.closed && ran.signal.is_none() && is_end
    }

    /// The text that sshd says where the account's shell is not there (do_child in its session.c), escaped.
    #[must_use]
    pub fn missing_shell(&self) -> Option<&str> {
        // A line on the missing home may stand before it.
        let lines = self.stderr.as_deref()?.split("\\n").map(|line| line.trim_end_matches("\\r"));
        let said = lines.filter(|line| !line.is_empty()).last()?;
        let shell = said.strip_suffix(": No such file or directory")?;
        let is_path = shell.starts_with('/') && !shell.contains([' ', ':', '\\']);
        (is_path && self.ran.closed && self.ran.status == Some(1) && !self.mark_seen).then_some(said)
    }

    /// True if the server said that it can start no process.
    #[must_use]
    pub fn says_limit(&self) -> bool {
        let words = [&self.other_output, &self.stderr];
        words.into_iter().flatten().any(|text| is_process_limit(text))
    }
}
