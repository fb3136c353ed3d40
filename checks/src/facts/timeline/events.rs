//! The events on several connections at one moment: the path was interrupted, or the server was silent. Pure.

mod openings;
mod turns;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Flow, Gap, NotOpened, Span, Timeline};

/// The shortest interruption that is spoken of, seconds: a lost packet is sent again within less.
const INTERRUPTED_S: f64 = 1.5;
/// The shortest silence of a server that is spoken of, seconds: a busy one takes its time.
const STALLED_S: f64 = 2.5;
/// Seconds within which two moments are one: the connections are checked one after the other.
const SAME_S: f64 = 0.05;
/// Seconds beyond two round trips within which a request before an outage may still have been unanswered.
const ON_ITS_WAY_S: f64 = 0.7;
/// Seconds beyond three round trips by which an event must exceed the interval of expected traffic to show as a gap: a
/// gap is noted 1.5 s after it began, at one of the looks that come every 200 ms.
const MISSED_S: f64 = 2.3;
/// A connection that opens within this time had no interruption in its way, seconds.
const PROMPT_S: f64 = 1.0;

/// Something that happened to all connections on a leg.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Event {
    /// The subject.
    pub kind: EventKind,
    /// The hops of a ProxyJump that lie before it.
    pub leg: u8,
    /// The time between the one at which the other end was last heard on any connection and the one at which something was missed first.
    pub from_s: f64,
    /// The time at which it was heard again; `None` while it is not.
    pub until_s: Option<f64>,
    /// Connections that it was seen on.
    pub flows: usize,
}

/// The event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// No packet came through: no acknowledgement, no new connection.
    Interrupted,
    /// Packets were acknowledged, and the server's programs did not answer.
    Stalled,
    /// Behind a hop, where acknowledgements cannot be seen and nobody tried to connect meanwhile: one or the other.
    Silent,
}

impl Event {
    /// The time that it lasted; until `now_s` where it lasts.
    #[must_use]
    pub fn length_s(&self, now_s: f64) -> f64 {
        (self.until_s.unwrap_or(now_s) - self.from_s).max(0.0)
    }

    /// True if it was on at that moment.
    #[must_use]
    pub fn covers(&self, at_s: f64) -> bool {
        self.from_s <= at_s && self.until_s.is_none_or(|until| at_s <= until)
    }

    /// Returns the seconds of a span that the event covers.
    fn overlap(&self, from_s: f64, until_s: f64) -> f64 {
        (self.until_s.unwrap_or(f64::INFINITY).min(until_s) - self.from_s.max(from_s)).max(0.0)
    }
}

impl Timeline {
    /// All that happened to the path and to the server, in its order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let legs = self.flows.iter().map(|flow| flow.leg).max().unwrap_or_default();
        let mut events: Vec<Event> = Vec::new();
        for leg in 0..=legs {
            let before = events.clone();
            // What happens on the way to a hop happens to all behind it.
            let is_new = |event: &Event| {
                let until = event.until_s.unwrap_or(self.until_s);
                let length = (until - event.from_s).max(0.1);
                !before.iter().any(|other| other.overlap(event.from_s, until) > length / 2.0)
            };
            let interrupted = self.events_of(leg, EventKind::Interrupted);
            let stalled = self.events_of(leg, EventKind::Stalled);
            let stalled = stalled.into_iter().filter(|event| {
                let until = event.until_s.unwrap_or(self.until_s);
                !interrupted.iter().any(|other| other.overlap(event.from_s, until) > 0.0)
            });
            let of_leg = interrupted.iter().copied().chain(stalled).map(|event| self.at_its_hop(event));
            let of_leg: Vec<Event> = of_leg.filter(is_new).collect();
            events.extend(of_leg);
        }
        events.retain(|event| !self.is_blind(event));
        events.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
        events
    }

    /// The interruptions of the path.
    #[must_use]
    pub fn interruptions(&self) -> Vec<Event> {
        self.events().into_iter().filter(|event| event.kind != EventKind::Stalled).collect()
    }

    /// The times in which the server was silent although packets came through.
    #[must_use]
    pub fn stalls(&self) -> Vec<Event> {
        self.events().into_iter().filter(|event| event.kind == EventKind::Stalled).collect()
    }

    /// The spans between two moments at which a connection of this leg heard the other end, as long as all that would have heard it in
    /// between did not.
    fn events_of(&self, leg: u8, kind: EventKind) -> Vec<Event> {
        let mut heard: Vec<f64> = self.heard(leg, kind).collect();
        heard.sort_by(f64::total_cmp);
        let ends = heard.iter().skip(1).map(|end| Some(*end)).chain([None]);
        heard.iter().zip(ends).filter_map(|(from_s, until_s)| self.event(leg, kind, *from_s, until_s)).collect()
    }

    /// The moments at which the other end was heard, as far as they are noted: before and after each gap, by new connections, and last.
    fn heard(&self, leg: u8, kind: EventKind) -> impl Iterator<Item = f64> {
        self.flows.iter().filter(move |flow| flow.leg == leg).flat_map(move |flow| {
            // A server that is silent accepts connections all the same: its first word shows that it is back.
            let heard_s = move |gap: &Gap| {
                let spoke = flow.version_s.is_some_and(|version| version <= gap.heard_s);
                Some(gap.heard_s).filter(|_| spoke || kind == EventKind::Interrupted)
            };
            let is_told = move |gap: &&Gap| kind == EventKind::Interrupted || kind.is_told_by(gap);
            let around = flow.gaps.iter().filter(is_told).flat_map(move |gap| [heard_s(gap), gap.until_s]).flatten();
            let opened = flow.connected_s.filter(|_| kind == EventKind::Interrupted);
            let last = if kind == EventKind::Interrupted { flow.heard_s } else { flow.answered_s };
            around.chain(opened).chain(flow.version_s).chain(flow.logged_in_s).chain(last)
        })
    }

    fn event(&self, leg: u8, kind: EventKind, from_s: f64, until_s: Option<f64>) -> Option<Event> {
        let end = until_s.unwrap_or(self.until_s);
        let least = if kind == EventKind::Interrupted { INTERRUPTED_S } else { STALLED_S };
        if end - from_s < least {
            return None;
        }
        let of_leg = || self.flows.iter().filter(|flow| flow.leg == leg);
        let spans = |gap: &Gap| gap.heard_s <= from_s + SAME_S && gap.end_s() >= end - SAME_S;
        let on_its_way_s = |flow: &Flow| ON_ITS_WAY_S + 2.0 * flow.rtt_s;
        // What had been asked before another one was still answered had a trouble of its own.
        let began_in = |flow: &Flow| from_s - on_its_way_s(flow)..end - SAME_S;
        let tells = |flow: &Flow, gap: &Gap| kind.is_told_by(gap) && spans(gap) && began_in(flow).contains(&gap.from_s);
        let hits = |flow: &Flow, gap: &Gap| {
            // What was asked just before was acknowledged, and the answer lost like all that followed.
            let just_before = from_s - on_its_way_s(flow)..=from_s + SAME_S;
            let is_asked_then = just_before.contains(&gap.heard_s) && just_before.contains(&gap.from_s);
            let answer_lost = kind == EventKind::Interrupted && gap.acknowledged == Some(true) && spans(gap);
            tells(flow, gap) || answer_lost && is_asked_then
        };
        // Where the server serves one connection at a time, those that wait for their turn tell nothing.
        let in_turns = kind == EventKind::Stalled && self.serves_in_turns(leg);
        let tells_at_all = |flow: &Flow| !in_turns || flow.version_s.is_some_and(|version| version <= from_s + SAME_S);
        let is_hit = |flow: &Flow| tells_at_all(flow) && flow.gaps.iter().any(|gap| hits(flow, gap));
        let openings = self.openings(leg, from_s, end);
        // A server that was never heard was not silenced.
        if kind == EventKind::Stalled && openings.greeting_s.is_none() {
            return None;
        }
        let late_s = PROMPT_S + if kind == EventKind::Stalled { openings.slow_greeting_s() } else { 0.0 };
        if kind == EventKind::Stalled {
            let overdue = |flow: &Flow| {
                let in_use = |gap: &&Gap| hits(flow, gap) && flow.opened_s.is_some_and(|opened| opened <= gap.from_s);
                flow.gaps.iter().find(in_use).map(|gap| end - gap.from_s)
            };
            let overdue_s = of_leg().filter_map(overdue).reduce(f64::max);
            if !openings.leave_a_stall(end - from_s, overdue_s) {
                return None;
            }
        }
        let spared = of_leg().filter(|flow| !is_hit(flow)).any(|flow| flow.would_have_heard(kind, from_s, end));
        let hit = of_leg().filter(|flow| is_hit(flow)).count();
        let kept_waiting = !in_turns && of_leg().any(|flow| flow.was_kept_waiting(kind, from_s, end, late_s));
        // What was heard again had only been interrupted; connections that are never heard again may be dead, while new ones open.
        let goes_on = |flow: &Flow| flow.gaps.iter().any(|gap| hits(flow, gap) && gap.until_s.is_some());
        let is_over_for_one = || of_leg().any(goes_on);
        // What nobody was heard after is told by those that were being kept: others that are asked only then may each be dead alone.
        let kept_hit = |flow: &Flow| {
            let is_kept = |gap: &Gap| flow.beat_until_s.is_none_or(|until| gap.from_s <= until);
            flow.beat_s.is_some() && flow.gaps.iter().any(|gap| hits(flow, gap) && is_kept(gap))
        };
        let any_was_kept = || of_leg().any(|flow| flow.beat_s.is_some());
        let lasts = || until_s.is_none() && (!any_was_kept() || of_leg().any(kept_hit));
        let is_told = kept_waiting || lasts() || is_over_for_one();
        // Sessions that were silent may each have a path that takes its time to wake up.
        let is_talking =
            |flow: &Flow| flow.beat_s.is_some_and(|beat| beat < end - from_s) && flow.talks_through(from_s, end);
        let silent_alone = || {
            kind == EventKind::Interrupted
                && of_leg().any(is_talking)
                && !of_leg().any(|flow| is_talking(flow) && is_hit(flow))
        };
        // One that is never heard again may have been dead before.
        let shows = |flow: &&Flow| flow.gaps.iter().any(|gap| tells(flow, gap) && gap.until_s.is_some());
        let told = of_leg().filter(|flow| flow.gaps.iter().any(|gap| tells(flow, gap))).count();
        let is_shown = kept_waiting || told > 1 || of_leg().any(|flow| shows(&flow));
        let is_common = !spared && hit > 0 && is_shown && (kept_waiting || hit > 1 && !silent_alone()) && is_told;
        is_common.then(|| {
            let kind = self.kind_behind_hops(leg, kind, Span { from_s, until_s: end });
            // It began between the last that was heard and the first that was missed. What is never heard again may have been dead before.
            let gaps = || of_leg().flat_map(|flow| flow.gaps.iter().filter(|gap| hits(flow, gap)));
            let first = |is_over: bool| {
                let counted = gaps().filter(|gap| gap.until_s.is_some() || !is_over);
                counted.map(|gap| gap.from_s).reduce(f64::min)
            };
            let missed_s = first(true).or_else(|| first(false)).unwrap_or(from_s).clamp(from_s, end);
            Event { kind, leg, from_s: f64::midpoint(from_s, missed_s), until_s, flows: hit }
        })
    }

    /// An event behind a hop as one of the hop itself, where a new connection to that was accepted and got no identification until it was
    /// over: what it carries is silent with it.
    fn at_its_hop(&self, event: Event) -> Event {
        let Some(leg) = event.leg.checked_sub(1) else { return event };
        let (from_s, until_s) = (event.from_s, event.until_s.unwrap_or(self.until_s));
        let of_hop = || self.flows.iter().filter(|flow| flow.leg == leg);
        let late_s = PROMPT_S + self.openings(leg, from_s, until_s).slow_greeting_s();
        let kept_waiting = of_hop().any(|flow| flow.was_kept_waiting(EventKind::Stalled, from_s, until_s, late_s));
        let greeted =
            of_hop().filter_map(|flow| flow.version_s).any(|at| at > from_s + PROMPT_S && at < until_s - SAME_S);
        if kept_waiting && !greeted { Event { kind: EventKind::Stalled, leg, ..event } } else { event }
    }

    /// Behind a hop only new connections show whether packets come through.
    fn kind_behind_hops(&self, leg: u8, kind: EventKind, span: Span) -> EventKind {
        if leg == 0 || kind != EventKind::Stalled {
            return kind;
        }
        let tried: Vec<_> = self
            .flows
            .iter()
            .filter(|flow| flow.leg == leg && flow.began_s > span.from_s && flow.began_s < span.until_s - PROMPT_S)
            .collect();
        let prompt = |flow: &&&Flow| flow.connected_s.is_some_and(|at| at - flow.began_s < PROMPT_S);
        match (tried.iter().filter(prompt).count(), tried.len()) {
            (_, 0) => EventKind::Silent,
            (0, _) => EventKind::Interrupted,
            _ => EventKind::Stalled,
        }
    }

    /// True if this process did not run for much of it.
    fn is_blind(&self, event: &Event) -> bool {
        let until = event.until_s.unwrap_or(self.until_s);
        let blind: f64 = self.blind.iter().map(|span| event.overlap(span.from_s, span.until_s)).sum();
        blind > (until - event.from_s) / 3.0
    }
}

impl EventKind {
    /// True if a gap of this sort tells of it: behind a hop, where acknowledgements are not seen, any does.
    fn is_told_by(self, gap: &Gap) -> bool {
        (gap.acknowledged == Some(false)) == (self == Self::Interrupted)
    }
}

impl Flow {
    /// True if something of the other end would have been missed on it in that time.
    fn would_have_heard(&self, kind: EventKind, from_s: f64, until_s: f64) -> bool {
        let missed_after = MISSED_S + 3.0 * self.rtt_s;
        let talks = self.beat_s.is_some_and(|beat| beat + missed_after < until_s - from_s);
        // The kernel's keepalives are answered by a server that is silent.
        let tells = kind == EventKind::Interrupted || !self.is_kernels;
        talks && tells && self.talks_through(from_s, until_s)
    }

    /// True if something was to move on it all the time from one moment to another.
    fn talks_through(&self, from_s: f64, until_s: f64) -> bool {
        let still = self.beat_until_s.is_none_or(|until| until > until_s);
        self.beat_s.is_some() && still && self.is_open_at(from_s) && self.is_open_at(until_s)
    }

    /// True if it was asked for in that time, at least `late_s` seconds before its end, waited for so long, and opened only when it was over, or
    /// not at all.
    fn was_kept_waiting(&self, kind: EventKind, from_s: f64, until_s: f64, late_s: f64) -> bool {
        let waited_for = if kind == EventKind::Interrupted { self.connected_s } else { self.version_s };
        // A hop waits for its own connection onward before it says anything.
        let is_asked_of_a_hop = self.leg > 0 && self.over_s() >= until_s - SAME_S;
        let tried = kind == EventKind::Interrupted || self.connected_s.is_some() || is_asked_of_a_hop;
        let in_time = self.began_s > from_s - SAME_S && self.began_s < until_s - late_s;
        // One that we closed before an answer was due waited for none: it only showed that the port is open.
        let waited = waited_for.unwrap_or_else(|| self.over_s()) - self.began_s >= late_s;
        let is_refused_a_way = matches!(self.failure, Some(NotOpened::Other { .. }));
        tried
            && in_time
            && (waited || is_refused_a_way)
            && self.failure != Some(NotOpened::Refused)
            && waited_for.is_none_or(|at| at >= until_s - SAME_S)
    }
}

#[cfg(test)]
mod tests;
