//! An open session in the account of a watch, and the record of its end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::kind::SessionType;
use super::session::{Death, Totals};
use crate::facts::connection::Manner;
use crate::facts::idle::Holds;
use crate::facts::sessions::{Observer, Others, Session, SessionEnd, Unanswered};
use crate::os::clocks::wall;

/// Segments without an acknowledgement are lost after this time; before, they may be on their way.
const ON_THEIR_WAY: Duration = Duration::from_secs(3);

/// The server that is watched, as the user named it.
#[derive(Debug, Clone)]
pub(super) struct Whom {
    pub(super) host: String,
    pub(super) port: u16,
}

/// A session that is open.
pub(super) struct Open {
    pub(super) number: u32,
    pub(super) began: Instant,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: Option<SocketAddr>,
    pub(super) holds: Holds,
    pub(super) survived: Duration,
    pub(super) heard: Instant,
    pub(super) stalled: Option<Instant>,
    pub(super) totals: Totals,
    /// The totals in the last heartbeat.
    pub(super) told: Totals,
    pub(super) answers: u64,
}

/// A loss of which not everything is known yet.
pub(super) struct Pending {
    pub(super) place: usize,
    pub(super) number: u32,
    pub(super) facts: Session,
    pub(super) totals: Totals,
    /// The time at which it stopped: its end, or its first request without an answer.
    pub(super) moment: Instant,
    pub(super) due: Instant,
}

impl Open {
    /// Returns the record of a lost session without a look at the others.
    pub(super) fn lost(&self, whom: &Whom, kind: SessionType, death: &Death) -> Session {
        let unanswered = death.asked.map(|asked| death.at.saturating_duration_since(asked));
        let silent = death.manner == Manner::Silent;
        let acknowledged = silent && death.tcp.is_some_and(|tcp| tcp.is_acknowledged());
        let end = match unanswered {
            // The kernel on the other side took everything: only sshd is missing.
            Some(waited) if acknowledged && waited > ON_THEIR_WAY => SessionEnd::ClosedHere {
                unanswered: Some(Unanswered { packets: death.requests, for_s: seconds(waited), alike: true }),
            },
            _ => SessionEnd::Died {
                manner: death.manner.clone(),
                sign: death.sign,
                unanswered_s: unanswered.map(seconds),
                tcp: death.tcp,
            },
        };
        let (age_s, quiet_s) = (Some(seconds(death.age)), seconds(death.idle));
        Session { seen_at: wall(death.at), age_s, quiet_s, end, ..self.session(whom, kind) }
    }

    /// A session that the end of the watch closes.
    pub(super) fn closed(&self, whom: &Whom, kind: SessionType) -> Session {
        Session { end: SessionEnd::ClosedHere { unanswered: None }, ..self.session(whom, kind) }
    }

    /// The session as it is now.
    fn session(&self, whom: &Whom, kind: SessionType) -> Session {
        let now = Instant::now();
        Session {
            observer: Observer::Watch,
            traffic: kind.traffic(),
            holds: Some(self.holds),
            host: whom.host.clone(),
            port: whom.port,
            local: self.local,
            remote: self.remote,
            seen_at: wall(now),
            age_s: Some(seconds(now - self.began)),
            survived_s: seconds(self.survived),
            quiet_s: seconds(now.saturating_duration_since(self.heard)),
            exchange: None,
            end: SessionEnd::Open,
            machine: Vec::new(),
            others: Others::default(),
            next: None,
        }
    }
}

/// Seconds with three decimals: no clock here is worth more.
pub(super) fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
