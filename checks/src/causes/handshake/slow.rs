//! A handshake that takes seconds.

use super::shared::drips;
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

/// Milliseconds that a phase may take beside its round trips: weak devices need a second for a key exchange.
const PATIENCE_MS: f64 = 2000.0;

pub(super) const SLOW: Cause = Cause {
    code: "handshake-slow",
    stage: Check::Handshake,
    title: "The SSH handshake is slow",
    severity: Severity::Warning,
    explanation: "sshd sends its banner as soon as a process for the connection has started, and a key exchange takes \
        milliseconds on a modern machine; here a phase took seconds beyond its round trips. A late banner points to a \
        busy or swapping server, or to something that runs first, such as a name lookup in a TCP wrapper or a load \
        balancer. A late key exchange points to a slow or busy processor and an expensive method.\n\n\
        Lost and retransmitted packets look the same; the facts say whether the kernel counted any. Clients with a \
        short limit (ConnectTimeout, paramiko's banner_timeout) already fail now and then.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Test on the server's console: an immediate banner means that the server is fine and the path is slow",
            snippet: Some("time nc -w 5 127.0.0.1 {port} </dev/null; uptime; vmstat 1 3"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            // Without a limit ssh waits as it is.
            when: |evidence| evidence.settings.connect_timeout_from == "ConnectTimeout",
            summary: "Allow more time until the server is fixed",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ConnectTimeout 60"),
            ..Fix::CHANGE
        },
    ],
    hides: &[],
    judge: |evidence| {
        if let Some(facts) = evidence.handshake.failed().filter(|facts| drips(facts)) {
            let because = format!(
                "{} bytes came in {}, the last {} after the connection was open: {} was not complete",
                facts.received_bytes,
                seconds(facts.gave_up_ms? / 1000.0),
                seconds(facts.last_received_ms.unwrap_or_default() / 1000.0),
                if facts.version.is_some() { "the key exchange" } else { "the version" },
            );
            return Some(Match::new(Certainty::Certain, [because]).reason_open().at(Severity::Critical));
        }
        if let Some((facts, later)) = evidence.handshake.failed().and_then(|facts| Some((facts, facts.later.as_ref()?)))
            && crate::causes::handshake::shared::may_become_a_version(&later.first_bytes)
        {
            let because = format!(
                "the version came {} after the connection was open, and what your ssh waits had ended after {}",
                seconds(later.ms / 1000.0),
                seconds(facts.gave_up_ms? / 1000.0),
            );
            return Some(Match::new(Certainty::Certain, [because]).reason_open().at(Severity::Critical));
        }
        let facts = evidence.handshake.passed()?;
        let rtt_ms = facts.tcp.map_or(0.0, |tcp| f64::from(tcp.rtt_us) / 1000.0);
        let (version, offer, done) = (facts.version_ms?, facts.server_offer_ms?, facts.done_ms?);
        let phases =
            [("its version", version), ("its list of algorithms", offer - version), ("its keys", done - offer)];
        let lag_ms = evidence.lag_ms(Check::Handshake);
        let late: Vec<String> = phases
            .iter()
            .filter(|(_, ms)| *ms - lag_ms > PATIENCE_MS + 4.0 * rtt_ms)
            .map(|(what, ms)| format!("the server took {} for {what}", seconds(ms / 1000.0)))
            .collect();
        if late.is_empty() {
            return None;
        }
        let resent = facts.tcp.filter(|tcp| tcp.retransmits > 0);
        let resent = resent.map(|tcp| format!("the kernel sent {} of our packets again", tcp.retransmits));
        let certainty = if resent.is_some() { Certainty::Likely } else { Certainty::Certain };
        let headline = format!("the SSH handshake takes {}: {}", seconds(done / 1000.0), late.join(", "));
        Some(Match::new(certainty, late.into_iter().chain(resent)).reason_open().headline(headline))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::handshake::Facts;
    use crate::facts::{Evidence, Lag, Step, Timed};

    fn fires(version: f64, offer: f64, done: f64) -> bool {
        let facts =
            Facts { version_ms: Some(version), server_offer_ms: Some(offer), done_ms: Some(done), ..Facts::default() };
        let handshake = Timed { step: Step::Passed(facts), duration_ms: 1.0 };
        (SLOW.judge)(&Evidence { handshake, ..Evidence::unexamined() }).is_some()
    }

    #[test]
    fn what_we_were_late_ourselves_is_not_the_servers() {
        let facts =
            Facts { version_ms: Some(20.0), server_offer_ms: Some(25.0), done_ms: Some(3000.0), ..Facts::default() };
        let handshake = Timed { step: Step::Passed(facts), duration_ms: 1.0 };
        let mut evidence = Evidence { handshake, ..Evidence::unexamined() };
        assert!((SLOW.judge)(&evidence).is_some());
        evidence.lags = vec![Lag { check: Check::Handshake, total_ms: 1500.0 }];
        assert!((SLOW.judge)(&evidence).is_none());
        evidence.lags = vec![Lag { check: Check::Auth, total_ms: 1500.0 }];
        assert!((SLOW.judge)(&evidence).is_some());
    }

    #[test]
    fn a_phase_of_seconds_is_slow_and_a_second_is_not() {
        assert!(!fires(20.0, 25.0, 60.0) && !fires(1000.0, 1005.0, 1900.0));
        assert!(fires(2500.0, 2505.0, 2560.0) && fires(20.0, 25.0, 3000.0));
    }
}
