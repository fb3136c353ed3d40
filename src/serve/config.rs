//! The configuration file of the exporter (YAML).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::facts::Check;

use super::yaml;

/// The configuration file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Addresses to listen on, unless the command line names some.
    #[serde(default)]
    pub(crate) listen: Vec<std::net::SocketAddr>,
    /// The file with TLS and basic authentication (exporter-toolkit's web.yml).
    #[serde(default)]
    #[serde(rename = "web_config")]
    pub(crate) web: Option<PathBuf>,
    /// The directory of the idle results [default: `$STATE_DIRECTORY`, which systemd sets].
    #[serde(default)]
    pub(crate) state_dir: Option<PathBuf>,
    /// The targets that may be probed; none by default.
    #[serde(default)]
    pub(crate) allow: Allow,
    /// The number of probes that may run at the same time.
    #[serde(default = "default_max_probes")]
    pub(crate) max_probes: usize,
    /// The time for which a result is served again, as to the second of two Prometheus servers [default: half the scrape timeout].
    #[serde(default)]
    pub(crate) min_interval: Option<ConfigDuration>,
    /// The number of results kept of each target, and of failures besides.
    #[serde(default = "history")]
    pub(crate) history: usize,
    /// The modules, by the name in `module=`.
    #[serde(deserialize_with = "yaml::unique")]
    pub(crate) modules: BTreeMap<String, Module>,
}

/// The targets that may be probed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    /// Host names, with `*` and `?`.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// Networks, compared with the addresses that a name resolves to.
    #[serde(default)]
    pub(crate) networks: Vec<IpNet>,
    /// Ports; any if empty.
    #[serde(default)]
    pub(crate) ports: Vec<u16>,
}

/// The checks of a probe and the settings of its connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Module {
    /// Only these checks, and those that they need.
    pub(crate) only: Vec<CheckName>,
    /// Not these checks.
    pub(crate) skip: Vec<CheckName>,
    /// The services that the account must provide.
    pub(crate) expect: Vec<ServiceName>,
    /// Timeout of a probe; the scrape timeout, less 0.5 s, is a limit besides.
    pub(crate) timeout: Option<ConfigDuration>,
    /// Timeout of each stage.
    pub(crate) stage: Option<ConfigDuration>,
    /// Login name.
    pub(crate) user: Option<String>,
    /// Port of targets without one.
    pub(crate) port: Option<u16>,
    /// Private keys: files, or names in `$CREDENTIALS_DIRECTORY`.
    pub(crate) identities: Vec<PathBuf>,
    /// The file with a password, or its name in `$CREDENTIALS_DIRECTORY`.
    pub(crate) password_file: Option<PathBuf>,
    /// Configuration file of ssh; `none` for none.
    pub(crate) ssh_config: Option<String>,
    /// Options of ssh_config(5).
    #[serde(deserialize_with = "yaml::unique")]
    pub(crate) options: BTreeMap<String, String>,
    /// Hosts to jump through, separated by commas.
    pub(crate) jump: Option<String>,
    /// Open many connections or channels and move much data too.
    pub(crate) deep: bool,
    /// The idle test in the background.
    pub(crate) idle: Option<Idle>,
}

/// The idle test of a module, run for path groups: idle timeouts are a property of the path, not of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Idle {
    /// Longest idle time to test.
    #[serde(default = "longest_idle")]
    pub(crate) longest: ConfigDuration,
    /// The property that the targets of one path share.
    #[serde(default)]
    pub(crate) group_by: GroupBy,
    /// The number of targets measured in each group.
    #[serde(default = "one")]
    pub(crate) sample: usize,
    /// ConfigDuration from one measurement of a group to the next.
    #[serde(default = "idle_interval")]
    pub(crate) every: ConfigDuration,
    /// The number of idle tests that may run at the same time.
    #[serde(default = "one")]
    pub(crate) at_once: usize,
    /// Most sessions of one idle test.
    #[serde(default = "sessions")]
    pub(crate) sessions: u8,
}

/// The property that the targets of one path share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GroupBy {
    /// The target: each is measured.
    Target,
    /// The network of its address: IPv4 /24, IPv6 /64; behind a jump host, that one.
    #[default]
    Network,
    /// The parameter `group` of the probe, which relabelling can fill from any label.
    Parameter,
}

/// A duration as `90s`, `6m` or `1h30m`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfigDuration(pub(crate) Duration);

/// A check, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckName(pub(crate) Check);

/// A service, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceName(pub(crate) Service);

fn default_max_probes() -> usize {
    64
}

fn history() -> usize {
    10
}

fn longest_idle() -> ConfigDuration {
    ConfigDuration(Duration::from_mins(6))
}

fn idle_interval() -> ConfigDuration {
    ConfigDuration(Duration::from_hours(6))
}

fn one() -> usize {
    1
}

fn sessions() -> u8 {
    16
}

impl Config {
    /// Returns the configuration without possible secrets.
    pub(super) fn masked(&self) -> Self {
        let mut masked = self.clone();
        for module in masked.modules.values_mut() {
            *module = module.masked();
        }
        masked
    }
}

impl Module {
    /// Returns the module without possible secrets: an ssh option may be a command, and a command may contain a password.
    pub(super) fn masked(&self) -> Self {
        let mut masked = self.clone();
        for value in masked.options.values_mut().filter(|value| value.contains(char::is_whitespace)) {
            "(masked)".clone_into(value);
        }
        masked
    }
}

impl Serialize for ConfigDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for ConfigDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = humantime::parse_duration(&text);
        read.map(Self).map_err(|_| D::Error::custom(format!("'{text}' is not a duration: write 90s, 6m or 1h30m")))
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
        check.map(Self).ok_or_else(|| D::Error::custom(format!("'{name}' is not a check; the checks are {}", names())))
    }
}

impl Serialize for ServiceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for ServiceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let service = Service::EXPECTED.into_iter().find(|service| service.name() == name);
        let names = || Service::EXPECTED.map(Service::name).join(", ");
        let unknown = || D::Error::custom(format!("'{name}' is not a service; the services are {}", names()));
        service.map(Self).ok_or_else(unknown)
    }
}

/// Returns the path of a credential; a bare name is a file in `$CREDENTIALS_DIRECTORY`, which systemd sets (systemd.exec(5), LoadCredential).
pub(super) fn credential(file: &Path) -> Result<PathBuf> {
    if file.components().count() > 1 {
        return Ok(file.to_owned());
    }
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(folder) => Ok(Path::new(&folder).join(file)),
        None => bail!("the credential {} is a bare name, and CREDENTIALS_DIRECTORY is not set", file.display()),
    }
}
