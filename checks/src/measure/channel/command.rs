//! The one command that channel, transfer and exit share.

use std::fmt::Write as _;

use crate::base::limits::Patience;
use crate::facts::channel::words::finds_no_sh;
use crate::facts::channel::{Facts, Lead, OUR_STATUS, OURS};
use crate::facts::connection::Ran;
use crate::ssh::run::Running;

/// Bytes of each output that are kept: more than start-up files print.
pub(crate) const KEPT: usize = 64 * 1024;
/// Bytes of output in front of our mark that are read: start-up files that show pictures print more than others.
pub(crate) const LONG: usize = 512 * 1024;
/// The first part of data that is stored, bytes: four times what the bucket of a usual shaper lets through at once (tc-tbf(8): `burst 16kb`).
const AHEAD: usize = 64 * 1024;
/// Output of the last command, bytes: more than one packet, so that a cut at the end would show.
pub(crate) const OUTPUT: u64 = 64 * 1024;
/// The status that the last command ends with.
pub(crate) const STATUS: u32 = OUR_STATUS;

/// The one command that channel, transfer and exit share, since starting one may be slow (a shell's start-up files): it prints a mark,
/// sends back each of the [`parts`] of `stored` bytes when it has all of it, then what it is sent as it comes, and at the end of its input
/// prints [`OUTPUT`] bytes and ends with [`STATUS`].
#[must_use]
pub(crate) fn command(lead: Lead, mark: &str, stored: usize) -> String {
    let mut stored_parts = String::new();
    for count in parts(stored) {
        let _ = write!(stored_parts, "head -c {count} | tail -c {count}; ");
    }
    lead.command(&format!("echo {mark}; {stored_parts}cat; {}", end()))
}

/// The parts in which so many bytes are stored, each at most three times as long as all before it: the time that those took tells whether the
/// link can carry more.
pub(crate) fn parts(stored: usize) -> impl Iterator<Item = usize> {
    let upto = move |part: u32| stored.min(AHEAD << (2 * part));
    (0..)
        .map(move |part| (upto(part), part.checked_sub(1).map_or(0, upto)))
        .map(|(end, begin)| end - begin)
        .take_while(|count| *count > 0)
}

/// A command that reads nothing, and ends by itself.
#[must_use]
pub(crate) fn without_input(lead: Lead, mark: &str) -> String {
    lead.command(&format!("echo {mark}; {}", end()))
}

fn end() -> String {
    let (blocks, status) = (OUTPUT / 1024, STATUS);
    // A shell that may open few files cannot put its standard error aside, as dash does for a redirection: it runs the second then.
    let zeros = format!("dd if=/dev/zero bs=1024 count={blocks}");
    let either = format!("{zeros} 2>/dev/null || {zeros}");
    // Without devices, as in a chroot, printf and tr make them.
    let made = format!("printf %0{OUTPUT}d 0 | tr 0 \"\\\\000\"");
    format!("if [ -c /dev/zero ]; then {either}; else {made}; fi; exit {status}")
}

/// True if a shell, or what splits commands itself, ended so that does not know the first word of our command, or may not use it.
/// Another program, which is not to be started twice, prints something else, or the whole command.
pub(super) fn is_foreign_shell(facts: &Facts) -> bool {
    let ran = &facts.ran;
    let is_windows = |text: &str| text.contains("is not recognized as");
    let names_it =
        facts.stderr.as_deref().is_some_and(|text| names(facts.lead, text) || is_windows(text) || finds_no_sh(text));
    ran.closed
        && facts.other_output.is_none()
        && ran.status.is_some_and(|status| status != 0)
        && names_it
        && !facts.quoted_back
}

/// True if what was printed in place of our command names its first word, and does not quote all of it: an interpreter that read it.
pub(super) fn names_first_word(facts: &Facts) -> bool {
    !facts.quoted_back && facts.words().any(|text| names(facts.lead, text))
}

/// True if the first word of our command appears in a text, escaped. Most shells put their own name in front of their messages, which may
/// be `sh`; one that imitates a shell may not.
fn names(lead: Lead, text: &str) -> bool {
    let first = match lead {
        Lead::ExecSh => "exec",
        Lead::Sh => "sh",
    };
    let mut lines = text.split("\\n");
    lines.any(|line| {
        let rest = line
            .trim_start_matches('-')
            .strip_prefix("sh: ")
            .filter(|rest| !["command not", "not found"].iter().any(|says| rest.starts_with(says)));
        rest.unwrap_or(line).split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == first)
    })
}

/// True if the command printed its mark: on a line's end, where a program that quotes the command has more behind it or `echo` before it.
pub(super) fn is_printed(output: &[u8], mark: &str) -> bool {
    let mut ends = output.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark.as_bytes());
    ends.any(|(at, _)| {
        let (before, behind) = (&output[..at], &output[at + mark.len()..]);
        (behind.starts_with(b"\n") || behind.starts_with(b"\r\n")) && !before.ends_with(b"echo ")
    })
}

/// Returns a test of output that grows: true once the mark was printed. No more of it is looked at than is new, since a server may send each byte in
/// a packet of its own.
pub(super) fn awaited(mark: &str) -> impl FnMut(&[u8]) -> bool {
    let (mut looked_at, longest) = (0, "echo ".len() + mark.len() + "\r\n".len());
    move |output| {
        // A mark that was not printed yet may have begun, and the word that quotes it.
        let begin = usize::saturating_sub(looked_at, longest);
        looked_at = output.len();
        is_printed(&output[begin..], mark)
    }
}

/// True if our command itself stands in an output, and not as a shell that traces commands (`set -x`) shows it.
pub(super) fn is_quoted(output: &[u8], mark: &str) -> bool {
    let text = String::from_utf8_lossy(output);
    text.lines().any(|line| (line.contains(mark) || line.contains(OURS)) && !line.trim_start().starts_with('+'))
}

/// Reads until the line that is the mark has come; returns where it ends in the output that is kept, `None` where it did not come.
pub(crate) async fn await_mark(running: &mut Running, mark: &str, patience: Patience, ran: &mut Ran) -> Option<usize> {
    let enough = |ran: &Ran| ran.stdout.len() >= LONG || end_of(&ran.stdout, mark).is_some();
    running.read(LONG, patience, ran, enough).await;
    end_of(&ran.stdout, mark)
}

/// Returns the end of the line in the output that ends with the mark, whichever way the server ends lines.
pub(crate) fn end_of(output: &[u8], mark: &str) -> Option<usize> {
    let ends = output.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark.as_bytes());
    ends.map(|(at, _)| at + mark.len()).find_map(|end| {
        let rest = &output[end..];
        let line_end = ["\n", "\r\n"].into_iter().find(|line_end| rest.starts_with(line_end.as_bytes()))?;
        Some(end + line_end.len())
    })
}

#[cfg(test)]
mod tests {
    use super::{command, end_of, is_foreign_shell, is_printed, is_quoted, names_first_word, parts};
    use crate::facts::channel::{Facts, Lead};
    use crate::facts::connection::Ran;

    #[test]
    fn a_mark_that_is_printed_is_told_from_one_that_is_quoted() {
        for printed in ["m4rk\n", "m4rk\r\n", "Welcome\nm4rk\n", "Welcome m4rk\nmore"] {
            assert!(is_printed(printed.as_bytes(), "m4rk"), "{printed}");
        }
        let ours = command(Lead::ExecSh, "m4rk", 9);
        let quoted = format!("unknown command: '{ours}'\n");
        for unrun in ["m4rk", "unknown: echo m4rk\n", "unknown: 'echo m4rk'\n", &quoted] {
            assert!(!is_printed(unrun.as_bytes(), "m4rk"), "{unrun}");
        }
        assert!(is_quoted(quoted.as_bytes(), "m4rk"));
        assert!(!is_quoted(format!("+ {ours}\n").as_bytes(), "m4rk"), "a trace of the shell");
    }

    #[test]
    fn a_line_ends_with_its_mark_however_lines_end() {
        assert_eq!(end_of(b"Welcome\nm4rk\nrest", "m4rk"), Some(13));
        assert_eq!(end_of(b"m4rk\r\n\0\0", "m4rk"), Some(6));
        assert_eq!(end_of(b"m4rk of m4rk\n", "m4rk"), Some(13));
        assert_eq!(end_of(b"m4rk", "m4rk"), None, "its end may come yet");
    }

    #[test]
    fn data_is_stored_in_parts_that_grow() {
        const KIB: usize = 1024;
        assert_eq!(parts(KIB * KIB).collect::<Vec<_>>(), [64 * KIB, 192 * KIB, 768 * KIB]);
        assert_eq!(parts(100 * KIB).collect::<Vec<_>>(), [64 * KIB, 36 * KIB]);
        assert_eq!(parts(0).count(), 0);
    }

    fn ended(status: u32, stdout: &str, stderr: &str) -> Facts {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let ran = Ran { status: Some(status), accepted: Some(true), closed: true, ..Ran::default() };
        Facts { ran, other_output: some(stdout), stderr: some(stderr), ..Facts::default() }
    }

    #[test]
    fn only_a_shell_that_does_not_take_our_first_word_is_asked_again() {
        let foreign = |status, stdout, stderr| is_foreign_shell(&ended(status, stdout, stderr));
        assert!(foreign(1, "", "rbash: line 1: exec: restricted\n"));
        assert!(foreign(1, "", "'exec' is not recognized as an internal or external command,\r\n"));
        assert!(!foreign(1, "", ""));
        assert!(!foreign(0, "", "rbash: line 1: exec: restricted\n"));
        assert!(!foreign(1, "", "This shell is not for executing commands\n"));
        assert!(!foreign(1, "no", "exec"));
        let quoted = Facts { quoted_back: true, ..ended(1, "", "fatal: unrecognized command 'exec sh -c'") };
        assert!(!is_foreign_shell(&quoted) && !names_first_word(&quoted));
    }

    #[test]
    fn an_interpreter_names_the_word_that_it_does_not_know() {
        assert!(names_first_word(&ended(4, "ACME-17: no such verb 'exec'", "")));
        assert!(!names_first_word(&ended(4, "executed", "")));
        assert!(!names_first_word(&ended(4, "", "go away")));
        let by_sh = |text| names_first_word(&Facts { lead: Lead::Sh, ..ended(1, "", text) });
        assert!(
            by_sh("Cannot run program \"sh\"") && !by_sh("sh: 1: rsync: not found") && !by_sh("-sh: rsync: not found")
        );
        assert!(by_sh("sh: command not found") && names_first_word(&ended(127, "", "exec: command not found\\n")));
    }
}
