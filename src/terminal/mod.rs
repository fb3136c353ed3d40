//! The person at the terminal: messages during the examination, and questions.

mod ask;
mod frame;
mod live_display;
mod onlooker;
mod question;
mod signals;
mod tally;
mod watch_frame;

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;
use ssh_doctor_checks::base::ask::Question;
use ssh_doctor_checks::base::masking::without_passwords;
use ssh_doctor_checks::base::text::sanitize;

pub use ask::AtTerminal;
pub use live_display::LiveDisplay;
pub use onlooker::Onlooker;
pub use signals::stop_on_signals;
pub use tally::Tally;

use crate::diagnose::Verdict;
use crate::report::{Style, nagios};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The narrowest and the widest a report is laid out for, in columns.
const COLUMNS: std::ops::RangeInclusive<usize> = 40..=120;

/// The width where there is no terminal to ask, in columns.
const USUAL_COLUMNS: usize = 80;

/// The style of the report on standard output.
#[must_use]
pub fn style(color: Color) -> Style {
    Style {
        color: colored(color, &io::stdout()),
        unicode: unicode(io::stdout().is_terminal()),
        width: terminal_size::terminal_size_of(io::stdout()).map_or(USUAL_COLUMNS, |(width, _)| columns(width.0)),
    }
}

/// True if somebody may read what is written to standard error.
#[must_use]
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// True if a person is there to answer a question.
#[must_use]
pub fn person_present() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Writes a report, or another answer, to standard output. A reader that has gone away is no error.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("the report cannot be written to standard output: {}", reason(&error)))
        }
        _ => Ok(()),
    }
}

/// Writes one line to standard error, ignoring errors.
pub fn remark(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Reports in one line the reason for a usage error, and returns its status. A plugin prints it on standard output.
#[must_use]
pub fn misuse(error: &anyhow::Error, nagios: bool) -> ExitCode {
    let sentence = one_line(&format!("{error:#}"));
    if nagios {
        // A reader that has gone away is told by the exit status.
        let _ = say(&format!("{}\n", nagios::misuse(&sentence)));
    } else {
        remark(format_args!("ssh-doctor: {sentence}"));
    }
    ExitCode::from(Verdict::Inconclusive.exit_status())
}

/// An operating system error without its number.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

/// Foreign text in one line, control characters escaped.
fn one_line(text: &str) -> String {
    without_passwords(text).split_whitespace().map(sanitize).collect::<Vec<_>>().join(" ")
}

fn colored(color: Color, stream: &impl anstream::stream::RawStream) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// True if the locale writes UTF-8; without a locale, a terminal is taken to.
fn unicode(terminal: bool) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb" || term == "linux");
    locale.map_or(terminal, |locale| locale.to_lowercase().replace('-', "").contains("utf8")) && !(terminal && dumb)
}

/// A question as it stands on a terminal of the usual width.
pub(crate) fn laid_out(question: &Question) -> String {
    question::set(question, USUAL_COLUMNS)
}

/// The columns of the terminal that a person is asked at.
fn columns_of_terminal() -> usize {
    terminal_size::terminal_size_of(io::stderr()).map_or(USUAL_COLUMNS, |(width, _)| width.0.into())
}

fn columns(width: u16) -> usize {
    usize::from(width).clamp(*COLUMNS.start(), *COLUMNS.end())
}
