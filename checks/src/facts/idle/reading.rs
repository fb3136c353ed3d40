//! Conclusions from the facts of the idle test: derived whenever it is judged or shown, and never stored. Pure.

use serde::Serialize;
use serde_json::Value;

use super::advice::{self, count_max, interval};
use super::age;
use super::arm::{Arm, Holds, Moves, SessionKind, Sign, Speaker, StretchEnd};
use super::bracket::{Timeout, bracket, data_alone_lives, died_kept, server_speaks, trial};
use super::hop::{self, Bare, Doubt, LocatedHop, MAX_HOPS, NotLocated, TtlProbe};
use super::{Facts, HopSearch};
use crate::facts::connection::Manner;

/// A keepalive setting, and whether it was proven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct KeepaliveSetting {
    /// `ServerAliveInterval`, seconds.
    pub interval_s: Option<u32>,
    /// `ServerAliveCountMax`.
    pub count_max: Option<u32>,
    /// True when a session kept so outlived the timer while a silent one died; false when it died too; `null` when there was
    /// nothing to prove or no time.
    pub verified: Option<bool>,
}

/// The hop that drops idle connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Killer {
    /// Hops from the client.
    pub hop: Option<u32>,
    /// Its address.
    pub address: Option<String>,
}

/// The way the search for that hop ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// It was not looked for.
    #[default]
    None,
    /// It was found.
    Found(LocatedHop),
    /// The result is unknown, for this reason.
    Untold(String),
}

/// The silences of the plan: whole stretches, as long as they were meant to be.
struct Silences {
    /// The longest that was survived and is shorter than what killed, seconds.
    survived: f64,
    /// The shortest that killed, seconds.
    died: Option<f64>,
    /// The longest that was survived, longer than what killed or not, seconds.
    longest: f64,
}

impl Silences {
    fn of(arms: &[Arm]) -> Self {
        let silent = || arms.iter().filter(|arm| arm.moves == Moves::Nothing);
        // A terminal may have a clock of its own: a shell's end says nothing of the path until others end too.
        let died = silent().filter(|arm| match arm.death() {
            Some((_, sign)) => arm.holds != Holds::Shell || sign == Sign::AfterProbe,
            None => false,
        });
        let unheard: Vec<_> = silent().filter(|arm| matches!(arm.end, StretchEnd::Unheard { .. })).collect();
        let unheard = if unheard.len() > 1 { unheard } else { Vec::new() };
        let died = died.chain(unheard).map(|arm| arm.lasted_s).min_by(f64::total_cmp);
        let lived = || silent().filter(|arm| matches!(arm.end, StretchEnd::Alive { .. })).map(|arm| arm.lasted_s);
        let below = died.unwrap_or(f64::INFINITY);
        Self {
            survived: lived().filter(|lived| *lived < below).fold(0.0, f64::max),
            died,
            longest: lived().fold(0.0, f64::max),
        }
    }
}

impl Facts {
    /// The bracket of the idle timer; without an end where all sessions ended at one age or at one moment, busy ones too.
    #[must_use]
    pub fn timeout(&self) -> Timeout {
        let (timeout, _) = bracket(&self.arms);
        if self.is_of_all() { Timeout { died_s: None, ..timeout } } else { timeout }
    }

    /// The way the shortest death came.
    #[must_use]
    pub fn manner(&self) -> Option<Manner> {
        bracket(&self.arms).1
    }

    /// Returns the interval of the server's own keepalives on an idle session, seconds (ClientAliveInterval).
    #[must_use]
    pub fn server_speaks_every_s(&self) -> Option<f64> {
        server_speaks(&self.arms)
    }

    /// The keepalive that follows from the bracket, and whether a session outlived the timer by it.
    #[must_use]
    pub fn keepalive(&self) -> KeepaliveSetting {
        let arms = &self.arms;
        let silences = Silences::of(arms);
        let Some(died) = silences.died.filter(|_| !self.is_of_all()) else { return KeepaliveSetting::default() };
        let in_vain = KeepaliveSetting { verified: Some(false), ..KeepaliveSetting::default() };
        // A kept session whose channel was closed, or whose data was missed, shows that it is not packets that count.
        let of_channel = |arm: &Arm| arm.death().is_some_and(|(manner, _)| !manner.is_of_connection());
        if data_alone_lives(arms) || self.kept().any(of_channel) {
            return in_vain;
        }
        // Where data did not keep a session, whatever outlived the others did so by chance.
        let in_spite_of_data = self.busy().any(|arm| arm.kind() != SessionKind::SecondRound && arm.death().is_some());
        let killer = self.manner();
        let in_spite_of_it = |interval: u32| died_kept(arms, interval, killer.as_ref());
        let proven = self.proven(&silences, died).filter(|interval| !in_spite_of_data && !in_spite_of_it(*interval));
        if let Some(interval) = proven {
            return KeepaliveSetting {
                interval_s: Some(interval),
                count_max: Some(count_max(interval, self.longest_outage_s())),
                verified: Some(true),
            };
        }
        let refreshed = |arm: &Arm| arm.interval_s.is_some_and(|interval| f64::from(interval) < died);
        if self.kept().any(|arm| arm.death().is_some() && refreshed(arm)) {
            return in_vain;
        }
        let advised = interval(silences.survived);
        KeepaliveSetting {
            interval_s: advised,
            count_max: advised.map(|interval| count_max(interval, self.longest_outage_s())),
            verified: None,
        }
    }

    fn proven(&self, silences: &Silences, died: f64) -> Option<u32> {
        // Without a channel it is no proof for a session of the user's.
        let kept =
            self.kept().filter(|arm| arm.kind() != SessionKind::Main && matches!(arm.end, StretchEnd::Alive { .. }));
        let kept = kept.filter_map(|arm| Some((arm.interval_s?, arm.lasted_s)));
        advice::proven(kept, silences.survived, silences.longest.max(died).max(trial(&self.arms)))
    }

    /// The hop that drops idle connections, where it was looked for.
    #[must_use]
    pub fn search(&self) -> Search {
        // Only what SSH keepalives prevent is a timer of the path.
        match self.searched() {
            Some(searched) if self.keepalive().verified == Some(true) => self.located(&searched),
            _ => Search::None,
        }
    }

    /// The attempt to find it. Recordings of the first version have only the path that was asked for it.
    fn searched(&self) -> Option<HopSearch> {
        self.hop_search.clone().or_else(|| self.path.as_ref().map(|_| HopSearch::default()))
    }

    fn located(&self, searched: &HopSearch) -> Search {
        if let Some(why) = &searched.impossible {
            return Search::Untold(why.clone());
        }
        // Only a timer that TCP keepalives renew can be located by them.
        if self.tcp_keepalive_lived() == Some(false) {
            return Search::Untold(NotLocated::AllDied.to_string());
        }
        // The sessions of the search are asked: what died of a word of the server says nothing of them.
        let Some(first) = self.deaths().into_iter().find(|arm| arm.speaks_first == Speaker::Client) else {
            return Search::Untold(
                "a word of ours is enough to let the path pass again what the server says".to_owned(),
            );
        };
        let silently = first.death().is_some_and(|(manner, _)| *manner == Manner::Silent);
        if !silently && !self.random_resets.is_empty() {
            return Search::Untold("connections are reset at random too, those of the search among them".to_owned());
        }
        let furthest = self.path.as_ref().and_then(|path| path.candidates(MAX_HOPS).last().copied());
        let probes: Vec<_> = self.arms.iter().filter_map(|arm| TtlProbe::of(arm, furthest?)).collect();
        if probes.is_empty() {
            return Search::Untold(match searched.not_opened.first() {
                Some(why) => format!("no session for it could be opened: {why}"),
                None => {
                    "no session was to spare for it: --sessions is low, or each login has to be touched for".to_owned()
                }
            });
        }
        let bare = Bare { survived_s: self.timeout().survived_s, died_s: Some(first.quiet_s()), silently };
        match hop::locate(&probes, bare) {
            Ok(verdict) => {
                let renews = self.server_heard() == Some(true) && Some(verdict.hop) == furthest;
                Search::Found(verdict.doubted(renews.then_some(Doubt::ServerRenews)))
            }
            Err(untold) => Search::Untold(untold.to_string()),
        }
    }

    /// The hop that drops idle connections, and its address.
    #[must_use]
    pub fn killer(&self) -> Killer {
        let Search::Found(LocatedHop { hop, .. }) = self.search() else { return Killer::default() };
        let address = self.path.as_ref().and_then(|path| path.address(hop));
        Killer { hop: Some(u32::from(hop)), address: address.map(|address| address.to_string()) }
    }

    /// True if no silence ended them: all ended at one age or at one moment, a session on which data moved too.
    fn is_of_all(&self) -> bool {
        age::mass_death(self).is_some() && age::is_explained(self)
    }

    /// The facts as a report shows them, with what follows from them.
    pub(super) fn with_conclusions(&self) -> Value {
        #[derive(Serialize)]
        struct Derived<'f> {
            timeout: Timeout,
            keepalive: KeepaliveSetting,
            manner: Option<&'static str>,
            killer: Killer,
            search: Search,
            server_speaks_every_s: Option<f64>,
            #[serde(flatten)]
            facts: &'f Facts,
        }
        let derived = Derived {
            timeout: self.timeout(),
            keepalive: self.keepalive(),
            manner: self.manner().map(|manner| manner.code()),
            killer: self.killer(),
            search: self.search(),
            server_speaks_every_s: self.server_speaks_every_s(),
            facts: self,
        };
        serde_json::to_value(derived).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::path::{Distance, Path, Protocol};

    fn arm(moves: Moves, speaks_first: Speaker, hop: Option<u8>, alive: bool) -> Arm {
        let died = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        let lasted_s = if moves == Moves::Nothing { 8.5 } else { 9.5 };
        let end = if alive { StretchEnd::Alive { rtt_ms: 1.0 } } else { died };
        Arm { speaks_first, hop, age_s: 9.5, ..Arm::sample(moves, lasted_s, end) }
    }

    fn kept(interval: u32, lasted_s: f64, end: StretchEnd) -> Arm {
        Arm { session: 8, interval_s: Some(interval), ..Arm::sample(Moves::Keepalive, lasted_s, end) }
    }

    fn died() -> StretchEnd {
        StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None }
    }

    fn alive() -> StretchEnd {
        StretchEnd::Alive { rtt_ms: 1.0 }
    }

    /// A silence of 6 s killed and one of 5 s did not; a session was kept every second for 20 s.
    fn timer(more: impl IntoIterator<Item = Arm>) -> Facts {
        let arms = [
            Arm::sample(Moves::Nothing, 5.0, alive()),
            Arm::sample(Moves::Nothing, 6.0, died()),
            kept(1, 20.0, alive()),
        ];
        Facts { arms: arms.into_iter().chain(more).collect(), ..Facts::default() }
    }

    #[test]
    fn a_session_that_died_although_it_was_kept_forbids_to_call_the_keepalive_proven() {
        let verified = |more: Option<Arm>| timer(more).keepalive().verified;
        assert_eq!(verified(None), Some(true));
        assert_eq!(verified(Some(kept(1, 9.0, died()))), Some(false));
        assert_eq!(verified(Some(Arm { holds: Holds::Shell, ..kept(1, 9.0, died()) })), Some(false));
        assert_eq!(verified(Some(kept(2, 9.0, died()))), Some(true));
        assert_ne!(
            verified(Some(kept(2, 25.0, died()))),
            Some(true),
            "the one kept for 20 s had no time to be ended by the same"
        );
        let reset = StretchEnd::Died { manner: Manner::Reset, sign: Sign::BeforeProbe, others_alive: true, tcp: None };
        assert_eq!(verified(Some(kept(1, 9.0, reset))), Some(true), "another hand");
        // Nor is one whose neighbour had data and was ended.
        assert_ne!(verified(Some(Arm { moves: Moves::ChannelData, ..kept(1, 9.0, died()) })), Some(true));
        // A connection without a channel has a timer of its own (UnusedConnectionTimeout).
        let main = Arm { kind: Some(SessionKind::Main), holds: Holds::Nothing, ..kept(1, 9.0, died()) };
        assert_eq!(verified(Some(main)), Some(true));
    }

    #[test]
    fn a_proof_is_longer_than_every_silence_that_was_survived() {
        assert_eq!(timer([]).keepalive().interval_s, Some(1));
        assert_eq!(timer([Arm::sample(Moves::Nothing, 21.0, alive())]).keepalive().verified, None);
    }

    #[test]
    fn the_numbers_of_old_recordings_tell_what_a_session_was_for() {
        let kind = |session| Arm { session, kind: None, ..kept(1, 1.0, alive()) }.kind();
        assert_eq!([0, 1, 49].map(kind), [SessionKind::Main, SessionKind::FirstRound, SessionKind::FirstRound]);
        assert_eq!([50, 101].map(kind), [SessionKind::HopProbe, SessionKind::SecondRound]);
    }

    /// A path of two routers and the server; which of the hops kept a session alive, and the session that was refreshed all the way.
    fn searched(alive: &[bool], whole: bool) -> Facts {
        let probes = (1..).zip(alive).map(|(hop, alive)| arm(Moves::TcpKeepalive, Speaker::Client, Some(hop), *alive));
        let lived = Arm::sample(Moves::Nothing, 7.0, StretchEnd::Alive { rtt_ms: 1.0 });
        let arms = [
            lived,
            arm(Moves::Nothing, Speaker::Client, None, false),
            kept(2, 20.0, StretchEnd::Alive { rtt_ms: 1.0 }),
        ];
        let whole = whole.then(|| arm(Moves::TcpKeepalive, Speaker::Client, None, true));
        Facts {
            arms: arms.into_iter().chain(probes).chain(whole).collect(),
            path: Some(Path { distance: Some(Distance { hops: 3, by: Protocol::Udp }), ..Path::default() }),
            hop_search: Some(HopSearch::default()),
            ..Facts::default()
        }
    }

    fn found(facts: &Facts) -> (u8, u8, Option<Doubt>) {
        let Search::Found(LocatedHop { hop, after, doubt }) = facts.search() else { panic!("{:?}", facts.search()) };
        (hop, after, doubt)
    }

    #[test]
    fn the_session_that_is_refreshed_all_the_way_stands_for_the_server() {
        assert_eq!(found(&searched(&[false, true], true)), (2, 1, None));
        assert_eq!(found(&searched(&[false, false], true)), (3, 2, None));
        // On one link it is the only one there is to try.
        assert_eq!(found(&searched(&[], true)).1, 0);
    }

    #[test]
    fn a_server_that_is_heard_after_the_same_silence_is_rather_behind_a_firewall() {
        let heard = |alive: &[bool]| {
            let mut facts = searched(alive, true);
            facts.arms.push(arm(Moves::Nothing, Speaker::Server, None, true));
            facts
        };
        assert_eq!(found(&heard(&[false, false])), (3, 2, Some(Doubt::ServerRenews)));
        assert_eq!(found(&heard(&[false, true])).2, None);
    }

    #[test]
    fn what_no_session_of_ours_can_tell_is_not_told() {
        let untold = |facts: &Facts| matches!(facts.search(), Search::Untold(_));
        // A proxy: not even keepalives that come all the way helped.
        let mut proxied = searched(&[false, false], false);
        proxied.arms.push(arm(Moves::TcpKeepalive, Speaker::Client, None, false));
        assert!(untold(&proxied));
        // Only the server's word was lost.
        let mut one_way = searched(&[true, true], true);
        one_way.arms[1].speaks_first = Speaker::Server;
        assert!(untold(&one_way));
        assert!(untold(&searched(&[], false)), "nobody was asked");
        let unproven = Facts { arms: searched(&[false, true], true).arms[..2].into(), ..searched(&[], false) };
        assert_eq!(unproven.search(), Search::None);
    }
}
