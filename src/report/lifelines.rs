//! The sessions of the idle test as bars on one time axis: what moved on each, how long it lived, how it ended.

pub(super) mod lifeline;

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::idle::{Facts, Moves, StretchEnd};

use super::Style;
use super::style::Ink;
use lifeline::{LATEST, Lifeline, Mark};

/// Bars that are drawn at most; the heading and the axis come to it.
const ROWS: usize = 10;
/// The shortest axis worth drawing, columns; words make room for it.
const SHORTEST: usize = 16;
/// Distances of the labels on the axis, seconds.
const STEPS: [f64; 16] =
    [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 21_600.0, 86_400.0];

/// The lifelines where something died; where all is well one line; `None` where nothing was held.
pub(super) fn section(evidence: &Evidence, style: Style) -> Option<String> {
    let facts = evidence.idle.facts()?;
    let lost = |end: &StretchEnd| matches!(end, StretchEnd::Died { .. } | StretchEnd::Unheard { .. });
    if facts.arms.len() < 2 || !facts.arms.iter().any(|arm| lost(&arm.end)) {
        return lived(facts).map(|line| style.wrapped("", "  ", &line));
    }
    let lifelines = lifeline::lifelines(facts);
    let (shown, left) = lifeline::telling(lifelines, ROWS);
    let mut lines = vec![heading(&shown, style)];
    lines.extend(drawing(&shown, facts, style));
    if left > 0 {
        lines.push(format!("  and {left} more"));
    }
    Some(lines.join("\n"))
}

/// One line for a test in which nothing died.
fn lived(facts: &Facts) -> Option<String> {
    let survivors = facts.idle_survivors();
    let longest = facts.timeout().survived_s?.clamp(0.0, LATEST);
    let sessions = if survivors == 1 { "session" } else { "sessions" };
    (survivors > 0).then(|| format!("Idle: {survivors} {sessions} survived, longest {}.", seconds(longest)))
}

/// The heading, and the meaning of the signs.
fn heading(lifelines: &[Lifeline], style: Style) -> String {
    let occurs = |mark: Mark| {
        lifelines
            .iter()
            .any(|lifeline| lifeline.mark == mark || (mark == Mark::Answered && !lifeline.answered_s.is_empty()))
    };
    let meant = Mark::ALL.into_iter().filter(|mark| occurs(*mark));
    let legend: Vec<_> = meant.map(|mark| format!("{} {}", mark.sign(style), mark.meaning())).collect();
    let title = "Sessions held idle";
    style.wrapped("", "  ", &format!("{title} ({})", legend.join(", "))).replacen(
        title,
        &style.paint(Ink::Strong, title),
        1,
    )
}

/// The axis and a bar a session; the words at their ends are left out where they would leave no room.
fn drawing(lifelines: &[Lifeline], facts: &Facts, style: Style) -> Vec<String> {
    let widest = |of: fn(&Lifeline) -> usize| lifelines.iter().map(of).max().unwrap_or_default();
    let label = widest(|lifeline| lifeline.label.chars().count());
    let words = widest(|lifeline| lifeline.words.chars().count());
    let room = style.columns().saturating_sub(label + 3);
    let with_words = room > SHORTEST + words;
    let columns = if with_words { room - words - 1 } else { room.max(2) };
    let last = lifelines.iter().map(|lifeline| lifeline.ended_s).fold(facts.elapsed_s, f64::max);
    let axis = Axis { total_s: last.clamp(0.001, LATEST), columns };
    let mut lines = vec![format!("{:indent$}{}", "", style.paint(Ink::Faint, &axis.labels(room)), indent = label + 3)];
    let mut above = "";
    for lifeline in lifelines {
        let name = if lifeline.label == above { "" } else { &lifeline.label };
        above = &lifeline.label;
        let bar = axis.bar(lifeline, style);
        let line = if with_words {
            let gap = columns + 1 - bar.columns;
            let words =
                lifeline.mark.ink().map_or_else(|| lifeline.words.clone(), |ink| style.paint(ink, &lifeline.words));
            format!("  {name:label$} {}{:gap$}{words}", bar.text, "")
        } else {
            format!("  {name:label$} {}", bar.text)
        };
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The time axis.
struct Axis {
    total_s: f64,
    columns: usize,
}

/// A drawn bar, and how many columns it takes with the space before it.
struct Bar {
    text: String,
    columns: usize,
}

impl Axis {
    /// The column of a time, from 0.
    fn column(&self, at_s: f64) -> usize {
        let share = at_s.clamp(0.0, self.total_s) / self.total_s;
        let last = self.columns.saturating_sub(1);
        (0..=last).rev().find(|column| *column as f64 <= share * last as f64 + 0.5).unwrap_or_default()
    }

    /// Times above the bars, as many as fit into this many columns without touching.
    fn labels(&self, room: usize) -> String {
        let step = STEPS.into_iter().find(|step| self.total_s / step <= 5.0).unwrap_or(LATEST);
        let mut text = String::from("0");
        let mut at = step;
        while at <= self.total_s {
            let (label, column) = (seconds(at), self.column(at));
            let used = text.chars().count();
            if column > used && column + label.len() <= room {
                text.extend(std::iter::repeat_n(' ', column - used));
                text.push_str(&label);
            }
            at += step;
        }
        text
    }

    fn bar(&self, lifeline: &Lifeline, style: Style) -> Bar {
        let (start, end) = (self.column(lifeline.started_s), self.column(lifeline.ended_s));
        let mut bar: Vec<char> = vec![' '; start];
        // Between two stretches, while a verdict was waited for, nothing moved.
        bar.resize(end, lifeline::fill(Moves::Nothing, style));
        for stretch in &lifeline.stretches {
            let columns = self.column(stretch.from_s)..self.column(stretch.to_s).min(end);
            bar.iter_mut()
                .enumerate()
                .filter(|(at, _)| columns.contains(at))
                .for_each(|(_, sign)| *sign = stretch.fill(style));
        }
        for tick in lifeline.answered_s.iter().map(|at| self.column(*at)).filter(|tick| (start..end).contains(tick)) {
            bar[tick] = Mark::Answered.sign(style);
        }
        let mark = lifeline.mark.sign(style).to_string();
        let mark = lifeline.mark.ink().map_or_else(|| mark.clone(), |ink| style.paint(ink, &mark));
        Bar { text: bar.into_iter().chain(mark.chars()).collect(), columns: start.max(end) + 1 }
    }
}
