//! The arguments of `watch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::{ColorArgs, SshFlags, TARGET, watch_interval, watch_time};
use crate::sessions::ListFormat;

/// The arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The target, as it was typed.
    #[arg(required_unless_present = "summary", value_name = "TARGET", help = TARGET)]
    pub target: Option<String>,
    /// The flags that ssh has too.
    #[command(flatten)]
    pub ssh: SshFlags,
    /// Read a password from FILE; SSH_DOCTOR_PASSWORD may hold one too
    #[arg(long, value_name = "FILE", help_heading = "As in ssh")]
    pub password_file: Option<PathBuf>,
    /// Stop after this time [default: at Ctrl-C or SIGTERM]
    #[arg(long = "for", value_name = "DURATION", value_parser = watch_time, help_heading = "What to hold")]
    pub time: Option<Duration>,
    /// Longest idle time to test
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = watch_time, help_heading = "What to hold")]
    pub idle: Duration,
    /// Interval of the SSH keepalives; shorter once a shorter idle timeout is known
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = watch_interval, help_heading = "What to hold")]
    pub keepalive: Duration,
    /// Append to FILE [default: in ~/.local/state/ssh-doctor/watch]
    #[arg(long, value_name = "FILE", help_heading = "Journal")]
    pub journal: Option<PathBuf>,
    /// Report what FILE holds, without a connection
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "journal", "time"], help_heading = "Journal")]
    pub summary: Option<PathBuf>,
    /// Leave out of the summary what ended longer ago than this
    #[arg(long, value_name = "DURATION", value_parser = watch_time, requires = "summary", help_heading = "Journal")]
    pub since: Option<Duration>,
    /// For people, or one JSON object
    #[arg(
        long,
        value_enum,
        default_value_t = ListFormat::Text,
        value_name = "text|json",
        hide_possible_values = true,
        help_heading = "Report"
    )]
    pub format: ListFormat,
    /// Indent the JSON
    #[arg(long, help_heading = "Report")]
    pub pretty: bool,
    /// Show no live view, and no line for a loss
    #[arg(long, help_heading = "While it runs")]
    pub quiet: bool,
    /// Colours.
    #[command(flatten)]
    pub color: ColorArgs,
}
