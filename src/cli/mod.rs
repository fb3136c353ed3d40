//! The command line. ssh's own flags work the same.

mod color;
mod completions;
mod hints;
mod man;
mod misuse;
mod ssh_flags;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::facts::Check;

use crate::clients::Client;
use crate::sessions::SessionsArgs;
use crate::tap::TapArgs;
use crate::targets::Shard;
use crate::watch::WatchArgs;
pub use color::ColorArgs;
pub use completions::{completion_script, known_hosts};
pub use hints::misread_targets;
pub use man::{man_page, man_pages};
pub use misuse::Unread;
pub use ssh_flags::{OtherSshFlags, SshFlags};
use values::{age, check_names, idle_duration, jobs, rate, services, session_count, stage_duration, whole_duration};
pub(crate) use values::{port, process_id, watch_interval, watch_time};

/// The longest idle time that one target is tested for.
const USUAL_IDLE: Duration = Duration::from_mins(6);

/// The exit statuses, for `--help` and the man page.
pub const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "healthy: nothing wrong was found in what was tested"),
    ("1", "degraded: it works, with a problem you should fix"),
    ("2", "broken: sessions or channels fail or cannot be opened"),
    ("3", "inconclusive: the examination could not decide; usage errors too"),
];

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

/// The exit status of `compare`.
const COMPARE_STATUS: &[(&str, &str)] =
    &[("0", "no relevant difference"), ("1", "something differs"), ("3", "a file cannot be read, or is no report")];

/// Commands worth copying, for `--help` and the man page.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("ssh-doctor check db", "Check the host that `ssh db` would reach, with the same settings"),
    ("ssh-doctor check --idle 30m me@db.example:2222", "Find an idle timeout of up to half an hour"),
    ("ssh-doctor check --idle 0 -J bastion db", "All but the idle test, through a jump host"),
    ("ssh-doctor check --only tcp,auth --format json a b c", "Some checks of three hosts, for a program"),
    ("ssh-doctor check --targets hosts.txt --resume hosts.jsonl", "A list of hosts; resumes after an interruption"),
    ("ssh-doctor check --record db.json db", "Keep the evidence, without secrets"),
    ("ssh-doctor diagnose db.json", "Diagnose it again, offline"),
    ("ssh-doctor compare mine.json hers.json", "What differs between two reports, and may explain the outcome"),
    ("ssh-doctor explain \"Connection reset by peer\"", "The causes of an error line, and what tells them apart"),
    ("ssh -vvv db 2>&1 | ssh-doctor explain -", "The cause in a log: ssh's, sshd's, PuTTY's, paramiko's and others"),
    ("ssh-doctor sessions --probe", "Find dead sessions among those open now"),
    ("ssh-doctor watch --for 8h db", "Hold sessions for hours; journal and explain every loss"),
    ("ssh-doctor serve --config serve.yml --check-config", "Check the exporter's configuration"),
    ("ssh-doctor serve --config serve.yml", "Serve http://127.0.0.1:9822/probe?target=HOST&module=NAME"),
    ("ssh-doctor demo", "Watch it find a fault, with nothing installed"),
];

/// Finds where SSH sessions die, why, and a fix proven on your own path.
#[derive(Debug, Parser)]
#[command(name = "ssh-doctor", version, max_term_width = 80, after_help = after_help())]
pub struct Cli {
    /// The instruction.
    #[command(subcommand)]
    pub command: Command,
}

/// The instruction.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check each TARGET: from the name lookup to sessions that stay idle
    #[command(after_help = check_after_help())]
    Check(Box<CheckArgs>),
    /// Start a faulty server or network on this machine, and diagnose it; needs nothing installed
    Demo(DemoArgs),
    /// Explain a cause, an error line, or a log: what happened, why, and what to do
    #[command(after_help = explain_after_help())]
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
        /// What `check --record` wrote; `-` for standard input
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
        /// What `check --record` wrote; `-` for standard input
        file: String,
        /// A self-contained HTML page
        #[arg(long)]
        html: bool,
        /// The report's shape.
        #[command(flatten)]
        output: Output,
    },
    /// Compare two reports or recordings: what differs, and which difference may explain the outcome
    #[command(after_help = compare_after_help())]
    Compare(CompareArgs),
    /// Show the SSH connections that are open on this machine, and which of them are dead
    Sessions(SessionsArgs),
    /// Serve metrics of many targets to Prometheus
    #[command(after_help = serve_after_help())]
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

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// [user@]host, [user@]host:port, [user@][v6]:port, ssh://user@host:port, or an alias of ssh_config
    #[arg(required_unless_present = "list", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// The flags that ssh has too.
    #[command(flatten)]
    pub ssh: SshFlags,
    /// What to examine.
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
    /// What is said meanwhile.
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

/// What to examine, and for how long.
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
    /// What the account must serve: shell, exec, sftp, git, forward; without it, what it turns out to serve
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

impl CheckArgs {
    /// The arguments of `ssh-doctor check TARGET` with these flags.
    pub(crate) fn of(target: &str, ssh: &SshFlags, password_file: Option<PathBuf>) -> anyhow::Result<Self> {
        match Cli::try_parse_from(["ssh-doctor", "check", "--", target])?.command {
            Command::Check(args) => Ok(Self { ssh: ssh.clone(), password_file, ..*args }),
            _ => anyhow::bail!("'{target}' is no target"),
        }
    }
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

/// What is said while the examination runs.
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
    /// What is said meanwhile.
    #[command(flatten)]
    pub running: Running,
}

/// What a JSON Schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SchemaOf {
    /// The report of `check`, `diagnose` and `sessions --past`
    #[default]
    Report,
    /// The live sessions of `sessions --format json`
    Sessions,
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

/// A reader of a duration; its error is one sentence.
type DurationReader = fn(&str) -> Result<Duration, String>;

/// The readers of durations.
pub(crate) const DURATIONS: [DurationReader; 4] =
    [values::idle_duration, values::stage_duration, values::whole_duration, values::age];

/// True if the command line asks for a plugin's output, even if the rest of it is wrong.
#[must_use]
pub fn asks_for_nagios(args: &[OsString]) -> bool {
    let pairs = args.iter().zip(args.iter().skip(1));
    pairs.clone().any(|(flag, value)| flag == "--format" && value == "nagios")
        || args.iter().any(|arg| arg == "--format=nagios")
}

fn after_help() -> String {
    format!("Examples:\n{}\n\nExit status:\n{}", examples("ssh-doctor"), exit_status(&EXIT_STATUS))
}

fn explain_after_help() -> String {
    format!("Examples:\n{}\n\nExit status:\n{}", examples("ssh-doctor explain"), exit_status(&EXIT_STATUS))
}

fn check_after_help() -> String {
    let names = Check::ALL.map(Check::name).join(", ");
    format!(
        "Checks, in this order: {names}.\nDurations read 90s, 6m, 1h30m. Other flags of ssh are accepted too.\n\nExamples:\n{}\n\nExit status:\n{}",
        examples("ssh-doctor check"),
        exit_status(&EXIT_STATUS)
    )
}

fn compare_after_help() -> String {
    format!(
        "Times and rates are compared beyond what varies from run to run.\n\nExamples:\n{}\n\nExit status:\n{}",
        examples("ssh-doctor compare"),
        exit_status(COMPARE_STATUS)
    )
}

fn serve_after_help() -> String {
    format!("Reads the configuration again on SIGHUP.\n\nExamples:\n{}", examples("ssh-doctor serve"))
}

fn examples(of: &str) -> String {
    let examples = EXAMPLES.iter().filter(|(command, _)| command.contains(of));
    examples.map(|(command, what)| format!("  {command}\n      {what}")).collect::<Vec<_>>().join("\n")
}

fn exit_status(of: &[(&str, &str)]) -> String {
    of.iter().map(|(status, meaning)| format!("  {status}  {meaning}")).collect::<Vec<_>>().join("\n")
}
