//! The one command that channel, transfer and exit share.

use crate::facts::channel::OURS;
use crate::facts::connection::Ran;

/// Bytes of each output that are kept: more than start-up files print.
pub(crate) const KEPT: usize = 64 * 1024;

/// The one command that channel, transfer and exit share, since starting one may be slow (a shell's start-up files): it prints a mark,
/// sends back `stored` bytes when it has them all, then what it is sent as it comes, and at the end of its input prints
/// [`exit::OUTPUT`](OUTPUT) bytes and ends with [`exit::STATUS`](STATUS).
#[must_use]
pub(crate) fn command(mark: &str, stored: usize) -> String {
    let (blocks, status) = (OUTPUT / 1024, STATUS);
    format!(
        "{OURS} 'echo {mark}; head -c {stored} | tail -c {stored}; cat; dd if=/dev/zero bs=1024 count={blocks} 2>/dev/null; exit {status}'"
    )
}

/// Whether a shell ended so that does not know the first word of our command, or may not use it. Another program, which is not to be
/// started twice, prints something else, or the whole command.
pub(super) fn is_foreign_shell(ran: &Ran, mark: &str) -> bool {
    let names_it = String::from_utf8_lossy(&ran.stderr).contains("exec");
    ran.stdout.is_empty() && ran.status != Some(0) && names_it && !is_quoted(&ran.stderr, mark)
}

/// Whether the command printed its mark: on a line's end, where a program that quotes the command has more behind it or `echo` before it.
pub(super) fn is_printed(output: &[u8], mark: &str) -> bool {
    let mut ends = output.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark.as_bytes());
    ends.any(|(at, _)| {
        let (before, behind) = (&output[..at], &output[at + mark.len()..]);
        (behind.starts_with(b"\n") || behind.starts_with(b"\r\n")) && !before.ends_with(b"echo ")
    })
}

/// Whether our command itself stands in an output, and not as a shell that traces commands (`set -x`) shows it.
pub(super) fn is_quoted(output: &[u8], mark: &str) -> bool {
    let text = String::from_utf8_lossy(output);
    text.lines().any(|line| (line.contains(mark) || line.contains(OURS)) && !line.trim_start().starts_with('+'))
}

/// Where the mark ends in the output.
pub(crate) fn end_of(output: &[u8], mark: &str) -> Option<usize> {
    output.windows(mark.len()).position(|window| window == mark.as_bytes()).map(|at| at + mark.len())
}

/// Output of the last command, bytes: more than one packet, so that a cut at the end would show.
pub(crate) const OUTPUT: u64 = 64 * 1024;
/// The status that the last command ends with: one that nothing else gives.
pub(crate) const STATUS: u32 = 7;

#[cfg(test)]
mod tests {
    use super::{command, is_foreign_shell, is_printed, is_quoted};
    use crate::facts::connection::Ran;

    #[test]
    fn a_mark_that_is_printed_is_told_from_one_that_is_quoted() {
        for printed in ["m4rk\n", "m4rk\r\n", "Welcome\nm4rk\n", "Welcome m4rk\nmore"] {
            assert!(is_printed(printed.as_bytes(), "m4rk"), "{printed}");
        }
        let quoted = format!("unknown command: '{}'\n", command("m4rk", 9));
        for unrun in ["m4rk", "unknown: echo m4rk\n", "unknown: 'echo m4rk'\n", &quoted] {
            assert!(!is_printed(unrun.as_bytes(), "m4rk"), "{unrun}");
        }
        assert!(is_quoted(quoted.as_bytes(), "m4rk"));
        assert!(!is_quoted(format!("+ {}\n", command("m4rk", 9)).as_bytes(), "m4rk"), "a trace of the shell");
    }

    #[test]
    fn only_a_shell_that_does_not_take_our_first_word_is_asked_again() {
        let ended = |status, stdout: &str, stderr: &str| {
            let ran = Ran { status: Some(status), stdout: stdout.into(), stderr: stderr.into(), ..Ran::default() };
            is_foreign_shell(&ran, "m4rk")
        };
        assert!(ended(1, "", "rbash: line 1: exec: restricted\n"));
        assert!(ended(1, "", "'exec' is not recognized as an internal or external command,\r\n"));
        assert!(!ended(1, "", ""));
        assert!(!ended(0, "", "rbash: line 1: exec: restricted\n"));
        assert!(!ended(1, "no", "exec"));
        assert!(!ended(1, "", &format!("fatal: unrecognized command '{}'\n", command("m4rk", 9))));
    }
}
