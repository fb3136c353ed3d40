//! `ssh-doctor tap`: a ProxyCommand that carries a session and records its life.
//!
//! Nothing here may end or delay a session: the bytes have threads of their own, and so has the disk.

mod args;
mod carry;
mod connect;
mod ending;
mod flow;
mod observe;
mod plain_text;
mod shared;
mod signals;
mod words;

use std::fs::File;
use std::io::{stdin, stdout};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::unistd::{dup2_stderr, dup2_stdout};
use ssh_doctor_checks::causes::sessions::codes;
use ssh_doctor_checks::facts::idle::Holds;
use ssh_doctor_checks::facts::journal::{Connected, Direction, Ended, Event, NotConnected, Started, VERSION};
use ssh_doctor_checks::facts::sessions::{Observer as SeenBy, Others, Session, Traffic};
use ssh_doctor_checks::os;
use ssh_doctor_checks::os::clocks::wall;
use ssh_doctor_checks::os::host_changes::HostChanges;
use ssh_doctor_checks::os::socket::Socket;

pub use args::TapArgs;
use carry::{Closed, carry, is_left, widen};
use connect::{Connection, Failure, connect, interface};
use ending::{By, Final, LAST_WORDS, end, is_frozen, others};
use observe::{Observer, SESSION, seconds};
use plain_text::Handshake;
use shared::Shared;
use signals::Signals;
use words::words;

use crate::diagnose::Verdict;
use crate::journal::{Recorder, Sync, Writer, folder, new_file, prune};
use crate::ssh_args::SshArgs;
use crate::terminal::{reason, remark};

/// A server's end so soon after the client's last bytes may be the answer to a farewell.
const ANSWERED: Duration = Duration::from_secs(1);
/// The time that ssh may take from its farewell to its own end, on a busy machine too.
const CLIENT_LEAVES: Duration = Duration::from_secs(1);
/// The time that ssh may take to end after the server has.
const CLIENT_ENDS: Duration = Duration::from_secs(5);
/// The time that the last packets may take to be acknowledged after the client has ended.
const SETTLES: Duration = Duration::from_secs(3);
/// The time that the last records may take to reach the disk.
const RECORDED: Duration = Duration::from_secs(2);

/// Carries one connection until it ends.
pub fn run(args: &TapArgs) -> Result<Verdict> {
    // Not repeated: it may hold a password.
    ensure!(!args.host.contains(['@', '/']), "HOST is a host name or an address alone, as %h in a ProxyCommand");
    // Before any thread: a signal goes to whichever thread does not block it.
    let signals = Signals::block();
    let recorder = Recorder::start(new_journal);
    let started = Started {
        journal: VERSION,
        command: "tap".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        host: args.host.clone(),
        port: args.port,
        holds: holds(),
        keep_alive_s: args.keep_alive.map(|idle| idle.as_secs_f64()),
    };
    let holds = started.holds;
    let connection = connect(args);
    recorder.record(Event::Started(started), Sync::Later);
    match connection {
        Ok(connection) => carried(args, holds, connection, recorder, &signals),
        Err(failure) => Ok(not_connected(args, failure, recorder)),
    }
}

/// A journal in the folder of `tap`, in which the oldest make room.
fn new_journal() -> Option<Writer> {
    let folder = folder("tap")?;
    let journal = Writer::open(&new_file(&folder)).ok()?;
    let _ = prune(&folder);
    Some(journal)
}

fn not_connected(args: &TapArgs, failure: Failure, recorder: Recorder) -> Verdict {
    let Failure { failed, resolve_error, error } = failure;
    remark(format_args!("ssh-doctor: connect to {} port {}: {}", args.host, args.port, reason(&error)));
    recorder.record(Event::NotConnected(NotConnected { failed, resolve_error, reason: None }), Sync::Now);
    recorder.record(Event::Stopped, Sync::Later);
    recorder.finish(RECORDED);
    Verdict::Broken
}

fn carried(
    args: &TapArgs,
    holds: Option<Holds>,
    connection: Connection,
    recorder: Recorder,
    signals: &Signals,
) -> Result<Verdict> {
    let Connection { stream, resolve_ms, connect_ms, failed } = connection;
    let began = Instant::now();
    let unusable = "the connection cannot be used";
    let (local, remote) = (stream.local_addr().context(unusable)?, stream.peer_addr().context(unusable)?);
    let socket = Socket::of(&stream).context(unusable)?;
    stream.set_nonblocking(true).context(unusable)?;
    let shared = Arc::new(Shared::new(began));
    let handshake = Handshake::default();
    widen(stdin().as_fd());
    signals.tell(&shared);
    let stream = Arc::new(stream);
    start(Direction::In, &stream, &shared, &handshake)?;
    start(Direction::Out, &stream, &shared, &handshake)?;
    let connected = Connected {
        session: SESSION,
        traffic: Traffic::Use,
        holds,
        remote: Some(remote),
        local: Some(local),
        interface: interface(local.ip()),
        resolve_ms,
        connect_ms,
        failed,
    };
    recorder.record(Event::Connected(connected), Sync::Later);
    let mut machine = HostChanges::new(None);
    machine.follow(remote, local);
    let mut observer = Observer::new(&shared, &socket, &recorder, &handshake, began, machine);
    observer.run();
    observer.tell_negotiated();
    let (info, read_at) = (socket.tcp_info(), Instant::now());
    shared.wait_for_notes();
    // As it is now: ssh says its last words into a connection that has ended.
    let flow = shared.state().flow.clone();
    let (at, by) = ended_by(&shared, &socket);
    let settled = match by {
        By::Client => !info.is_some_and(|info| is_frozen(&flow, &info, read_at)) && settle(&stream, &socket, &shared),
        By::Server(_) => {
            close_client(&shared);
            true
        }
    };
    let (how, quiet, exchange) = end(&Final { flow: &flow, at, by, info, read_at, settled });
    let heard_ms = info.map_or(0, |info| info.last_ack_ms.min(info.last_received_ms));
    let facts = Session {
        observer: SeenBy::Tap,
        traffic: Traffic::Use,
        holds,
        host: args.host.clone(),
        port: args.port,
        local: Some(local),
        remote: Some(remote),
        seen_at: wall(at),
        age_s: Some(seconds(at.saturating_duration_since(began))),
        survived_s: seconds(flow.survived(at)),
        quiet_s: seconds(quiet),
        exchange,
        end: how,
        machine: observer.machine_since(flow.last_heard(at, LAST_WORDS)),
        others: Others::default(),
        next: None,
    };
    let died = facts.death().is_some();
    let others = if died { others(local, remote, heard_ms) } else { Others::default() };
    let facts = Session { others, ..facts };
    let ended = Ended { session: SESSION, facts, received: flow.received, sent: flow.sent, last: flow.recent(at) };
    if !args.quiet && codes(std::slice::from_ref(&ended.facts)) != [None] {
        words(&ended.facts).into_iter().for_each(remark);
    }
    // Whoever waits for the end of ssh's standard error need not wait for our disk.
    let _ = File::open("/dev/null").map(dup2_stderr);
    recorder.record(Event::Ended(Box::new(ended)), Sync::Now);
    recorder.record(Event::Stopped, Sync::Later);
    recorder.finish(RECORDED);
    Ok(if died { Verdict::Broken } else { Verdict::Healthy })
}

/// Returns the use of the connection by the ssh that started us; `None` where another program did.
fn holds() -> Option<Holds> {
    let ssh = os::process(nix::unistd::getppid().as_raw().try_into().ok()?)?;
    if ssh.name != "ssh" {
        return None;
    }
    let asked = SshArgs::read(ssh.arguments.iter().skip(1).map(String::as_str));
    Some(match (asked.nothing, asked.command || asked.subsystem) {
        (true, _) => Holds::Nothing,
        (_, true) => Holds::Command,
        _ => Holds::Shell,
    })
}

/// Starts carrying in one direction.
fn start(direction: Direction, stream: &Arc<TcpStream>, shared: &Arc<Shared>, handshake: &Handshake) -> Result<()> {
    let (stream, shared, handshake) = (Arc::clone(stream), Arc::clone(shared), handshake.clone());
    let carrying = move || {
        let look = |now: Instant, bytes: &[u8]| handshake.look(direction, now, bytes);
        let moved = |now: Instant, bytes: usize| shared.moved(now, direction, bytes);
        let moving = shared.moving(direction);
        let (input, output) = (stdin(), stdout());
        let closed = match direction {
            Direction::In => carry(direction, stream.as_fd(), output.as_fd(), moving, look, moved),
            Direction::Out => carry(direction, input.as_fd(), stream.as_fd(), moving, look, moved),
        };
        shared.closed(direction, closed);
    };
    let name = if direction == Direction::In { "from-server" } else { "to-server" };
    thread::Builder::new().name(name.to_owned()).spawn(carrying).context("no thread can be started")?;
    Ok(())
}

/// The side that ended it, and when.
fn ended_by(shared: &Shared, socket: &Socket) -> (Instant, By) {
    let (at, by, last_sent) = {
        let state = shared.state();
        let (at, by) = seen_first(&state, socket);
        (at, by, state.flow.last_sent)
    };
    // A server closes as soon as the client has taken leave of it, and may do so before the client's own end is seen. The client knows
    // nothing of that yet: if it leaves now, it does so of itself.
    let may_be_answer = last_sent.is_some_and(|sent| at.saturating_duration_since(sent) <= ANSWERED);
    if matches!(by, By::Server(_)) && may_be_answer {
        let has_left = |state: &shared::State| {
            state.client.is_some_and(|(_, closed)| closed == Closed::AtEnd)
                || state.signal.is_some()
                || is_left(stdin().as_fd())
        };
        shared.wait_until(CLIENT_LEAVES, has_left);
        if has_left(&shared.state()) {
            return (at, By::Client);
        }
    }
    (at, by)
}

/// The side whose end was seen first, and when.
fn seen_first(state: &shared::State, socket: &Socket) -> (Instant, By) {
    let of_server = state.server.filter(|(_, closed)| !matches!(closed, Closed::Client(_)));
    let failed = state.client.filter(|(_, closed)| matches!(closed, Closed::Connection(_)));
    let of_client =
        [state.server, state.client].into_iter().flatten().find(|(_, closed)| matches!(closed, Closed::Client(_)));
    let at_end = state.client.filter(|(_, closed)| *closed == Closed::AtEnd);
    let client = [of_client, at_end].into_iter().flatten().map(|(at, _)| at).chain(state.signal).min();
    match (of_server.or(failed), client) {
        (Some((at, _)), Some(client)) if client <= at => (client, By::Client),
        // The other direction may have taken the error of a reset: a connection that was closed in order still has another end.
        (Some((at, Closed::AtEnd)), _) if !socket.is_connected() => {
            (at, By::Server(failed.map_or(Closed::Connection(nix::errno::Errno::ECONNRESET), |(_, closed)| closed)))
        }
        (Some((at, closed)), _) => (at, By::Server(closed)),
        (None, client) => (client.unwrap_or_else(Instant::now), By::Client),
    }
}

/// Ends the connection towards the server, carries on the remaining data for the reader, and waits until the last
/// packets are acknowledged; returns true if they were.
fn settle(stream: &TcpStream, socket: &Socket, shared: &Shared) -> bool {
    let _ = stream.shutdown(Shutdown::Write);
    let is_acknowledged = || socket.tcp_info().is_none_or(|info| info.unacked == 0) || !socket.is_connected();
    // Who still reads has closed one direction only.
    while !is_left(stdout().as_fd()) && shared.state().server.is_none() && shared.state().signal.is_none() {
        shared
            .wait_until(SETTLES, |state| state.server.is_some() || state.signal.is_some() || is_left(stdout().as_fd()));
    }
    let mut acknowledged = false;
    shared.wait_until(SETTLES, |_| {
        acknowledged = is_acknowledged();
        acknowledged
    });
    acknowledged
}

/// Signals the end of the connection to ssh, and waits until ssh has reported it and exited.
fn close_client(shared: &Shared) {
    let _ = File::open("/dev/null").map(dup2_stdout);
    shared.wait_until(CLIENT_ENDS, |state| state.signal.is_some() || is_left(stdin().as_fd()));
}
