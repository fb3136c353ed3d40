//! One session as a line: its stretches put together, and which lines tell most.

use std::collections::BTreeMap;

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::idle::{Arm, Facts, Holds, Moves, Speaker, StretchEnd};

use crate::report::Style;
use crate::report::style::Ink;

/// No test comes near this many seconds; a damaged recording may.
pub(in crate::report) const LATEST: f64 = 1e7;

/// One session.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Lifeline {
    /// The last traffic on it, which is also the group that it belongs to.
    pub(in crate::report) label: String,
    kind: LifelineKind,
    /// The beginning of its first stretch, seconds.
    pub(in crate::report) started_s: f64,
    /// The end of its last stretch, seconds.
    pub(in crate::report) ended_s: f64,
    /// Its stretches, those without anything moving first.
    pub(in crate::report) stretches: Vec<Stretch>,
    /// The times of its answers on the way, seconds.
    pub(in crate::report) answered_s: Vec<f64>,
    /// Its end.
    pub(in crate::report) mark: Mark,
    /// Its end in words.
    pub(in crate::report) words: String,
}

/// A part of a session's life, from one time to another, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Stretch {
    pub(in crate::report) from_s: f64,
    pub(in crate::report) to_s: f64,
    moves: Moves,
}

/// The purpose of a session, in drawing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LifelineKind {
    Silent,
    ServerFirst,
    Shell,
    NoChannel,
    TcpKeepalive,
    /// To this hop.
    Hop(u8),
    /// A keepalive interval, seconds.
    Kept(u32),
    ChannelData,
    ServerData,
}

/// The way a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Mark {
    /// The session died.
    Died,
    /// The server's data was lost.
    Unheard,
    /// It answered.
    Answered,
    /// It was open when the test ended.
    Open,
    /// Nothing can be said.
    Void,
}

impl Mark {
    /// All of them.
    pub(in crate::report) const ALL: [Self; 5] = [Self::Died, Self::Unheard, Self::Answered, Self::Open, Self::Void];

    /// Returns the meaning of its sign.
    pub(in crate::report) fn meaning(self) -> &'static str {
        match self {
            Self::Died => "died",
            Self::Unheard => "did not hear the server",
            Self::Answered => "answered",
            Self::Open => "open at the end of the test",
            Self::Void => "no verdict",
        }
    }

    /// Its sign; the text beside it says the same.
    pub(in crate::report) fn sign(self, style: Style) -> char {
        match (self, style.unicode) {
            (Self::Died, true) => '✘',
            (Self::Died, false) => 'x',
            (Self::Unheard, _) => '!',
            (Self::Answered, true) => '┼',
            (Self::Answered, false) => '+',
            (Self::Open, true) => '▶',
            (Self::Open, false) => '>',
            (Self::Void, _) => '?',
        }
    }

    /// The colour that sets it off, where it needs one.
    pub(in crate::report) fn ink(self) -> Option<Ink> {
        match self {
            Self::Died => Some(Ink::Bad),
            Self::Unheard => Some(Ink::Care),
            Self::Answered | Self::Open | Self::Void => None,
        }
    }
}

impl Lifeline {
    fn of(arms: &[&Arm]) -> Option<Self> {
        // A kept session's stretch begins with its first silence: what ended last says what the session was.
        let last = *arms.iter().max_by(|a, b| (ended(a)).total_cmp(&ended(b)))?;
        let kind = LifelineKind::of(last);
        let mark = Mark::of(&last.end);
        let mut stretches: Vec<_> = arms
            .iter()
            .map(|arm| Stretch { from_s: sane(arm.started_s), to_s: ended(arm), moves: arm.moves })
            .collect();
        stretches.sort_by_key(|stretch| stretch.moves != Moves::Nothing);
        let answered = arms.iter().filter(|arm| matches!(arm.end, StretchEnd::Alive { .. }));
        Some(Self {
            label: kind.label(last),
            kind,
            started_s: arms.iter().map(|arm| arm.started_s).fold(LATEST, f64::min).max(0.0),
            ended_s: ended(last),
            stretches,
            answered_s: answered.map(|arm| ended(arm)).collect(),
            mark,
            words: words(last),
        })
    }

    fn is_lost(&self) -> bool {
        matches!(self.mark, Mark::Died | Mark::Unheard)
    }

    fn length(&self) -> f64 {
        self.ended_s - self.started_s
    }
}

impl Mark {
    fn of(end: &StretchEnd) -> Self {
        match end {
            StretchEnd::Alive { .. } => Self::Answered,
            StretchEnd::Died { .. } => Self::Died,
            StretchEnd::Unheard { .. } => Self::Unheard,
            StretchEnd::Void { .. } => Self::Void,
            StretchEnd::Open => Self::Open,
        }
    }
}

impl Stretch {
    /// True if nothing moves in it.
    pub(in crate::report) fn is_idle(self) -> bool {
        self.moves == Moves::Nothing
    }

    /// The sign that its part of the bar is made of.
    pub(in crate::report) fn fill(self, style: Style) -> char {
        fill(self.moves, style)
    }
}

/// Returns the character for a kind of traffic: traffic looks busier than silence.
pub(in crate::report) fn fill(moves: Moves, style: Style) -> char {
    match (moves, style.unicode) {
        (Moves::Keepalive | Moves::ChannelData | Moves::ServerData, true) => '═',
        (Moves::Keepalive | Moves::ChannelData | Moves::ServerData, false) => '=',
        (Moves::TcpKeepalive, true) => '┄',
        (Moves::TcpKeepalive, false) => '~',
        (Moves::Nothing, true) => '─',
        (Moves::Nothing, false) => '-',
    }
}

impl LifelineKind {
    fn of(arm: &Arm) -> Self {
        match (arm.moves, arm.holds) {
            (Moves::Keepalive, _) => Self::Kept(arm.interval_s.unwrap_or_default()),
            (Moves::ChannelData, _) => Self::ChannelData,
            (Moves::ServerData, _) => Self::ServerData,
            (Moves::TcpKeepalive, _) => arm.hop.map_or(Self::TcpKeepalive, Self::Hop),
            (Moves::Nothing, _) if arm.speaks_first == Speaker::Server => Self::ServerFirst,
            (Moves::Nothing, Holds::Command | Holds::Sftp | Holds::Prompt) => Self::Silent,
            (Moves::Nothing, Holds::Shell) => Self::Shell,
            (Moves::Nothing, Holds::Nothing) => Self::NoChannel,
        }
    }

    fn label(self, arm: &Arm) -> String {
        let label = match self {
            Self::Silent => "silent".to_owned(),
            Self::ServerFirst => "silent, server first".to_owned(),
            Self::Shell => return "shell at its prompt".to_owned(),
            Self::NoChannel => return "no channel".to_owned(),
            Self::TcpKeepalive => "TCP keepalive".to_owned(),
            Self::Hop(hop) => format!("TCP keepalive, hop {hop}"),
            Self::Kept(interval) => format!("keepalive every {interval} s"),
            Self::ChannelData => "channel data".to_owned(),
            Self::ServerData => "data of the server only".to_owned(),
        };
        match arm.holds {
            Holds::Command => label,
            Holds::Shell | Holds::Prompt => format!("shell, {label}"),
            Holds::Sftp => format!("sftp, {label}"),
            Holds::Nothing => format!("no channel, {label}"),
        }
    }

    /// Hops are drawn as one group, and so are the intervals.
    fn group(self) -> Self {
        match self {
            Self::Hop(_) => Self::Hop(0),
            Self::Kept(_) => Self::Kept(0),
            other => other,
        }
    }
}

/// The sessions as lines.
pub(in crate::report) fn lifelines(facts: &Facts) -> Vec<Lifeline> {
    let mut sessions: BTreeMap<u32, Vec<&Arm>> = BTreeMap::new();
    for arm in &facts.arms {
        sessions.entry(arm.session).or_default().push(arm);
    }
    sessions.values().filter_map(|arms| Lifeline::of(arms)).collect()
}

/// Lines of one group at most.
const OF_A_GROUP: usize = 4;

/// Returns the most informative lines, at most `most`, in drawing order; and the number left out.
///
/// Each group gives its most telling line, then each its second, until no more fit: of the silent ones the shortest that died and
/// the longest that lived, and so on in turn; of the hops the two sides of the one that drops idle connections.
pub(in crate::report) fn telling(lifelines: Vec<Lifeline>, most: usize) -> (Vec<Lifeline>, usize) {
    let all = lifelines.len();
    let mut groups: BTreeMap<LifelineKind, Vec<Lifeline>> = BTreeMap::new();
    for lifeline in lifelines {
        groups.entry(lifeline.kind.group()).or_default().push(lifeline);
    }
    let mut ranked: Vec<_> = groups.into_values().map(|group| in_turn(group).into_iter().take(OF_A_GROUP)).collect();
    let mut shown = Vec::new();
    while shown.len() < most {
        let round: Vec<Lifeline> = ranked.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            break;
        }
        shown.extend(round.into_iter().take(most - shown.len()));
    }
    shown.sort_by(|a, b| a.kind.cmp(&b.kind).then(a.label.cmp(&b.label)).then(a.ended_s.total_cmp(&b.ended_s)));
    let left = all - shown.len();
    (shown, left)
}

/// A group with its most telling line first.
fn in_turn(group: Vec<Lifeline>) -> Vec<Lifeline> {
    let (mut lost, mut lived): (Vec<_>, Vec<_>) = group.into_iter().partition(Lifeline::is_lost);
    // What was open or without a verdict tells nothing beside others that were not.
    if !lost.is_empty() || lived.iter().any(|lifeline| lifeline.mark == Mark::Answered) {
        lived.retain(|lifeline| lifeline.mark == Mark::Answered);
    }
    lost.sort_by(|a, b| b.kind.cmp(&a.kind).then(a.length().total_cmp(&b.length())));
    lived.sort_by(|a, b| a.mark.cmp(&b.mark).then(a.kind.cmp(&b.kind)).then(b.length().total_cmp(&a.length())));
    let (mut lost, mut lived) = (lost.into_iter(), lived.into_iter());
    let mut turns = Vec::new();
    loop {
        let before = turns.len();
        turns.extend(lost.next());
        turns.extend(lived.next());
        if turns.len() == before {
            return turns;
        }
    }
}

fn words(arm: &Arm) -> String {
    let lasted = seconds(sane(arm.lasted_s));
    match (&arm.end, arm.moves) {
        // What was kept alive did not die of the time since the last keepalive.
        (StretchEnd::Died { manner, .. }, Moves::Keepalive | Moves::ChannelData | Moves::ServerData) => {
            format!("died: {}, {} old", manner.code(), seconds(sane(arm.age_s)))
        }
        (StretchEnd::Died { manner, .. }, _) => format!("died: {}, {}", manner.code(), seconds(sane(arm.quiet_s()))),
        (StretchEnd::Unheard { .. }, _) => format!("unheard after {lasted}"),
        (StretchEnd::Alive { .. }, Moves::Nothing) => format!("answered after {lasted}"),
        (StretchEnd::Alive { .. }, _) => format!("kept {lasted}"),
        (StretchEnd::Open, _) => "open".to_owned(),
        (StretchEnd::Void { .. }, _) => "no verdict".to_owned(),
    }
}

/// Returns the end of a stretch: a silence in which the server spoke lasted longer than the longest time without a
/// byte.
fn ended(arm: &Arm) -> f64 {
    let silence = arm.channel_quiet_s.filter(|_| arm.moves == Moves::Nothing && arm.heard_bytes > 0);
    sane(sane(arm.started_s) + sane(arm.lasted_s).max(silence.map_or(0.0, sane)))
}

/// A time of a recording, which may be damaged.
fn sane(time_s: f64) -> f64 {
    if time_s.is_finite() { time_s.clamp(0.0, LATEST) } else { 0.0 }
}
