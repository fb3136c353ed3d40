//! A lasting silence: open connections receive no more data, and new ones get no answer. Pure.

use super::{Flow, NotOpened, Timeline};

/// A silence still going on at the end of the examination counts as lasting after this many seconds.
pub const LASTING_S: f64 = 15.0;
/// New connections that must have been tried in vain.
const TRIED: usize = 3;
/// The time for which a new connection must have been asked for, seconds: its first packet was sent twice at least.
const ASKED_FOR_S: f64 = 2.5;

/// A connection that was open must have waited for an answer this long, seconds: longer than a server thinks.
const WAITED_S: f64 = 8.0;

/// A path on which nothing came any more while the examination had hardly begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lost {
    /// The last sign of the server, seconds since the examination began.
    pub at_s: f64,
    /// The time for which a connection that was open waited for an answer, seconds.
    pub waited_s: f64,
    /// True if TCP did not acknowledge what we had sent on it either.
    pub is_unacknowledged: bool,
    /// New connections that were asked for after that.
    pub tried: usize,
}

impl Timeline {
    /// The loss of the path before any session was kept alive: an open connection waits in vain, and new ones get no answer although the first
    /// one did.
    #[must_use]
    pub fn lost(&self) -> Option<Lost> {
        let at_s = self.last_sign_s()?;
        let waits = |flow: &Flow| {
            let gap = flow.gaps.iter().find(|gap| gap.until_s.is_none())?;
            let waited_s = flow.over_s().min(self.until_s) - gap.from_s;
            (waited_s >= WAITED_S).then_some((waited_s, gap.acknowledged == Some(false)))
        };
        let (waited_s, is_unacknowledged) = self.flows.iter().filter(|flow| flow.leg == 0).find_map(waits)?;
        let tried = self.tried_in_vain(at_s)?;
        Some(Lost { at_s, waited_s, is_unacknowledged, tried })
    }

    /// The last time at which the other end answered on any connection.
    fn last_sign_s(&self) -> Option<f64> {
        let signs = |flow: &Flow| [flow.connected_s, flow.version_s, flow.logged_in_s, flow.answered_s];
        self.flows.iter().flat_map(signs).flatten().reduce(f64::max)
    }

    /// The number of new connections that were asked for since, where enough were and none was answered.
    fn tried_in_vain(&self, since_s: f64) -> Option<usize> {
        let tried = || self.flows.iter().filter(|flow| flow.leg == 0 && flow.began_s > since_s);
        let in_vain = tried().filter(|flow| flow.over_s().min(self.until_s) - flow.began_s >= ASKED_FOR_S).count();
        let refused = tried().any(|flow| flow.failure == Some(NotOpened::Refused));
        (!refused && in_vain >= TRIED).then_some(in_vain)
    }

    /// When a lasting silence began, in seconds, if it still holds at the end of the examination: a connection with keepalives receives no data,
    /// and no new connection is accepted or refused. Acknowledgements do not count, because a server that is no longer heard still retransmits.
    #[must_use]
    pub fn lasting_silence(&self) -> Option<f64> {
        let last_sign_s = self.last_sign_s()?;
        let is_frozen = |flow: &&Flow| {
            let until = flow.beat_until_s.unwrap_or(self.until_s).min(flow.over_s()).min(self.until_s);
            flow.beat_s.is_some_and(|beat| until - last_sign_s > beat + LASTING_S) && !flow.is_kernels
        };
        let frozen = self.flows.iter().find(is_frozen)?;
        self.tried_in_vain(last_sign_s)?;
        let tried = self.flows.iter().filter(|flow| flow.leg == 0 && flow.began_s > last_sign_s);
        let missed = frozen.gaps.iter().map(|gap| gap.from_s).filter(|from| *from >= last_sign_s);
        let missed_s = missed.chain(tried.map(|flow| flow.began_s)).reduce(f64::min)?;
        (self.until_s - missed_s > LASTING_S).then(|| f64::midpoint(last_sign_s, missed_s))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gap;
    use super::*;

    /// The session that is kept alive: it was last heard at 0.15 s; the gaps are the times since which something was missed, and until when.
    fn kept(gaps: &[(f64, Option<f64>, bool)]) -> Flow {
        let gap = |&(from_s, until_s, acknowledged): &(f64, Option<f64>, bool)| Gap {
            heard_s: from_s - 0.1,
            from_s,
            until_s,
            acknowledged: Some(acknowledged),
            retransmissions: 8,
        };
        Flow {
            connected_s: Some(0.001),
            version_s: Some(0.002),
            logged_in_s: Some(0.04),
            opened_s: Some(0.04),
            answered_s: Some(0.15),
            heard_s: Some(53.5),
            beat_s: Some(2.0),
            gaps: gaps.iter().map(gap).collect(),
            ..Flow::default()
        }
    }

    fn in_vain(number: u32, began_s: f64, closed_s: f64) -> Flow {
        Flow { number, began_s, closed_s: Some(closed_s), failure: Some(NotOpened::Unanswered), ..Flow::default() }
    }

    /// An outage as sessions beside the first were about to be opened.
    fn outage(kept: Flow) -> Timeline {
        let tries = [(1, 2.9, 62.9), (2, 6.2, 10.3), (3, 12.3, 15.3), (4, 15.3, 15.3), (5, 60.0, 63.0)];
        let tries = tries.map(|(number, began_s, closed_s)| in_vain(number, began_s, closed_s));
        Timeline { flows: [vec![kept], tries.to_vec()].concat(), until_s: 63.0, ..Timeline::default() }
    }

    #[test]
    fn an_outage_is_told_although_the_last_request_was_acknowledged() {
        let from_s = outage(kept(&[(0.25, None, true)])).lasting_silence().unwrap();
        assert!((from_s - 0.2).abs() < 0.01, "{from_s}");
    }

    #[test]
    fn an_outage_of_one_direction_is_told_although_the_other_end_sends_again_what_was_lost() {
        let resent = [(2.1, Some(6.9), false), (7.9, Some(13.6), false), (26.9, Some(53.5), false)];
        assert!(outage(kept(&resent)).lasting_silence().is_some_and(|from_s| from_s < 2.1));
    }

    #[test]
    fn what_answers_at_all_is_no_outage() {
        let silent = || outage(kept(&[(0.25, None, false)]));
        assert!(silent().lasting_silence().is_some());
        let with = |flow: Flow| Timeline { flows: [silent().flows, vec![flow]].concat(), ..silent() }.lasting_silence();
        assert_eq!(with(Flow { connected_s: Some(58.0), ..in_vain(6, 58.0, 61.0) }), None, "a kernel accepts");
        assert_eq!(
            with(Flow { failure: Some(NotOpened::Refused), ..in_vain(6, 58.0, 58.1) }),
            None,
            "a port is closed"
        );
        // New connections are kept out, and the one that was open answers.
        let alive = Flow { answered_s: Some(62.0), ..kept(&[]) };
        assert_eq!(outage(alive).lasting_silence(), None);
        // Nobody kept it alive any more.
        let left = Flow { beat_until_s: Some(3.0), ..kept(&[(0.25, None, false)]) };
        assert_eq!(outage(left).lasting_silence(), None);
        let young = Timeline { until_s: 12.0, ..silent() };
        assert_eq!(young.lasting_silence(), None);
    }

    /// A path that went down during the login: nothing was kept alive yet.
    fn lost_at_login(acknowledged: bool) -> Timeline {
        let gap = Gap {
            heard_s: 0.06,
            from_s: 0.07,
            until_s: None,
            acknowledged: Some(acknowledged),
            retransmissions: if acknowledged { 0 } else { 7 },
        };
        let login = Flow { logged_in_s: None, opened_s: None, beat_s: None, gaps: vec![gap], ..kept(&[]) };
        let login = Flow { answered_s: Some(0.06), heard_s: Some(0.06), closed_s: Some(30.0), ..login };
        let tries = [(1, 2.6), (2, 5.9), (3, 6.4)].map(|(number, began_s)| in_vain(number, began_s, 30.0));
        Timeline { flows: [vec![login], tries.to_vec()].concat(), until_s: 35.0, ..Timeline::default() }
    }

    #[test]
    fn a_path_that_is_lost_during_the_login_is_told_from_a_login_that_hangs() {
        let lost = lost_at_login(false).lost().expect("an outage");
        assert!(lost.is_unacknowledged && lost.tried == 3 && (lost.at_s - 0.06).abs() < 0.01, "{lost:?}");
        assert!(lost_at_login(true).lost().is_some_and(|lost| !lost.is_unacknowledged));
        // The server's kernel accepts new connections, or refuses one: the path is there.
        for changed in [
            Flow { connected_s: Some(9.0), ..in_vain(4, 8.9, 30.0) },
            Flow { failure: Some(NotOpened::Refused), ..in_vain(4, 8.9, 9.0) },
        ] {
            let flows = [lost_at_login(false).flows, vec![changed]].concat();
            assert_eq!(Timeline { flows, ..lost_at_login(false) }.lost(), None);
        }
        // A single new connection without an answer may be a dead member of a bundle.
        let mut one = lost_at_login(false);
        one.flows.truncate(2);
        assert_eq!(one.lost(), None);
        // It was answered after all.
        let mut late = lost_at_login(false);
        late.flows[0].gaps[0].until_s = Some(12.0);
        assert_eq!(late.lost(), None);
    }
}
