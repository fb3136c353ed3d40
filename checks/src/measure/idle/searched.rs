//! What the search for the hop has shown, and what follows from it beside what the idle test saw.

use super::hop::{self, Found, Trial, Untold};
use super::search::MOST;
use crate::facts::idle::{Arm, Doubt, Facts, Killer, Search as Outcome, Speaker, Verdict};
use crate::facts::path::Path;

/// What the search has shown.
pub(super) struct Searched {
    pub(super) path: Option<Path>,
    pub(super) arms: Vec<Arm>,
    pub(super) found: Found,
    /// The session with TCP keepalives that the test holds anyway: it is refreshed all the way.
    pub(super) whole: Option<Trial>,
    pub(super) untold: Option<String>,
}

impl Searched {
    /// Every session that tells something.
    pub(super) fn trials(&self) -> Vec<Trial> {
        self.found.trials.iter().chain(&self.whole).cloned().collect()
    }

    /// Adds it to what the test saw.
    pub(super) fn note(self, facts: &mut Facts) {
        // Only what SSH keepalives prevent is a timer of the path.
        if facts.keepalive.verified == Some(true) {
            facts.search = self.outcome(facts);
        }
        facts.arms.extend(self.arms);
        facts.not_opened.extend(self.found.not_opened);
        if let (Outcome::Found(Verdict { hop, .. }), Some(path)) = (&facts.search, &self.path) {
            let address = path.address(*hop).map(|address| address.to_string());
            facts.killer = Killer { hop: Some(u32::from(*hop)), address };
        }
        facts.path = self.path;
    }

    fn outcome(&self, facts: &Facts) -> Outcome {
        if let Some(why) = &self.untold {
            return Outcome::Untold(why.clone());
        }
        // Only a timer that TCP keepalives renew can be located by them.
        if facts.tcp_keepalive_lived() == Some(false) {
            return Outcome::Untold(Untold::AllDied.to_string());
        }
        // The sessions of the search are asked: what died of a word of the server says nothing of them.
        let Some(first) = facts.deaths().into_iter().find(|arm| arm.speaks_first == Speaker::Client) else {
            return Outcome::Untold(
                "a word of ours is enough to let the path pass again what the server says".to_owned(),
            );
        };
        if self.trials().is_empty() {
            return Outcome::Untold(match self.found.not_opened.first() {
                Some(why) => format!("no session for it could be had: {why}"),
                None => {
                    "no session was to spare for it: --sessions is low, or each login has to be touched for".to_owned()
                }
            });
        }
        match hop::forgets(&self.trials(), Some(first.quiet_s())) {
            Ok(verdict) => {
                let furthest = self.path.as_ref().and_then(|path| path.candidates(MOST).last().copied());
                let renews = facts.server_heard() == Some(true) && Some(verdict.hop) == furthest;
                Outcome::Found(verdict.doubted(renews.then_some(Doubt::ServerRenews)))
            }
            Err(untold) => Outcome::Untold(untold.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::certainty::Certainty;
    use crate::facts::connection::Manner;
    use crate::facts::idle::{End, Keepalive, Moves, Sign, Timeout};
    use crate::facts::path::{Distance, Protocol};

    fn arm(moves: Moves, speaks_first: Speaker, hop: Option<u8>, alive: bool) -> Arm {
        let died = End::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        let lasted_s = if moves == Moves::Nothing { 8.5 } else { 9.5 };
        let end = if alive { End::Alive { rtt_ms: 1.0 } } else { died };
        Arm { speaks_first, hop, age_s: 9.5, ..Arm::sample(moves, lasted_s, end) }
    }

    /// A path of two routers and the server, and which of the hops kept a session alive.
    fn searched(alive: [bool; 2]) -> Searched {
        let trial = |(hop, alive)| Trial {
            whole: false,
            ..Trial::whole(hop, &arm(Moves::TcpKeepalive, Speaker::Client, None, alive))
        };
        Searched {
            path: Some(Path { distance: Some(Distance { hops: 3, by: Protocol::Udp }), ..Path::default() }),
            arms: Vec::new(),
            found: Found { trials: (1..).zip(alive).map(trial).collect(), ..Found::default() },
            whole: Some(Trial::whole(3, &arm(Moves::TcpKeepalive, Speaker::Client, None, true))),
            untold: None,
        }
    }

    fn facts(more: impl IntoIterator<Item = Arm>) -> Facts {
        let timeout = Timeout { survived_s: Some(7.8), died_s: Some(8.5) };
        let keepalive = Keepalive { verified: Some(true), ..Keepalive::default() };
        let died = arm(Moves::Nothing, Speaker::Client, None, false);
        Facts { timeout, keepalive, arms: [died].into_iter().chain(more).collect(), ..Facts::default() }
    }

    fn found(outcome: &Outcome) -> (u8, u8, Certainty, Option<Doubt>) {
        let Outcome::Found(Verdict { hop, after, certainty, doubt }) = outcome else { panic!("{outcome:?}") };
        (*hop, *after, *certainty, *doubt)
    }

    #[test]
    fn the_session_that_is_refreshed_all_the_way_stands_for_the_server() {
        let seen = facts([]);
        assert_eq!(found(&searched([false, true]).outcome(&seen)), (2, 1, Certainty::Likely, None));
        assert_eq!(found(&searched([false, false]).outcome(&seen)), (3, 2, Certainty::Likely, None));
    }

    #[test]
    fn a_server_that_is_heard_after_the_same_silence_is_rather_behind_a_firewall() {
        let heard = facts([arm(Moves::Nothing, Speaker::Server, None, true)]);
        let doubt = (3, 2, Certainty::Possible, Some(Doubt::ServerRenews));
        assert_eq!(found(&searched([false, false]).outcome(&heard)), doubt);
        assert_eq!(found(&searched([false, true]).outcome(&heard)).3, None);
    }

    #[test]
    fn what_no_session_of_ours_can_tell_is_not_told() {
        let untold = |searched: &Searched, facts: &Facts| matches!(searched.outcome(facts), Outcome::Untold(_));
        // A proxy: not even keepalives that come all the way helped.
        let proxied = facts([arm(Moves::TcpKeepalive, Speaker::Client, None, false)]);
        assert!(untold(&searched([false, false]), &proxied));
        // Only the server's word was lost.
        let mut one_way = facts([]);
        one_way.arms[0].speaks_first = Speaker::Server;
        assert!(untold(&searched([true, true]), &one_way));
        // On one link the session that is refreshed all the way is the only one there is to try.
        let mut linked = searched([true, true]);
        (linked.found, linked.whole) = (Found::default(), linked.found.trials.pop());
        assert!(matches!(linked.outcome(&facts([])), Outcome::Found(Verdict { after: 0, .. })));
        let none = Searched { whole: None, found: Found::default(), ..searched([false, true]) };
        assert!(untold(&none, &facts([])));
    }
}
