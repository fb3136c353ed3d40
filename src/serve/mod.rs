//! The Prometheus exporter: probes targets on request, and runs idle tests in the background.

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
mod response;
mod result;
mod routes;
mod running;
mod validate;
mod web_config;
mod yaml;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use ssh_doctor_checks::base::stop::Stop;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::ServeArgs;
use crate::diagnose::Verdict;
use crate::terminal::{reason, remark};
use access::Access;
use app::{App, Loaded};

/// The default port of the exporter.
const DEFAULT_PORT: u16 = 9822;

/// The limit on HTTP connections.
const MAX_CONNECTIONS: u64 = 1024;

/// The number of connections that may wait to be accepted (listen(2)); the kernel's limit is net.core.somaxconn.
const BACKLOG: u32 = 4096;

/// Serves until SIGTERM or SIGINT; with `--check-config` it only reads the configuration.
pub fn serve(args: &ServeArgs) -> Result<Verdict> {
    let loaded = Loaded::load(&args.config)?;
    let web_file = args.web_config.clone().or_else(|| loaded.config.web.clone());
    let access = Access::open(web_file)?;
    if args.check_config {
        remark(format_args!("ssh-doctor: {} can be used: {} modules", args.config.display(), loaded.modules.len()));
        return Ok(Verdict::Healthy);
    }
    let runtime = crate::run::runtime::start(&mut Builder::new_multi_thread())?;
    runtime.block_on(run(args, loaded, access))?;
    // A name resolution in progress cannot be interrupted.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(Verdict::Healthy)
}

async fn run(args: &ServeArgs, loaded: Loaded, access: Access) -> Result<()> {
    let listeners = listeners(args, &loaded)?;
    let state_dir = state_dir(args, &loaded)?;
    let measures_idle = loaded.config.modules.values().any(|module| module.idle.is_some());
    if state_dir.is_none() && measures_idle {
        remark("ssh-doctor serve: idle results are lost at a restart: set state_dir to keep them");
    }
    let (stop_sender, stop) = watch::channel(false);
    let app = App::new(&args.config, loaded, state_dir, Stop::new(stop));
    let max_connections = usize::try_from(crate::run::fleet::jobs::open_files() / 4).unwrap_or(usize::MAX);
    let max_connections = max_connections.min(usize::try_from(MAX_CONNECTIONS)?);
    // Before anybody can know that it runs: a reload that came sooner would end the process.
    let signals = Signals::register()?;
    for listener in &listeners {
        remark(format_args!("ssh-doctor serve: listening on {}", listener.local_addr()?));
    }
    let signals = tokio::spawn(signals.handle(app.clone(), stop_sender));
    let idle = tokio::spawn(idle::run(app.clone()));
    notify(&[NotifyState::Ready]);
    let watchdog = tokio::spawn(feed_watchdog());
    http::serve(app, Arc::new(access), listeners, max_connections).await;
    idle.abort();
    watchdog.abort();
    signals.abort();
    Ok(())
}

/// Returns the sockets passed by systemd, or opens new ones.
fn listeners(args: &ServeArgs, loaded: &Loaded) -> Result<Vec<TcpListener>> {
    let mut handed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for number in 0..handed.len() {
        let listener = handed.take_tcp_listener(number).context("systemd passed a socket that is not a TCP socket")?;
        if let Some(listener) = listener {
            listener.set_nonblocking(true)?;
            listeners.push(TcpListener::from_std(listener)?);
        }
    }
    if !listeners.is_empty() {
        return Ok(listeners);
    }
    let configured = if args.listen.is_empty() { &loaded.config.listen } else { &args.listen };
    let usual = [SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT))];
    let addresses = if configured.is_empty() { &usual[..] } else { configured };
    let listen = |address: &SocketAddr| -> Result<TcpListener> {
        let open = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.set_reuseaddr(true)?;
            socket.bind(*address)?;
            socket.listen(BACKLOG)
        };
        open().map_err(|error| anyhow::anyhow!("cannot listen on {address}: {}", reason(&error)))
    };
    addresses.iter().map(listen).collect()
}

/// Returns the directory of the idle results, and creates it if it is missing.
fn state_dir(args: &ServeArgs, loaded: &Loaded) -> Result<Option<PathBuf>> {
    let from_systemd = || std::env::var_os("STATE_DIRECTORY").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = args.state_dir.clone().or_else(|| loaded.config.state_dir.clone()).or_else(from_systemd);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).map_err(|error| {
            anyhow::anyhow!("the state directory {} cannot be used: {}", folder.display(), reason(&error))
        })?;
    }
    Ok(folder)
}

/// The signals that reload the configuration or stop the exporter.
struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From here on they no longer end the process.
    fn register() -> Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Reloads on SIGHUP, stops on SIGTERM and SIGINT; a second one of these exits at once.
    async fn handle(mut self, app: Arc<App>, stop_sender: watch::Sender<bool>) {
        loop {
            tokio::select! {
                Some(()) = self.hangup.recv() => {
                    let reloading = NotifyState::monotonic_usec_now().map(|now| [NotifyState::Reloading, now]);
                    if let Ok(states) = reloading {
                        notify(&states);
                    }
                    // A failure is reported on standard error and in a metric.
                    let _ = app.reload();
                    notify(&[NotifyState::Ready]);
                    continue;
                }
                Some(()) = self.interrupt.recv() => {}
                Some(()) = self.terminate.recv() => {}
            }
            if stop_sender.send_replace(true) {
                std::process::exit(130);
            }
            notify(&[NotifyState::Stopping]);
            remark("ssh-doctor serve: stopping");
        }
    }
}

/// Sends a state to systemd.
fn notify(states: &[NotifyState<'_>]) {
    // Without systemd there is no socket to send it to.
    let _ = sd_notify::notify(states);
}

async fn feed_watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = interval(limit / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}
