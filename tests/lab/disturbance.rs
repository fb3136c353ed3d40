//! What happens to a path or a server while somebody looks: interruptions, lost state, dead members of a bundle, resets, stalls.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::command::must;
use super::middlebox;
use super::namespace::Namespace;
use super::{Lab, Report, Server};

/// Something that happened: from when to when, seconds since 1970, or since the examination began.
pub(crate) type Times = Vec<(f64, f64)>;

impl Lab {
    /// Examines a server while `disturb` goes on beside it, until the examination is over; the times that it gives count from the beginning of
    /// the examination then.
    pub(crate) fn doctor_while(
        &self,
        target: &str,
        options: &[&str],
        deadline: Duration,
        disturb: impl FnOnce(&dyn Fn() -> bool) -> Times + Send,
    ) -> (Report, Times) {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let disturbing = scope.spawn(|| disturb(&|| over.load(Ordering::Relaxed)));
            let seen = self.doctor_at(target, options, deadline);
            over.store(true, Ordering::Relaxed);
            let times = disturbing.join().expect("a disturbance");
            let started = seen.json["started_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
            let started = started.map_or(0.0, |at| since_1970(at.into()));
            (seen, times.into_iter().map(|(from, until)| (from - started, until - started)).collect())
        })
    }

    /// Interrupts the path at a router for `down`, after every `up`, until it is told to end.
    pub(crate) fn flap(&self, hop: usize, up: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
        let router = self.router(hop);
        periodically(up, down, is_over, || middlebox::cut(router), || middlebox::restore(router))
    }

    /// Stops every process of the server's host for `down`, after every `up`.
    pub(crate) fn stall(&self, up: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
        stall(self.server_host(), up, down, is_over)
    }

    /// The same on the bastion at a hop.
    pub(crate) fn stall_bastion(&self, hop: usize, up: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
        stall(self.router(hop), up, down, is_over)
    }

    /// A disturbance that comes once.
    pub(crate) fn stall_once(&self, after: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
        let ended = std::cell::Cell::new(false);
        let once = || is_over() || ended.get();
        let signal = |name: &str| signal_all(self.server_host(), name);
        periodically(
            after,
            down,
            &once,
            || signal("-STOP"),
            || {
                signal("-CONT");
                ended.set(true);
            },
        )
    }

    /// Makes the NAT at a router lose its table of connections.
    pub(crate) fn lose_state(&self, hop: usize) {
        must(self.router(hop).command("conntrack").arg("-F"), "");
    }

    /// Resets one of the server's connections after every pause, the oldest and the newest in turn, whatever moves on them.
    pub(crate) fn random_resets(&self, port: u16, pauses: &[Duration], is_over: &dyn Fn() -> bool) -> Times {
        random_resets(self.server_host(), port, pauses, is_over)
    }

    /// The same with the connections of the bastion at a hop.
    pub(crate) fn random_resets_at_bastion(
        &self,
        hop: usize,
        port: u16,
        pauses: &[Duration],
        is_over: &dyn Fn() -> bool,
    ) -> Times {
        random_resets(self.router(hop), port, pauses, is_over)
    }

    /// Ends every session and the server, and starts it again on the same port a while later, with these lines of sshd_config.
    pub(crate) fn restart(&self, server: Server, pause: Duration, settings: &[&str]) -> Server {
        let port = server.port();
        server.end_sessions(self.server_host());
        drop(server);
        std::thread::sleep(pause);
        self.sshd_at(port, settings)
    }

    /// The same with the bastion at a hop.
    pub(crate) fn restart_bastion(&self, hop: usize, bastion: Server, pause: Duration) -> Server {
        let port = bastion.port();
        bastion.end_sessions(self.router(hop));
        drop(bastion);
        std::thread::sleep(pause);
        self.bastion_at(hop, port, &[])
    }
}

fn stall(host: &Namespace, up: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
    let signal = |name: &str| signal_all(host, name);
    periodically(up, down, is_over, || signal("-STOP"), || signal("-CONT"))
}

fn random_resets(host: &Namespace, port: u16, pauses: &[Duration], is_over: &dyn Fn() -> bool) -> Times {
    let mut times = Vec::new();
    for (at, pause) in pauses.iter().cycle().enumerate() {
        wait(*pause, is_over);
        if is_over() {
            break;
        }
        if reset_one(host, port, at % 2 == 0) {
            times.push((now(), now()));
        }
    }
    times
}

/// Aborts a socket of the server, which sends a reset.
fn reset_one(host: &Namespace, port: u16, oldest: bool) -> bool {
    let own = port.to_string();
    let listed = host.command("ss").args(["-Htn", "state", "established", "sport", "=", &own]).output();
    let listed = listed.map(|listed| String::from_utf8_lossy(&listed.stdout).into_owned()).unwrap_or_default();
    let mut peers: Vec<&str> =
        listed.lines().filter_map(|line| line.split_whitespace().nth(3)?.rsplit(':').next()).collect();
    peers.sort_unstable();
    let picked = if oldest { peers.first() } else { peers.last() };
    let Some(peer) = picked else { return false };
    must(host.command("ss").args(["-K", "-Htn", "sport", "=", &own, "dport", "=", peer]), "");
    true
}

/// The clock of [`Times`].
pub(crate) fn now() -> f64 {
    since_1970(SystemTime::now())
}

fn since_1970(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn wait(time: Duration, is_over: &dyn Fn() -> bool) {
    let until = Instant::now() + time;
    while Instant::now() < until && !is_over() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal_all(host: &Namespace, signal: &str) {
    let pids: Vec<String> = host.processes().iter().map(ToString::to_string).collect();
    // One that has ended meanwhile makes `kill` complain.
    let _ = Command::new("kill").arg(signal).args(pids).output();
}

fn periodically(up: Duration, down: Duration, is_over: &dyn Fn() -> bool, begin: impl Fn(), end: impl Fn()) -> Times {
    let mut times = Vec::new();
    loop {
        wait(up, is_over);
        if is_over() {
            return times;
        }
        begin();
        let from = now();
        wait(down, is_over);
        end();
        times.push((from, now()));
    }
}
