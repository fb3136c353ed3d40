//! Keeps account of the sessions of a watch: which of them live, what each loss looked like from the others, what the journal is to hold.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::control::{Control, ControlOutcome};
use super::kind::SessionType;
use super::notice::{Notice, Stopped};
use super::open_session::{Open, Pending, Whom, seconds};
use super::session::{Death, Opened, Report, Totals};
use super::timers::Timers;
use super::view::{SessionStatus, WatchedSession};
use crate::base::text::sanitize;
use crate::facts::connection::{Manner, NotLoggedIn};
use crate::facts::journal::{Alive, Connected, Controlled, Ended, Event, Machine, NotConnected, Recovered, Stalled};
use crate::facts::sessions::{Next, Others, Session, SessionEnd};
use crate::os::clocks::wall;
use crate::os::host_changes::HostChanges;

/// The time between two looks at the account.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// The delay before a loss is reported, so that the other sessions can show theirs: the one with data asks every 4 s.
const SETTLES: Duration = Duration::from_secs(6);
/// Losses within this time of each other are one event.
const TOGETHER: Duration = Duration::from_secs(5);
/// The time between two heartbeats in the journal; each covers another session.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// One place in the watch, and the session that is in it now.
struct Place {
    kind: SessionType,
    open: Option<Open>,
    /// Sessions lost in this place, and the last one.
    lost: u32,
    last: Option<(jiff::Timestamp, String)>,
    /// The reason why it could not be opened at the last attempt.
    not_opened: Option<String>,
}

/// The account of a watch.
pub(super) struct Coordinator {
    whom: Whom,
    places: Vec<Place>,
    pending: Vec<Pending>,
    /// Sessions that stopped: their place, and the time.
    stopped: Vec<(usize, Instant)>,
    sessions: u32,
    timers: Timers,
    control: Control,
    machine: HostChanges,
    heartbeat: (Instant, usize),
    notices: mpsc::UnboundedSender<Notice>,
}

impl Coordinator {
    pub(super) fn new(
        whom: Whom,
        kinds: &[SessionType],
        timers: Timers,
        control: Control,
        machine: HostChanges,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Self {
        let place = |kind: &SessionType| Place { kind: *kind, open: None, lost: 0, last: None, not_opened: None };
        Self {
            whom,
            places: kinds.iter().map(place).collect(),
            pending: Vec::new(),
            stopped: Vec::new(),
            sessions: 0,
            timers,
            control,
            machine,
            heartbeat: (Instant::now(), 0),
            notices,
        }
    }

    /// Notes an event of a session; returns the reason to end the watch where there is one.
    pub(super) fn take(&mut self, place: usize, report: Report) -> Option<Stopped> {
        match report {
            Report::Opened(opened) => self.opened(place, &opened),
            Report::NotOpened(error) => return self.not_opened(place, &error),
            Report::Answered { idle, totals } => self.answered(place, idle, totals),
            Report::Stalled { idle, since, tcp } => {
                self.control.ask(Instant::now());
                if let Some(open) = &mut self.places[place].open {
                    open.stalled = Some(since);
                    let (session, unanswered_s) = (open.number, seconds(since.elapsed()));
                    self.record(Event::Stalled(Stalled { session, quiet_s: seconds(idle), unanswered_s, tcp }));
                }
            }
            Report::Recovered { after } => {
                if let Some(open) = &mut self.places[place].open {
                    open.stalled = None;
                    let session = open.number;
                    self.record(Event::Recovered(Recovered { session, after_s: seconds(after) }));
                }
            }
            Report::Died(death) => self.died(place, &death),
            Report::Closed(totals) => self.closed(place, totals),
        }
        None
    }

    fn opened(&mut self, place: usize, opened: &Opened) {
        self.sessions += 1;
        let Opened { began, took, local, remote, holds } = *opened;
        let (number, kind) = (self.sessions, self.kind(place));
        if let (Some(local), Some(remote)) = (local, remote) {
            self.machine.follow(remote, local);
        }
        self.places[place].not_opened = None;
        self.places[place].open = Some(Open {
            number,
            began,
            local,
            remote,
            holds,
            survived: Duration::ZERO,
            heard: Instant::now(),
            stalled: None,
            totals: Totals::default(),
            told: Totals::default(),
            answers: 0,
        });
        self.record(Event::Connected(Connected {
            session: number,
            traffic: kind.traffic(),
            holds: Some(holds),
            remote,
            local,
            interface: None,
            resolve_ms: 0.0,
            connect_ms: seconds(took) * 1000.0,
            failed: Vec::new(),
        }));
    }

    fn not_opened(&mut self, place: usize, error: &NotLoggedIn) -> Option<Stopped> {
        let why = sanitize(&error.to_string());
        self.places[place].not_opened = Some(why.clone());
        let reason = Some(why.clone());
        self.record(Event::NotConnected(NotConnected { failed: Vec::new(), resolve_error: None, reason }));
        match error {
            NotLoggedIn::Refused => Some(Stopped::LoginRefused),
            NotLoggedIn::OtherHostKey(_) => Some(Stopped::OtherHostKey),
            _ => None,
        }
    }

    fn answered(&mut self, place: usize, idle: Duration, totals: Totals) {
        let silent = self.places[place].kind == SessionType::Silent;
        if let Some(open) = &mut self.places[place].open {
            open.heard = Instant::now();
            open.survived = open.survived.max(idle);
            open.answers += 1;
            open.totals = totals;
        }
        if silent {
            self.timers.survive(idle);
        }
    }

    fn died(&mut self, place: usize, death: &Death) {
        // After a sleep the losses may be known before the next tick.
        self.look_at_machine();
        let now = Instant::now();
        let Some(open) = self.places[place].open.take() else { return };
        let moment = death.asked.filter(|_| death.manner == Manner::Silent).unwrap_or(death.at);
        if !matches!(death.manner, Manner::ChannelClose | Manner::ExitStatus { .. }) {
            self.control.ask(moment);
        }
        self.stopped.retain(|(_, at)| now.saturating_duration_since(*at) < TOGETHER * 10);
        self.stopped.push((place, moment));
        let facts = open.lost(&self.whom, self.kind(place), death);
        let facts = Session { machine: self.machine.since(open.heard), ..facts };
        self.places[place].lost += 1;
        self.places[place].last = Some((facts.seen_at, last_words(&facts)));
        self.pending.push(Pending {
            place,
            number: open.number,
            facts,
            totals: death.totals,
            moment,
            due: now.max(moment + SETTLES),
        });
    }

    fn closed(&mut self, place: usize, totals: Totals) {
        let Some(open) = self.places[place].open.take() else { return };
        let facts = open.closed(&self.whom, self.kind(place));
        self.ended(open.number, facts, totals);
    }

    /// Looks at this machine, tells the losses that are settled, and shows that somebody watches.
    pub(super) fn tick(&mut self) {
        self.look_at_machine();
        self.control.collect();
        for outcome in self.control.news() {
            self.record(controlled(&outcome));
        }
        self.settle(Instant::now());
        self.tell_alive();
        let _ = self.notices.send(Notice::Sessions(self.view()));
    }

    fn look_at_machine(&mut self) {
        for what in self.machine.look(TICK, false) {
            self.record(Event::Machine(Machine { what }));
        }
    }

    /// Reports the losses of which all is known; at the end of the watch, all of them.
    pub(super) fn settle(&mut self, now: Instant) {
        let busy = self.control.is_busy();
        let (settled, pending) =
            std::mem::take(&mut self.pending).into_iter().partition(|loss| loss.due <= now && !busy);
        self.pending = pending;
        for loss in settled {
            self.tell_loss(loss);
        }
    }

    fn tell_loss(&mut self, loss: Pending) {
        let Pending { place, number, mut facts, totals, moment, .. } = loss;
        let others =
            self.places.iter().enumerate().filter(|(at, _)| *at != place).filter_map(|(_, it)| it.open.as_ref());
        let alive = others.filter(|open| open.began < moment && open.heard > moment && open.stalled.is_none()).count();
        let near = |at: Instant| at.max(moment) - at.min(moment) <= TOGETHER;
        let stalled =
            self.places.iter().filter_map(|place| place.open.as_ref()?.stalled).filter(|at| near(*at)).count();
        let stopped = self.stopped.iter().filter(|(other, at)| *other != place && near(*at)).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        facts.others = Others { alive: count(alive), lost: count(stalled + stopped) };
        facts.next = self.control.since(moment).map(|control| Next {
            after_s: signed_seconds(facts.seen_at, wall(control.ended)),
            answered: control.error.as_ref().is_none_or(|(_, answered)| *answered),
        });
        self.learn(place, &facts);
        self.ended(number, facts, totals);
    }

    /// Learns the path's timer from a loss of the silent session.
    fn learn(&mut self, place: usize, facts: &Session) {
        let of_path =
            matches!(facts.death(), Some((manner, _)) if manner.is_of_connection() || *manner == Manner::Silent);
        let path_works = facts.others.alive > 0 || facts.next.is_some_and(|next| next.answered);
        if self.kind(place) == SessionType::Silent && of_path && path_works && facts.machine.is_empty() {
            self.timers.die(Duration::from_secs_f64(facts.quiet_s));
        }
    }

    fn kind(&self, place: usize) -> SessionType {
        self.timers.of(self.places[place].kind)
    }

    fn ended(&self, session: u32, facts: Session, totals: Totals) {
        let Totals { received, sent, .. } = totals;
        self.record(Event::Ended(Box::new(Ended { session, facts, received, sent, last: Vec::new() })));
    }

    fn tell_alive(&mut self) {
        let (last, turn) = self.heartbeat;
        let now = Instant::now();
        let open: Vec<usize> = (0..self.places.len()).filter(|at| self.places[*at].open.is_some()).collect();
        if now.saturating_duration_since(last) < HEARTBEAT {
            return;
        }
        self.heartbeat = (now, turn + 1);
        let at = open.get(turn % open.len().max(1)).copied();
        let Some(open) = at.and_then(|at| self.places[at].open.as_mut()) else {
            return self.record_later(Event::Watching);
        };
        let alive = Alive {
            session: open.number,
            received: open.totals.received - open.told.received,
            sent: open.totals.sent - open.told.sent,
            reads: open.answers,
            survived_s: seconds(open.survived),
            quiet_s: seconds(now.saturating_duration_since(open.heard)),
            rtt_ms: open.totals.rtt_ms,
            retransmits: open.totals.retransmits,
        };
        (open.told, open.answers) = (open.totals, 0);
        self.record_later(Event::Alive(alive));
    }

    fn view(&self) -> Vec<WatchedSession> {
        let now = Instant::now();
        let session = |(at, place): (usize, &Place)| WatchedSession {
            label: self.kind(at).label(),
            status: match &place.open {
                None => SessionStatus::Down { why: place.not_opened.clone() },
                Some(Open { stalled: Some(since), .. }) => SessionStatus::Stalled { since: *since },
                Some(open) => SessionStatus::Open {
                    age: now - open.began,
                    idle: now.saturating_duration_since(open.heard),
                    until: (place.kind == SessionType::Silent).then(|| self.timers.silent()),
                },
            },
            lost: place.lost,
            last: place.last.clone(),
        };
        self.places.iter().enumerate().map(session).collect()
    }

    fn record(&self, event: Event) {
        let _ = self.notices.send(Notice::Record { event: Box::new(event), now: true });
    }

    fn record_later(&self, event: Event) {
        let _ = self.notices.send(Notice::Record { event: Box::new(event), now: false });
    }

    /// True if a session is still open.
    pub(super) fn holds_any(&self) -> bool {
        self.places.iter().any(|place| place.open.is_some())
    }

    /// Reports all remaining losses with the facts known by now.
    pub(super) fn finish(&mut self) {
        self.control.collect();
        for outcome in self.control.news() {
            self.record(controlled(&outcome));
        }
        for loss in std::mem::take(&mut self.pending) {
            self.tell_loss(loss);
        }
    }
}

fn controlled(outcome: &ControlOutcome) -> Event {
    Event::Controlled(Controlled {
        answered: outcome.error.as_ref().is_none_or(|(_, answered)| *answered),
        ms: seconds(outcome.ended.saturating_duration_since(outcome.asked)) * 1000.0,
        error: outcome.error.as_ref().map(|(error, _)| error.clone()),
    })
}

fn last_words(facts: &Session) -> String {
    match &facts.end {
        SessionEnd::Died { manner: Manner::Silent, .. } => "no answer".to_owned(),
        SessionEnd::Died { manner, .. } => manner.words(),
        _ => "sshd does not answer".to_owned(),
    }
}

fn signed_seconds(from: jiff::Timestamp, to: jiff::Timestamp) -> f64 {
    (to.as_millisecond() - from.as_millisecond()) as f64 / 1000.0
}
