//! The configuration of the exporter: one YAML file, read whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ipnet::IpNet;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssh_doctor_checks::facts::Check;

use crate::terminal::reason;

/// The largest configuration that is read, bytes.
const LARGEST: u64 = 1 << 20;

/// All of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Addresses to listen on, unless the command line names some.
    #[serde(default)]
    pub(crate) listen: Vec<std::net::SocketAddr>,
    /// The file with TLS and basic authentication (exporter-toolkit's web.yml).
    #[serde(default)]
    pub(crate) web_config: Option<PathBuf>,
    /// The folder of idle results; `$STATE_DIRECTORY` where systemd gives one.
    #[serde(default)]
    pub(crate) state_dir: Option<PathBuf>,
    /// Which targets may be probed: without this, none.
    #[serde(default)]
    pub(crate) allow: Allow,
    /// Probes that run at the same time.
    #[serde(default = "most_probes")]
    pub(crate) max_probes: usize,
    /// For so long a result is served again, to the other member of a highly available pair.
    #[serde(default)]
    pub(crate) min_interval: Time,
    /// Results that are kept of each target, and as many failures.
    #[serde(default = "history")]
    pub(crate) history: usize,
    /// What is examined, by the name in `module=`.
    pub(crate) modules: BTreeMap<String, Module>,
}

/// The targets that may be probed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    /// Host names, with `*` and `?`.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// Networks of addresses, compared once a name was looked up.
    #[serde(default)]
    pub(crate) networks: Vec<IpNet>,
    /// Ports; all where there are none.
    #[serde(default)]
    pub(crate) ports: Vec<u16>,
}

/// What one probe examines, and with what.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Module {
    /// Only these checks, and those that they need.
    pub(crate) only: Vec<CheckName>,
    /// Not these checks.
    pub(crate) skip: Vec<CheckName>,
    /// Longest time of a probe; a shorter scrape timeout bounds it too.
    pub(crate) timeout: Option<Time>,
    /// Longest time of each stage.
    pub(crate) stage: Option<Time>,
    /// Login name.
    pub(crate) user: Option<String>,
    /// Port, where the target names none.
    pub(crate) port: Option<u16>,
    /// Private keys: files, or names in `$CREDENTIALS_DIRECTORY`.
    pub(crate) identities: Vec<PathBuf>,
    /// The file with a password, or its name in `$CREDENTIALS_DIRECTORY`.
    pub(crate) password_file: Option<PathBuf>,
    /// Configuration file of ssh; `none` for none.
    pub(crate) ssh_config: Option<String>,
    /// Options of ssh_config(5).
    pub(crate) options: BTreeMap<String, String>,
    /// Hosts to jump through, separated by commas.
    pub(crate) jump: Option<String>,
    /// Whether many connections or channels may be opened, and much data moved.
    pub(crate) deep: bool,
    /// The idle test, in the background.
    pub(crate) idle: Option<Idle>,
}

/// The idle test of a module: it belongs to paths, not to hosts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Idle {
    /// Longest idle time to test.
    #[serde(default = "longest_idle")]
    pub(crate) longest: Time,
    /// What targets on one path have in common.
    #[serde(default)]
    pub(crate) group_by: GroupBy,
    /// Targets that are measured of each group.
    #[serde(default = "one")]
    pub(crate) sample: usize,
    /// Time from one measurement of a group to the next.
    #[serde(default = "idle_interval")]
    pub(crate) every: Time,
    /// Idle tests that run at the same time.
    #[serde(default = "one")]
    pub(crate) at_once: usize,
    /// Most sessions of one idle test.
    #[serde(default = "sessions")]
    pub(crate) sessions: u8,
}

/// What targets on one path have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GroupBy {
    /// Nothing: each target is measured.
    Target,
    /// The network of its address: IPv4 /24, IPv6 /64; behind a jump host, that one.
    #[default]
    Network,
    /// The parameter `group` of the probe, which relabelling can fill from any label.
    Parameter,
}

/// A duration as `90s`, `6m` or `1h30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Duration);

/// The name of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckName(pub(crate) Check);

fn most_probes() -> usize {
    64
}

fn history() -> usize {
    10
}

fn longest_idle() -> Time {
    Time(Duration::from_mins(6))
}

fn idle_interval() -> Time {
    Time(Duration::from_hours(6))
}

fn one() -> usize {
    1
}

fn sessions() -> u8 {
    16
}

impl Config {
    /// Reads the file; an error is one sentence with the file and the line.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let config: Self = yaml(path)?;
        config.check().with_context(|| format!("{} cannot be used", path.display()))?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.modules.is_empty(), "modules is empty: name at least one module");
        ensure!((1..=10_000).contains(&self.max_probes), "max_probes is a number from 1 to 10000");
        ensure!(self.history <= 1000, "history is at most 1000");
        for (name, module) in &self.modules {
            module.check().with_context(|| format!("module {name}"))?;
        }
        Ok(())
    }
}

impl Config {
    /// The configuration without what may be a secret: options of ssh may hold commands, and commands passwords.
    pub(super) fn masked(&self) -> Self {
        let mut masked = self.clone();
        for value in masked.modules.values_mut().flat_map(|module| module.options.values_mut()) {
            if value.contains(char::is_whitespace) {
                "(masked)".clone_into(value);
            }
        }
        masked
    }
}

impl Module {
    fn check(&self) -> Result<()> {
        for value in self.options.values().chain(&self.user).chain(&self.jump) {
            ensure!(
                !value.is_empty() && !value.contains(char::is_control),
                "an option is empty or holds a control character"
            );
        }
        let Some(idle) = &self.idle else { return Ok(()) };
        ensure!((1..=100).contains(&idle.sample), "idle.sample is a number from 1 to 100");
        ensure!((1..=100).contains(&idle.at_once), "idle.at_once is a number from 1 to 100");
        ensure!((3..=16).contains(&idle.sessions), "idle.sessions is a number from 3 to 16");
        ensure!(idle.longest.0 >= Duration::from_secs(2), "idle.longest is at least 2s");
        ensure!(idle.every.0 > idle.longest.0, "idle.every must be longer than idle.longest");
        Ok(())
    }
}

/// Reads a YAML file, within bounds; an error is one sentence with the file and the line.
pub(super) fn yaml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let name = path.display();
    let metadata = fs::metadata(path).map_err(|error| anyhow::anyhow!("{name} cannot be read: {}", reason(&error)))?;
    ensure!(metadata.is_file(), "{name} is not a plain file");
    ensure!(metadata.len() <= LARGEST, "{name} is larger than any configuration (over 1 MiB)");
    let text =
        fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{name} cannot be read: {}", reason(&error)))?;
    parse(&text).map_err(|(line, why)| match line {
        Some(line) => anyhow::anyhow!("{name} line {line}: {why}"),
        None => anyhow::anyhow!("{name}: {why}"),
    })
}

/// A value, or the line and the reason why there is none.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, (Option<usize>, String)> {
    yaml_serde::from_str(text).map_err(|error| {
        let words = error.to_string();
        // The place stands behind the reason.
        let words = words.split_once(" at line ").map_or(words.as_str(), |(reason, _)| reason).to_owned();
        (error.location().map(|at| at.line()), words)
    })
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = humantime::parse_duration(&text);
        read.map(Self).map_err(|_| D::Error::custom(format!("'{text}' is no duration: write 90s, 6m or 1h30m")))
    }
}

impl Serialize for CheckName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for CheckName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let check = Check::ALL.into_iter().find(|check| check.name() == name);
        let names = || Check::ALL.map(Check::name).join(", ");
        check.map(Self).ok_or_else(|| D::Error::custom(format!("'{name}' is no check; the checks are {}", names())))
    }
}

/// A file of a credential: in `$CREDENTIALS_DIRECTORY` where it is a bare name and systemd gives such a folder.
pub(super) fn credential(file: &Path) -> Result<PathBuf> {
    if file.components().count() > 1 {
        return Ok(file.to_owned());
    }
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(folder) => Ok(Path::new(&folder).join(file)),
        None => bail!("the credential {} is a bare name, and CREDENTIALS_DIRECTORY is not set", file.display()),
    }
}
