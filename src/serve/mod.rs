//! The exporter: examines targets as Prometheus asks for them, and idle timers in the background.

mod access;
mod allow;
mod app;
mod config;
mod history;
mod http;
mod idle;
mod metrics;
mod modules;
mod pages;
mod probe;
mod routes;
mod web_config;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use ssh_doctor_checks::base::stop::Stop;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::ServeArgs;
use crate::diagnose::Verdict;
use crate::terminal::{reason, remark};
use access::Access;
use app::{App, Loaded};

/// The port of the exporter, where nothing else is said.
const PORT: u16 = 9822;

/// The most connections of clients.
const CONNECTIONS: u64 = 1024;

/// Serves until SIGTERM or SIGINT; with `--check-config` it only reads what it would serve by.
pub fn serve(args: &ServeArgs) -> Result<Verdict> {
    let loaded = Loaded::load(&args.config)?;
    let web_file = args.web_config.clone().or_else(|| loaded.config.web_config.clone());
    let access = Access::open(web_file)?;
    if args.check_config {
        remark(format_args!("ssh-doctor: {} is fine, {} modules", args.config.display(), loaded.modules.len()));
        return Ok(Verdict::Healthy);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(args, loaded, access))?;
    // A name that is being looked up cannot be interrupted.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(Verdict::Healthy)
}

async fn run(args: &ServeArgs, loaded: Loaded, access: Access) -> Result<()> {
    let listeners = listeners(args, &loaded)?;
    let state_dir = state_dir(args, &loaded)?;
    let measures_idle = loaded.config.modules.values().any(|module| module.idle.is_some());
    if state_dir.is_none() && measures_idle {
        remark("ssh-doctor serve: without state_dir the idle results are lost when this ends");
    }
    let (wish, stop) = watch::channel(false);
    let app = App::new(&args.config, loaded, state_dir, Stop::new(stop));
    let most = usize::try_from(crate::run::fleet::jobs::open_files() / 4).unwrap_or(usize::MAX);
    let most = most.min(usize::try_from(CONNECTIONS)?);
    for listener in &listeners {
        remark(format_args!("ssh-doctor serve: listening on {}", listener.local_addr()?));
    }
    let signals = tokio::spawn(obey(app.clone(), wish));
    let idle = tokio::spawn(idle::run(app.clone()));
    tell(&[NotifyState::Ready]);
    let watchdog = tokio::spawn(keep_watchdog_quiet());
    http::serve(app, Arc::new(access), listeners, most).await;
    idle.abort();
    watchdog.abort();
    signals.abort();
    Ok(())
}

/// The sockets that systemd hands over, or new ones.
fn listeners(args: &ServeArgs, loaded: &Loaded) -> Result<Vec<TcpListener>> {
    let mut handed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for number in 0..handed.len() {
        let listener = handed.take_tcp_listener(number).context("systemd hands over a socket that is not of TCP")?;
        if let Some(listener) = listener {
            listener.set_nonblocking(true)?;
            listeners.push(TcpListener::from_std(listener)?);
        }
    }
    if !listeners.is_empty() {
        return Ok(listeners);
    }
    let configured = if args.listen.is_empty() { &loaded.config.listen } else { &args.listen };
    let usual = [SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))];
    let addresses = if configured.is_empty() { &usual[..] } else { configured };
    let listen = |address: &SocketAddr| -> Result<TcpListener> {
        let listener = std::net::TcpListener::bind(address)
            .map_err(|error| anyhow::anyhow!("cannot listen on {address}: {}", reason(&error)))?;
        listener.set_nonblocking(true)?;
        Ok(TcpListener::from_std(listener)?)
    };
    addresses.iter().map(listen).collect()
}

/// The folder of the idle results, made if it is not there.
fn state_dir(args: &ServeArgs, loaded: &Loaded) -> Result<Option<PathBuf>> {
    let by_systemd = || std::env::var_os("STATE_DIRECTORY").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = args.state_dir.clone().or_else(|| loaded.config.state_dir.clone()).or_else(by_systemd);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).map_err(|error| {
            anyhow::anyhow!("the state directory {} cannot be used: {}", folder.display(), reason(&error))
        })?;
    }
    Ok(folder)
}

/// SIGHUP reloads, SIGTERM and SIGINT stop; a second one of these stops at once.
async fn obey(app: Arc<App>, wish: watch::Sender<bool>) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            Some(()) = hangup.recv() => {
                let reloading = NotifyState::monotonic_usec_now().map(|now| [NotifyState::Reloading, now]);
                reloading.iter().for_each(|states| tell(states));
                // It is said on standard error and in a metric.
                let _ = app.reload();
                tell(&[NotifyState::Ready]);
                continue;
            }
            Some(()) = interrupt.recv() => {}
            Some(()) = terminate.recv() => {}
        }
        if wish.send_replace(true) {
            std::process::exit(130);
        }
        tell(&[NotifyState::Stopping]);
        remark("ssh-doctor serve: stopping");
    }
}

/// Tells systemd, where it started us.
fn tell(states: &[NotifyState<'_>]) {
    // Without systemd nobody listens.
    let _ = sd_notify::notify(states);
}

async fn keep_watchdog_quiet() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = interval(limit / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}
