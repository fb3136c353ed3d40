//! Idle timers that expire, distinguished by the manner of the death.

use super::survived;
use crate::base::text::seconds;
use crate::causes::shared::{KEEPALIVE, RELOAD};
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::idle::chance::ended_by_chance;
use crate::facts::idle::{Arm, Facts, Search, Sign, Speaker, StretchEnd, hop_state};
use crate::facts::{Check, Evidence};

/// Sessions that must have survived more silence than one that ended, for its end to be none of a timer's.
const SEVERAL: usize = 3;

pub(super) const SERVER_KEEPALIVE: Fix = Fix {
    side: Side::Server,
    summary: "Send keepalives from the server, for all clients",
    file: Some("/etc/ssh/sshd_config"),
    snippet: Some("ClientAliveInterval {interval}\nClientAliveCountMax {count_max}"),
    caution: Some(RELOAD),
    ..Fix::CHANGE
};

pub(super) const HAPROXY_TIMEOUT: Fix = Fix {
    side: Side::Network,
    summary: "If the proxy is haproxy, raise its idle timeouts",
    file: Some("/etc/haproxy/haproxy.cfg"),
    snippet: Some("timeout client 2h\ntimeout server 2h\ntimeout tunnel 2h"),
    caution: Some("check with haproxy -c -f FILE, then reload haproxy"),
    ..Fix::CHANGE
};

pub(super) const NGINX_TIMEOUT: Fix = Fix {
    side: Side::Network,
    summary: "If the proxy is nginx (stream), raise its idle timeout",
    file: Some("/etc/nginx/nginx.conf"),
    snippet: Some("proxy_timeout 2h;"),
    caution: Some("check with nginx -t, then reload nginx"),
    ..Fix::CHANGE
};

pub(super) const LONGER_TIMER: Fix = Fix {
    side: Side::Network,
    summary: "Raise the device's idle timeout for established TCP connections (the command is for a Linux router)",
    snippet: Some("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=7440"),
    caution: Some("RFC 5382 requires at least 2 h 4 min (7440 s); it uses more memory on a busy device"),
    ..Fix::CHANGE
};

pub(super) const SILENT_DROP: Cause = Cause {
    code: "idle-silent-drop",
    stage: Check::Idle,
    title: "Something in the path silently drops idle connections",
    severity: Severity::Critical,
    explanation: "A NAT, firewall or load balancer keeps a table of the connections through it. It removes one that was idle for \
        longer than its timeout, and drops whatever either side sends afterwards. Neither end notices: the session \
        freezes, and dies minutes later when the kernel stops retransmitting.\n\n\
        Idle sessions and sessions with keepalives were held side by side. Only the idle ones died, only after data \
        was sent on them again, and a new connection worked at that moment. So it is an idle timeout, not an outage or \
        an age limit.",
    fixes: &[KEEPALIVE, SERVER_KEEPALIVE, LONGER_TIMER],
    hides: &[],
    corroborated_by: &[testimony::dropped_there_too, testimony::connection_tracking],
    judge: |evidence| judge(evidence, |manner, sign| *manner == Manner::Silent && sign == Sign::AfterProbe),
    judge_sessions: sessions::silent_drop,
    ..Cause::NEW
};

pub(super) const RESET: Cause = Cause {
    code: "idle-reset",
    stage: Check::Idle,
    title: "Something in the path resets idle connections",
    severity: Severity::Critical,
    explanation: "After idle time a TCP RST ended the connection, while sessions with keepalives survived and a new connection \
        worked. A stateful device does this when its timeout for the connection expires. Some reset both ends at that \
        moment. Others drop the state and answer the next packet with a RST; the facts say which it was.\n\n\
        A server that lost the connection (a restart with the same address) also answers with a RST; then the sessions \
        with keepalives would have died as well.",
    fixes: &[KEEPALIVE, SERVER_KEEPALIVE, LONGER_TIMER],
    hides: &[],
    corroborated_by: &[testimony::ended_by_sshd, testimony::connection_tracking],
    judge: |evidence| judge(evidence, |manner, _| *manner == Manner::Reset),
    judge_sessions: sessions::reset,
    ..Cause::NEW
};

pub(super) const CLOSED: Cause = Cause {
    code: "idle-closed",
    stage: Check::Idle,
    title: "Idle connections are closed (TCP FIN) by the other side",
    severity: Severity::Critical,
    explanation: "After idle time the other side closed the connection (TCP FIN) without an SSH message, while sessions with \
        keepalives survived and a new connection worked. Proxies and load balancers that terminate TCP do this when \
        their idle timeout expires, and so do SSH servers with an inactivity limit. The FIN looks the same; the \
        server's log shows whether sshd ended the session or found it closed.",
    fixes: &[
        KEEPALIVE,
        HAPROXY_TIMEOUT,
        NGINX_TIMEOUT,
        Fix {
            side: Side::Server,
            summary: "Check whether sshd ended the session itself, or found it closed",
            snippet: Some("journalctl -u ssh -u sshd --since -1h | grep -iE 'timeout|inactiv|disconnect|closed'"),
            ..Fix::LOOK
        },
    ],
    hides: &[],
    corroborated_by: &[testimony::ended_by_sshd],
    judge: |evidence| judge(evidence, |manner, _| *manner == Manner::Fin).map(Match::reason_open),
    judge_sessions: sessions::closed,
    ..Cause::NEW
};

pub(super) const SERVER_DISCONNECT: Cause = Cause {
    code: "idle-server-disconnect",
    stage: Check::Idle,
    title: "The server disconnects idle sessions with a message",
    severity: Severity::Critical,
    explanation: "After idle time the server sent SSH_MSG_DISCONNECT (RFC 4253 section 11.1), while sessions with keepalives \
        survived and a new login worked. The facts quote its text. This is a setting of the SSH server or of a bastion \
        in front of it, and often a policy: ask its owner before working around it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find the inactivity limit in the configuration of the SSH server or bastion",
            snippet: Some("sshd -T | grep -iE 'timeout|alive'"),
            ..Fix::LOOK
        },
        KEEPALIVE,
    ],
    symptoms: &[
        "idle connection timeout expired",
        "Idle timeout expired",
        "disconnected due to inactivity",
        "exceeded idle timeout",
        "User session has timed out idling",
        "Client exceeded idle timeout",
        "Session idle timeout",
    ],
    hides: &[],
    judge: |evidence| judge(evidence, |manner, _| matches!(manner, Manner::Disconnect { .. })),
    judge_sessions: sessions::disconnected,
    ..Cause::NEW
};

/// A silent session died in the given manner while others lived.
pub(super) fn judge(evidence: &Evidence, manner: fn(&Manner, Sign) -> bool) -> Option<Match> {
    let facts = evidence.idle_deaths()?;
    let dead = facts.deaths();
    let first = dead.first()?;
    let (how, sign) = first.death()?;
    if !manner(how, sign) || first.was_acknowledged() || !may_be_timers(evidence, facts, first) {
        return None;
    }
    // Similar causes are an outage, a limit on age and a server that restarts: sessions kept alive for longer exclude them.
    let proven = facts.keepalive().verified == Some(true) && facts.timeout().survived_s.is_some();
    let certainty = if proven { sharp(facts) } else { Certainty::Likely };
    let mut found = Match::new(certainty, because(facts, first, how, sign));
    for (name, value) in [("interval", facts.keepalive().interval_s), ("count_max", facts.keepalive().count_max)] {
        found = value.into_iter().fold(found, |found, value| found.with(name, value.to_string()));
    }
    Some(survived::by_own_keepalive(evidence, facts, found.suspecting(crate::causes::suspects::of(evidence))))
}

/// True if a timer may have ended this session, the one that was silent for the shortest time of those that died.
pub(super) fn may_be_timers(evidence: &Evidence, facts: &Facts, first: &Arm) -> bool {
    let by_itself = matches!(first.death(), Some((_, Sign::BeforeProbe)));
    // One that ended while several were silent for longer met something else than a timer.
    let is_refuted = by_itself && facts.deaths().len() == 1 && facts.lived_longer().count() >= SEVERAL;
    outlived(first) && !is_refuted && !is_by_chance(evidence, facts, first)
}

/// True if what ended it looks neither at silence nor at age.
fn is_by_chance(evidence: &Evidence, facts: &Facts, first: &Arm) -> bool {
    let resets = evidence.undisturbed_timeline().random_resets().map(|found| found.resets).unwrap_or_default();
    let resets: Vec<f64> = resets.iter().map(|(at_s, ..)| at_s - facts.began_s).collect();
    let arms = [&facts.arms[..], &facts.random_resets[..]].concat();
    std::iter::zip(&arms, ended_by_chance(&arms, &resets)).any(|(arm, is)| is && arm == first)
}

/// Returns how sure it is that only idle time ends sessions, and that it always does.
pub(super) fn sharp(facts: &Facts) -> Certainty {
    let always = facts.lived_longer().next().is_none() && facts.kept_in_vain().next().is_none();
    if always { Certainty::Certain } else { Certainty::Likely }
}

/// True if a session that was kept alive was well when this one was found dead.
pub(super) fn outlived(arm: &Arm) -> bool {
    matches!(arm.end, StretchEnd::Died { others_alive: true, .. })
}

fn because(facts: &Facts, first: &Arm, how: &Manner, sign: Sign) -> Vec<String> {
    let mut because = Vec::new();
    let died = seconds(first.quiet_s());
    let end = match sign {
        Sign::BeforeProbe => format!("ended by {}, before anything was sent", how.words()),
        Sign::AfterProbe if *how == Manner::Silent => match &first.end {
            StretchEnd::Died { tcp: Some(tcp), .. } if tcp.unacked > 0 && tcp.backoff > 0 => {
                format!("dead: {} retransmissions, no ACK", tcp.backoff)
            }
            _ => "dead: no answer".to_owned(),
        },
        Sign::AfterProbe => format!("ended by {} when data was sent on it", how.words()),
    };
    because.push(match facts.timeout().survived_s {
        Some(survived) => format!("idle {} survived; idle {died}: {end}", seconds(survived)),
        None => format!("idle {died}: {end}"),
    });
    because.extend(proof(facts));
    because.extend(which_hop(facts));
    because.push("a new login worked at that moment, and a session with keepalives answered".to_owned());
    because.extend(replicated(facts));
    because.extend(facts.tcp_keepalive_lived().map(|lived| {
        let kept = if lived { "kept a session alive too" } else { "did not keep a session alive" };
        format!("TCP keepalives of the kernel alone {kept}")
    }));
    because.extend(facts.server_data_held().map(|held| {
        let counts = if held {
            "kept a session alive too"
        } else {
            "did not keep a session alive: only data from the client counts"
        };
        format!("data from the server alone {counts}")
    }));
    because.extend(server_first(facts, first));
    because.extend(hop_state::describe(&facts.legs, first.session));
    because
}

/// True if silence of that length kills every time.
fn replicated(facts: &Facts) -> Vec<String> {
    let deaths = facts.deaths().len();
    let longest = facts.lived_longer().map(|arm| arm.lasted_s).max_by(f64::total_cmp);
    let mut told = Vec::new();
    match longest {
        Some(longest) => told.push(format!(
            "not a fixed timeout: {} answered after more idle time, {} at most. A table that is cleaned at intervals, or runs full, does this",
            counted(facts.lived_longer().count()),
            seconds(longest)
        )),
        None if deaths > 1 => told.push(format!("{deaths} idle sessions died; none survived longer")),
        None => {}
    }
    let in_vain = facts.kept_in_vain().count();
    if in_vain > 0 {
        told.push(format!("{} died in spite of keepalives: something else ends sessions too", counted(in_vain)));
    }
    told
}

fn counted(sessions: usize) -> String {
    if sessions == 1 { "1 session".to_owned() } else { format!("{sessions} sessions") }
}

/// The hop that drops idle connections, where it was found, or why it was not.
fn which_hop(facts: &Facts) -> Option<String> {
    match (facts.search(), &facts.path) {
        (Search::Found(verdict), Some(path)) => {
            let unseen = match verdict.hop {
                1 => "this machine's own packet filter".to_owned(),
                hop => format!("a filter between it and hop {} that is no hop itself", hop - 1),
            };
            let unseen = if verdict.doubt.is_none() { format!(" (or {unseen})") } else { String::new() };
            Some(format!("dropped by {}{unseen}", verdict.words(path)))
        }
        (Search::Untold(why), _) => Some(format!("the hop that drops it is not known: {why}")),
        _ => None,
    }
}

/// The outcome of sessions on which the server spoke first after an even longer silence.
fn server_first(facts: &Facts, first: &Arm) -> Option<String> {
    let spoke = facts
        .arms
        .iter()
        .filter(|arm| arm.speaks_first == Speaker::Server && matches!(arm.end, StretchEnd::Alive { .. }));
    let longest = spoke.map(|arm| arm.lasted_s).max_by(f64::total_cmp)?;
    (first.speaks_first == Speaker::Client && longest > first.lasted_s * 1.1).then(|| {
        format!(
            "where the server sent first, idle {} survived: the state is kept near the server, and its data refreshes it",
            seconds(longest)
        )
    })
}

/// Describes what the kept sessions prove.
fn proof(facts: &Facts) -> Option<String> {
    let advised = facts.keepalive().interval_s.filter(|_| facts.keepalive().verified == Some(true))?;
    let alive = facts.kept().filter(|arm| matches!(arm.end, StretchEnd::Alive { .. }));
    let kept = alive.filter_map(|arm| Some((arm.interval_s.filter(|interval| *interval >= advised)?, arm.lasted_s)));
    let (interval, lasted) = kept.max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!(
        "with a keepalive every {} a session was alive after {}",
        seconds(f64::from(interval)),
        seconds(lasted)
    ))
}
