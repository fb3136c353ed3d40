//! The exporter's state: what it was told, what is running, what it has seen.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use anyhow::Result;
use ssh_doctor_checks::base::stop::Stop;
use tokio::sync::Semaphore;

use super::config::{Allow, Config};
use super::history::History;
use super::idle::Store;
use super::metrics::{Counters, Snapshot, now_s};
use super::modules::{self, Ready};
use super::probe::Flights;
use crate::run::fleet::polite::Places;
use crate::terminal::remark;

/// All of it.
#[derive(Debug)]
pub(super) struct App {
    file: PathBuf,
    loaded: RwLock<Arc<Loaded>>,
    reload_failed: AtomicBool,
    started_at: f64,
    pub(super) stop: Stop,
    pub(super) flights: Mutex<Flights>,
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
    pub(super) modules: BTreeMap<String, Arc<Ready>>,
    pub(super) places: Semaphore,
    at: f64,
}

impl Loaded {
    /// Reads the file, and gets every module ready.
    pub(super) fn load(file: &Path) -> Result<Self> {
        let config = Config::load(file)?;
        let modules = modules::ready(&config)?;
        let (allow, places) = (Arc::new(config.allow.clone()), Semaphore::new(config.max_probes));
        Ok(Self { config, allow, modules, places, at: now_s() })
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
            flights: Mutex::default(),
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

    /// Reads the configuration again; a bad one leaves the old one in use.
    pub(super) fn reload(&self) -> Result<()> {
        let loaded = Loaded::load(&self.file);
        self.reload_failed.store(loaded.is_err(), std::sync::atomic::Ordering::Relaxed);
        match loaded {
            Ok(loaded) => {
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                remark(format_args!("ssh-doctor serve: configuration reloaded from {}", self.file.display()));
                Ok(())
            }
            Err(error) => {
                remark(format_args!(
                    "ssh-doctor serve: the configuration was not reloaded, the old one stays: {error:#}"
                ));
                Err(error)
            }
        }
    }

    /// The exporter's own metrics.
    pub(super) fn metrics(&self) -> String {
        use std::sync::atomic::Ordering::Relaxed;
        let (groups, measured, running) = self.idle.counts();
        let snapshot = Snapshot {
            reload_succeeded: !self.reload_failed.load(Relaxed),
            reloaded_at: self.loaded().at,
            started_at: self.started_at,
            in_flight: self.in_flight.load(Relaxed),
            open_connections: self.open_connections.load(Relaxed),
            targets_remembered: self.history().len(),
            idle_groups: groups,
            idle_measured: measured,
            idle_running: running,
            ..Snapshot::of(&self.counters)
        };
        snapshot.render()
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parameters of a request, decoded.
pub(super) type Parameters = HashMap<String, String>;
