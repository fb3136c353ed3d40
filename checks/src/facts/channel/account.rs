//! The services of an account, derived from its sessions.

use super::programs::{Program, Purpose, known, named};
use super::session::Facts;
use super::words::{NOT_RUN, complains, is_process_limit, says_no_login, says_not_run};
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

    /// True if what ran in place of our command crashed, or ended with an error and words of no known program, or with a status that false(1)
    /// and nologin(8) do not have: a login shell that is broken does so. sshd itself says that the home or the shell is missing: a chroot for
    /// sftp has neither.
    #[must_use]
    pub fn fails_as_a_broken_shell(&self) -> bool {
        let own_words = || {
            let lines = self.stderr.iter().flat_map(|text| text.split("\\n"));
            let is_sshds = |line: &str| {
                let line = line.trim_end_matches("\\r");
                line.starts_with("Could not chdir to home directory ") || self.missing_shell() == Some(line)
            };
            self.other_output.is_some() || lines.filter(|line| !line.is_empty()).any(|line| !is_sshds(line))
        };
        let failed = |status: u32| status > 1 || status == 1 && own_words();
        let reads = self.quoted_back || self.reads_our_command() || self.does_not_know_c();
        let ran = &self.ran;
        let is_ours = self.mark_seen || reads || self.program().is_some();
        ran.closed && !is_ours && (ran.signal.is_some() || ran.status.is_some_and(failed))
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

    /// True if a program of the account's own ran and did what it is there for.
    fn is_program(&self) -> bool {
        let ran = &self.ran;
        if self.runs_unanswered() && self.program().is_none() {
            return !self.says_limit() && !self.words().any(complains);
        }
        if !self.was_started() && !self.runs_unanswered() || self.hangs() {
            return false;
        }
        match self.program().filter(|program| program.is_sure || ran.status != Some(PAM_STATUS)) {
            None if self.does_not_reach_its_service() => false,
            Some(program) => matches!(
                program.purpose,
                Purpose::Copying | Purpose::Terminal | Purpose::Refusal | Purpose::CommandLine
            ),
            None if self.works_as_a_shell_without_options() => true,
            // Whoever quotes our command has read it, and decided.
            None if self.quoted_back || self.reads_our_command() => true,
            None if self.waits_with_output() || self.reads_its_own_language() || self.sends_back() => true,
            None if ran.closed => self.ends_well() && self.words().next().is_some(),
            // It took the end of its input for the end of its work, or what it was sent for no data of its kind.
            None => self.on_input.as_ref().is_some_and(|seen| {
                let is_done = seen.closed && (seen.status == Some(0) || seen.rejects_input());
                (is_done || seen.forced) && !self.says_limit()
            }),
        }
    }

    /// True if what ran ended without an error. Servers built into other programs may send no status: what they printed is no complaint then.
    fn ends_well(&self) -> bool {
        let ran = &self.ran;
        let is_untold = ran.status.is_none() && ran.signal.is_none() && self.ending.is_none() && !ran.connection_lost;
        ran.status == Some(0) || is_untold && self.other_output.is_some() && !self.words().any(complains)
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

    /// True if something ran and ended that may be what the account is there for, or a start-up file that is broken.
    fn is_unclear(&self) -> bool {
        let ran = &self.ran;
        let is_refused = matches!(self.program().map(|program| program.purpose), Some(Purpose::Closed | Purpose::Full));
        if !self.was_started() && !self.runs_unanswered()
            || is_refused
            || self.missing_shell().is_some()
            || self.says_limit()
            || self.ending.is_some()
        {
            return false;
        }
        if self.runs_unanswered() {
            return true;
        }
        if let Some(seen) = &self.on_input {
            return seen.closed || self.does_not_reach_its_service();
        }
        let is_command_missing = ran.status.is_some_and(|status| NOT_RUN.contains(&status))
            && self.words().any(says_not_run)
            && !self.is_imitation();
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

#[cfg(test)]
mod tests {
    use super::{Account, Facts};
    use crate::base::service::Service;
    use crate::facts::channel::OnInput;
    use crate::facts::connection::{GaveUp, Ran};

    #[test]
    fn what_prints_and_closes_without_a_status_is_a_program() {
        let closed = |said: Option<&str>| {
            let ran = Ran { accepted: Some(true), closed: true, ..Ran::default() };
            Facts { ran, other_output: said.map(Into::into), ..Facts::default() }
        };
        assert_eq!(closed(Some("3 users")).account(), Account::Restricted);
        assert_eq!(closed(None).account(), Account::Nothing);
        for complaint in
            ["cannot open /data/conf: No space left on device", "Error: no such job", "fatal: out of memory"]
        {
            assert_eq!(closed(Some(complaint)).account(), Account::Unclear, "{complaint}");
        }
        let before_the_answer = Facts { ran: Ran { accepted: None, ..closed(None).ran }, ..closed(Some("3 users")) };
        assert_eq!(before_the_answer.serves(), [Service::Program]);
    }

    #[test]
    fn a_session_whose_request_is_not_answered_may_run_a_program() {
        let open = |said: Option<&str>, answer: Option<&str>| {
            let ran = Ran { open_ms: Some(1.0), gave_up: Some(GaveUp::Silence), ..Ran::default() };
            let seen = OnInput { line_sent: true, output: answer.map(Into::into), ..OnInput::default() };
            let on_input = answer.map(|_| Box::new(seen));
            Facts { ran, other_output: said.map(Into::into), on_input, ..Facts::default() }
        };
        assert_eq!(open(None, Some("Got data: echo x")).serves(), [Service::Program]);
        assert_eq!(open(Some("\\u{1b}[?25l"), None).serves(), [Service::Program]);
        assert_eq!(open(None, None).account(), Account::Nothing);
        assert_eq!(open(Some("Error: cannot start shell"), None).account(), Account::Unclear);
        assert_eq!(open(Some("All VTY lines in use"), None).account(), Account::Nothing);
    }
}
