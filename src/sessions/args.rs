//! The arguments of `sessions`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use ssh_doctor_checks::facts::live_sessions::TcpKeepalive;

use crate::cli::{ColorArgs, process_id};

/// The arguments of `sessions`.
#[derive(Debug, Args)]
pub struct SessionsArgs {
    /// Only the connections of these processes
    #[arg(value_name = "PID", value_parser = process_id)]
    pub pids: Vec<u32>,
    /// Tell dead connections from idle ones: three TCP keepalives on each
    #[arg(long)]
    pub probe: bool,
    /// Leave a TCP keepalive on running clients; `off` takes it away
    #[arg(long, value_name = "DURATION|off", value_parser = keep_alive, conflicts_with = "past")]
    pub keep_alive: Option<KeepAlive>,
    /// The sessions that `tap` recorded, and what ended them
    #[arg(long, conflicts_with_all = ["probe", "pids"])]
    pub past: bool,
    /// For people, or one JSON object
    #[arg(long, value_enum, default_value_t = ListFormat::Text, value_name = "text|json", hide_possible_values = true)]
    pub format: ListFormat,
    /// Indent the JSON
    #[arg(long)]
    pub pretty: bool,
    /// The answer's looks.
    #[command(flatten)]
    pub look: ColorArgs,
}

/// The formats of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Text,
    /// For programs: one object
    Json,
}

/// A value of `--keep-alive`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeepAlive {
    /// After this much idle time; whole seconds.
    After(Duration),
    /// None.
    Off,
    /// Exactly these values.
    Exactly(TcpKeepalive),
}

/// The longest time that the kernel takes (`MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPINTVL`), seconds.
const LONGEST: u64 = 32_767;
/// The most unanswered keepalives (`MAX_TCP_KEEPCNT`).
const MAX_COUNT: u32 = 127;

fn keep_alive(text: &str) -> Result<KeepAlive, String> {
    if text == "off" {
        return Ok(KeepAlive::Off);
    }
    match text.split(',').collect::<Vec<_>>()[..] {
        [idle] => Ok(KeepAlive::After(Duration::from_secs(seconds(idle)?))),
        [idle, interval, count] => exactly(true, idle, interval, count),
        ["off", idle, interval, count] => exactly(false, idle, interval, count),
        _ => Err(USAGE.to_owned()),
    }
}

const USAGE: &str = "write a duration such as 30s or 5m, or off";

fn exactly(on: bool, idle: &str, interval: &str, count: &str) -> Result<KeepAlive, String> {
    let (idle_s, interval_s) = (seconds(idle)?, seconds(interval)?);
    let count = count.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count)).ok_or(USAGE)?;
    Ok(KeepAlive::Exactly(TcpKeepalive { on, idle_s, interval_s, count }))
}

fn seconds(text: &str) -> Result<u64, String> {
    match humantime::parse_duration(text) {
        Ok(time) if (1..=LONGEST).contains(&time.as_secs()) && time.subsec_nanos() == 0 => Ok(time.as_secs()),
        Ok(_) => Err("the kernel takes whole seconds from 1s to 9h".to_owned()),
        Err(_) => Err(USAGE.to_owned()),
    }
}

/// The value that sets a keepalive as it was.
pub(super) fn to_restore(before: TcpKeepalive) -> String {
    let TcpKeepalive { on, idle_s, interval_s, count } = before;
    format!("{}{idle_s}s,{interval_s}s,{count}", if on { "" } else { "off," })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keepalive_is_whole_seconds_or_off() {
        assert_eq!(keep_alive("off"), Ok(KeepAlive::Off));
        assert_eq!(keep_alive("2h"), Ok(KeepAlive::After(Duration::from_hours(2))));
        for text in ["0s", "500ms", "10h", "30", "never", "1s,2s", "1s,2s,0", "1s,2s,200", "on,1s,2s,3", ""] {
            assert!(keep_alive(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_restores_a_keepalive_is_read_again() {
        for on in [true, false] {
            let before = TcpKeepalive { on, idle_s: 7200, interval_s: 75, count: 9 };
            assert_eq!(keep_alive(&to_restore(before)), Ok(KeepAlive::Exactly(before)));
        }
    }
}
