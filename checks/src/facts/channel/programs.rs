//! Programs that answer in place of a shell, known by the words that they print.

use super::known_programs::{PROGRAMS, REFUSING};
pub use super::program::{Program, Purpose};

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
    /// A whole answer of scripts in front of keys.
    const NO: [&str; 8] =
        ["denied", "rejected", "refused", "forbidden", "disallowed", "not allowed", "unauthorized", "no access"];
    /// Words of the same scripts, and of limits and schedules too: those speak of no commands.
    const VAGUE: [&str; 6] = [
        "is allowed here",
        "are allowed here",
        "not allowed here",
        "only allows",
        "request denied",
        "request rejected",
    ];
    const OF_COMMANDS: [&str; 5] = ["command", " key ", "shell", "scp", "rsync"];
    let text = text.to_lowercase();
    let whole = text.trim_end_matches("\\n").trim_matches(|letter: char| !letter.is_ascii_alphabetic());
    if whole == GITLAB {
        return named("GitLab");
    }
    let found = PROGRAMS.iter().find(|program| program.words.iter().any(|words| text.contains(words)));
    let contains_any = |words: &[&str]| words.iter().any(|words| text.contains(words));
    let refuses = NO.contains(&whole) || contains_any(&VAGUE) && contains_any(&OF_COMMANDS);
    found.or_else(|| refuses.then(|| named(REFUSING)).flatten())
}

#[cfg(test)]
mod tests {
    use super::{Purpose, known};

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
