//! Parsers for single values of the command line, and the messages for invalid ones.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::facts::Check;

/// The shapes of a target.
pub(crate) const TARGET: &str =
    "[user@]host, [user@]host:port, [user@][v6]:port, ssh://user@host:port, or an alias of ssh_config";

/// The longest silence worth testing in one sitting.
const LONGEST_IDLE: Duration = Duration::from_hours(24);

/// The shortest test: a timer below it would end sessions that wait for an answer.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

/// The longest bound on a stage.
const LONGEST_STAGE: Duration = Duration::from_hours(1);

/// The longest bound on a whole run.
const LONGEST_RUN: Duration = Duration::from_hours(30 * 24);

/// The longest watch.
const LONGEST_WATCH: Duration = Duration::from_hours(366 * 24);

/// The greatest age of evidence.
const LONGEST_AGE: Duration = Duration::from_hours(36_500 * 24);

/// The shortest bound on a whole run: less is over before a process has begun.
const SHORTEST_RUN: Duration = Duration::from_secs(1);

/// The most targets that one process examines at the same time.
const MOST_JOBS: usize = 10_000;

/// A TCP port.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a port is a number from 1 to 65535".to_owned()),
        Ok(port) => Ok(port),
    }
}

/// A value of `--idle`.
pub(super) fn idle_duration(text: &str) -> Result<Duration, String> {
    match within(text, LONGEST_IDLE, "24h")? {
        short if !short.is_zero() && short < SHORTEST_IDLE => {
            Err("the shortest idle test is 1s; 0 skips it".to_owned())
        }
        idle => Ok(idle),
    }
}

/// A value of `--timeout`.
pub(super) fn stage_duration(text: &str) -> Result<Duration, String> {
    match within(text, LONGEST_STAGE, "1h")? {
        Duration::ZERO => Err("a stage needs some time: write 30s or 2m".to_owned()),
        stage => Ok(stage),
    }
}

/// A value of `--deadline`.
pub(super) fn whole_duration(text: &str) -> Result<Duration, String> {
    match within(text, LONGEST_RUN, "30d")? {
        short if short < SHORTEST_RUN => Err("a run needs at least 1s".to_owned()),
        whole => Ok(whole),
    }
}

/// A time that `watch` is given.
pub(crate) fn watch_time(text: &str) -> Result<Duration, String> {
    match within(text, LONGEST_WATCH, "366d")? {
        short if short < SHORTEST_RUN => Err("it takes at least 1s".to_owned()),
        time => Ok(time),
    }
}

/// A value of `watch --keepalive`.
pub(crate) fn watch_interval(text: &str) -> Result<Duration, String> {
    match within(text, LONGEST_STAGE, "1h")? {
        short if short < SHORTEST_RUN => Err("an interval takes at least 1s".to_owned()),
        interval => Ok(interval),
    }
}

/// A value of `--max-age`.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    within(text, LONGEST_AGE, "36500d")
}

/// A value of `--jobs`.
pub(super) fn jobs(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|jobs| (1..=MOST_JOBS).contains(jobs))
        .ok_or(format!("it takes a number from 1 to {MOST_JOBS}"))
}

/// A value of `--sessions`.
pub(super) fn session_count(text: &str) -> Result<u8, String> {
    text.parse().ok().filter(|count| (3..=16).contains(count)).ok_or("it takes a number from 3 to 16".to_owned())
}

/// The number of a process.
pub(crate) fn process_id(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a process ID is a number, as ssh-doctor sessions lists them".to_owned())
}

/// A value of `--rate`, per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let (number, seconds) = match text.split_once('/') {
        None | Some((_, "s")) => (text.split('/').next().unwrap_or(text), 1.0),
        Some((number, "m")) => (number, 60.0),
        Some((number, "h")) => (number, 3600.0),
        Some(_) => ("", 1.0),
    };
    let rate = number.parse::<f64>().ok().filter(|rate| *rate > 0.0 && *rate <= 1e6);
    rate.map(|rate| rate / seconds).ok_or("write a rate as 50, 50/s or 100/m".to_owned())
}

/// The names of the checks, with completions.
pub(super) fn check_names() -> impl TypedValueParser<Value = Check> {
    PossibleValuesParser::new(Check::ALL.map(Check::name))
        .try_map(|name| Check::ALL.into_iter().find(|check| check.name() == name).ok_or("no such check"))
}

/// The names of the services that can be expected, with completions.
pub(super) fn services() -> impl TypedValueParser<Value = Service> {
    PossibleValuesParser::new(Service::EXPECTED.map(Service::name))
        .try_map(|name| Service::EXPECTED.into_iter().find(|service| service.name() == name).ok_or("no such service"))
}

fn within(text: &str, longest: Duration, longest_shown: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration > longest { Err(format!("the longest that can be asked for is {longest_shown}")) } else { Ok(duration) }
}

fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("a number needs its unit: write {text}s or {text}m"));
    }
    humantime::parse_duration(text).map_err(|_| "write a duration as 90s, 6m or 1h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{idle_duration, port, stage_duration};

    #[test]
    fn durations_read_as_the_contract_says() {
        let read = ["0", "90s", "6m", "1h30m", "1h 30m", "1500ms"].map(|text| idle_duration(text).unwrap().as_millis());
        assert_eq!(read, [0, 90_000, 360_000, 5_400_000, 5_400_000, 1500]);
    }

    #[test]
    fn what_is_no_duration_says_what_is() {
        assert_eq!(idle_duration("90"), Err("a number needs its unit: write 90s or 90m".into()));
        for text in ["", "m", "-6m", "6 parsecs", "99999999999999999999h", "25h", "1ms"] {
            assert!(idle_duration(text).is_err(), "{text}");
        }
        assert!(stage_duration("0").is_err());
        assert_eq!(stage_duration("2m"), Ok(Duration::from_mins(2)));
    }

    #[test]
    fn ports_have_sixteen_bits() {
        assert_eq!(port("22"), Ok(22));
        for text in ["0", "65536", "-1", "ssh", ""] {
            assert!(port(text).is_err(), "{text}");
        }
    }
}
