//! Programs that answer in place of a shell, known by the words that they print.

use super::known_programs::{COMMAND_LINE, PROGRAMS, REFUSING, TERMINAL};
pub use super::program::{Program, Purpose};
use super::refusals::refuses;

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
    let whole = text.trim_end_matches("\\n").trim_matches(|letter: char| !letter.is_ascii_alphabetic());
    if whole == GITLAB {
        return named("GitLab");
    }
    if fails_without_terminal(&text) {
        return named(TERMINAL);
    }
    if finds_nothing_named(&text) {
        return named(COMMAND_LINE);
    }
    let found = PROGRAMS.iter().find(|program| program.words.iter().any(|words| text.contains(words)));
    found.or_else(|| refuses(&text).then(|| named(REFUSING)).flatten())
}

/// True if the last line of a text, escaped and in lower case, says that there is no terminal, and comes of no shell and none of the programs that
/// start-up files set terminals with: those complain and go on.
fn fails_without_terminal(text: &str) -> bool {
    const NONE: [&str; 3] = ["inappropriate ioctl for device", "not a tty", "not a terminal"];
    const GO_ON: [&str; 9] = ["stty", "mesg", "tput", "tset", "reset", "biff", "clear", "resize", "setterm"];
    let last = text.split("\\n").map(|line| line.trim_end_matches("\\r")).filter(|line| !line.is_empty()).last();
    last.is_some_and(|line| {
        let program = line.split([':', ' ']).next().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default();
        NONE.iter().any(|words| line.ends_with(words)) && !GO_ON.contains(&program) && !program.ends_with("sh")
    })
}

/// True if a line of a text, escaped and in lower case, says that a command is not found before it names one, or names none: shells name it first, and
/// zsh and BusyBox themselves.
fn finds_nothing_named(text: &str) -> bool {
    let lines = text.split("\\n").map(|line| line.trim_start_matches(['%', '?', '!', '-', '*', ' ']));
    lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).any(|line| line.starts_with("command not found"))
}

#[cfg(test)]
mod tests {
    use super::{Purpose, known};

    #[test]
    fn a_program_that_ends_for_want_of_a_terminal_is_known() {
        let of_terminals = |text| known(text).is_some_and(|program| program.purpose == Purpose::Terminal);
        for said in [
            "Can't get TERM.\\n",
            "not a tty\\n",
            "2026/01/01 00:00:00 socat[77] E tcgetattr(0, 0x7ff): Inappropriate ioctl for device\\n",
            "game: tcsetattr: Inappropriate ioctl for device\\n",
        ] {
            assert!(of_terminals(said), "{said}");
        }
        for said in [
            "stty: 'standard input': Inappropriate ioctl for device\\n",
            "bash: cannot set terminal process group (-1): Inappropriate ioctl for device\\n",
            "mesg: ttyname failed: Inappropriate ioctl for device\\n",
            "game: tcsetattr: Inappropriate ioctl for device\\n/etc/x: line 3: /opt/x: No such file or directory\\n",
        ] {
            assert!(!of_terminals(said), "{said}");
        }
    }

    #[test]
    fn a_command_that_is_not_found_and_not_named_is_none_of_a_shell() {
        let is_own = |text| known(text).is_some_and(|program| program.purpose == Purpose::CommandLine);
        for said in [
            "Command not found. Use 'help' to get a list of available commands.\\n",
            "% Command not found: exec\\n",
            "ERROR: Command not found\\n",
        ] {
            assert!(is_own(said), "{said}");
        }
        for said in
            ["exec: Command not found.\\n", "zsh:1: command not found: sh\\n", "bash: borg: command not found\\n"]
        {
            assert!(!is_own(said), "{said}");
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
