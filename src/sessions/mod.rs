//! `ssh-doctor sessions`: the SSH connections that are open now, and which of them are dead.

mod args;
mod describe;
mod json;
mod keep_alive;
mod listed;
mod past;
mod state;
mod table;

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};
use ssh_doctor_checks::facts::live_sessions::{LiveSession, Role};
use ssh_doctor_checks::measure::sessions::{Inventory, borrowed, inventory, keepalive_of, probe};
use ssh_doctor_checks::os;

pub use args::{KeepAlive, ListFormat, SessionsArgs};
pub use json::schema;
use listed::{Listed, verdict};

use crate::diagnose::Verdict;
use crate::terminal::{say, style};

/// The time between two looks at the sockets: it separates passing states from lasting ones.
const SECOND_LOOK: Duration = Duration::from_millis(300);
/// Connections that are probed at the same time.
const AT_ONCE: usize = 64;

/// Lists the sessions, probes them or leaves a keepalive on them, as asked.
pub fn run(args: &SessionsArgs) -> Result<Verdict> {
    if args.past {
        return past::run(args);
    }
    let Inventory { mut sessions, hidden, cut_short } = match inventory() {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            bail!("this system's socket table cannot be read: run it on Linux")
        }
        other => other.context("the kernel's socket table cannot be read (sock_diag)")?,
    };
    sessions.retain(|session| session.socket.inode != 0);
    if !args.pids.is_empty() {
        sessions.retain(|session| belongs_to(session, &args.pids));
    }
    sessions.sort_by_key(|session| (session.role == Role::Server, session.process.as_ref().map(|process| process.pid)));
    if let Some(keep_alive) = args.keep_alive {
        return keep_alive::set(&sessions, keep_alive);
    }
    for session in &mut sessions {
        session.keepalive = borrowed(session).and_then(|socket| keepalive_of(&socket)).ok();
    }
    if args.probe {
        probe_all(&mut sessions);
    } else {
        thread::sleep(SECOND_LOOK);
    }
    let listed: Vec<Listed> = sessions
        .into_iter()
        .map(|session| {
            let later = os::tcp_socket(&session.socket).ok().flatten();
            Listed::of(session, later)
        })
        .collect();
    let not_known = not_known(&listed, hidden, cut_short, args.probe);
    say(&match args.format {
        ListFormat::Text => table::render(&listed, &not_known, style(args.look.color)),
        ListFormat::Json => json::render(&listed, &not_known, args.pretty),
    })?;
    Ok(verdict(&listed))
}

fn belongs_to(session: &LiveSession, pids: &[u32]) -> bool {
    let around = session.process.iter().chain(&session.ancestors).chain(&session.partners).map(|process| process.pid);
    around.chain(session.holders.iter().map(|holder| holder.pid)).any(|pid| pids.contains(&pid))
}

/// Probes all of them side by side; it takes about three seconds.
///
/// Ctrl-C waits for its end: until then the sockets of other programs carry our settings.
fn probe_all(sessions: &mut [LiveSession]) {
    let ending = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    let deferred = ending.thread_block().is_ok();
    for some in sessions.chunks_mut(AT_ONCE) {
        thread::scope(|scope| {
            for session in some {
                scope.spawn(|| session.probe = Some(probe(session)));
            }
        });
    }
    if deferred {
        let _ = ending.thread_unblock();
    }
}

/// Describes the data that this user lacks the rights to read, or the system does not offer.
fn not_known(listed: &[Listed], hidden: bool, cut_short: bool, probed: bool) -> Vec<String> {
    let mut what = Vec::new();
    let nameless = listed.iter().filter(|listed| listed.session.process.is_none()).count();
    if hidden && nameless > 0 {
        what.push(format!(
            "the processes behind {nameless} of these connections (other users' processes: root sees them)"
        ));
    } else if hidden {
        what.push("connections of other users' clients to other ports than 22 (root sees them)".to_owned());
    }
    if cut_short {
        what.push("connections beyond the first 65,536".to_owned());
    }
    let silent = listed.iter().filter(|listed| listed.state == state::State::Idle).count();
    if silent > 0 && !probed {
        what.push("whether the idle ones are still alive: ssh-doctor sessions --probe asks".to_owned());
    }
    what
}
