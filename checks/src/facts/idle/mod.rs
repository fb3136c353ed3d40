//! The facts of the idle test.

pub mod advice;
pub mod age;
pub mod arm;
pub mod bracket;
pub mod chance;
pub mod hop;
pub mod hop_state;
pub mod incident;
pub mod own;
pub mod reading;
pub mod summary;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use arm::{Arm, Holds, Moves, SessionKind, Sign, Speaker, StretchEnd, Times};
pub use bracket::Timeout;
pub use hop::{Doubt, LocatedHop, NotLocated, TtlProbe};
pub use hop_state::HopState;
pub use incident::{Incident, What};
pub use own::OwnKeepalive;
pub use reading::{KeepaliveSetting, Killer, Search};

use super::connection::Manner;
use super::path::Path;
use super::sessions::Session;
use bracket::{LATE_ACK_S, has_own_clock, refreshes};

/// Everything seen. Times are seconds since the test began unless a name says otherwise. The conclusions that a report shows beside it
/// (the bracket, the keepalive, the hop) are derived from it whenever they are asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The attempt to locate the hop that drops idle connections; `null` where none was made.
    pub hop_search: Option<HopSearch>,
    /// The hops between us and the server; `null` where they were not looked for.
    pub path: Option<Path>,
    /// Every stretch of every session.
    pub arms: Vec<Arm>,
    /// The moments at which every session was lost, and the test begun anew with others.
    pub cuts: Vec<Cut>,
    /// The last stretches of sessions that were reset although neither their silence nor their age decided that.
    pub random_resets: Vec<Arm>,
    /// The beginning of the test, seconds since the examination began.
    pub began_s: f64,
    /// The longest silence that was to be tested.
    pub longest_s: f64,
    /// The time that the test took.
    pub elapsed_s: f64,
    /// True if it came to its own end.
    pub complete: bool,
    /// Round-trip time of a request and its answer, the shortest seen, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Times when nothing came through, new connections included.
    pub outages: Vec<Outage>,
    /// Fresh connections opened at the moment of a doubt.
    pub controls: u32,
    /// Sessions that could not be opened, each with the reason.
    pub not_opened: Vec<String>,
    /// The leftovers of dead sessions on the server.
    pub leftovers: Leftovers,
    /// The connections to the hops of a ProxyJump whenever a session through them was found dead, first hop first.
    #[serde(default)]
    pub legs: Vec<HopState>,
    /// The user's own keepalive, and a session held by it; `null` in recordings of the first version.
    pub own: Option<OwnKeepalive>,
    /// The events on this machine meanwhile: with any of it nothing here may be judged.
    pub incidents: Vec<Incident>,
    /// Sessions of real life, in the order in which they began: what a journal or the socket table holds.
    pub sessions: Vec<Session>,
}

/// The attempt to locate the hop that drops idle connections; its sessions are among the arms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HopSearch {
    /// The reason for which no session could locate the hop on this route; `null` where sessions were available.
    pub impossible: Option<String>,
    /// Sessions for it that could not be opened, each with the reason.
    pub not_opened: Vec<String>,
}

/// A moment at which every session was lost, busy ones too, while new ones could be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The time at which the first of them was found lost on which something moved.
    pub at_s: f64,
    /// The last stretches of the sessions that were lost then.
    pub arms: Vec<Arm>,
}

/// A time when nothing came through.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The time at which it was noticed.
    pub started_s: f64,
    /// The time at which a connection could be opened again; `null` when none could until we gave up.
    pub ended_s: Option<f64>,
}

/// The leftovers of dead sessions on the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftovers {
    /// Sessions whose command was still there when all were over: the server could not know that they were dead.
    pub stranded: u32,
    /// The number of those that we ended over a living connection.
    pub ended: u32,
}

impl Facts {
    /// The silent arms that died, shortest first; those that the clock of a terminal ended are not among them.
    #[must_use]
    pub fn deaths(&self) -> Vec<&Arm> {
        let silent = self.arms.iter().filter(|arm| arm.moves == Moves::Nothing);
        let mut dead: Vec<&Arm> =
            silent.filter(|arm| arm.death().is_some() && !has_own_clock(&self.arms, arm)).collect();
        dead.sort_by(|a, b| a.quiet_s().total_cmp(&b.quiet_s()));
        dead
    }

    /// Returns the number of sessions that answered after a time without any data.
    #[must_use]
    pub fn idle_survivors(&self) -> usize {
        let survived = |arm: &&Arm| arm.moves == Moves::Nothing && matches!(arm.end, StretchEnd::Alive { .. });
        self.arms.iter().filter(survived).map(|arm| arm.session).collect::<BTreeSet<_>>().len()
    }

    /// True if every silent session lived, a shell's and the one without a channel too, the server was heard on them, and nothing cut
    /// the path for good.
    #[must_use]
    pub fn all_lived(&self) -> bool {
        let counts = |arm: &&Arm| arm.moves == Moves::Nothing || arm.holds == Holds::Nothing && arm.hop.is_none();
        let died = self.arms.iter().filter(counts).any(|arm| arm.death().is_some());
        let unheard = self.arms.iter().filter(|arm| matches!(arm.end, StretchEnd::Unheard { .. })).count();
        let none_lost = self.cuts.is_empty() && self.random_resets.is_empty();
        !died && unheard < 2 && none_lost && self.outages.iter().all(|outage| outage.ended_s.is_some())
    }

    /// True if nothing ended but the connection that held no session, in order and by the server, while every silent session lived: whoever
    /// ends a connection with its last session ends no idle one.
    #[must_use]
    pub fn only_the_unused_ended(&self) -> bool {
        let is_unused = |arm: &Arm| arm.holds == Holds::Nothing && arm.hop.is_none() && arm.moves != Moves::Nothing;
        let in_order = |arm: &Arm| match &arm.end {
            StretchEnd::Died { manner, sign, others_alive, .. } => {
                *others_alive && *sign == Sign::BeforeProbe && matches!(manner, Manner::Fin | Manner::Disconnect { .. })
            }
            _ => true,
        };
        let arms: Vec<_> = self.arms.iter().filter(|arm| !is_unused(arm)).cloned().collect();
        let unused_ended = self.arms.iter().filter(|arm| is_unused(arm)).all(in_order);
        let others = Self { arms, ..self.clone() };
        unused_ended && others.all_lived() && others.idle_survivors() > 0
    }

    /// The longest time when nothing came through, seconds.
    #[must_use]
    pub fn longest_outage_s(&self) -> f64 {
        let lengths = self.outages.iter().map(|outage| outage.ended_s.unwrap_or(self.elapsed_s) - outage.started_s);
        lengths.fold(0.0, f64::max)
    }

    /// True if the session with the kernel's TCP keepalives, and nothing of SSH, lived, for longer than the silence that kills where one
    /// does; `None` where no arm tells.
    #[must_use]
    pub fn tcp_keepalive_lived(&self) -> Option<bool> {
        let died = self.timeout().died_s.unwrap_or_default();
        let mut arms = self.arms.iter().filter(|arm| arm.moves == Moves::TcpKeepalive && arm.hop.is_none());
        arms.find_map(|arm| match arm.end {
            StretchEnd::Alive { .. } => (arm.lasted_s >= died).then_some(true),
            StretchEnd::Died { .. } => Some(false),
            _ => None,
        })
    }

    /// The silent arms that answered after a longer silence than the shortest that killed: a sharp timer leaves none. The path is silent
    /// for as much less than the arm as an acknowledgement may be late.
    pub fn lived_longer(&self) -> impl Iterator<Item = &Arm> {
        let died = self.timeout().died_s.unwrap_or(f64::INFINITY);
        self.arms.iter().filter(move |arm| {
            let asked = arm.moves == Moves::Nothing && arm.speaks_first == Speaker::Client;
            asked && matches!(arm.end, StretchEnd::Alive { .. }) && arm.lasted_s - LATE_ACK_S > died
        })
    }

    /// The kept arms that died although they were refreshed more often than silence kills: something else ends sessions too.
    pub fn kept_in_vain(&self) -> impl Iterator<Item = &Arm> {
        let died = self.timeout().died_s.unwrap_or(f64::INFINITY);
        self.kept().filter(move |arm| arm.death().is_some() && refreshes(&self.arms, arm, died))
    }

    /// The arms with data in their channel.
    pub fn busy(&self) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(|arm| arm.moves == Moves::ChannelData)
    }

    /// The kept arms that held a channel.
    pub fn kept_with_channel(&self) -> impl Iterator<Item = &Arm> {
        self.kept().filter(|arm| arm.holds != Holds::Nothing)
    }

    /// The kept arms.
    pub fn kept(&self) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(|arm| arm.moves == Moves::Keepalive)
    }

    /// True if sessions with TCP keepalives alone outlived the idle timeout; `None` if none was tested long enough.
    #[must_use]
    pub fn tcp_keepalive_held(&self) -> Option<bool> {
        self.outlived(|arm| arm.moves == Moves::TcpKeepalive && arm.hop.is_none())
    }

    /// True if the session with data from the server alone outlived the idle timeout; `None` if it was not tested long enough.
    #[must_use]
    pub fn server_data_held(&self) -> Option<bool> {
        self.outlived(|arm| arm.moves == Moves::ServerData)
    }

    /// True if data that the server sent first arrived after the idle timeout; `None` if that was not tested.
    #[must_use]
    pub fn server_heard(&self) -> Option<bool> {
        self.outlived(|arm| arm.speaks_first == Speaker::Server)
    }

    /// True if all arms of a kind outlived the idle timeout.
    fn outlived(&self, sort: impl Fn(&Arm) -> bool) -> Option<bool> {
        let died = self.timeout().died_s?;
        let verdict = |arm: &Arm| match arm.end {
            StretchEnd::Died { .. } | StretchEnd::Unheard { .. } => Some(false),
            StretchEnd::Alive { .. } => (arm.lasted_s >= died).then_some(true),
            StretchEnd::Void { .. } | StretchEnd::Open => None,
        };
        self.arms.iter().filter(|arm| sort(arm)).filter_map(verdict).reduce(|all, held| all && held)
    }
}
