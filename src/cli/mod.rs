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

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, value_parser};
use clap_complete::Shell;
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::facts::Check;

use crate::clients::Client;
use crate::sessions::SessionsArgs;
use crate::tap::TapArgs;
use crate::targets::Shard;
pub use color::ColorArgs;
pub use completions::{completion_script, known_hosts};
pub use man::man_page;
pub use misuse::Unread;
pub use ssh_flags::OtherSshFlags;
pub(crate) use values::port;
use values::{age, check_names, idle_duration, jobs, rate, services, stage_duration, whole_duration};

/// The longest idle time that one target is tested for.
const USUAL_IDLE: Duration = Duration::from_mins(6);

/// How to leave, for `--help` and the man page.
pub const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "healthy: nothing wrong was found in what was tested"),
    ("1", "degraded: it works, with a problem you should fix"),
    ("2", "broken: sessions or channels fail or cannot be opened"),
    ("3", "inconclusive: the examination could not decide; usage errors too"),
];

/// Commands worth copying, for `--help` and the man page.
pub const EXAMPLES: &[(&str, &str)] = &[
    ("ssh-doctor check db", "Check the host that `ssh db` would reach, with the same settings"),
    ("ssh-doctor check --idle 30m me@db.example:2222", "Find an idle timeout of up to half an hour"),
    ("ssh-doctor check --idle 0 -J bastion db", "All but the idle test, through a jump host"),
    ("ssh-doctor check --only tcp,auth --format json a b c", "Some checks of three hosts, for a program"),
    ("ssh-doctor check --targets hosts.txt --resume hosts.jsonl", "A list of hosts; resumes after an interruption"),
    ("ssh-doctor check --record db.json db", "Keep the evidence, without secrets"),
    ("ssh-doctor diagnose db.json", "Diagnose it again, offline"),
    ("ssh-doctor sessions --probe", "Find dead sessions among those open now"),
    ("ssh-doctor serve --config serve.yml --check-config", "Check the exporter's configuration"),
    ("ssh-doctor serve --config serve.yml", "Serve http://127.0.0.1:9822/probe?target=HOST&module=NAME"),
    ("ssh-doctor demo", "Watch it find a fault, with nothing installed"),
];

/// Finds where SSH sessions die, why, and a fix proven on your own path.
#[derive(Debug, Parser)]
#[command(name = "ssh-doctor", version, max_term_width = 80, after_help = after_help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check each TARGET: from the name lookup to sessions that stay idle
    #[command(after_help = check_after_help())]
    Check(Box<CheckArgs>),
    /// Start a faulty server or network on this machine, and diagnose it; needs nothing installed
    Demo(DemoArgs),
    /// Explain a cause and how to fix it
    Explain {
        /// The cause's code, as reports and `ssh-doctor causes` show it
        code: String,
        /// The answer's looks.
        #[command(flatten)]
        look: ColorArgs,
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
    /// Show the SSH connections that are open on this machine, and which of them are dead
    Sessions(SessionsArgs),
    /// Serve metrics of many targets to Prometheus
    #[command(after_help = serve_after_help())]
    Serve(ServeArgs),
    /// Carry a session as ssh's ProxyCommand, and record why it ended
    Tap(TapArgs),
    /// Print the JSON Schema of the report, or of what `sessions` prints
    Schema {
        /// What is described
        #[arg(value_enum, default_value_t)]
        of: SchemaOf,
    },
    /// Print the completions for a shell
    Completions {
        /// Which shell
        #[arg(required_unless_present = "hosts")]
        shell: Option<Shell>,
        /// Print the hosts of ssh_config and known_hosts, for the scripts
        #[arg(long, hide = true, exclusive = true)]
        hosts: bool,
    },
    /// Print the man page
    Man,
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
    /// Write the evidence to FILE, without secrets, for `ssh-doctor diagnose`
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub record: Option<PathBuf>,
    /// Show and record the commands of your settings and what they print as they are, not masked
    #[arg(long, help_heading = "Report")]
    pub record_plain: bool,
}

/// The flags that `ssh` has too.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Same as ssh")]
pub struct SshFlags {
    /// Port to connect to
    #[arg(short = 'p', value_name = "PORT", value_parser = port)]
    pub port: Option<u16>,
    /// Login name on the server
    #[arg(short = 'l', value_name = "LOGIN")]
    pub login: Option<String>,
    /// Private key to log in with; repeats
    #[arg(short = 'i', value_name = "FILE", action = ArgAction::Append)]
    pub identities: Vec<String>,
    /// Configuration file instead of ~/.ssh/config; `none` for none
    #[arg(short = 'F', value_name = "CONFIG")]
    pub config: Option<String>,
    /// Any option of ssh_config, as Key=Value; repeats
    #[arg(short = 'o', value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub options: Vec<String>,
    /// Hosts to jump through, separated by commas
    #[arg(short = 'J', value_name = "HOPS")]
    pub jump: Option<String>,
    /// IPv4 only
    #[arg(short = '4', conflicts_with = "inet6")]
    pub inet: bool,
    /// IPv6 only
    #[arg(short = '6')]
    pub inet6: bool,
    /// The others.
    #[command(flatten)]
    pub others: OtherSshFlags,
}

impl SshFlags {
    /// The same, with the settings that other flags stand for among the options; where an option was given too, that one counts.
    #[must_use]
    pub fn with_others(&self) -> Self {
        let options = [&self.options[..], &self.others.options()].concat();
        Self { options, ..self.clone() }
    }
}

/// What to examine, and for how long.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What to examine")]
pub struct Scope {
    /// Longest idle time to test, 0 for none [default: 6m; none for several targets, with --deadline, for nagios or prometheus]
    #[arg(long, value_name = "DURATION", value_parser = idle_duration)]
    pub idle: Option<Duration>,
    /// Most sessions of the idle test at once, 3 to 16; fewer take longer, and below 12 some causes become indistinguishable
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u8).range(3..=16))]
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
    /// Whether the options leave a check in.
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

impl Cli {
    /// Reads the command line. What cannot be read is not printed here: a misuse is one sentence, a request for help is not an error.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Unread> {
        let args: Vec<OsString> = args.into_iter().collect();
        Self::try_parse_from(&args).map_err(|error| Unread::new(error, &args))
    }
}

/// Whether the command line asks for a plugin's output, whatever else is wrong with it.
#[must_use]
pub fn asks_for_nagios(args: &[OsString]) -> bool {
    let pairs = args.iter().zip(args.iter().skip(1));
    pairs.clone().any(|(flag, value)| flag == "--format" && value == "nagios")
        || args.iter().any(|arg| arg == "--format=nagios")
}

fn after_help() -> String {
    format!("Examples:\n{}\n\nExit status:\n{}", examples("ssh-doctor"), exit_status())
}

fn check_after_help() -> String {
    let names = Check::ALL.map(Check::name).join(", ");
    format!(
        "Checks, in this order: {names}.\nDurations read 90s, 6m, 1h30m. Other flags of ssh are accepted too.\n\nExamples:\n{}\n\nExit status:\n{}",
        examples("ssh-doctor check"),
        exit_status()
    )
}

fn serve_after_help() -> String {
    format!("Reads the configuration again on SIGHUP.\n\nExamples:\n{}", examples("ssh-doctor serve"))
}

fn examples(of: &str) -> String {
    let examples = EXAMPLES.iter().filter(|(command, _)| command.starts_with(of));
    examples.map(|(command, what)| format!("  {command}\n      {what}")).collect::<Vec<_>>().join("\n")
}

fn exit_status() -> String {
    EXIT_STATUS.map(|(status, meaning)| format!("  {status}  {meaning}")).join("\n")
}
