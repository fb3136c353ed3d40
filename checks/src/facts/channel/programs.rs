//! Programs that answer in place of a shell, known by the words that they print.

use super::known_programs::{PROGRAMS, REFUSING};
pub use super::program::{Program, Purpose};
use super::refusals::{refuses, whole};

/// The program of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// The program that printed this, if it is known.
#[must_use]
pub fn known(text: &str) -> Option<&'static Program> {
    /// GitLab says no more than that, and others say it with their own words around it.
    const GITLAB: &str = "disallowed command";
    let text = text.to_lowercase();
    if whole(&text) == GITLAB {
        return named("GitLab");
    }
    let found = PROGRAMS.iter().find(|program| program.words.iter().any(|words| text.contains(words)));
    found.or_else(|| refuses(&text).then(|| named(REFUSING)).flatten())
}

#[cfg(test)]
mod tests {
    use super::{Purpose, known};

    #[test]
    fn a_program_that_ends_for_want_of_a_terminal_is_known() {
        let name = |text| known(text).map(|program| (program.name, program.purpose));
        let terminal = Purpose::Terminal;
        assert_eq!(name("Can't get TERM.\\n"), Some(("a program that needs a terminal", terminal)));
        assert_eq!(name("open terminal failed: not a terminal\\n"), Some(("tmux", terminal)));
        for said in [
            "stty: 'standard input': Inappropriate ioctl for device\\n",
            "gpg: decryption failed: Inappropriate ioctl for device\\n",
            "wrapper: no backup configured: Inappropriate ioctl for device\\n",
            "OSError: [Errno 25] Inappropriate ioctl for device\\n",
            "not a tty\\n",
            "failed to allocate interactive pty\\n",
            "prompt: running without a terminal\\n/home/me/.bashrc: line 9: /opt/x: No such file or directory\\n",
        ] {
            assert_eq!(known(said), None, "{said}");
        }
    }

    #[test]
    fn words_that_a_broken_job_may_have_are_of_no_known_program() {
        for said in [
            "ERROR: Command not found: borg\\n",
            "ERROR: Command not found\\n",
            "Error: unknown flag: --stdio\\nUsage:\\n  job [command]\\n\\nAvailable Commands:\\n  run\\n",
            "Your IP address 192.0.2.7 is not in the whitelist.\\n",
            "Only one session per user is allowed on this host.\\n",
            "3.11 is not in list of available versions\\n",
            "Unauthorized use of this system is prohibited.\nUse the command 'module avail'\n/etc/bashrc: line 9: /opt/env.sh: No space left on device\n",
        ] {
            assert_eq!(known(said), None, "{said}");
            assert_eq!(known(&said.replace("\\n", "\n")), None, "{said}");
        }
    }

    #[test]
    fn a_limit_of_sessions_is_no_refusal_of_commands() {
        for limit in [
            "This server only allows 2 sessions per user.\\n",
            "One login is allowed here at a time.\\n",
            "Request denied: too many\\n",
        ] {
            assert_eq!(known(limit), None, "{limit}");
        }
        for refusal in
            ["This key only allows backups\\n", "Only rsync is allowed here.\\n", "commands are not allowed here\\n"]
        {
            assert_eq!(known(refusal).map(|program| program.purpose), Some(Purpose::Refusal), "{refusal}");
        }
    }
}
