//! A command line that was not understood, as one sentence.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use super::{COMMANDS, Cli, hints};
use crate::terminal;

impl Cli {
    /// Reads the command line. What cannot be read is not printed here: a misuse is one sentence, a request for help is not an error.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Unread> {
        let mut args: Vec<OsString> = args.into_iter().collect();
        if args.get(1).is_some_and(|command| command == "explain") {
            // `-bash: fork: retry` is a text and no option.
            let is_text = |arg: &str| arg.starts_with('-') && arg.contains(' ');
            for arg in &mut args {
                if let Some(text) = arg.to_str().filter(|arg| is_text(arg)) {
                    *arg = format!(" {text}").into();
                }
            }
        }
        Self::try_parse_from(&args).map_err(|error| Unread::new(error, &args))
    }
}

/// A command line that asks for help, or is wrong.
#[derive(Debug)]
pub struct Unread {
    error: clap::Error,
    command: Option<&'static str>,
}

impl Unread {
    fn new(error: clap::Error, args: &[OsString]) -> Self {
        let first = args.get(1).and_then(|arg| arg.to_str());
        Self { error, command: COMMANDS.into_iter().find(|command| Some(*command) == first) }
    }

    /// Prints the help that was asked for, or says in one sentence what is wrong.
    #[must_use]
    pub fn tell(&self, nagios: bool) -> ExitCode {
        match self.error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                // A reader that has gone away wants no more help.
                let _ = self.error.print();
                ExitCode::SUCCESS
            }
            _ => terminal::misuse(&anyhow::anyhow!(self.sentence()), nagios),
        }
    }

    /// Describes the error and its remedy.
    #[must_use]
    pub fn sentence(&self) -> String {
        let context = |kind| match self.error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
            _ => None,
        };
        let wrong = context(ContextKind::InvalidArg).unwrap_or_default();
        let value = context(ContextKind::InvalidValue).unwrap_or_default();
        let help = match self.command {
            Some(command) => format!("ssh-doctor {command} --help"),
            None => "ssh-doctor --help".to_owned(),
        };
        match self.error.kind() {
            ErrorKind::InvalidSubcommand => {
                let word = context(ContextKind::InvalidSubcommand).unwrap_or_default();
                if let Some(hint) = hints::for_command(&word) {
                    return format!("unknown command '{word}': {hint}");
                }
                // The most similar one comes last.
                let similar = context(ContextKind::SuggestedSubcommand);
                match similar.as_deref().and_then(|names| names.rsplit(", ").next()) {
                    Some(command) => {
                        format!("unknown command '{word}': the most similar is ssh-doctor {command}; see {help}")
                    }
                    None => {
                        format!("unknown command '{word}': to check a host of that name, run ssh-doctor check {word}")
                    }
                }
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
                format!("no command: ssh-doctor check HOST checks a host; for the others see {help}")
            }
            ErrorKind::UnknownArgument if !wrong.starts_with('-') => {
                format!("unexpected argument '{wrong}': see {help}")
            }
            ErrorKind::UnknownArgument if self.command.is_none() && is_of_check(&wrong) => {
                format!("'{wrong}' comes after the command: ssh-doctor check {wrong} ...; see ssh-doctor check --help")
            }
            ErrorKind::UnknownArgument => {
                let of = self.command.map(|command| format!(" of {command}")).unwrap_or_default();
                let similar = || context(ContextKind::SuggestedArg).map(|arg| format!("the most similar is {arg}; "));
                match hints::for_option(&wrong) {
                    Some(hint) => format!("unknown option '{wrong}'{of}: {hint}"),
                    None => format!("unknown option '{wrong}'{of}: {}see {help}", similar().unwrap_or_default()),
                }
            }
            ErrorKind::MissingRequiredArgument => format!("{wrong} is missing: see {help}"),
            ErrorKind::InvalidValue if value.is_empty() => format!("{wrong} needs a value: see {help}"),
            ErrorKind::InvalidValue => {
                let valid = context(ContextKind::ValidValue).map(|valid| format!("it takes {valid}"));
                format!("invalid value '{value}' for {wrong}: {}", valid.unwrap_or_else(|| format!("see {help}")))
            }
            ErrorKind::ValueValidation => {
                let why = std::error::Error::source(&self.error).map(ToString::to_string).unwrap_or_default();
                format!("invalid value '{value}' for {wrong}: {why}")
            }
            ErrorKind::ArgumentConflict => {
                let other = context(ContextKind::PriorArg).unwrap_or_default();
                if other.is_empty() || other == wrong {
                    format!("{wrong} was given twice: give it once")
                } else {
                    format!("{wrong} and {other} exclude each other: give one of them")
                }
            }
            _ => {
                let text = self.error.to_string();
                let paragraph = text.split("\n\n").next().unwrap_or_default();
                format!("{}: see {help}", paragraph.trim_start_matches("error: "))
            }
        }
    }
}

/// True for an option that `check` has, with or without a value after it.
fn is_of_check(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or(option);
    let program = Cli::command();
    let Some(check) = program.find_subcommand("check") else { return false };
    check.get_arguments().any(|arg| match name.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short().is_some_and(|short| name.chars().nth(1) == Some(short)),
    })
}
