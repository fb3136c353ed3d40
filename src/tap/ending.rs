//! The end of a carried connection, from what both directions and the kernel know of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use ssh_doctor_checks::facts::connection::Manner;
use ssh_doctor_checks::facts::idle::Sign;
use ssh_doctor_checks::facts::journal::Direction;
use ssh_doctor_checks::facts::sessions::{Exchange, Others, SessionEnd, Unanswered};
use ssh_doctor_checks::facts::sockets::TcpState;
use ssh_doctor_checks::facts::tcp::TcpInfo;
use ssh_doctor_checks::os;

use super::carry::Closed;
use super::flow::Flow;
use super::observe::{Silence, seconds};

/// A packet whose acknowledgement is missing for so long when the client closes was lost: no healthy path needs a second retransmission.
const LOST_AFTER: Duration = Duration::from_secs(3);
/// An exchange longer than this is use, and not the words that end an idle session.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(5);
/// Sessions that were heard within this time of each other were lost together.
const TOGETHER_MS: u32 = 10_000;

/// The facts known at the end.
pub(super) struct Final<'a> {
    pub(super) flow: &'a Flow,
    /// The time at which it ended.
    pub(super) at: Instant,
    /// The way the side that ended first did so.
    pub(super) by: By,
    /// The kernel's counters then or right after.
    pub(super) info: Option<TcpInfo>,
    /// The time at which they were read: their times count back from it.
    pub(super) read_at: Instant,
    /// True if everything was acknowledged shortly after the client had closed.
    pub(super) settled: bool,
}

/// The side that ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The client: it closed its pipe, or asked us to end.
    Client,
    /// The server or the path.
    Server(Closed),
}

/// The end, and the idle time before it.
pub(super) fn end(known: &Final<'_>) -> (SessionEnd, Duration, Option<Exchange>) {
    let exchange = known.flow.last_exchange(known.at);
    let told = exchange.map(|last| Exchange { by_server: last.by == Direction::In, lasted_s: seconds(last.lasted) });
    let idle = match exchange {
        Some(last) if last.lasted <= LAST_WORDS => last.idle_before,
        Some(_) => Duration::ZERO,
        None => known.at.saturating_duration_since(known.flow.last_moved()),
    };
    let (end, idle) = match known.by {
        By::Client => closed_here(known, idle),
        By::Server(closed) => closed_there(known, closed, idle),
    };
    (end, idle, told)
}

/// True if packets are lost at this moment, so that the side that closes may do so because of that.
pub(super) fn is_frozen(flow: &Flow, info: &TcpInfo, now: Instant) -> bool {
    info.is_losing() && Silence::of(flow, info, now).unanswered(now) >= LOST_AFTER
}

fn closed_here(known: &Final<'_>, idle: Duration) -> (SessionEnd, Duration) {
    let Some(info) = known.info.filter(|info| info.unacked > 0) else { return (in_order(known), idle) };
    if known.settled && !is_frozen(known.flow, &info, known.read_at) {
        return (in_order(known), idle);
    }
    let silence = Silence::of(known.flow, &info, known.read_at);
    let unanswered = silence.unanswered(known.at);
    let end = SessionEnd::Died {
        manner: Manner::Silent,
        sign: Sign::AfterProbe,
        unanswered_s: Some(seconds(unanswered)),
        tcp: known.info,
    };
    (end, silence.quiet)
}

fn in_order(known: &Final<'_>) -> SessionEnd {
    let unanswered = known.flow.unanswered().map(|(packets, first, alike)| Unanswered {
        packets,
        for_s: seconds(known.at.saturating_duration_since(first)),
        alike,
    });
    SessionEnd::ClosedHere { unanswered }
}

fn closed_there(known: &Final<'_>, closed: Closed, idle: Duration) -> (SessionEnd, Duration) {
    let manner = match closed {
        Closed::AtEnd | Closed::Client(_) => Manner::Fin,
        Closed::Connection(Errno::ECONNRESET | Errno::EPIPE) => Manner::Reset,
        Closed::Connection(errno) => Manner::Errno { errno: errno as i32 },
    };
    // A reset and a give-up acknowledge nothing: what the kernel heard last was before them. A close does.
    let silence =
        known.info.filter(|_| manner != Manner::Fin).map(|info| Silence::of(known.flow, &info, known.read_at));
    let first_unanswered = silence.as_ref().and_then(|silence| silence.first_unanswered);
    let answered_to = known.flow.last_exchange(known.at).filter(|last| last.by == Direction::Out);
    let after_packet = if silence.is_some() { first_unanswered.is_some() } else { answered_to.is_some() };
    let idle = match silence {
        Some(silence) if first_unanswered.is_some() => silence.quiet,
        _ => idle,
    };
    let end = SessionEnd::Died {
        manner,
        sign: if after_packet { Sign::AfterProbe } else { Sign::BeforeProbe },
        unanswered_s: first_unanswered.map(|first| seconds(known.at.saturating_duration_since(first))),
        tcp: known.info,
    };
    (end, idle)
}

/// The other connections of this machine to the same server, by what the kernel has heard on them.
pub(super) fn others(own: SocketAddr, server: SocketAddr, heard_ms: u32) -> Others {
    let mut others = Others::default();
    // Where the table cannot be read, none are known.
    let _ = os::for_each_tcp_socket(|socket| {
        if socket.remote != server || socket.local == own || socket.inode == 0 || socket.state != TcpState::Established
        {
            return;
        }
        let Some(info) = socket.info else { return };
        let last = info.last_ack_ms.min(info.last_received_ms);
        if info.is_losing() {
            others.lost += 1;
        } else if last.saturating_add(TOGETHER_MS) < heard_ms {
            others.alive += 1;
        }
    });
    others
}
