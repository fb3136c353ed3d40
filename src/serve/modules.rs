//! A module prepared for use: the plan of its probes and the plan of its idle test.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::config::{Config, ConfigDuration, Module, credential};
use super::yaml;
use crate::cli::{Scope, SshFlags};
use crate::plan::{Circumstances, Plan};

/// The time for which the settings of `ssh -G` are used: after that its files may have changed.
const PLAN_LIFETIME: Duration = Duration::from_mins(1);

/// The timeout of a probe where the module sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A module and its plans.
#[derive(Debug)]
pub(super) struct PreparedModule {
    pub(super) name: String,
    pub(super) settings: Module,
    plans: tokio::sync::Mutex<Option<(Instant, Plans)>>,
}

/// The plans of a module.
#[derive(Debug, Clone)]
pub(super) struct Plans {
    pub(super) probe: Arc<Plan>,
    /// `None` where the module has no idle test.
    pub(super) idle: Option<Arc<Plan>>,
}

/// Prepares every module of a configuration; an error names the module that cannot be used.
pub(super) fn prepare(config: &Config, file: &yaml::File) -> Result<BTreeMap<String, Arc<PreparedModule>>> {
    let prepared = config.modules.iter().map(|(name, module)| {
        let keys = ["modules", name.as_str()];
        let plans = Plans::of(module).map_err(|error| file.wrong(&keys, format_args!("{error:#}")))?;
        if let Some(why) = refusal(&plans.probe) {
            return Err(file.wrong(&[&keys[..], &["options"]].concat(), why));
        }
        let prepared =
            PreparedModule { name: name.clone(), settings: module.clone(), plans: tokio::sync::Mutex::default() };
        Ok((name.clone(), Arc::new(prepared)))
    });
    prepared.collect()
}

/// The words in which ssh refuses the options of a module; what it says of its own files may differ between targets and later.
fn refusal(plan: &Plan) -> Option<String> {
    // A runtime of its own: a reload has one already, and is quick.
    let asked = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(plan.resolve("localhost")).ok()?.refused
    };
    let refused = thread::scope(|scope| scope.spawn(asked).join().ok().flatten())?;
    refused.find("command-line").map(|at| format!("ssh says \"{}\"", &refused[at..]))
}

impl PreparedModule {
    /// Returns the timeout of a probe, without regard to the scrape timeout.
    pub(super) fn timeout(&self) -> Duration {
        self.settings.timeout.map_or(DEFAULT_TIMEOUT, |ConfigDuration(timeout)| timeout)
    }

    /// Returns the plans, prepared again each minute, as ssh's configuration and the credentials may change.
    pub(super) async fn plans(&self) -> Result<Plans> {
        let mut plans = self.plans.lock().await;
        if let Some((made, plans)) = &*plans
            && made.elapsed() < PLAN_LIFETIME
        {
            return Ok(plans.clone());
        }
        let made = Plans::of(&self.settings).with_context(|| format!("module {} cannot be used", self.name))?;
        *plans = Some((Instant::now(), made.clone()));
        Ok(made)
    }

    /// Returns the target with the module's port where it has none.
    pub(super) fn with_port(&self, target: &str) -> String {
        let Some(port) = self.settings.port else { return target.to_owned() };
        let named = target.starts_with("ssh://") || target.contains("]:") || target.matches(':').count() == 1;
        match (named, target.contains(':') && !target.starts_with('[')) {
            (true, _) => target.to_owned(),
            (false, true) => format!("[{target}]:{port}"),
            (false, false) => format!("{target}:{port}"),
        }
    }
}

impl Plans {
    fn of(module: &Module) -> Result<Self> {
        let flags = flags(module)?;
        let password = module.password_file.as_deref().map(credential).transpose()?;
        let scope = Scope {
            idle: Some(Duration::ZERO),
            sessions: 16,
            deep: module.deep,
            only: module.only.iter().map(|name| name.0).collect(),
            skip: module.skip.iter().map(|name| name.0).collect(),
            server: false,
            with_ssh: false,
            expect: module.expect.iter().map(|name| name.0).collect(),
            timeout: module.stage.map(|ConfigDuration(stage)| stage),
        };
        let circumstances = Circumstances { person: false, several: true, stage: None, is_for_metrics: true };
        let probe = Plan::with(&scope, &flags, password.as_deref(), circumstances)?;
        let idle = module.idle.as_ref().map(|idle| {
            let only = vec![ssh_doctor_checks::facts::Check::Idle];
            let longest = Some(idle.longest.0);
            let scope = Scope {
                idle: longest,
                sessions: idle.sessions,
                only,
                skip: Vec::new(),
                expect: Vec::new(),
                deep: false,
                ..scope.clone()
            };
            Plan::with(&scope, &flags, password.as_deref(), circumstances).map(Arc::new)
        });
        Ok(Self { probe: Arc::new(probe), idle: idle.transpose()? })
    }
}

fn flags(module: &Module) -> Result<SshFlags> {
    let identities = module.identities.iter().map(|file| Ok(path(&credential(file)?)));
    let options = module.options.iter().map(|(keyword, value)| format!("{keyword}={value}"));
    let flags = SshFlags {
        login: module.user.clone(),
        identities: identities.collect::<Result<_>>()?,
        config: module.ssh_config.clone(),
        options: options.collect(),
        jump: module.jump.clone(),
        ..SshFlags::default()
    };
    Ok(flags)
}

fn path(file: &Path) -> String {
    file.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::{Module, PreparedModule};

    #[test]
    fn the_port_of_the_module_is_the_default() {
        let settings = Module { port: Some(2222), ..Module::default() };
        let module = PreparedModule { name: String::new(), settings, plans: tokio::sync::Mutex::default() };
        for (target, expected) in [
            ("db", "db:2222"),
            ("db:22", "db:22"),
            ("2001:db8::1", "[2001:db8::1]:2222"),
            ("[2001:db8::1]", "[2001:db8::1]:2222"),
            ("[2001:db8::1]:22", "[2001:db8::1]:22"),
            ("ssh://db", "ssh://db"),
        ] {
            assert_eq!(module.with_port(target), expected);
        }
    }
}
