//! The path loses packets for their size, and nothing says so.

use crate::base::text::{sanitize, seconds};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::connection::GaveUp;
use crate::facts::retest::{self, HEADERS_V4, HEADERS_V6, Retest, RetestOutcome};
use crate::facts::tcp::TcpInfo;
use crate::facts::{Check, Evidence};

/// The smallest MTU of IPv6 (RFC 8200 section 5), bytes.
const LEAST_V6: u32 = 1280;

pub(super) const BLACK_HOLE: Cause = Cause {
    code: "path-mtu-blackhole",
    stage: Check::Handshake,
    title: "Large packets are lost on the path: an MTU black hole",
    severity: Severity::Critical,
    explanation: "The path drops packets above a certain size, and the ICMP message that should report it (\"fragmentation \
        needed\", \"packet too big\") is not sent or does not arrive, so neither end learns to send smaller ones. This \
        is common with tunnels, VPNs, PPPoE and virtual networks. SSH's first messages are small and pass; the key \
        exchange, and later each larger output, does not, and ssh hangs.\n\n\
        The exchange was repeated with smaller TCP segments and once more with full-size ones: the small ones passed \
        and the large ones did not. A server that hangs would hang with both, and so would a filter that blocks SSH \
        itself. Shortening the lists of algorithms only hides it: larger packets follow.",
    fixes: &[
        Fix {
            side: Side::Network,
            summary: "On the router at the tunnel, clamp the TCP MSS to the size that passes (nftables)",
            snippet: Some("nft insert rule inet filter forward tcp flags syn tcp option maxseg size set {mss}"),
            caution: Some(
                "use the table and chain of your own ruleset; if the router's interface has the right MTU, set rt mtu \
                follows it",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Clamp the TCP MSS with iptables",
            snippet: Some("iptables -t mangle -I FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {mss}"),
            caution: Some(
                "ip6tables for IPv6; if the router's interface has the right MTU, --clamp-mss-to-pmtu follows it",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Allow the ICMP messages of path MTU discovery (RFC 1191)",
            snippet: Some("nft insert rule inet filter forward icmp type destination-unreachable accept"),
            caution: Some("on each router that filters; use the table and chain of your own ruleset"),
            when: |evidence| !is_v6(evidence),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Network,
            summary: "Allow the ICMPv6 messages of path MTU discovery (RFC 8201)",
            snippet: Some("nft insert rule inet filter forward icmpv6 type packet-too-big accept"),
            caution: Some("on each router that filters; use the table and chain of your own ruleset"),
            when: is_v6,
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, limit this machine's packets to this server to the size that passes",
            snippet: Some(
                "sudo ip route replace {address} mtu {mtu} $(ip route get {address} | grep -oE '(via|dev) [^ ]+')",
            ),
            caution: Some("it lasts until the next reboot; sudo ip route del {address} undoes it"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "For every destination, set the interface MTU; right if a tunnel begins on this machine",
            snippet: Some("sudo ip link set dev INTERFACE mtu {mtu}"),
            caution: Some("replace INTERFACE by the one that ip route get {address} shows; IPv6 needs at least 1280"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "On the server, set the MTU for all its clients",
            snippet: Some("sudo ip link set dev INTERFACE mtu {mtu}"),
            caution: Some("replace INTERFACE by the one that faces its clients"),
            ..Fix::CHANGE
        },
    ],
    hides: &["handshake-kex-stalled", "transfer-stalled", "exit-hangs", "exit-output-lost"],
    strikes_anywhere: true,
    judge: |evidence| keys(evidence).or_else(|| data(evidence)),
    ..Cause::NEW
};

/// The judgement on a key exchange that stalled.
fn keys(evidence: &Evidence) -> Option<Match> {
    let facts = evidence.handshake.failed()?;
    let waited = facts.gave_up_ms?;
    if facts.version.is_none() || facts.end.is_some() {
        return None;
    }
    let sizes = Sizes::of(&facts.arms)?;
    let mut because = vec![format!("after the server's version, silence until {}", seconds(waited / 1000.0))];
    because.extend(sizes.lines(evidence, facts.tcp));
    let short = facts.arms.iter().find(|arm| arm.short_offer).map(|arm| &arm.outcome);
    because.extend(match short {
        Some(RetestOutcome::Through) => Some(
            "with few algorithms on offer it was through at full size too, for all packets stay small then".to_owned(),
        ),
        Some(RetestOutcome::Silent) => {
            Some("with few algorithms on offer it stalled too: the server's large packets are lost as well".to_owned())
        }
        _ => None,
    });
    let agreed = |name: &&String| facts.server_offer.as_ref().is_none_or(|offer| offer.kex.contains(name));
    let large = facts.client_offer.kex.iter().filter(agreed).find(|name| retest::is_post_quantum(name));
    because.extend(large.map(|name| {
        format!(
            "your ssh offers {}, a post-quantum key exchange, whose messages alone take more than 1000 bytes",
            sanitize(name)
        )
    }));
    Some(sizes.matched(evidence, facts.tcp, because))
}

/// The judgement on a transfer that stalled.
fn data(evidence: &Evidence) -> Option<Match> {
    let facts = evidence.transfer.failed()?;
    if facts.ran.gave_up != Some(GaveUp::Silence) || facts.first_difference.is_some() {
        return None;
    }
    let sizes = Sizes::of(&facts.arms)?;
    let mut because =
        vec!["the login and a short command worked; then data was sent there and back, and it stalled".to_owned()];
    because.extend(sizes.lines(evidence, facts.tcp));
    Some(sizes.matched(evidence, facts.tcp, because))
}

/// The results of the arms of different sizes.
struct Sizes {
    /// The largest segment that passed.
    passed: u32,
    /// The smallest one that did not.
    lost: Option<u32>,
    /// The number of arms that passed.
    passes: usize,
    /// True if full-size packets were tried again, and stalled again.
    again: bool,
    /// True if nothing else was tried.
    alone: bool,
    /// True if the kernel saw that they were lost.
    unacknowledged: bool,
}

impl Sizes {
    /// Returns `None` where nothing passed, where full size passed after all, or where size and outcome do not go
    /// together.
    fn of(arms: &[Retest]) -> Option<Self> {
        let usual = |arm: &&Retest| !arm.short_offer;
        let through = |arm: &&Retest| arm.outcome == RetestOutcome::Through;
        let silent = |arm: &&Retest| arm.outcome == RetestOutcome::Silent;
        let sizes = |is: fn(&&Retest) -> bool| arms.iter().filter(usual).filter(is).filter_map(|arm| arm.segment);
        let passed = sizes(through).max()?;
        let lost = sizes(silent).min();
        let control = arms.iter().filter(usual).find(|arm| arm.segment.is_none());
        let contradicted = control.is_some_and(|arm| through(&arm)) || lost.is_some_and(|lost| lost <= passed);
        (!contradicted).then(|| Self {
            passed,
            lost,
            passes: sizes(through).count(),
            again: control.is_some_and(|arm| silent(&arm)),
            alone: arms.len() == 1,
            unacknowledged: control.is_some_and(Retest::is_unacknowledged),
        })
    }

    fn lines(&self, evidence: &Evidence, stalled: Option<TcpInfo>) -> Vec<String> {
        let headers = headers(evidence);
        let mut lines = vec![match self.passes {
            1 => format!("on a connection of its own, packets of up to {} bytes got through", self.passed + headers),
            sizes => format!(
                "on connections of their own, packets of up to {} bytes got through ({sizes} sizes tried)",
                self.passed + headers
            ),
        }];
        if is_v6(evidence) && self.lost.is_some_and(|lost| lost + headers <= LEAST_V6) {
            lines.push(
                "every IPv6 link has to carry packets of 1280 bytes (RFC 8200 section 5): this path does not"
                    .to_owned(),
            );
        }
        lines.extend(self.lost.map(|lost| format!("packets of {} bytes did not", lost + headers)));
        if self.again {
            lines.push("once more at full size it stalled again".to_owned());
        }
        if self.alone {
            lines.push("too little of ConnectTimeout was left to try full size again, which a longer one allows (-o ConnectTimeout=20)".to_owned());
        }
        lines.extend(stalled.map(|tcp| {
            let size = tcp.path_mtu;
            if tcp.is_losing() {
                format!("the kernel sent our data again and again ({} times) without an acknowledgement, at a path MTU of {size}: lost on the way to the server", tcp.retransmits)
            } else {
                format!("all our data was acknowledged, at a path MTU of {size}: what is lost is the server's, on the way to us")
            }
        }));
        lines
    }

    fn matched(&self, evidence: &Evidence, stalled: Option<TcpInfo>, because: Vec<String>) -> Match {
        let losing = self.unacknowledged && stalled.is_some_and(|tcp| tcp.is_losing());
        let certain = self.again && (losing || self.passes > 1);
        let certainty = if certain { Certainty::Certain } else { Certainty::Likely };
        let matched = Match::new(certainty, because).with("mss", self.passed.to_string());
        let mtu = self.passed + headers(evidence);
        // No interface and no route takes less for IPv6.
        let matched = if is_v6(evidence) && mtu < LEAST_V6 { matched } else { matched.with("mtu", mtu.to_string()) };
        match evidence.tcp.passed().and_then(|facts| facts.connected_to) {
            Some(address) => matched.with("address", address.ip().to_string()),
            None => matched,
        }
    }
}

/// Returns the size of the IP and TCP headers, bytes.
fn headers(evidence: &Evidence) -> u32 {
    if is_v6(evidence) { HEADERS_V6 } else { HEADERS_V4 }
}

fn is_v6(evidence: &Evidence) -> bool {
    evidence.tcp.passed().and_then(|facts| facts.connected_to).is_some_and(|address| address.is_ipv6())
}

#[cfg(test)]
mod tests {
    use super::BLACK_HOLE;
    use crate::facts::certainty::Certainty;
    use crate::facts::certainty::Certainty::{Certain, Likely};
    use crate::facts::handshake::Facts;
    use crate::facts::retest::{Retest, RetestOutcome};
    use crate::facts::tcp::{self, TcpInfo};
    use crate::facts::{Evidence, Step, Timed};

    fn arm(segment: Option<u32>, outcome: RetestOutcome) -> Retest {
        Retest { segment, short_offer: false, tos: None, ms: 40.0, outcome, tcp: None }
    }

    fn through(segment: u32) -> Retest {
        arm(Some(segment), RetestOutcome::Through)
    }

    fn silent(segment: u32) -> Retest {
        arm(Some(segment), RetestOutcome::Silent)
    }

    fn again() -> Retest {
        arm(None, RetestOutcome::Silent)
    }

    fn evidence(arms: Vec<Retest>) -> Evidence {
        let facts = Facts { version: Some("SSH-2.0-x".into()), gave_up_ms: Some(3000.0), arms, ..Facts::default() };
        Evidence { handshake: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    fn judged(arms: Vec<Retest>) -> Option<(Certainty, Vec<(&'static str, String)>)> {
        (BLACK_HOLE.judge)(&evidence(arms)).map(|found| (found.certainty, found.values))
    }

    #[test]
    fn no_mtu_below_1280_is_advised_for_ipv6() {
        let by_v6 = |arms: Vec<Retest>| {
            let facts = tcp::Facts {
                attempts: Vec::new(),
                not_tried: 0,
                deadline_s: 3.0,
                bind: None,
                connected_to: Some("[2001:db8::7]:22".parse().unwrap()),
                connected_from: None,
                path: None,
                repeats: Vec::new(),
            };
            let tcp = Timed { step: Step::Passed(facts), duration_ms: 1.0 };
            (BLACK_HOLE.judge)(&Evidence { tcp, ..evidence(arms) }).unwrap()
        };
        let value = |found: &crate::causes::Match, name: &str| {
            found.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        let narrow = by_v6(vec![through(536), again(), through(1220), silent(1292)]);
        assert_eq!(value(&narrow, "mtu").as_deref(), Some("1280"));
        let broken = by_v6(vec![through(536), again(), silent(1220)]);
        assert_eq!((value(&broken, "mtu"), value(&broken, "mss").as_deref()), (None, Some("536")));
        assert!(broken.because.iter().any(|line| line.contains("RFC 8200")), "{:?}", broken.because);
    }

    fn certainty(arms: Vec<Retest>) -> Option<Certainty> {
        judged(arms).map(|(certainty, _)| certainty)
    }

    #[test]
    fn small_ones_that_pass_and_large_ones_that_stall_again_prove_it() {
        let (certainty, values) = judged(vec![through(536), again(), through(808), silent(944)]).unwrap();
        assert_eq!(certainty, Certain);
        assert_eq!(values, [("mss", "808".to_owned()), ("mtu", "848".to_owned())]);
    }

    #[test]
    fn one_pass_alone_proves_it_only_where_the_kernel_saw_the_loss() {
        assert_eq!(certainty(vec![through(536), again()]), Some(Likely));
        let losing = TcpInfo {
            rtt_us: 100,
            rto_us: 1_600_000,
            backoff: 3,
            unacked: 1,
            retransmits: 4,
            last_ack_ms: 2900,
            mss: 1448,
            path_mtu: 1500,
            ..TcpInfo::default()
        };
        let lost = Retest { tcp: Some(losing), ..again() };
        assert_eq!(certainty(vec![through(536), lost]), Some(Likely), "the first stall was not seen to lose anything");
        assert_eq!(certainty(vec![through(536)]), Some(Likely));
    }

    #[test]
    fn it_is_not_claimed_where_size_does_not_decide() {
        assert_eq!(certainty(vec![silent(536)]), None, "a server that hangs");
        assert_eq!(certainty(vec![]), None);
        assert_eq!(certainty(vec![through(536), arm(None, RetestOutcome::Through)]), None, "an outage that is over");
        assert_eq!(
            certainty(vec![through(536), again(), silent(700), through(900)]),
            None,
            "a server that hangs at times"
        );
    }
}
