//! A server whose kernel answers and whose programs do not.

use super::shared::{PATIENT_KEEPALIVE, Place, check_at, counted, hit_a_failed_check, moments, period, range};
use crate::base::text::seconds;
use crate::causes::shared::MOSH;
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions};
use crate::facts::certainty::Certainty;
use crate::facts::timeline::Event;
use crate::facts::{Check, Evidence};

/// A silence that lasts at the end for longer is no freeze any more, seconds.
const FOR_GOOD_S: f64 = 15.0;

pub(super) const SERVER_STALLED: Cause = Cause {
    code: "server-stalled",
    stage: Check::Idle,
    title: "The server's kernel acknowledges packets, but sshd does not answer",
    severity: Severity::Warning,
    explanation: "TCP acknowledged what the client sent, so the path works, but no SSH answer arrived. The server is overloaded, \
        out of memory, waiting for a disk, or paused. A proxy in front of it that lost its backend looks the same.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "See load, memory, swap and disk waits on the server, over some seconds",
            snippet: Some("uptime; vmstat 1 10; free -m; cat /proc/pressure/{cpu,memory,io}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Find what the kernel logged at those minutes: hung tasks, disks, lack of memory, a stopped clock",
            snippet: Some("journalctl -k --since -1h | grep -iE 'hung|blocked|oom|nfs|i/o error|clocksource|stall'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "On a virtual machine, show the CPU time stolen by the host (st)",
            snippet: Some("top -b -n 1 | head -n 5; sar -u 1 5"),
            ..Fix::LOOK
        },
        PATIENT_KEEPALIVE,
        MOSH,
    ],
    symptoms: &[
        "Timeout, server not responding.",
        "Connection timed out during banner exchange",
        "session freezes for some seconds",
    ],
    hides: &[
        "handshake-slow",
        "auth-slow",
        "network-outage",
        "session-forced-command",
        "session-start-hangs",
        "transfer-stalled",
        "tcp-source-banned",
    ],
    strikes_anywhere: true,
    judge: |evidence| judge(evidence).or_else(|| unanswered(evidence)),
    judge_sessions: sessions::stalled,
    ..Cause::NEW
};

fn judge(evidence: &Evidence) -> Option<Match> {
    let timeline = evidence.undisturbed_timeline();
    let now = timeline.until_s;
    let events = timeline.stalls();
    let lengths: Vec<f64> = events.iter().map(|event| event.length_s(now)).collect();
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    events.first()?;
    let lasts = events.iter().any(|event| event.until_s.is_none() && event.length_s(now) > FOR_GOOD_S);
    let failed = hit_a_failed_check(evidence, &events).is_some();
    let several = events.iter().any(|event| event.flows > 1);
    let certainty = if several { Certainty::Certain } else { Certainty::Likely };
    let severity = if lasts || failed { Severity::Critical } else { Severity::Warning };
    let interval = evidence.idle.facts().and_then(|facts| facts.keepalive().interval_s).unwrap_or(15);
    let count_max = crate::facts::idle::advice::count_max(interval, longest);
    let place = place(evidence, &events);
    let found = Match::new(certainty, because(evidence, &events, &lengths, &place)).reason_open().at(severity);
    let found = match place {
        Place::At(_) => found
            .titled("The jump host accepts connections, but its sshd does not answer".into())
            .at_hop(events.first()?.leg),
        Place::Behind(_) | Place::Direct => found,
    };
    Some(found.with("interval", interval.to_string()).with("count_max", count_max.to_string()))
}

/// A session that did not answer although TCP acknowledged the request, while a fresh login worked.
fn unanswered(evidence: &Evidence) -> Option<Match> {
    // Where the path is interrupted, answers are lost, and sent again ever later.
    let facts = evidence.idle.failed().filter(|_| evidence.undisturbed_timeline().interruptions().is_empty())?;
    let quiet = facts.arms.iter().find(|arm| arm.was_acknowledged())?.quiet_s();
    let because = [
        format!("a session that was idle for {} did not answer, and TCP acknowledged the request", seconds(quiet)),
        "a fresh login at that moment worked".to_owned(),
    ];
    let interval = facts.keepalive().interval_s.unwrap_or(15);
    let count_max = crate::facts::idle::advice::count_max(interval, FOR_GOOD_S);
    let found = Match::new(Certainty::Possible, because).reason_open().at(Severity::Critical);
    Some(found.with("interval", interval.to_string()).with("count_max", count_max.to_string()))
}

/// The place of the silence, where it is the same in all events.
fn place(evidence: &Evidence, events: &[Event]) -> Place {
    let leg = events.first().map(|event| event.leg).filter(|leg| events.iter().all(|event| event.leg == *leg));
    leg.map_or(Place::Direct, |leg| Place::of(evidence, leg))
}

fn because(evidence: &Evidence, events: &[Event], lengths: &[f64], place: &Place) -> Vec<String> {
    let starts: Vec<f64> = events.iter().map(|event| event.from_s).collect();
    let most = events.iter().map(|event| event.flows).max().unwrap_or_default();
    let mut because = vec![format!(
        "{} of {} without any answer, {} into the run, while {}",
        counted(events.len(), "time", "times"),
        range(lengths),
        moments(starts.iter().copied()),
        if let Place::Direct = place { "TCP acknowledged at once" } else { "a new connection was accepted at once" }
    )];
    because.extend(match place {
        Place::Direct => None,
        Place::At(hop) => {
            Some(format!("it was {hop} that did not answer: it sent no banner on a new connection either"))
        }
        Place::Behind(hop) => Some(format!("{hop} went on: it was the server behind it that did not answer")),
    });
    if most > 1 {
        because.push(format!("up to {most} connections waited at once, and were answered together"));
    }
    let timeline = evidence.undisturbed_timeline();
    let accepted = timeline.flows.iter().filter(|flow| {
        let waited = flow.connected_s.zip(flow.version_s).filter(|(connected, version)| version - connected > 1.5);
        waited.is_some_and(|(connected, _)| events.iter().any(|event| event.covers(connected)))
    });
    let accepted = accepted.count();
    if accepted > 0 {
        let were = counted(accepted, "new connection was", "new connections were");
        because.push(format!("{were} accepted meanwhile and got no banner until it was over"));
    }
    because.extend(period(&starts).map(|period| format!("they come regularly, every {}", seconds(period))));
    let step = events.iter().find_map(|event| check_at(evidence, event.from_s).filter(|check| *check != Check::Idle));
    because.extend(step.map(|check| format!("one of them hit the step {}", check.name())));
    because
}
