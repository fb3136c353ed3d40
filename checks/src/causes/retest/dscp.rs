//! The path loses packets for the mark that they carry.

use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::retest::{Marks, RetestOutcome};

pub(super) const DROPPED: Cause = Cause {
    code: "path-dscp-dropped",
    stage: Check::Channel,
    title: "The path drops packets with ssh's DSCP marking (IPQoS)",
    severity: Severity::Critical,
    explanation: "After the login ssh marks its packets with a DSCP value (IPQoS: AF21 for interactive sessions and CS1 for \
        others in OpenSSH 7.8 to 10.0, EF for interactive ones since 10.1). From then on something in the path drops \
        them: a router, a VPN, a virtual machine's network or a Wi-Fi driver. The login itself is not marked and \
        works, so ssh seems to hang as the session begins.\n\n\
        The login was repeated with and without the marking while the marked connection was still open. The server \
        marks its own packets by its own IPQoS, which a client cannot disable: if the path drops those too, the \
        server's setting must change as well.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Disable the DSCP marking in ssh",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    IPQoS none"),
            caution: Some("if an old ssh does not know none, cs0 does the same"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Disable the DSCP marking on the server too",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("IPQoS none"),
            caution: Some("it applies to new connections after sshd is reloaded"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Find the rule or queue in the path that drops by DSCP",
            snippet: Some("sudo nft list ruleset | grep -n dscp; sudo iptables-save | grep -i dscp; tc -s qdisc"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["packet_write_wait: Connection to port: Broken pipe"],
    hides: &["network-outage"],
    strikes_anywhere: true,
    judge: |evidence| {
        let facts = evidence.channel.failed()?;
        let marks = facts.marks.as_ref()?;
        if marks.arm.outcome != RetestOutcome::Through {
            return None;
        }
        if facts.ending.is_some() || !marks.marked.is_some_and(|tcp| tcp.is_losing()) {
            return None;
        }
        let proven = marks.acknowledged_ms.is_some() || marks.marked_after.is_some_and(|tcp| tcp.is_losing());
        let certainty = if proven { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, silence(marks)))
    },
    ..Cause::NEW
};

fn silence(marks: &Marks) -> Vec<String> {
    let resent = marks.marked.map_or(0, |tcp| tcp.retransmits);
    let mut because = vec![
        format!(
            "the login worked, and from the moment when packets were marked {} none was acknowledged: {resent} were sent again",
            name(marks.tos)
        ),
        unmarked(marks),
    ];
    because.extend(match marks.acknowledged_ms {
        Some(ms) => Some(format!(
            "the marked connection got nothing through meanwhile, and {} after its mark was taken off its data was acknowledged",
            seconds(ms / 1000.0)
        )),
        None if marks.marked_after.is_some_and(|tcp| tcp.is_losing()) => {
            Some("the marked connection got nothing through meanwhile".to_owned())
        }
        None => None,
    });
    because
}

fn unmarked(marks: &Marks) -> String {
    format!("a second connection without the mark logged in and ran a command in {}", seconds(marks.arm.ms / 1000.0))
}

/// The byte and the code point in it (RFC 2474 section 3).
fn name(tos: u8) -> String {
    format!("with type of service {tos:#04x} (DSCP {})", tos >> 2)
}

#[cfg(test)]
mod tests {
    use super::DROPPED;
    use crate::facts::certainty::Certainty;
    use crate::facts::certainty::Certainty::{Certain, Likely};
    use crate::facts::channel::Facts;
    use crate::facts::connection::Manner;
    use crate::facts::retest::{Marks, Retest, RetestOutcome};
    use crate::facts::tcp::TcpInfo;
    use crate::facts::{Evidence, Step, Timed};

    fn kernel(unacked: u32) -> TcpInfo {
        TcpInfo {
            rtt_us: 100,
            rto_us: 6_000_000,
            backoff: if unacked > 0 { 5 } else { 0 },
            unacked,
            retransmits: 5,
            last_ack_ms: 9000,
            mss: 1448,
            path_mtu: 1500,
            ..TcpInfo::default()
        }
    }

    fn marks(outcome: RetestOutcome) -> Marks {
        let arm = Retest { segment: None, short_offer: false, tos: None, ms: 300.0, outcome, tcp: None };
        Marks { tos: 0x48, marked: Some(kernel(1)), arm, marked_after: Some(kernel(1)), acknowledged_ms: Some(2000.0) }
    }

    fn judged(marks: Marks, ending: Option<Manner>) -> Option<Certainty> {
        let facts = Facts { marks: Some(marks), ending, ..Facts::default() };
        let evidence =
            Evidence { channel: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
        (DROPPED.judge)(&evidence).map(|found| found.certainty)
    }

    #[test]
    fn it_is_proven_where_only_the_unmarked_connection_works_at_the_same_time() {
        assert_eq!(judged(marks(RetestOutcome::Through), None), Some(Certain));
        let recovered = Marks { marked_after: Some(kernel(0)), acknowledged_ms: None, ..marks(RetestOutcome::Through) };
        assert_eq!(judged(recovered, None), Some(Likely), "the path came back for both");
    }

    #[test]
    fn an_end_right_after_the_marks_is_not_laid_on_them() {
        assert_eq!(judged(marks(RetestOutcome::Through), Some(Manner::Reset)), None);
    }

    #[test]
    fn a_silent_server_and_a_dead_path_are_not_laid_on_marks() {
        let hangs = Marks { marked: Some(kernel(0)), marked_after: Some(kernel(0)), ..marks(RetestOutcome::Through) };
        assert_eq!(judged(hangs, None), None, "everything was acknowledged");
        assert_eq!(judged(marks(RetestOutcome::Silent), None), None, "nothing passes without the mark either");
    }
}
