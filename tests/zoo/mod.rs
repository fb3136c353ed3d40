//! Set-ups as they are found in the field: real servers, accounts and devices, each with the verdict that it deserves, however deep
//! the look and however long the silence.

mod accounts;
mod devices;
mod failures;
mod fronts;
mod git;
mod programs;
mod servers;
mod sftp;
mod shells;
mod startup;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Report, Server, eventually};

/// The beginning of the doctor's commands; a shell whose start-up files come to no end has more in front of it.
const OURS: &str = "sh -c echo ssh-doctor-";

/// The ways in which each set-up is examined; the first alone, unless SSH_DOCTOR_ZOO_MODES names others, as `tests/run --zoo` does.
const MODES: [(&str, &[&str]); 3] = [
    ("plain", &["--idle", "0"]),
    ("deep", &["--idle", "0", "--deep"]),
    ("idle", &["--idle", "20s", "--sessions", "6"]),
];

/// What an examination has to come to.
#[derive(Debug, Clone, Copy)]
struct Expected {
    verdict: &'static str,
    /// The codes of the diagnoses; where the verdict is healthy there may be others that are `info`.
    codes: &'static [&'static str],
    /// What is seen to be served, at least, and in a plain run no more.
    serves: &'static [&'static str],
    /// The codes of faults that the server itself has at times, for ssh as well: what they bring with them is expected then.
    at_times: &'static [&'static str],
}

/// One test for each set-up: its name, how it is started, the options of `check` that it needs, and what is expected.
macro_rules! setups {
    ($($(#[$attribute:meta])* $name:ident: $start:expr, $options:expr => $verdict:literal, $codes:expr, $serves:expr;)*) => {
        $(
            $(#[$attribute])*
            #[test]
            fn $name() {
                let expected = $crate::zoo::Expected { verdict: $verdict, codes: &$codes, serves: &$serves, at_times: &[] };
                $crate::zoo::examine(stringify!($name), $start, &$options, expected);
            }
        )*
    };
}
pub(crate) use setups;

/// Examines a set-up in each way that is asked for, each time on a server of its own.
fn examine<S: Into<Option<Server>>>(name: &str, start: impl Fn(&Lab) -> S, options: &[&str], expected: Expected) {
    let Some(lab) = Lab::healthy() else { return };
    let wanted = std::env::var("SSH_DOCTOR_ZOO_MODES").unwrap_or_else(|_| MODES[0].0.to_owned());
    let modes = MODES.iter().filter(|(mode, _)| wanted.contains(mode));
    let servers: Vec<_> = modes.filter_map(|mode| Some((mode, start(&lab).into()?))).collect();
    let faults: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = servers
            .iter()
            .map(|((mode, further), server)| {
                let lab = &lab;
                scope.spawn(move || {
                    let record = recording(name, mode);
                    let record: Vec<&str> = record.iter().flat_map(|file| ["--record", file]).collect();
                    let own: Vec<&str> = options.iter().copied().filter(|option| !further.contains(option)).collect();
                    let seen = lab.doctor(server, &[further, &own[..], &record].concat(), Duration::from_mins(3));
                    let faults = faults(&seen, expected, *mode == "plain");
                    note(name, mode, &seen, &faults);
                    let is_gone = eventually(Duration::from_secs(5), || server.connections() == 0)
                        || shows_own_fault(&seen, expected);
                    let left = if is_gone { "" } else { "; connections are left on the server" };
                    let told = || format!("{mode}: {faults}{left}\n{}\n{}", seen.told(), server.log());
                    (!(faults.is_empty() && is_gone)).then(told)
                })
            })
            .collect();
        runs.into_iter().filter_map(|run| run.join().expect("the doctor ran")).collect()
    });
    assert!(faults.is_empty(), "{name}: {}", faults.join("\n\n"));
    // A server that hangs at times keeps its processes.
    if !expected.at_times.is_empty() {
        return;
    }
    let is_gone = || lab.server_host().command_lines().all(|line| !line.starts_with(OURS));
    let left = || lab.server_host().command_lines().collect::<Vec<_>>();
    assert!(eventually(Duration::from_secs(5), is_gone), "{name}: processes are left: {:?}", left());
}

/// True if the report shows a fault that the server has at times. A server that stands still keeps its connections, too.
fn shows_own_fault(seen: &Report, expected: Expected) -> bool {
    seen.codes().iter().any(|code| expected.at_times.contains(code))
}

/// In what a report differs from what is expected; nothing where it does not.
fn faults(seen: &Report, expected: Expected, exactly: bool) -> String {
    let mut faults = String::new();
    if shows_own_fault(seen, expected) {
        return faults;
    }
    let codes = seen.codes();
    let mut differs = |what: &str, is: &dyn std::fmt::Debug, want: &dyn std::fmt::Debug| {
        write!(faults, "{what} {is:?} and not {want:?}; ").expect("a string");
    };
    let verdict = seen.json["verdict"].as_str().unwrap_or("none");
    if verdict != expected.verdict {
        differs("verdict", &verdict, &expected.verdict);
    }
    let is_healthy = expected.verdict == "healthy";
    let above_info = severities(seen).any(|severity| severity != "info");
    let has_all = expected.codes.iter().all(|code| codes.contains(code));
    if !has_all || !is_healthy && codes != expected.codes || is_healthy && above_info {
        differs("codes", &codes, &expected.codes);
    }
    let served = served(seen);
    if exactly && served != expected.serves || expected.serves.iter().any(|service| !served.contains(service)) {
        differs("serves", &served, &expected.serves);
    }
    faults
}

fn severities(seen: &Report) -> impl Iterator<Item = &str> {
    seen.json["diagnoses"].as_array().into_iter().flatten().filter_map(|found| found["severity"].as_str())
}

fn served(seen: &Report) -> Vec<&str> {
    seen.json["serves"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Where the plain examination of a set-up is recorded, where recordings are asked for.
fn recording(name: &str, mode: &str) -> Option<String> {
    let folder = std::env::var("SSH_DOCTOR_ZOO_RECORD").ok().filter(|_| mode == "plain")?;
    Some(format!("{folder}/{name}.json"))
}

/// Adds a line to the table of set-ups, where one is asked for.
fn note(name: &str, mode: &str, seen: &Report, faults: &str) {
    let Some(table) = std::env::var_os("SSH_DOCTOR_ZOO_TABLE") else { return };
    let codes: Vec<_> = seen.codes();
    let verdict = seen.json["verdict"].as_str().unwrap_or("none");
    let well = if faults.is_empty() { "ok" } else { "NOT" };
    let line = format!(
        "{well}\t{name}\t{mode}\t{verdict}\t{}\t{}\t{:.1}\n",
        codes.join(","),
        served(seen).join(","),
        seen.run.took.as_secs_f64()
    );
    let file = OpenOptions::new().create(true).append(true).open(table);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("a table");
}
