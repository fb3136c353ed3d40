//! Values of the configuration that can be read and not be used.

use std::path::Path;
use std::time::Duration;

use super::config::{Config, ConfigDuration, Idle, Module, credential};
use super::yaml;
use crate::plan;

/// A value that cannot be used: its keys from the outermost one, and the reason.
#[derive(Debug)]
struct Wrong {
    keys: Vec<String>,
    why: String,
}

/// A rule, the key that it is about, and its words.
type Rule<'a> = (bool, &'a str, &'a str);

/// Checks every value of a configuration; an error is one sentence with the file and the line.
pub(super) fn check(config: &Config, file: &yaml::File) -> anyhow::Result<()> {
    of_config(config).map_err(|Wrong { keys, why }| {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        file.wrong(&keys, why)
    })
}

fn of_config(config: &Config) -> Result<(), Wrong> {
    first_broken(&[
        (!config.modules.is_empty(), "modules", "it is empty: name at least one module"),
        ((1..=10_000).contains(&config.max_probes), "max_probes", "a number from 1 to 10000 is needed"),
        (config.history <= 1000, "history", "at most 1000 results are kept"),
        (!config.allow.ports.contains(&0), "allow.ports", "there is no port 0"),
    ])?;
    for (name, module) in &config.modules {
        of_module(module).map_err(|wrong| wrong.within(&["modules", name]))?;
    }
    Ok(())
}

fn of_module(module: &Module) -> Result<(), Wrong> {
    let is_time = |time: Option<ConfigDuration>| time.is_none_or(|ConfigDuration(time)| !time.is_zero());
    first_broken(&[
        (is_time(module.timeout), "timeout", "no probe takes no time"),
        (is_time(module.stage), "stage", "no stage takes no time"),
        (module.port != Some(0), "port", "there is no port 0"),
    ])?;
    let values = module.user.iter().map(|value| ("user", value)).chain(module.jump.iter().map(|value| ("jump", value)));
    for (key, value) in values.chain(module.options.values().map(|value| ("options", value))) {
        let is_usable = !value.is_empty() && !value.contains(char::is_control);
        first_broken(&[(is_usable, key, "a value is empty or holds a control character")])?;
    }
    for hop in module.jump.iter().flat_map(|jump| jump.split(',')) {
        plan::parts(hop.trim()).map_err(|error| Wrong::of("jump", format!("{error:#}")))?;
    }
    let files = module.identities.iter().map(|file| ("identities", file));
    for (key, file) in files.chain(module.password_file.iter().map(|file| ("password_file", file))) {
        let file = credential(file).map_err(|error| Wrong::of(key, format!("{error:#}")))?;
        is_file(key, &file)?;
    }
    if let Some(file) = module.ssh_config.as_deref().filter(|file| *file != "none") {
        is_file("ssh_config", Path::new(file))?;
    }
    module.idle.as_ref().map_or(Ok(()), |idle| of_idle(idle).map_err(|wrong| wrong.within(&["idle"])))
}

fn of_idle(idle: &Idle) -> Result<(), Wrong> {
    first_broken(&[
        ((1..=100).contains(&idle.sample), "sample", "a number from 1 to 100 is needed"),
        ((1..=100).contains(&idle.at_once), "at_once", "a number from 1 to 100 is needed"),
        ((3..=16).contains(&idle.sessions), "sessions", "a number from 3 to 16 is needed"),
        (idle.longest.0 >= Duration::from_secs(2), "longest", "it is at least 2s"),
        (idle.every.0 > idle.longest.0, "every", "it must be longer than idle.longest"),
    ])
}

fn is_file(key: &str, file: &Path) -> Result<(), Wrong> {
    if file.is_file() { Ok(()) } else { Err(Wrong::of(key, format!("{} is not a file", file.display()))) }
}

fn first_broken(rules: &[Rule<'_>]) -> Result<(), Wrong> {
    match rules.iter().find(|(holds, _, _)| !holds) {
        Some((_, key, why)) => Err(Wrong::of(key, (*why).to_owned())),
        None => Ok(()),
    }
}

impl Wrong {
    fn of(key: &str, why: String) -> Self {
        Self { keys: key.split('.').map(ToOwned::to_owned).collect(), why }
    }

    fn within(mut self, keys: &[&str]) -> Self {
        self.keys.splice(0..0, keys.iter().map(ToString::to_string));
        self
    }
}
