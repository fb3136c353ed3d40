//! The report's shape.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::ColorArgs;
use crate::clients::Client;

/// The report's shape.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct Output {
    /// text for people; json: one object per target, one per line; html: a page for a ticket; nagios: a plugin's output; prometheus: metrics
    #[arg(
        long,
        value_enum,
        default_value_t = Format::Text,
        value_name = "text|json|html|nagios|prometheus",
        hide_possible_values = true
    )]
    pub format: Format,
    /// Indent the JSON
    #[arg(long)]
    pub pretty: bool,
    /// JSON without evidence, explanations and fixes (same keys, empty)
    #[arg(long)]
    pub brief: bool,
    /// Write the report to FILE, replaced atomically, in place of standard output
    #[arg(id = "output", long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Show the fix for this client: ssh, putty, paramiko, jsch, ansible...
    #[arg(long, value_enum, default_value_t, value_name = "NAME", hide_possible_values = true)]
    pub client: Client,
    /// Report everything seen: lifelines, hops, checks, settings; twice: algorithms and the idle test's steps too
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// The colours.
    #[command(flatten)]
    pub look: ColorArgs,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one object per target, one per line
    Json,
    /// For a ticket: one self-contained page
    Html,
    /// For Nagios and Icinga: a plugin's output
    Nagios,
    /// For Prometheus: the text exposition format
    Prometheus,
}

/// True if the command line asks for a plugin's output, even if the rest of it is wrong.
#[must_use]
pub fn asks_for_nagios(args: &[OsString]) -> bool {
    let pairs = args.iter().zip(args.iter().skip(1));
    pairs.clone().any(|(flag, value)| flag == "--format" && value == "nagios")
        || args.iter().any(|arg| arg == "--format=nagios")
}
