//! The causes that show at this check.

mod addresses;
mod limits;
mod lossy;
mod reading;
mod refused;
mod shared;
mod unanswered;

use super::Cause;

/// The causes that show at this check.
pub static CAUSES: &[Cause] = &[
    refused::REFUSED,
    refused::PROHIBITED,
    unanswered::FILTERED,
    unanswered::UNREACHABLE,
    addresses::BIND_ADDRESS,
    addresses::SOME_ADDRESSES_DEAD,
    limits::CONNECTION_LIMIT,
    limits::SOURCE_BANNED,
    lossy::LOSSY,
    lossy::REORDERING,
];

#[cfg(test)]
mod tests {
    use super::CAUSES;
    use crate::causes::{Cause, Match};
    use crate::facts::certainty::Certainty;
    use crate::facts::certainty::Certainty::{Certain, Likely, Possible};
    use crate::facts::tcp::{Attempt, ConnectOutcome, Facts, Icmp};
    use crate::facts::{Evidence, Step, Timed};
    use std::net::SocketAddr;

    const V4: &str = "192.0.2.7:22";
    const V6: &str = "[2001:db8::7]:22";

    fn failed(errno: &str, icmp: Option<Icmp>) -> ConnectOutcome {
        ConnectOutcome::Failed { errno: Some(errno.into()), error: errno.into(), icmp, icmp_from_here: false }
    }

    fn icmp(code: u8) -> Icmp {
        Icmp { v6: false, kind: 3, code, sender: Some([198, 51, 100, 1].into()) }
    }

    fn refused() -> ConnectOutcome {
        failed("ECONNREFUSED", None)
    }

    fn attempt(address: &str, ms: f64, outcome: ConnectOutcome) -> Attempt {
        Attempt { address: address.parse().unwrap(), ms, outcome }
    }

    fn evidence(attempts: Vec<Attempt>) -> Evidence {
        let winner = attempts.iter().find(|attempt| attempt.outcome == ConnectOutcome::Connected);
        let connected_to: Option<SocketAddr> = winner.map(|attempt| attempt.address);
        let facts = Facts {
            attempts,
            not_tried: 0,
            deadline_s: 10.0,
            bind: None,
            connected_to,
            connected_from: None,
            path: None,
            repeats: Vec::new(),
        };
        let step = if connected_to.is_some() { Step::Passed(facts) } else { Step::Failed(facts) };
        Evidence { tcp: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    fn matches(evidence: &Evidence) -> Vec<(&'static str, Match)> {
        let found = |cause: &Cause| Some((cause.code, (cause.judge)(evidence)?));
        CAUSES.iter().filter_map(found).collect()
    }

    fn fired(attempts: Vec<Attempt>) -> Vec<(&'static str, Certainty)> {
        matches(&evidence(attempts)).into_iter().map(|(code, found)| (code, found.certainty)).collect()
    }

    fn alone(outcome: ConnectOutcome) -> Vec<(&'static str, Certainty)> {
        fired(vec![attempt(V4, 1.0, outcome)])
    }

    #[test]
    fn each_way_to_fail_has_its_own_cause() {
        assert_eq!(alone(refused()), [("tcp-refused", Likely)]);
        assert_eq!(alone(ConnectOutcome::TimedOut), [("tcp-filtered", Likely)]);
        assert_eq!(alone(failed("EHOSTUNREACH", Some(icmp(1)))), [("tcp-unreachable", Likely)]);
        assert_eq!(alone(failed("ENETUNREACH", None)), [("tcp-unreachable", Certain)]);
        assert_eq!(alone(failed("EHOSTUNREACH", None)), [("tcp-unreachable", Likely)], "a message that was not told");
        assert_eq!(alone(failed("EMFILE", None)), []);
    }

    #[test]
    fn a_filters_rejection_is_not_taken_for_a_closed_port_or_a_missing_route() {
        assert_eq!(alone(failed("ECONNREFUSED", Some(icmp(3)))), [("tcp-prohibited", Certain)]);
        assert_eq!(alone(failed("EHOSTUNREACH", Some(icmp(13)))), [("tcp-prohibited", Certain)]);
        assert_eq!(alone(failed("EACCES", None)), [("tcp-prohibited", Likely)], "a security module denies so too");
    }

    #[test]
    fn of_several_addresses_the_one_nearest_to_the_server_tells() {
        let pair = |first, second| fired(vec![attempt(V6, 1.0, first), attempt(V4, 1.0, second)]);
        assert_eq!(pair(failed("ENETUNREACH", None), refused()), [("tcp-refused", Likely)]);
        assert_eq!(pair(ConnectOutcome::TimedOut, refused()), [("tcp-refused", Possible)]);
        assert_eq!(pair(failed("ENETUNREACH", None), ConnectOutcome::TimedOut), [("tcp-filtered", Likely)]);
        assert_eq!(pair(failed("EHOSTUNREACH", Some(icmp(1))), ConnectOutcome::TimedOut), [("tcp-filtered", Possible)]);
    }

    #[test]
    fn an_impatient_deadline_proves_less() {
        let mut impatient = evidence(vec![attempt(V4, 1000.0, ConnectOutcome::TimedOut)]);
        let Step::Failed(facts) = &mut impatient.tcp.step else { panic!("it failed") };
        facts.deadline_s = 1.0;
        assert_eq!(matches(&impatient).first().map(|(_, found)| found.certainty), Some(Possible));
    }

    #[test]
    fn only_a_dead_address_that_ssh_tries_first_costs_time() {
        let dead = || attempt(V6, 10_000.0, ConnectOutcome::TimedOut);
        let live = || attempt(V4, 2.0, ConnectOutcome::Connected);
        assert_eq!(fired(vec![dead(), live()]), [("tcp-some-addresses-dead", Certain)]);
        assert_eq!(fired(vec![live(), attempt(V6, 160.0, ConnectOutcome::NotWaitedFor)]), []);
        assert_eq!(fired(vec![live(), dead()]), []);
        assert_eq!(fired(vec![attempt(V6, 0.2, refused()), live()]), []);
        assert_eq!(fired(vec![live()]), []);
    }

    #[test]
    fn another_family_is_advised_only_where_it_helps() {
        let advised = |dead| {
            let pair = [attempt(dead, 10_000.0, ConnectOutcome::TimedOut), attempt(V4, 2.0, ConnectOutcome::Connected)];
            let values = matches(&evidence(pair.into())).remove(0).1.values;
            values.into_iter().find(|(name, _)| *name == "family").map(|(_, family)| family)
        };
        assert_eq!(advised(V6), Some("inet".to_owned()));
        assert_eq!(advised("192.0.2.8:22"), None);
    }

    #[test]
    fn a_local_address_that_is_not_ours_is_named() {
        let bound = |bind: Option<&str>, errno| {
            let mut evidence = evidence(vec![attempt(V4, 0.1, failed(errno, None))]);
            let Step::Failed(facts) = &mut evidence.tcp.step else { panic!("it failed") };
            facts.bind = bind.map(|bind| bind.parse().unwrap());
            matches(&evidence).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
        };
        assert_eq!(bound(Some("203.0.113.9"), "EADDRNOTAVAIL"), ["tcp-bind-address"]);
        assert_eq!(bound(Some("2001:db8::9"), "EINVAL"), ["tcp-bind-address"]);
        assert_eq!(bound(Some("203.0.113.9"), "ECONNREFUSED"), ["tcp-refused"]);
        // Without a bind address it means that the local ports are used up.
        assert!(bound(None, "EADDRNOTAVAIL").is_empty());
    }
}
