//! Everything known of the live sessions, ready to be shown.

use ssh_doctor_checks::facts::live_sessions::{LiveSession, Role};
use ssh_doctor_checks::facts::sockets::TcpSocket;

use super::describe::Described;
use super::state::{State, gives_up_s};
use crate::diagnose::Verdict;

/// Retransmissions after which Linux gives a connection up, where the system does not say (tcp_retries2, ip-sysctl).
const RETRIES: u32 = 15;

/// One live session with its name and its state.
pub(super) struct Listed {
    pub(super) session: LiveSession,
    pub(super) described: Described,
    pub(super) state: State,
    /// The later one of two looks at its socket.
    pub(super) socket: TcpSocket,
}

impl Listed {
    pub(super) fn of(session: LiveSession, later: Option<TcpSocket>) -> Self {
        let state = State::of(&session, later.as_ref());
        let socket = later.unwrap_or_else(|| session.socket.clone());
        Self { described: Described::of(&session), state, socket, session }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.session.process.as_ref().map(|process| process.pid)
    }

    /// Seconds since data last came, was last sent, and anything was last acknowledged.
    pub(super) fn quiet_s(&self) -> Option<[f64; 3]> {
        let info = self.socket.info?;
        Some([info.last_received_ms, info.last_sent_ms, info.last_ack_ms].map(|ms| f64::from(ms) / 1000.0))
    }

    /// Seconds until the kernel gives a frozen session up.
    pub(super) fn gives_up_s(&self) -> Option<f64> {
        let State::Frozen { unanswered_s } = self.state else { return None };
        Some(gives_up_s(unanswered_s, retries()))
    }

    /// The commands that end the session.
    pub(super) fn to_end_it(&self) -> Option<String> {
        let kill = self.pid().map(|pid| format!("kill {pid}"))?;
        let at_terminal = self.session.role == Role::Client && self.described.program == "ssh";
        Some(if at_terminal { format!("Enter ~ . in its terminal, or: {kill}") } else { kill })
    }
}

fn retries() -> u32 {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_retries2");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(RETRIES)
}

/// The verdict on all of them: lost ones are broken, others that do not go on are degraded.
pub(super) fn verdict(listed: &[Listed]) -> Verdict {
    listed.iter().map(|listed| of_one(listed.state)).fold(Verdict::Healthy, Verdict::worse)
}

fn of_one(state: State) -> Verdict {
    match state {
        State::Active | State::Idle => Verdict::Healthy,
        State::HalfClosed | State::ReaderStuck | State::WindowClosed => Verdict::Degraded,
        State::Frozen { .. } | State::Dead => Verdict::Broken,
    }
}
