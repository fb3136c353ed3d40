//! Texts that name the first word of our command as one that is not known.

use super::words::says_not_run;

/// True if a text, escaped, names this first word of our command as something that a program was given and does not know: in quotation marks,
/// or at the end of a longer name, as where a wrapper has a script or a function for each command. The words of a shell or a container that
/// does not find the command itself are none of it.
pub(super) fn names_unknown(text: &str, first: &str) -> bool {
    const QUOTES: [(char, char); 4] = [('\'', '\''), ('"', '"'), ('`', '`'), ('‘', '’')];
    const MISSING: [&str; 3] = ["not found", "command not found", "No such file or directory"];
    let is_quoted = QUOTES.iter().any(|(open, close)| text.contains(&format!("{open}{first}{close}")));
    let ends_a_name = ['_', '-', '/']
        .iter()
        .any(|before| MISSING.iter().any(|words| text.contains(&format!("{before}{first}: {words}"))));
    let is_standard = ["bin/sh: ", "bin/exec: "].iter().any(|path| text.contains(path));
    is_quoted && !says_not_run(text) && !is_kernels(text) || ends_a_name && !is_standard || misses(text, first)
}

/// True if a line names a program that is neither a shell nor one that starts others, and then says that this first word is unknown.
fn misses(text: &str, first: &str) -> bool {
    const STARTERS: [&str; 20] = [
        "env", "sudo", "doas", "nice", "ionice", "timeout", "nohup", "setsid", "chroot", "xargs", "exec", "unshare",
        "nsenter", "stdbuf", "chpst", "bwrap", "runuser", "setpriv", "su", "strace",
    ];
    const UNKNOWN: [&str; 3] = ["not found", "command not found", "no such "];
    let is_such = |line: &str| {
        let Some((before, says)) = line.split_once(&format!(": {first}: ")) else { return false };
        let program = before.split([':', '[']).next().unwrap_or_default().trim_start_matches('-');
        let program = program.rsplit('/').next().unwrap_or_default();
        let says = says.to_lowercase();
        let starts = program.is_empty() || program.ends_with("sh") || STARTERS.contains(&program);
        !starts && UNKNOWN.iter().any(|words| says.starts_with(words)) && !says.starts_with("no such file")
    };
    text.split("\\n").any(is_such)
}

/// True if a text, escaped, says why the system did not start a program, in the words of errno(3).
fn is_kernels(text: &str) -> bool {
    const ERRORS: [&str; 9] = [
        "failed to run",
        "Input/output error",
        "Too many levels of symbolic links",
        "Text file busy",
        "Cannot allocate memory",
        "Resource temporarily unavailable",
        "Argument list too long",
        "Stale file handle",
        "Operation not permitted",
    ];
    ERRORS.iter().any(|error| text.contains(error))
}

#[cfg(test)]
mod tests {
    use super::names_unknown;

    #[test]
    fn a_program_that_does_not_know_our_command_names_its_first_word() {
        for said in [
            "Command 'exec' is not in the whitelist\\n",
            "deploy: error: argument action: invalid choice: 'exec' (choose from 'start', 'stop')\\n",
            "KeyError: 'exec'\\n",
            "/srv/run: 2: exec: /srv/verbs/exec: not found\\n",
            "/srv/run: line 4: do_exec: command not found\\n",
            "Gerrit Code Review: exec: not found\\n",
            "pmshell: exec: no such port\\n",
        ] {
            assert!(names_unknown(said, "exec"), "{said}");
        }
        for said in [
            "sh: 1: exec: not found\\n",
            "rbash: line 1: exec: restricted\\n",
            "exec: \"exec\": executable file not found in $PATH\\n",
            "-bash: line 1: borg: command not found\\n",
            "-bash: line 1: exec: command not found\\n",
            "sudo: exec: command not found\\n",
            "env: exec: No such file or directory\\n",
        ] {
            assert!(!names_unknown(said, "exec"), "{said}");
        }
        assert!(!names_unknown("timeout: failed to run command ‘sh’: Input/output error\\n", "sh"));
        assert!(!names_unknown("OCI runtime exec failed: exec: \"sh\": executable file not found in $PATH\\n", "sh"));
        assert!(!names_unknown("chroot: failed to run command '/bin/sh': No such file or directory\\n", "sh"));
        assert!(
            !names_unknown("-sh: 1: borg: not found\\n", "sh") && !names_unknown("/usr/bin/sh: not found\\n", "sh")
        );
    }
}
