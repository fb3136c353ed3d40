//! Packets that are lost, or overtake each other.

use super::limits::{SERIES, cut_off};
use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::tcp::{self, Attempt, ConnectOutcome, Facts, TcpInfo};
use crate::facts::{Check, Evidence};

/// A lost SYN is sent again after 1 s (RFC 6298 section 2.1): a connection that takes so much longer than a round trip has lost one.
const LATE_MS: f64 = 900.0;
/// Of the segments with data, those sent again: less is lost on a busy wireless link, and to our own burst where a queue is short (a MiB
/// at full speed over eight virtual routers of a busy machine lost 3.4 %).
const SHARE: f64 = 0.05;
/// The time that data waits in a full queue, at least; receivers delay an acknowledgement by 40 ms (Linux, TCP_DELACK_MIN).
const QUEUED_MS: f64 = 100.0;
/// A share of fewer segments says nothing.
const SEGMENTS: u32 = 100;

pub(super) const LOSSY: Cause = Cause {
    code: "tcp-lossy",
    stage: Check::Tcp,
    title: "Packets are lost on the path to the server",
    severity: Severity::Warning,
    explanation: "TCP retransmits what is lost, so everything arrives, but late: a lost first packet costs 1 to 3 s, a lost \
        keystroke is felt as a stall, and keepalives with a short interval and few retries mistake a burst of losses \
        for a dead server. Radio links, overloaded lines, bad cables and duplex mismatches are the usual reasons.\n\n\
        Loss of data was measured during a transfer at full speed. A very short queue in the path drops \
        packets in such a burst, but not while a person types. If only new connections are slow and data flows without \
        loss, the server may be too busy to accept them (its accept queue is full), which looks the same from the \
        client.",
    fixes: &[
        Fix {
            side: Side::Network,
            summary: "Find the hop at which loss begins and continues to the end",
            snippet: Some("mtr --report --report-cycles 100 --tcp --port {port} {host}"),
            caution: Some(
                "loss at one hop that does not continue to the last only means that this hop is slow to answer",
            ),
            ..Fix::LOOK
        },
        Fix { side: Side::Client, summary: "Check this machine's own link", snippet: Some("ip -s link"), ..Fix::LOOK },
        Fix {
            side: Side::Client,
            summary: "Let keepalives outlast bursts of loss",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ServerAliveInterval 30\n    ServerAliveCountMax 6"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Check whether the server itself drops new connections",
            snippet: Some("nstat -az TcpExtListenOverflows TcpExtListenDrops"),
            ..Fix::LOOK
        },
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.tcp.passed()?;
        let moved = evidence.transfer.passed().and_then(|facts| facts.tcp);
        // What a router turned back as too big was sent again in smaller packets: that is no loss (RFC 1191, RFC 8201).
        let learned = |tcp: &TcpInfo| facts.path.is_some_and(|path| tcp.path_mtu < path.mtu);
        let round_trip = facts.path.map_or(0.0, |path| path.rtt_ms);
        let data = moved.filter(|tcp| !learned(tcp) && !fills_a_queue(tcp, round_trip)).and_then(resent);
        let late: Vec<_> = facts.repeats.iter().filter(|attempt| is_late(attempt, round_trip)).collect();
        let scattered = late.len() >= SERIES && cut_off(facts).is_none();
        let mut because = Vec::new();
        if scattered {
            because.push(format!(
                "{} of {} connections needed a repeated first packet or were not answered at all",
                late.len(),
                facts.repeats.len()
            ));
            because.extend(late.iter().map(|attempt| tcp::line(attempt)));
        }
        because.extend(data);
        (!because.is_empty()).then(|| {
            because.extend(along_the_way(evidence, facts));
            Match::new(Certainty::Likely, because)
        })
    },
    ..Cause::NEW
};

pub(super) const REORDERING: Cause = Cause {
    code: "tcp-reordering",
    stage: Check::Tcp,
    title: "Packets arrive out of order",
    severity: Severity::Info,
    explanation: "Segments overtake each other on the way. TCP takes late ones for lost, sends them again and slows \
        down; nothing is lost, and sessions survive it. Load balancing packet by packet over unequal links does this, \
        bonded links, and some radio links and VPNs.\n\n\
        The receiver reported the repeated segments as duplicates (DSACK, RFC 2883), which distinguishes reordering \
        from loss.",
    fixes: &[Fix {
        side: Side::Network,
        summary: "Balance links by flow, not by packet (the command shows a Linux bond's rule)",
        snippet: Some("grep -H . /sys/class/net/*/bonding/{mode,xmit_hash_policy} 2>/dev/null"),
        ..Fix::LOOK
    }],
    symptoms: &["TCP Out-Of-Order", "TCP Spurious Retransmission"],
    hides: &[],
    judge: |evidence| {
        let tcp = evidence.transfer.passed().and_then(|facts| facts.tcp)?;
        Some(Match::new(Certainty::Likely, [overtaken(tcp)?]))
    },
    ..Cause::NEW
};

fn is_late(attempt: &Attempt, round_trip_ms: f64) -> bool {
    match attempt.outcome {
        ConnectOutcome::Connected => attempt.ms >= LATE_MS + round_trip_ms,
        ConnectOutcome::TimedOut => true,
        ConnectOutcome::Failed { .. } | ConnectOutcome::NotWaitedFor => false,
    }
}

/// True if segments overtook each other, and the receiver said of so many repeated ones that they had arrived that the others need not have
/// been lost either: such reports are lost and overtaken themselves. On a path with 25 % reordering and no loss they were 37 to 71 % of the
/// retransmissions.
fn is_overtaking(tcp: TcpInfo) -> bool {
    overtakes_often(tcp) && tcp.duplicates.saturating_mul(5) >= tcp.retransmits
}

/// True if segments overtook each other more often than the kernel takes them to where packets are lost: it counted 4 to 17 % of the segments
/// on paths with 5 to 25 % reordering, and below 1 % on one that lost a tenth, where up to 45 % of the repeated segments had arrived too.
fn overtakes_often(tcp: TcpInfo) -> bool {
    /// One of so many segments.
    const OFTEN: u32 = 50;
    tcp.reorderings > 0 && tcp.reorderings.saturating_mul(OFTEN) >= tcp.data_segments
}

/// True if our data waited in a queue for much longer than a round trip takes: a slow link, whose full queue drops what a fast sender
/// has too much. What is lost in a burst of ours then says nothing of the path.
fn fills_a_queue(tcp: &TcpInfo, round_trip_ms: f64) -> bool {
    let under_load = f64::from(tcp.rtt_us) / 1000.0;
    under_load >= round_trip_ms + QUEUED_MS && under_load >= 3.0 * round_trip_ms
}

/// Tells that more than the usual share of the data was lost. What was sent again and had only been late is no loss.
fn resent(tcp: TcpInfo) -> Option<String> {
    let share = f64::from(tcp.lost()) / f64::from(tcp.data_segments.max(1));
    (!is_overtaking(tcp) && tcp.data_segments >= SEGMENTS && share >= SHARE).then(|| {
        let late = match tcp.duplicates {
            0 => String::new(),
            late => format!("; {late} more were sent again and had only been late"),
        };
        format!(
            "of {} segments with data {} had to be sent again ({:.0} %){late}",
            tcp.data_segments,
            tcp.lost(),
            share * 100.0
        )
    })
}

/// Tells that segments overtook each other so often that TCP took many of them for lost.
fn overtaken(tcp: TcpInfo) -> Option<String> {
    let share = f64::from(tcp.duplicates) / f64::from(tcp.data_segments.max(1));
    (tcp.data_segments >= SEGMENTS && overtakes_often(tcp) && share >= SHARE).then(|| {
        format!(
            "of {} segments with data {} were sent again without need: they had arrived, out of order ({:.0} %)",
            tcp.data_segments,
            tcp.duplicates,
            share * 100.0
        )
    })
}

/// Describes the losses on the examination's own connection, which alone could be chance.
fn along_the_way(evidence: &Evidence, facts: &Facts) -> Option<String> {
    let syns = facts.path.map_or(0, |path| path.repeated_syns);
    let handshake = evidence.handshake.passed().and_then(|facts| facts.tcp).map_or(0, |tcp| tcp.retransmits);
    let took = facts.attempts.iter().find(|attempt| attempt.outcome == ConnectOutcome::Connected)?.ms;
    (handshake > 0).then(|| {
        format!(
            "the examination's own connection took {} and sent {handshake} packets again before the login ({syns} of them its first)",
            seconds(took / 1000.0)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::limits::SOURCE_BANNED;
    use super::{LOSSY, REORDERING};
    use crate::facts::certainty::Certainty;
    use crate::facts::certainty::Certainty::{Likely, Possible};
    use crate::facts::tcp::{Attempt, ConnectOutcome, Facts, Path, TcpInfo};
    use crate::facts::{Evidence, Step, Timed, transfer};

    fn attempt(ms: f64, outcome: ConnectOutcome) -> Attempt {
        Attempt { address: "192.0.2.7:22".parse().unwrap(), ms, outcome }
    }

    fn quick() -> Attempt {
        attempt(20.0, ConnectOutcome::Connected)
    }

    fn late() -> Attempt {
        attempt(1020.0, ConnectOutcome::Connected)
    }

    fn silent() -> Attempt {
        attempt(3500.0, ConnectOutcome::TimedOut)
    }

    fn evidence(repeats: Vec<Attempt>) -> Evidence {
        let facts = Facts {
            attempts: vec![quick()],
            not_tried: 0,
            deadline_s: 10.0,
            bind: None,
            connected_to: Some("192.0.2.7:22".parse().unwrap()),
            connected_from: None,
            path: None,
            repeats,
        };
        Evidence { tcp: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    fn fired(evidence: &Evidence) -> Vec<(&'static str, Certainty)> {
        let found = |cause: &crate::causes::Cause| Some((cause.code, (cause.judge)(evidence)?.certainty));
        [SOURCE_BANNED, LOSSY].iter().filter_map(found).collect()
    }

    #[test]
    fn losses_here_and_there_are_loss_and_one_is_chance() {
        assert_eq!(fired(&evidence(vec![quick(), late(), quick(), silent(), quick()])), [("tcp-lossy", Likely)]);
        assert_eq!(fired(&evidence(vec![quick(), late(), quick()])), []);
        assert_eq!(fired(&evidence(vec![])), []);
    }

    #[test]
    fn connections_over_a_far_path_are_not_late() {
        let mut far = evidence(vec![late(), late(), late()]);
        if let Step::Passed(facts) = &mut far.tcp.step {
            facts.path = Some(Path { rtt_ms: 1000.0, mss: 1448, mtu: 1500, repeated_syns: 0 });
        }
        assert_eq!(fired(&far), []);
    }

    #[test]
    fn what_ends_and_does_not_come_back_may_be_a_ban() {
        assert_eq!(
            fired(&evidence(vec![quick(), quick(), silent(), silent(), silent()])),
            [("tcp-source-banned", Possible)]
        );
        let mut refused = evidence(vec![]);
        refused.spent.refused_since = 3;
        assert_eq!(fired(&refused), [("tcp-source-banned", Possible)]);
        refused.spent.refused_since = 1;
        assert_eq!(fired(&refused), []);
    }

    #[test]
    fn what_arrives_out_of_order_is_not_lost() {
        let moved = |retransmits, duplicates| {
            let tcp = TcpInfo { retransmits, duplicates, data_segments: 800, reorderings: 20, ..TcpInfo::default() };
            let facts = transfer::Facts { tcp: Some(tcp), ..transfer::Facts::default() };
            Evidence { transfer: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..evidence(vec![]) }
        };
        let named = |evidence: &Evidence| (REORDERING.judge)(evidence).is_some();
        for overtaken in [moved(300, 290), moved(400, 160)] {
            assert_eq!(fired(&overtaken), []);
            assert!(named(&overtaken));
        }
        let lost = moved(300, 0);
        assert_eq!(fired(&lost), [("tcp-lossy", Likely)]);
        assert!(!named(&lost));
    }

    #[test]
    fn what_is_lost_is_not_out_of_order_where_the_kernel_repeats_too_much() {
        // As measured: a tenth lost in a router, and a quarter reordered on a wire.
        let moved = |data_segments, retransmits, duplicates, reorderings| {
            let tcp = TcpInfo { retransmits, data_segments, duplicates, reorderings, ..TcpInfo::default() };
            let facts = transfer::Facts { tcp: Some(tcp), ..transfer::Facts::default() };
            Evidence { transfer: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..evidence(vec![]) }
        };
        let named = |evidence: &Evidence| (REORDERING.judge)(evidence).is_some();
        for lost in [moved(860, 123, 40, 7), moved(914, 176, 80, 6), moved(819, 81, 19, 6), moved(823, 85, 2, 6)] {
            assert_eq!(fired(&lost), [("tcp-lossy", Likely)]);
            assert!(!named(&lost));
        }
        for overtaken in [moved(803, 66, 28, 141), moved(820, 83, 40, 120), moved(866, 128, 69, 86)] {
            assert_eq!(fired(&overtaken), []);
        }
        assert!(named(&moved(866, 128, 69, 86)));
    }

    #[test]
    fn data_that_is_sent_again_proves_loss_where_there_was_enough_of_it() {
        let moved = |data_segments, retransmits| {
            let tcp = Some(TcpInfo { retransmits, data_segments, ..TcpInfo::default() });
            let facts = transfer::Facts { tcp, ..transfer::Facts::default() };
            Evidence { transfer: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..evidence(vec![]) }
        };
        assert_eq!(fired(&moved(800, 60)), [("tcp-lossy", Likely)]);
        assert_eq!(fired(&moved(767, 26)), [], "a burst's own losses");
        assert_eq!(fired(&moved(20, 5)), []);
        let mut narrowed = moved(800, 60);
        let Step::Passed(facts) = &mut narrowed.tcp.step else { unreachable!() };
        facts.path = Some(Path { rtt_ms: 1.0, mss: 1448, mtu: 1500, repeated_syns: 0 });
        assert_eq!(fired(&narrowed), [], "its path MTU is less than it was");
    }

    #[test]
    fn what_a_full_queue_of_a_slow_link_drops_is_not_lost_on_the_path() {
        let moved = |rtt_us, rtt_ms| {
            let tcp = TcpInfo { retransmits: 466, data_segments: 1792, path_mtu: 1500, rtt_us, ..TcpInfo::default() };
            let facts = transfer::Facts { tcp: Some(tcp), ..transfer::Facts::default() };
            let transfer = Timed { step: Step::Passed(facts), duration_ms: 1.0 };
            let mut evidence = Evidence { transfer, ..evidence(vec![]) };
            let Step::Passed(facts) = &mut evidence.tcp.step else { unreachable!() };
            facts.path = Some(Path { rtt_ms, mss: 1448, mtu: 1500, repeated_syns: 0 });
            evidence
        };
        assert_eq!(fired(&moved(219_758, 0.1)), []);
        assert_eq!(fired(&moved(40_000, 0.1)), [("tcp-lossy", Likely)], "delayed acknowledgements");
        assert_eq!(fired(&moved(350_000, 240.0)), [("tcp-lossy", Likely)], "a far path");
    }
}
