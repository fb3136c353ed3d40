//! The command line. ssh's own flags work the same.

mod check_args;
mod color;
mod completions;
mod help;
mod hints;
mod man;
mod misuse;
mod output;
mod ssh_flags;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::sessions::SessionsArgs;
use crate::tap::TapArgs;
use crate::watch::WatchArgs;
pub use check_args::{CheckArgs, Many, Scope};
pub use color::ColorArgs;
pub use completions::{completion_script, known_hosts};
pub use help::{COMPARE_STATUS, EXAMPLES, EXIT_STATUS};
pub use hints::misread_targets;
pub use man::{man_page, man_pages};
pub use misuse::Unread;
pub use output::{Format, Output, asks_for_nagios};
pub use ssh_flags::{OtherSshFlags, SshFlags};
use values::age;
pub(crate) use values::{TARGET, port, process_id, watch_interval, watch_time};

/// The commands.
const COMMANDS: [&str; 14] = [
    "check",
    "compare",
    "demo",
    "explain",
    "causes",
    "diagnose",
    "report",
    "sessions",
    "tap",
    "serve",
    "schema",
    "completions",
    "man",
    "watch",
];

/// Finds where SSH sessions die, why, and a fix proven on your own path.
#[derive(Debug, Parser)]
#[command(name = "ssh-doctor", version, max_term_width = 80, after_help = help::after_help())]
pub struct Cli {
    /// The instruction.
    #[command(subcommand)]
    pub command: Command,
}

/// The instruction.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check each TARGET: from the name lookup to sessions that stay idle
    #[command(after_help = help::check_after_help())]
    Check(Box<CheckArgs>),
    /// Start a faulty server or network on this machine, and diagnose it; needs nothing installed
    Demo(DemoArgs),
    /// Explain a cause, an error line, or a log: what happened, why, and what to do
    #[command(after_help = help::explain_after_help())]
    Explain {
        /// A cause's code, an error text between quotes, files with a log, or `-` for standard input
        #[arg(required = true, value_name = "CODE|TEXT|FILE|-")]
        what: Vec<String>,
        /// The report's shape.
        #[command(flatten)]
        output: Output,
    },
    /// List all causes
    Causes(ColorArgs),
    /// Diagnose recorded evidence again, offline
    Diagnose {
        /// A recording of `check --record`; `-` for standard input
        file: String,
        /// Inconclusive if the evidence is older than this
        #[arg(long, value_name = "DURATION", value_parser = age)]
        max_age: Option<Duration>,
        /// The report's shape.
        #[command(flatten)]
        output: Output,
    },
    /// Render recorded evidence, as text or as a page for a ticket
    Report {
        /// A recording of `check --record`; `-` for standard input
        file: String,
        /// A self-contained HTML page
        #[arg(long)]
        html: bool,
        /// The report's shape.
        #[command(flatten)]
        output: Output,
    },
    /// Compare two reports or recordings: what differs, and which difference may explain the outcome
    #[command(after_help = help::compare_after_help())]
    Compare(CompareArgs),
    /// Show the SSH connections that are open on this machine, and which of them are dead
    Sessions(SessionsArgs),
    /// Serve metrics of many targets to Prometheus
    #[command(after_help = help::serve_after_help())]
    Serve(ServeArgs),
    /// Carry a session as ssh's ProxyCommand, and record why it ended
    Tap(TapArgs),
    /// Hold sessions for hours, and report what the losses have in common
    Watch(Box<WatchArgs>),
    /// Print the JSON Schema of the report, or of what `sessions` prints
    Schema {
        /// report: check, diagnose and sessions --past; sessions: the live sessions of sessions --format json
        #[arg(value_enum, default_value_t, value_name = "report|sessions", hide_possible_values = true)]
        of: SchemaOf,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(
            required_unless_present = "hosts",
            value_name = "bash|zsh|fish|elvish|powershell",
            hide_possible_values = true
        )]
        shell: Option<Shell>,
        /// Print the hosts of ssh_config and known_hosts, for the scripts
        #[arg(long, hide = true, exclusive = true)]
        hosts: bool,
    },
    /// Print a man page, or install all of them
    Man {
        /// The command that the page is about; without it, the program
        #[arg(value_parser = COMMANDS, hide_possible_values = true)]
        command: Option<String>,
        /// Write the page of every command into FOLDER
        #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
        all: Option<PathBuf>,
    },
}

/// The arguments of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Configuration file (YAML): allow-list, modules, limits
    #[arg(long, value_name = "FILE", visible_alias = "config.file")]
    pub config: PathBuf,
    /// Address to listen on, instead of those in the configuration; repeats [default: 127.0.0.1:9822]
    #[arg(long, value_name = "ADDRESS:PORT", visible_alias = "web.listen-address")]
    pub listen: Vec<SocketAddr>,
    /// TLS and basic authentication, in the format of exporter-toolkit's web.yml
    #[arg(long, value_name = "FILE", visible_alias = "web.config.file")]
    pub web_config: Option<PathBuf>,
    /// Directory of the idle results [default: $STATE_DIRECTORY]
    #[arg(long, value_name = "DIRECTORY")]
    pub state_dir: Option<PathBuf>,
    /// Check the configuration and exit
    #[arg(long, visible_alias = "config.check")]
    pub check_config: bool,
}

/// The arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The first file: what `check --format json` printed, or `check --record` wrote; `-` for standard input
    pub a: String,
    /// The second file
    pub b: String,
    /// text for people; json: one object
    #[arg(long, value_parser = ["text", "json"], default_value = "text", value_name = "text|json", hide_possible_values = true)]
    pub format: String,
    /// Indent the JSON
    #[arg(long)]
    pub pretty: bool,
    /// The colours.
    #[command(flatten)]
    pub look: ColorArgs,
}

impl CompareArgs {
    /// True if JSON is wanted.
    #[must_use]
    pub fn json(&self) -> bool {
        self.format == "json"
    }
}

/// The progress while the examination runs.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "While it runs")]
pub struct Running {
    /// Show no live progress
    #[arg(long)]
    pub quiet: bool,
}

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Which case; the default one is an idle session that dies silently
    pub case: Option<String>,
    /// List the cases
    #[arg(long, conflicts_with = "case")]
    pub list: bool,
    /// The report's shape.
    #[command(flatten)]
    pub output: Output,
    /// The progress.
    #[command(flatten)]
    pub running: Running,
}

/// The subject of a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SchemaOf {
    /// The report of `check`, `diagnose` and `sessions --past`
    #[default]
    Report,
    /// The live sessions of `sessions --format json`
    Sessions,
}

/// A reader of a duration; its error is one sentence.
type DurationReader = fn(&str) -> Result<Duration, String>;

/// The readers of durations.
pub(crate) const DURATIONS: [DurationReader; 4] =
    [values::idle_duration, values::stage_duration, values::whole_duration, values::age];
