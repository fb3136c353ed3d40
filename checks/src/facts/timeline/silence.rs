//! A lasting silence: open connections receive no more data, and new ones get no answer. Pure.

use super::{Flow, NotOpened, Timeline};

/// A silence still going on at the end of the examination counts as lasting after this many seconds.
pub const LASTING_S: f64 = 15.0;
/// New connections that must have been tried in vain.
const TRIED: usize = 3;
/// The time for which a new connection must have been asked for, seconds: its first packet was sent twice at least.
const ASKED_FOR_S: f64 = 2.5;

impl Timeline {
    /// The start of a silence that goes on until the end of the examination, seconds. Since then a connection with keepalives has received no
    /// data, and no new connection was accepted or refused. Acknowledgements do not count: if only one direction is dead, the other end still
    /// retransmits.
    #[must_use]
    pub fn lasting_silence(&self) -> Option<f64> {
        let signs = |flow: &Flow| [flow.connected_s, flow.version_s, flow.logged_in_s, flow.answered_s];
        let last_sign_s = self.flows.iter().flat_map(signs).flatten().reduce(f64::max)?;
        let is_frozen = |flow: &&Flow| {
            let until = flow.beat_until_s.unwrap_or(self.until_s).min(flow.over_s()).min(self.until_s);
            flow.beat_s.is_some_and(|beat| until - last_sign_s > beat + LASTING_S) && !flow.is_kernels
        };
        let frozen = self.flows.iter().find(is_frozen)?;
        let tried = || self.flows.iter().filter(|flow| flow.leg == 0 && flow.began_s > last_sign_s);
        let in_vain = tried().filter(|flow| flow.over_s().min(self.until_s) - flow.began_s >= ASKED_FOR_S);
        let refused = tried().any(|flow| flow.failure == Some(NotOpened::Refused));
        if refused || in_vain.count() < TRIED {
            return None;
        }
        let missed = frozen.gaps.iter().map(|gap| gap.from_s).filter(|from| *from >= last_sign_s);
        let missed_s = missed.chain(tried().map(|flow| flow.began_s)).reduce(f64::min)?;
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
}
