//! A program that answers in place of a shell.

/// The purpose of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Git repositories.
    Git,
    /// File transfer over sftp.
    Sftp,
    /// A program that copies or keeps files by a protocol of its own.
    Copying,
    /// A program that wants a terminal.
    Terminal,
    /// A command line that is no POSIX shell, as network devices have one: it read our command and does not know it.
    CommandLine,
    /// A program of the account's own that refuses commands.
    Refusal,
    /// Nobody may log in to this account, or not now.
    Closed,
    /// As many sessions as the server allows are open.
    Full,
}

/// A program, or the kind of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The name used in reports.
    pub name: &'static str,
    /// The purpose of the program.
    pub purpose: Purpose,
    /// True if nothing else is known to print these words.
    pub is_sure: bool,
    /// Each of them tells it; in lower case.
    pub(super) words: &'static [&'static str],
    /// The source of the words.
    pub source: &'static str,
}

/// A program that was identified.
pub(super) const fn sure(
    name: &'static str,
    purpose: Purpose,
    words: &'static [&'static str],
    source: &'static str,
) -> Program {
    Program { name, purpose, is_sure: true, words, source }
}

/// Words that more than one program prints.
pub(super) const fn likely(
    name: &'static str,
    purpose: Purpose,
    words: &'static [&'static str],
    source: &'static str,
) -> Program {
    Program { name, purpose, is_sure: false, words, source }
}
