//! A path that comes and goes.

use super::shared::{PATIENT_KEEPALIVE, check_at, counted, hit_a_failed_check, moments, period, range};
use crate::base::text::seconds;
use crate::causes::shared::{AUTOSSH, MOSH, TMUX};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::timeline::{Event, Timeline};
use crate::facts::{Check, Evidence};

/// An interruption alone that is shorter is not spoken of, seconds.
const ALONE_S: f64 = 2.5;
/// An interruption that lasts at the end for longer is an outage, seconds.
const OUTAGE_S: f64 = 15.0;

pub(super) const PATH_UNSTABLE: Cause = Cause {
    code: "path-unstable",
    stage: Check::Idle,
    title: "The path to the server is interrupted now and then",
    severity: Severity::Warning,
    explanation: "For seconds at a time no packet came through, on any connection, and no new connection could be \
        opened; then everything went on. Sessions freeze meanwhile. They survive, because TCP retransmits, unless an \
        end gives up earlier: ssh does after ServerAliveInterval x (ServerAliveCountMax + 1) without an answer.\n\n\
        Usual reasons are Wi-Fi that roams or scans, a VPN that exchanges keys, a mobile or overloaded line, a \
        flapping link, a failover, or a firewall that reloads. A regular period points to a scan, a renewed lease or \
        key, or a scheduled job. It is not an idle timeout: busy sessions froze at the same moments.",
    fixes: &[
        PATIENT_KEEPALIVE,
        Fix {
            summary: "Or wait for as long as TCP does, about 15 minutes, with no keepalive at all",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ServerAliveInterval 0\n    TCPKeepAlive no"),
            caution: Some(
                "a session whose server is gone for good hangs for as long; idle timers on the path are not prevented",
            ),
            when: |evidence| evidence.idle.facts().is_none_or(|facts| facts.timeout().died_s.is_none()),
            ..Fix::CHANGE
        },
        TMUX,
        MOSH,
        AUTOSSH,
        Fix {
            side: Side::Network,
            summary: "Watch every hop for some minutes: look at the first one that loses packets when the last one \
        does",
            snippet: Some("mtr --report-wide --report-cycles 300 --tcp --port {port} {host}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "On this machine, see whether its own link or lease changes at those moments",
            snippet: Some("ip monitor link address route"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Timeout, server not responding.",
        "client_loop: send disconnect: Broken pipe",
        "Read from remote host: Connection timed out",
        "session freezes for some seconds",
    ],
    hides: &["tcp-lossy", "handshake-slow", "auth-slow", "tcp-source-banned"],
    strikes_anywhere: true,
    judge,
    ..Cause::NEW
};

fn judge(evidence: &Evidence) -> Option<Match> {
    let timeline = evidence.undisturbed_timeline();
    let now = timeline.until_s;
    let is_outage = |event: &Event| event.until_s.is_none() && event.length_s(now) > OUTAGE_S;
    // What comes and goes in an outage that lasts is of that one.
    let silent_s = timeline.lasting_silence().unwrap_or(f64::INFINITY);
    let is_before = |event: &Event| event.until_s.unwrap_or(now) < silent_s || silent_s > now;
    let interruptions = timeline.interruptions().into_iter();
    let events: Vec<Event> = interruptions.filter(|event| !is_outage(event) && is_before(event)).collect();
    let lengths: Vec<f64> = events.iter().map(|event| event.length_s(now)).collect();
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    if events.is_empty() || events.len() == 1 && longest < ALONE_S {
        return None;
    }
    let died = died_in(&timeline, &events);
    let own = own_limit_s(evidence);
    let failed = hit_a_failed_check(evidence, &events);
    let killed = died > 0 || failed.is_some() || own.is_some_and(|limit| limit < longest);
    let certainty = if events.len() > 1 { Certainty::Certain } else { Certainty::Likely };
    let found = Match::new(certainty, because(evidence, &events, &lengths, died)).reason_open();
    let found = found.at(if killed { Severity::Critical } else { Severity::Warning });
    Some(with_keepalive(found, evidence, longest))
}

fn because(evidence: &Evidence, events: &[Event], lengths: &[f64], died: usize) -> Vec<String> {
    let timeline = evidence.undisturbed_timeline();
    let total: f64 = lengths.iter().sum();
    let share = 100.0 * total / timeline.until_s.max(1.0);
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    let starts: Vec<f64> = events.iter().map(|event| event.from_s).collect();
    let mut because = vec![format!(
        "{} of {}, {share:.0} % of the time, {} into the run",
        counted(events.len(), "interruption", "interruptions"),
        range(lengths),
        moments(starts.iter().copied()),
    )];
    let most = events.iter().map(|event| event.flows).max().unwrap_or_default();
    because.push(format!(
        "{} frozen at once, with no ACK to their retransmissions; {}",
        if most == 1 { "1 connection was".to_owned() } else { format!("up to {most} connections were") },
        if died == 0 {
            "all went on afterwards".to_owned()
        } else {
            format!("{} never went on", counted(died, "connection", "connections"))
        },
    ));
    because.extend(period(&starts).map(|period| format!("they come regularly, every {}", seconds(period))));
    because.extend(place(evidence, events));
    because.extend(own_limit_s(evidence).map(|limit| {
        let verdict = if limit < longest { "less than the longest interruption" } else { "longer than any of them" };
        format!("with your own settings ssh gives up after {} without an answer, {verdict}", seconds(limit))
    }));
    because.extend(hit(evidence, events));
    because
}

/// Describes the place where the path breaks.
fn place(evidence: &Evidence, events: &[Event]) -> Option<String> {
    let path = evidence.idle.facts().and_then(|facts| facts.path.as_ref());
    if let Some((alive, dead)) = evidence.undisturbed_timeline().last_hop_that_answered(path, events) {
        let words = |hop| Timeline::hop_words(path, hop);
        return Some(match alive {
            0 => format!(
                "meanwhile not even {} answered: the path breaks at this machine's own link or before that hop",
                words(dead)
            ),
            alive => format!(
                "meanwhile {} still answered and {} did not: the path breaks between them",
                words(alive),
                words(dead)
            ),
        });
    }
    let leg = events.iter().map(|event| event.leg).max().filter(|leg| *leg > 0)?;
    let hop = evidence
        .hops
        .get(usize::from(leg) - 1)
        .map_or_else(|| format!("hop {leg} of the jump"), |hop| hop.name.clone());
    let sure = events.iter().any(|event| event.kind == crate::facts::timeline::EventKind::Interrupted);
    let sure = if sure { "" } else { " (or the server itself was silent: nobody tried to connect meanwhile)" };
    Some(format!(
        "the connection to {} went on meanwhile: it is behind that hop{sure}",
        crate::base::text::sanitize(&hop)
    ))
}

/// The step that an interruption hit.
fn hit(evidence: &Evidence, events: &[Event]) -> Option<String> {
    let check =
        events.iter().find_map(|event| check_at(evidence, event.from_s).filter(|check| *check != Check::Idle))?;
    Some(format!("one of them hit the step {}", check.name()))
}

/// Connections that froze in one of the events and never went on.
fn died_in(timeline: &Timeline, events: &[Event]) -> usize {
    let lasting = timeline.flows.iter().filter(|flow| flow.logged_in_s.is_some() && flow.beat_s.is_some());
    let lasting =
        lasting.filter_map(|flow| flow.gaps.last().filter(|gap| gap.until_s.is_none()).map(|gap| (flow, gap)));
    let began_in = |from: f64| events.iter().find(|event| event.covers(from) && event.until_s.is_some());
    // One that was closed before its next packet was due tells nothing.
    lasting
        .filter(|(flow, gap)| {
            began_in(gap.from_s).and_then(|event| event.until_s).is_some_and(|until| {
                let frozen = until - gap.from_s;
                flow.over_s().min(timeline.until_s) > until + frozen + 2.0
            })
        })
        .count()
}

/// The time that ssh waits for an answer with the user's own settings, seconds; `None` where it sends no keepalives.
fn own_limit_s(evidence: &Evidence) -> Option<f64> {
    let settings = &evidence.settings;
    let interval = (settings.server_alive_interval_s > 0).then_some(settings.server_alive_interval_s)?;
    // OpenSSH's client counts one more than the setting says.
    Some(interval.saturating_mul(settings.server_alive_count_max.saturating_add(1)) as f64)
}

/// A keepalive that the longest interruption does not end: TCP's next retransmission may come as long after it as it lasted.
fn with_keepalive(found: Match, evidence: &Evidence, longest: f64) -> Match {
    /// The keepalive interval where there is no idle timer: a dead server is noticed after two minutes.
    const INTERVAL: u32 = 15;
    let idle = evidence.idle.facts().map(crate::facts::idle::Facts::keepalive).unwrap_or_default();
    let interval = idle.interval_s.unwrap_or(INTERVAL);
    let count_max = crate::facts::idle::advice::count_max(interval, longest);
    found.with("interval", interval.to_string()).with("count_max", count_max.to_string())
}
