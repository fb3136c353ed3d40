//! A timer that silence lets run out, told apart by the manner of the death.

use super::survived;
use crate::base::text::seconds;
use crate::causes::shared::{KEEPALIVE, RELOAD};
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::idle::{Arm, Facts, Search, Sign, Speaker, StretchEnd, hop_state};
use crate::facts::{Check, Evidence};

pub(super) const SERVER_KEEPALIVE: Fix = Fix {
    side: Side::Server,
    summary: "Let the server send something, for all its clients",
    file: Some("/etc/ssh/sshd_config"),
    snippet: Some("ClientAliveInterval {interval}\nClientAliveCountMax {count_max}"),
    caution: Some(RELOAD),
    ..Fix::CHANGE
};

pub(super) const HAPROXY_TIMEOUT: Fix = Fix {
    side: Side::Network,
    summary: "Raise the proxy's idle timeouts, where it is haproxy",
    file: Some("/etc/haproxy/haproxy.cfg"),
    snippet: Some("timeout client 2h\ntimeout server 2h\ntimeout tunnel 2h"),
    caution: Some("check with haproxy -c -f FILE, then reload haproxy"),
    ..Fix::CHANGE
};

pub(super) const NGINX_TIMEOUT: Fix = Fix {
    side: Side::Network,
    summary: "Raise the proxy's idle timeout, where it is a stream server of nginx",
    file: Some("/etc/nginx/nginx.conf"),
    snippet: Some("proxy_timeout 2h;"),
    caution: Some("check with nginx -t, then reload nginx"),
    ..Fix::CHANGE
};

pub(super) const LONGER_TIMER: Fix = Fix {
    side: Side::Network,
    summary: "Raise the idle timeout for established TCP connections on the device whose timer it is (the command is for a Linux router)",
    snippet: Some("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=7440"),
    caution: Some("RFC 5382 asks for at least 2 h 4 min (7440 s); takes memory for as long on a busy device"),
    ..Fix::CHANGE
};

pub(super) const SILENT_DROP: Cause = Cause {
    code: "idle-silent-drop",
    stage: Check::Idle,
    title: "Something in the path forgets idle connections, without telling either end",
    severity: Severity::Critical,
    explanation: "A NAT, firewall or load balancer keeps a table of the connections that pass it. One that has been silent for longer than the table's timer is \
        taken out, and what either side sends after that is dropped. Neither end notices: the session freezes, and dies minutes later when the kernel \
        gives up sending again.\n\n\
        We held silent sessions and others that were kept alive, side by side. Only the silent ones died, only after we sent on them again, and a \
        fresh connection opened at that moment worked: so it is a timer for silence, and neither an outage nor a limit on a session's age.",
    fixes: &[KEEPALIVE, SERVER_KEEPALIVE, LONGER_TIMER],
    symptoms: &[
        "client_loop: send disconnect: Broken pipe",
        "packet_write_wait: Connection to port: Broken pipe",
        "Read from remote host: Connection timed out",
        "Timeout, server not responding.",
        "Network error: Software caused connection abort",
    ],
    hides: &[],
    corroborated_by: &[testimony::dropped_there_too, testimony::connection_tracking],
    judge: |evidence| judge(evidence, |manner, sign| *manner == Manner::Silent && sign == Sign::AfterProbe),
    judge_sessions: sessions::silent_drop,
    ..Cause::NEW
};

pub(super) const RESET: Cause = Cause {
    code: "idle-reset",
    stage: Check::Idle,
    title: "Something in the path resets connections that have been idle",
    severity: Severity::Critical,
    explanation: "After a silence the connection was ended by a TCP reset, while sessions that were kept alive went on and a fresh connection worked. A stateful \
        device does this when its timer for the connection has run out. Some reset both ends at that moment; others forget the connection and reset it \
        when the next packet comes. Which it was is among what was seen.\n\n\
        A server that has lost the connection (a restart with the same address) also answers with a reset; then the kept sessions would have died with it.",
    fixes: &[KEEPALIVE, SERVER_KEEPALIVE, LONGER_TIMER],
    symptoms: &[
        "client_loop: send disconnect: Broken pipe",
        "Read from remote host: Connection reset by peer",
        "Connection reset by peer",
        "Network error: Connection reset by peer",
    ],
    hides: &[],
    corroborated_by: &[testimony::ended_by_sshd, testimony::connection_tracking],
    judge: |evidence| judge(evidence, |manner, _| *manner == Manner::Reset),
    judge_sessions: sessions::reset,
    ..Cause::NEW
};

pub(super) const CLOSED: Cause = Cause {
    code: "idle-closed",
    stage: Check::Idle,
    title: "Idle connections are closed in good order by the other side",
    severity: Severity::Critical,
    explanation: "After a silence the connection was closed from the other side (TCP FIN) without a word in the SSH protocol, while sessions that were kept alive went \
        on and a fresh connection worked. Proxies and load balancers that end TCP themselves do this when their idle timer runs out, and so do SSH servers with an \
        inactivity limit. The close itself looks the same; the server's log shows whether its sshd ended the session or saw it end.",
    fixes: &[
        KEEPALIVE,
        HAPROXY_TIMEOUT,
        NGINX_TIMEOUT,
        Fix {
            side: Side::Server,
            summary: "See whether sshd ended the session itself, or found it closed",
            snippet: Some("journalctl -u ssh -u sshd --since -1h | grep -iE 'timeout|inactiv|disconnect|closed'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Connection to closed by remote host.", "Remote side unexpectedly closed network connection"],
    hides: &[],
    corroborated_by: &[testimony::ended_by_sshd],
    judge: |evidence| judge(evidence, |manner, _| *manner == Manner::Fin).map(Match::reason_open),
    judge_sessions: sessions::closed,
    ..Cause::NEW
};

pub(super) const SERVER_DISCONNECT: Cause = Cause {
    code: "idle-server-disconnect",
    stage: Check::Idle,
    title: "The server ends idle sessions and says so",
    severity: Severity::Critical,
    explanation: "After a silence the server sent SSH_MSG_DISCONNECT (RFC 4253 section 11.1), while sessions that were kept alive went on and a fresh login worked. \
        Its text is among what was seen. This is a setting of the SSH server, or of a bastion in front of it, and often a policy: ask its owner \
        before working around it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find the inactivity limit in the configuration of the SSH server or bastion",
            snippet: Some("sshd -T | grep -iE 'timeout|alive'"),
            ..Fix::LOOK
        },
        KEEPALIVE,
    ],
    symptoms: &["Received disconnect from port: idle connection timeout expired", "Disconnected from remote host"],
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
    if !manner(how, sign) || !outlived(first) {
        return None;
    }
    // The look-alikes are an outage, a limit on age and a server that restarts: sessions kept alive for longer exclude them.
    let proven = facts.keepalive().verified == Some(true) && facts.timeout().survived_s.is_some();
    let certainty = if proven { sharp(facts) } else { Certainty::Likely };
    let mut found = Match::new(certainty, because(facts, first, how, sign));
    for (name, value) in [("interval", facts.keepalive().interval_s), ("count_max", facts.keepalive().count_max)] {
        found = value.into_iter().fold(found, |found, value| found.with(name, value.to_string()));
    }
    Some(survived::by_own_keepalive(evidence, facts, found.suspecting(crate::causes::suspects::of(evidence))))
}

/// How sure it is that only silence kills, and always.
pub(super) fn sharp(facts: &Facts) -> Certainty {
    let always = facts.lived_longer().next().is_none() && facts.kept_in_vain().next().is_none();
    if always { Certainty::Certain } else { Certainty::Likely }
}

/// Whether a session that was kept alive was well when this one was found dead.
pub(super) fn outlived(arm: &Arm) -> bool {
    matches!(arm.end, StretchEnd::Died { others_alive: true, .. })
}

fn because(facts: &Facts, first: &Arm, how: &Manner, sign: Sign) -> Vec<String> {
    let mut because = Vec::new();
    if let Some(survived) = facts.timeout().survived_s {
        because.push(format!("a session that was silent for {} still answered", seconds(survived)));
    }
    let died = seconds(first.quiet_s());
    because.push(match sign {
        Sign::BeforeProbe => {
            format!("one that was silent for {died} was ended by {}, before we sent anything", how.words())
        }
        Sign::AfterProbe if *how == Manner::Silent => format!("one that was silent for {died} never answered again"),
        Sign::AfterProbe => format!("one that was silent for {died} ended with {} when we sent on it", how.words()),
    });
    if let StretchEnd::Died { tcp: Some(tcp), .. } = &first.end
        && tcp.unacked > 0
        && tcp.backoff > 0
    {
        because.push(format!("our packets on it were sent again {} times and never acknowledged", tcp.backoff));
    }
    because.push("a fresh login at that moment worked, and a session that was kept alive answered".to_owned());
    because.extend(replicated(facts));
    because.extend(proof(facts));
    because.extend(facts.tcp_keepalive_lived().map(|lived| {
        let kept = if lived { "kept a session alive too" } else { "did not keep a session alive" };
        format!("TCP keepalives of the kernel alone {kept}")
    }));
    because.extend(facts.server_data_held().map(|held| {
        let counts = if held { "kept a session alive too" } else { "did not: what counts comes from the client" };
        format!("data that only the server sent {counts}")
    }));
    because.extend(server_first(facts, first));
    because.extend(hop_state::describe(&facts.legs, first.session));
    because.extend(which_hop(facts));
    because
}

/// Whether silence of that length kills every time.
fn replicated(facts: &Facts) -> Vec<String> {
    let deaths = facts.deaths().len();
    let longest = facts.lived_longer().map(|arm| arm.lasted_s).max_by(f64::total_cmp);
    let mut told = Vec::new();
    match longest {
        Some(longest) => told.push(format!(
            "it is not a sharp timer: {} answered after a longer silence, {} at the most. A table that is swept now and then, or runs full, does this",
            counted(facts.lived_longer().count()),
            seconds(longest)
        )),
        None if deaths > 1 => told.push(format!("{deaths} silent sessions died of it, and none lived through more")),
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

/// The machine that forgets, where it was found, or why it was not.
fn which_hop(facts: &Facts) -> Option<String> {
    match (facts.search(), &facts.path) {
        (Search::Found(verdict), Some(path)) => {
            let unseen = match verdict.hop {
                1 => "this machine's own packet filter".to_owned(),
                hop => format!("a filter between it and hop {} that is no hop itself", hop - 1),
            };
            let unseen = if verdict.doubt.is_none() { format!(" (or {unseen})") } else { String::new() };
            Some(format!("what forgets is {}{unseen}", verdict.words(path)))
        }
        (Search::Untold(why), _) => Some(format!("which hop it is could not be told: {why}")),
        _ => None,
    }
}

/// What became of sessions on which the server spoke first after an even longer silence.
fn server_first(facts: &Facts, first: &Arm) -> Option<String> {
    let spoke = facts
        .arms
        .iter()
        .filter(|arm| arm.speaks_first == Speaker::Server && matches!(arm.end, StretchEnd::Alive { .. }));
    let longest = spoke.map(|arm| arm.lasted_s).max_by(f64::total_cmp)?;
    (first.speaks_first == Speaker::Client && longest > first.lasted_s * 1.1).then(|| {
        format!(
            "where the server spoke first, {} of silence were lived through: the state is kept near the server, and what it sends renews it",
            seconds(longest)
        )
    })
}

/// What the kept sessions show.
fn proof(facts: &Facts) -> Option<String> {
    let interval = facts.keepalive().interval_s?;
    let longest =
        facts.kept().filter(|arm| arm.interval_s == Some(interval)).map(|arm| arm.lasted_s).max_by(f64::total_cmp)?;
    (facts.keepalive().verified == Some(true)).then(|| {
        format!(
            "a session with a keepalive every {} was alive after {}",
            seconds(f64::from(interval)),
            seconds(longest)
        )
    })
}
