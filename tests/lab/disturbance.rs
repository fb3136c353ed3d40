//! What happens to a path or a server while somebody looks: interruptions, lost state, dead members of a bundle, resets, stalls.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::command::{Daemon, must};
use super::middlebox::{self, FAR, NEAR};
use super::namespace::Namespace;
use super::{Lab, Report, Server, python};

/// Something that happened: from when to when, seconds since the disturbance was begun.
pub(crate) type Times = Vec<(f64, f64)>;

impl Lab {
    /// Examines a server while `disturb` goes on beside it, until the examination is over; the report, and when it began.
    pub(crate) fn doctor_while<T: Send>(
        &self,
        target: &str,
        options: &[&str],
        deadline: Duration,
        disturb: impl FnOnce(&dyn Fn() -> bool) -> T + Send,
    ) -> (Report, T) {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let disturbing = scope.spawn(|| disturb(&|| over.load(Ordering::Relaxed)));
            let seen = self.doctor_at(target, options, deadline);
            over.store(true, Ordering::Relaxed);
            (seen, disturbing.join().expect("a disturbance"))
        })
    }

    /// Interrupts the path at a router for `down`, after every `up`, until it is told to end.
    pub(crate) fn flap(&self, hop: usize, up: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
        let router = self.router(hop);
        periodically(up, down, is_over, || middlebox::cut(router), || middlebox::restore(router))
    }

    /// Stops every process of the server's host but its daemons of the lab's own for `down`, after every `up`.
    pub(crate) fn stall(&self, up: Duration, down: Duration, is_over: &dyn Fn() -> bool) -> Times {
        let host = self.server_host();
        let signal = |name: &str| signal_all(host, name);
        periodically(up, down, is_over, || signal("-STOP"), || signal("-CONT"))
    }

    /// The same once.
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

    /// Makes a router reset some of the connections now and then, whatever moves on them; none without Python.
    pub(crate) fn random_resets(&self, hop: usize, every: f64) -> Option<Daemon> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/random_resets.py");
        let mut firewall = self.router(hop).command(python("socket")?);
        firewall.args([script, NEAR, &every.to_string()]);
        let _ = FAR;
        Some(Daemon::start(&mut firewall))
    }
}

/// Ends every session and the server, and starts it again on the same port a while later.
pub(crate) fn restart(lab: &Lab, server: Server, pause: Duration, settings: &[&str]) -> Server {
    let port = server.port();
    let sessions = server.other_processes(lab);
    drop(server);
    let pids = sessions.iter().map(ToString::to_string);
    let _ = Command::new("kill").args(["-9", "--"]).args(pids).output();
    std::thread::sleep(pause);
    lab.sshd_at(port, settings)
}

fn signal_all(host: &Namespace, signal: &str) {
    let pids: Vec<String> = host.processes().iter().map(ToString::to_string).collect();
    // One that has ended meanwhile makes `kill` complain.
    let _ = Command::new("kill").arg(signal).args(pids).output();
}

fn periodically(up: Duration, down: Duration, is_over: &dyn Fn() -> bool, begin: impl Fn(), end: impl Fn()) -> Times {
    let began = Instant::now();
    let mut times = Vec::new();
    let wait = |time: Duration| {
        let until = Instant::now() + time;
        while Instant::now() < until && !is_over() {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    loop {
        wait(up);
        if is_over() {
            return times;
        }
        begin();
        let from = began.elapsed();
        wait(down);
        end();
        times.push((from.as_secs_f64(), began.elapsed().as_secs_f64()));
    }
}
