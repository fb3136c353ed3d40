//! The state of a live session, judged by the kernel's counters alone.

use serde::Serialize;
use ssh_doctor_checks::facts::live_sessions::{LiveSession, Probe};
use ssh_doctor_checks::facts::sockets::{TcpSocket, TcpState, TimerKind};

/// A session on which data moved so recently is in use, seconds.
const RECENT_S: f64 = 5.0;
/// Retransmissions of one segment before a session counts as frozen: a lossy path needs one or two now and then.
const RETRANSMISSIONS: u8 = 3;
/// The least time without an acknowledgement before a session counts as frozen, seconds.
const FROZEN_S: f64 = 2.0;
/// Data that lies unread for so long waits for a program that does not read, seconds.
const UNREAD_S: f64 = 1.0;
/// The shortest and the longest retransmission time-out of Linux (TCP_RTO_MIN, TCP_RTO_MAX), seconds.
const RTO_S: std::ops::RangeInclusive<f64> = 0.2..=120.0;

/// The state of a live session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(super) enum State {
    /// Data moved within the last seconds.
    Active,
    /// Nothing moves, and nothing is unacknowledged; whether the path is alive was asked or is not known.
    Idle,
    /// Data sent is not acknowledged.
    Frozen {
        /// Seconds since the first segment without an acknowledgement was sent, estimated from the retransmissions.
        unanswered_s: f64,
    },
    /// Nothing answers TCP keepalives: the path or the other end is dead, and neither program knows it.
    Dead,
    /// One side has closed.
    HalfClosed,
    /// The program on this machine does not read what came.
    ReaderStuck,
    /// The other side takes no more data.
    WindowClosed,
}

impl State {
    /// The state of a session that was looked at twice; the second look tells what passes from what stays.
    pub(super) fn of(session: &LiveSession, later: Option<&TcpSocket>) -> Self {
        let socket = later.unwrap_or(&session.socket);
        let Some(info) = &socket.info else { return Self::Idle };
        let timer = socket.timer.map(|timer| timer.kind);
        let heard_s = f64::from(info.last_ack_ms.min(info.last_received_ms)) / 1000.0;
        let retransmitting = timer == Some(TimerKind::Retransmit) && info.unacked > 0;
        if retransmitting && info.backoff >= RETRANSMISSIONS && heard_s >= FROZEN_S {
            return Self::Frozen { unanswered_s: unanswered_s(socket).min(heard_s) };
        }
        if matches!(session.probe, Some(Probe::Unanswered { .. })) {
            return Self::Dead;
        }
        if socket.state != TcpState::Established {
            return Self::HalfClosed;
        }
        if timer == Some(TimerKind::WindowProbe) && socket.send_queue > 0 {
            return Self::WindowClosed;
        }
        let unread = session.socket.receive_queue.min(socket.receive_queue);
        let unread_s = session.socket.info.map_or(0.0, |info| f64::from(info.last_received_ms) / 1000.0);
        if unread > 0 && socket.receive_queue >= session.socket.receive_queue && unread_s >= UNREAD_S {
            return Self::ReaderStuck;
        }
        let moved_s = f64::from(info.last_received_ms.min(info.last_sent_ms)) / 1000.0;
        if moved_s < RECENT_S { Self::Active } else { Self::Idle }
    }

    /// Every name in reports.
    pub(super) const NAMES: [&str; 7] =
        ["active", "idle", "frozen", "dead", "half-closed", "reader-stuck", "window-closed"];

    /// Its name in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Frozen { .. } => "frozen",
            Self::Dead => "dead",
            Self::HalfClosed => "half-closed",
            Self::ReaderStuck => "reader-stuck",
            Self::WindowClosed => "window-closed",
        }
    }

    /// True if no byte will ever arrive on it unless the path comes back.
    pub(super) fn is_lost(self) -> bool {
        matches!(self, Self::Frozen { .. } | Self::Dead)
    }
}

/// Seconds since the first transmission of the oldest unacknowledged segment, reckoned from the doubling of the time-out (RFC 6298 section 5).
fn unanswered_s(socket: &TcpSocket) -> f64 {
    let Some(info) = &socket.info else { return 0.0 };
    let current = f64::from(info.rto_us) / 1e6;
    let left = socket.timer.map_or(0.0, |timer| timer.expires_ms as f64 / 1000.0);
    let backoff = i32::from(info.backoff);
    let first = (current / 2_f64.powi(backoff)).clamp(*RTO_S.start(), *RTO_S.end());
    let before: f64 = (0..backoff).map(|times| (first * 2_f64.powi(times)).min(*RTO_S.end())).sum();
    before + (current - left).max(0.0)
}

/// Seconds until the kernel gives a frozen connection up, at least: the time that its number of retransmissions takes at the shortest
/// time-out (tcp_retries2, ip-sysctl).
pub(super) fn gives_up_s(unanswered_s: f64, retries: u32) -> f64 {
    let total: f64 = (0..=retries).map(|times| (RTO_S.start() * 2_f64.powf(times.into())).min(*RTO_S.end())).sum();
    (total - unanswered_s).max(0.0)
}

#[cfg(test)]
mod tests {
    use ssh_doctor_checks::facts::live_sessions::Role;
    use ssh_doctor_checks::facts::sockets::TcpTimer;
    use ssh_doctor_checks::facts::sockets::{TcpSocket, TcpState, TimerKind};
    use ssh_doctor_checks::facts::tcp::TcpInfo;

    use super::*;

    fn session(change: impl FnOnce(&mut TcpSocket)) -> LiveSession {
        let idle =
            TcpInfo { last_ack_ms: 60_000, last_received_ms: 60_000, last_sent_ms: 60_000, ..TcpInfo::default() };
        let mut socket = TcpSocket {
            state: TcpState::Established,
            local: "192.0.2.1:5000".parse().unwrap(),
            remote: "192.0.2.2:22".parse().unwrap(),
            timer: None,
            receive_queue: 0,
            send_queue: 0,
            uid: 0,
            inode: 7,
            cookie: 7,
            info: Some(idle),
        };
        change(&mut socket);
        LiveSession {
            role: Role::Client,
            socket,
            holders: Vec::new(),
            process: None,
            ancestors: Vec::new(),
            partners: Vec::new(),
            keepalive: None,
            probe: None,
        }
    }

    fn state(change: impl FnOnce(&mut TcpSocket)) -> State {
        State::of(&session(change), None)
    }

    fn info(socket: &mut TcpSocket) -> &mut TcpInfo {
        socket.info.as_mut().unwrap()
    }

    fn retransmitting(backoff: u8, heard_ms: u32) -> State {
        state(|socket| {
            socket.timer = Some(TcpTimer { kind: TimerKind::Retransmit, expires_ms: 400 });
            socket.send_queue = 36;
            *info(socket) = TcpInfo { backoff, unacked: 1, rto_us: 1_600_000, last_ack_ms: heard_ms, ..*info(socket) };
        })
    }

    #[test]
    fn a_session_without_traffic_is_idle_and_one_with_it_is_active() {
        assert_eq!(state(|_| {}), State::Idle);
        assert_eq!(state(|socket| info(socket).last_sent_ms = 100), State::Active);
        assert_eq!(state(|socket| info(socket).last_received_ms = 100), State::Active);
    }

    #[test]
    fn three_retransmissions_without_an_acknowledgement_are_frozen_and_fewer_are_not() {
        // 0.2 + 0.4 + 0.8 s, and 1.2 of the 1.6 s that the timer has now.
        let State::Frozen { unanswered_s } = retransmitting(3, 60_000) else { panic!() };
        assert!((unanswered_s - 2.6).abs() < 0.01, "{unanswered_s}");
        assert_eq!(retransmitting(2, 60_000), State::Idle);
        assert_eq!(retransmitting(3, 1500), State::Idle);
    }

    #[test]
    fn the_kernel_gives_up_after_fifteen_minutes() {
        assert!((gives_up_s(0.0, 15) - 924.6).abs() < 0.1);
        assert!((gives_up_s(900.0, 15) - 24.6).abs() < 0.1);
        assert!(gives_up_s(2000.0, 15).abs() < 0.1);
    }

    #[test]
    fn unanswered_keepalives_are_death_and_answered_ones_are_not() {
        let mut session = session(|_| {});
        session.probe = Some(Probe::Unanswered { probes: 3, waited_ms: 3000.0 });
        assert_eq!(State::of(&session, None), State::Dead);
        session.probe = Some(Probe::Answered { within_ms: 10.0 });
        assert_eq!(State::of(&session, None), State::Idle);
    }

    #[test]
    fn who_does_not_read_and_who_takes_no_more_are_told_apart() {
        assert_eq!(state(|socket| socket.receive_queue = 512), State::ReaderStuck);
        let mut passing = session(|socket| socket.receive_queue = 512);
        let read = TcpSocket { receive_queue: 0, ..passing.socket.clone() };
        assert_eq!(State::of(&passing, Some(&read)), State::Idle);
        passing.socket.info.as_mut().unwrap().last_received_ms = 10;
        assert_eq!(State::of(&passing, None), State::Active);
        let closed = state(|socket| {
            socket.timer = Some(TcpTimer { kind: TimerKind::WindowProbe, expires_ms: 400 });
            socket.send_queue = 4096;
        });
        assert_eq!(closed, State::WindowClosed);
        assert_eq!(state(|socket| socket.state = TcpState::CloseWait), State::HalfClosed);
    }
}
