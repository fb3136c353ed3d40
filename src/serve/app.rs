//! The state of the exporter: its configuration, running probes and results.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use anyhow::Result;
use ssh_doctor_checks::base::stop::Stop;
use tokio::sync::Semaphore;

use super::config::{Allow, Config};
use super::history::History;
use super::idle::store::Store;
use super::metrics::{self, Counters, Gauges, now_s};
use super::modules::{self, PreparedModule};
use super::running::RunningProbes;
use super::{validate, yaml};
use crate::run::fleet::polite::Places;
use crate::terminal::remark;

/// The state that all requests share.
#[derive(Debug)]
pub(super) struct App {
    file: PathBuf,
    loaded: RwLock<Arc<Loaded>>,
    reload_failed: AtomicBool,
    started_at: f64,
    pub(super) stop: Stop,
    pub(super) running: Mutex<RunningProbes>,
    pub(super) history: Mutex<History>,
    pub(super) idle: Store,
    pub(super) counters: Counters,
    pub(super) places: Places,
    pub(super) open_connections: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
}

/// A configuration in use.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) allow: Arc<Allow>,
    pub(super) modules: BTreeMap<String, Arc<PreparedModule>>,
    /// One permit for each probe that may run.
    pub(super) permits: Semaphore,
    at: f64,
}

impl Loaded {
    /// Reads the file and prepares every module.
    pub(super) fn load(file: &Path) -> Result<Self> {
        let text = yaml::File::read(file)?;
        let config: Config = text.parsed()?;
        validate::check(&config, &text)?;
        let modules = modules::prepare(&config, &text)?;
        let (allow, permits) = (Arc::new(config.allow.clone()), Semaphore::new(config.max_probes));
        Ok(Self { config, allow, modules, permits, at: now_s() })
    }
}

impl App {
    pub(super) fn new(file: &Path, loaded: Loaded, state_dir: Option<PathBuf>, stop: Stop) -> Arc<Self> {
        Arc::new(Self {
            file: file.to_owned(),
            loaded: RwLock::new(Arc::new(loaded)),
            reload_failed: AtomicBool::new(false),
            started_at: now_s(),
            stop,
            running: Mutex::default(),
            history: Mutex::default(),
            idle: Store::open(state_dir),
            counters: Counters::default(),
            places: Places::default(),
            open_connections: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// The configuration in use.
    pub(super) fn loaded(&self) -> Arc<Loaded> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the configuration again; one that cannot be used leaves the previous one in use.
    pub(super) fn reload(&self) -> Result<()> {
        let loaded = Loaded::load(&self.file);
        self.reload_failed.store(loaded.is_err(), std::sync::atomic::Ordering::Relaxed);
        match loaded {
            Ok(loaded) => {
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                // Results of modules and an allow-list that no longer hold.
                *self.running.lock().unwrap_or_else(PoisonError::into_inner) = RunningProbes::default();
                remark(format_args!("ssh-doctor serve: configuration reloaded from {}", self.file.display()));
                Ok(())
            }
            Err(error) => {
                remark(format_args!(
                    "ssh-doctor serve: the configuration was not reloaded, the previous one stays in use: {error:#}"
                ));
                Err(error)
            }
        }
    }

    /// The exporter's own metrics.
    pub(super) fn metrics(&self) -> String {
        use std::sync::atomic::Ordering::Relaxed;
        let (groups, measured, running) = self.idle.counts();
        let gauges = Gauges {
            reload_succeeded: !self.reload_failed.load(Relaxed),
            reloaded_at: self.loaded().at,
            started_at: self.started_at,
            in_flight: self.in_flight.load(Relaxed),
            open_connections: self.open_connections.load(Relaxed),
            targets_remembered: self.history().len(),
            idle_groups: groups,
            idle_measured: measured,
            idle_running: running,
        };
        metrics::render(&self.counters, gauges)
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parameters of a request, url_decode.
pub(super) type Parameters = HashMap<String, String>;
