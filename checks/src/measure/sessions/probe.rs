//! Distinguishes a connection whose path is dead from an idle one, without a byte of SSH: a few TCP keepalives of the
//! kernel.

use std::io::{self, ErrorKind};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::keepalive::borrowed;
use crate::facts::live_sessions::{LiveSession, Probe};
use crate::facts::sockets::TcpState;
use crate::os::socket::{Socket, SocketKeepalive};

/// The shortest that the kernel knows (`TCP_KEEPIDLE`, `TCP_KEEPINTVL`, tcp(7)).
const SECOND: Duration = Duration::from_secs(1);
/// Keepalives that may stay unanswered: one may be lost, three hardly are.
const PROBES: u8 = 3;
/// A count of unanswered keepalives below which the kernel might end the connection (`TCP_KEEPCNT`).
const LOWEST_COUNT: u32 = 6;
/// The interval at which the answer is looked for.
const GLANCE: Duration = Duration::from_millis(50);
/// The kernel's times are in its clock ticks: what was heard right before the beginning is not an answer.
const TICKS: Duration = Duration::from_millis(20);
/// Round-trip times that an answer is waited for beyond the last keepalive's second.
const ROUND_TRIPS: u32 = 3;

/// Sends up to three TCP keepalives, a second apart, and puts the old settings back.
///
/// None are sent where data is unacknowledged, since the retransmissions ask already, and where the kernel could end the connection for it.
#[must_use]
pub fn probe(session: &LiveSession) -> Probe {
    let not_probed = |why: &str| Probe::NotProbed { why: why.to_owned() };
    if session.socket.state != TcpState::Established {
        return not_probed("it is being closed");
    }
    if session.socket.inode == 0 || session.holders.is_empty() {
        return not_probed("its process may not be seen by this user");
    }
    let socket = match borrowed(session) {
        Ok(socket) => socket,
        Err(error) => return not_probed(&refusal(&error)),
    };
    match probe_socket(&socket) {
        Ok(outcome) => outcome,
        Err(error) => not_probed(&format!("its socket refuses it ({error})")),
    }
}

fn probe_socket(socket: &Socket) -> io::Result<Probe> {
    let Some(info) = socket.tcp_info() else { return Ok(Probe::Ended) };
    let why = |why: &str| Ok(Probe::NotProbed { why: why.to_owned() });
    if info.unacked > 0 {
        return why("data is unacknowledged: the kernel asks already");
    }
    if socket.user_timeout()?.is_some() {
        return why("TCP_USER_TIMEOUT is set: a slow answer could end it");
    }
    let (was_on, before) = socket.keepalive_values()?;
    if before.retries < LOWEST_COUNT {
        return why("its keepalive count is low: unanswered ones could end it");
    }
    let began = Instant::now();
    let restore = Restore { socket, was_on, before };
    socket.set_tcp_keepalive(Some(SocketKeepalive { idle: SECOND, interval: SECOND, retries: before.retries }))?;
    let outcome = watch(socket, began, info.probes, Duration::from_micros(info.rtt_us.into()));
    drop(restore);
    Ok(outcome)
}

/// Looks for an acknowledgement until enough keepalives are unanswered.
fn watch(socket: &Socket, began: Instant, before: u8, round_trip: Duration) -> Probe {
    let longest = SECOND * u32::from(PROBES) + round_trip * ROUND_TRIPS;
    loop {
        sleep(GLANCE);
        let Some(info) = socket.tcp_info().filter(|_| socket.is_connected()) else { return Probe::Ended };
        let waited = began.elapsed();
        let heard = Duration::from_millis(info.last_ack_ms.min(info.last_received_ms).into());
        if heard + TICKS < waited {
            return Probe::Answered { within_ms: milliseconds(waited) };
        }
        if waited > longest {
            let probes = info.probes.saturating_sub(before);
            let too_few = Probe::NotProbed { why: "the kernel sent too few keepalives".to_owned() };
            let unanswered = Probe::Unanswered { probes: probes.into(), waited_ms: milliseconds(waited) };
            return if probes >= PROBES { unanswered } else { too_few };
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round()
}

/// Puts the old settings back, however the probe ended.
struct Restore<'a> {
    socket: &'a Socket,
    was_on: bool,
    before: SocketKeepalive,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        // A socket that ended meanwhile needs them no longer.
        let _ = self.socket.set_tcp_keepalive(Some(self.before));
        if !self.was_on {
            let _ = self.socket.set_tcp_keepalive(None);
        }
    }
}

fn refusal(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => "the kernel lends its socket to root only (ptrace(2))".to_owned(),
        ErrorKind::NotFound => "it has just ended".to_owned(),
        ErrorKind::Unsupported => "this system cannot borrow sockets".to_owned(),
        _ => format!("its socket cannot be borrowed ({error})"),
    }
}
