//! The arguments of `check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::facts::Check;

use super::values::{
    TARGET, check_names, idle_duration, jobs, rate, services, session_count, stage_duration, whole_duration,
};
use super::{Cli, Command, Output, Running, SshFlags};
use crate::targets::Shard;

/// The longest idle time that one target is tested for.
const USUAL_IDLE: Duration = Duration::from_mins(6);

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The targets, as they were typed.
    #[arg(required_unless_present = "list", value_name = "TARGET", help = TARGET)]
    pub targets: Vec<String>,
    /// The flags that ssh has too.
    #[command(flatten)]
    pub ssh: SshFlags,
    /// The scope.
    #[command(flatten)]
    pub scope: Scope,
    /// Read a password from FILE; SSH_DOCTOR_PASSWORD may hold one too
    #[arg(long, value_name = "FILE", help_heading = "Same as ssh")]
    pub password_file: Option<PathBuf>,
    /// The report's shape.
    #[command(flatten)]
    pub output: Output,
    /// Where there are many targets.
    #[command(flatten)]
    pub many: Many,
    /// Longest time for the whole run; then it reports what is known [default: 9s for nagios]
    #[arg(long, value_name = "DURATION", value_parser = whole_duration, help_heading = "What to examine")]
    pub deadline: Option<Duration>,
    /// The progress.
    #[command(flatten)]
    pub running: Running,
    /// Write the evidence to FILE, without secrets and names, for `ssh-doctor diagnose`
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub record: Option<PathBuf>,
    /// Write what a ticket needs to FILE.tar.gz: report, evidence, settings in force, versions
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub bundle: Option<PathBuf>,
    /// Record and bundle names and all words as they are; show the commands of your settings and what they print
    #[arg(long, help_heading = "Report")]
    pub record_plain: bool,
}

impl CheckArgs {
    /// The arguments of `ssh-doctor check TARGET` with these flags.
    pub(crate) fn of(target: &str, ssh: &SshFlags, password_file: Option<PathBuf>) -> anyhow::Result<Self> {
        match Cli::try_parse_from(["ssh-doctor", "check", "--", target])?.command {
            Command::Check(args) => Ok(Self { ssh: ssh.clone(), password_file, ..*args }),
            _ => anyhow::bail!("'{target}' is no target"),
        }
    }
}

/// The checks, and the time for them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What to examine")]
pub struct Scope {
    /// Longest idle time to test, 0 for none [default: 6m; none for several targets, with --deadline, for nagios or prometheus]
    #[arg(long, value_name = "DURATION", value_parser = idle_duration)]
    pub idle: Option<Duration>,
    /// Most sessions of the idle test at once, 3 to 16; fewer take longer, and below 12 some causes become indistinguishable
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = session_count)]
    pub sessions: u8,
    /// Also run checks that open many connections or channels, or move much data
    #[arg(long)]
    pub deep: bool,
    /// Only these checks, and those that they depend on
    #[arg(long, value_name = "CHECK,..", value_delimiter = ',', value_parser = check_names(), hide_possible_values = true)]
    pub only: Vec<Check>,
    /// Not these checks, nor those that depend on them
    #[arg(long, value_name = "CHECK,..", value_delimiter = ',', value_parser = check_names(), hide_possible_values = true)]
    pub skip: Vec<Check>,
    /// Services that the account must serve: shell, exec, sftp, git, forward; without it, those that it turns out to serve
    #[arg(long, value_name = "SERVICE,..", value_delimiter = ',', value_parser = services(), hide_possible_values = true)]
    pub expect: Vec<Service>,
    /// Also ask the server itself: its settings, its log of our connections, memory, disk; reads only, never with sudo
    #[arg(long)]
    pub server: bool,
    /// Run your own ssh too, as far as the login, and compare; nothing is run on the server
    #[arg(long)]
    pub with_ssh: bool,
    /// Longest time for each stage but the idle test
    #[arg(long, value_name = "DURATION", value_parser = stage_duration)]
    pub timeout: Option<Duration>,
}

impl Scope {
    /// True if the options leave a check in.
    #[must_use]
    pub fn wants(&self, check: Check) -> bool {
        (self.only.is_empty() || self.only.contains(&check)) && !self.skip.contains(&check)
    }

    /// The longest idle time to test; `brief` is a run that has no time for the idle test unless it was asked for.
    #[must_use]
    pub fn idle(&self, brief: bool) -> Duration {
        let none = brief && !self.only.contains(&Check::Idle);
        self.idle.unwrap_or(if none { Duration::ZERO } else { USUAL_IDLE })
    }
}

/// Where there are many targets.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Many targets")]
pub struct Many {
    /// Read targets from FILE, one per line or as file_sd of Prometheus has them; `-` for standard input
    #[arg(id = "list", long = "targets", value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// Examine N targets at the same time; never 2 at one address, 5 behind one jump host or 33 in one /24
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<usize>,
    /// Begin at most N targets per second; 100/m per minute
    #[arg(long, value_name = "N", value_parser = rate)]
    pub rate: Option<f64>,
    /// Examine part K of N of the list, on each of N machines another one
    #[arg(long, value_name = "K/N")]
    pub shard: Option<Shard>,
    /// Append each report as JSON to FILE, and leave out the targets that it has one of
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Print whole reports, not a line for each target
    #[arg(long)]
    pub details: bool,
}
