//! One frame of the live progress as lines of text: a pure function of what is known and of the terminal.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ssh_doctor_checks::base::text::{sanitize, seconds};
use ssh_doctor_checks::facts::Check;
use ssh_doctor_checks::measure::progress::{CheckOutcome, IdleState, SessionRow, SessionState};
use textwrap::core::display_width;

/// Columns of a lane's bar.
const BAR: usize = 16;

/// The capabilities of the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameStyle {
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    /// With colours.
    pub(super) color: bool,
    /// With characters beyond ASCII.
    pub(super) unicode: bool,
}

/// The known facts of the examination so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The target.
    pub(super) title: String,
    /// The hops that were passed or not: how, and their one line.
    pub(super) hops: Vec<(String, CheckOutcome, String)>,
    /// The hop whose checks these are; none where they are the target's own.
    pub(super) hop: Option<String>,
    /// The checks that ended: how, and their one line.
    pub(super) finished: Vec<(Check, CheckOutcome, String)>,
    /// The check that is running.
    pub(super) running: Option<Check>,
    /// The state of the idle test.
    pub(super) idle: Option<IdleState>,
    /// Since the idle test was last heard of.
    pub(super) heard: Duration,
    /// Since the running check began.
    pub(super) elapsed: Duration,
    /// True if the user wants it to end.
    pub(super) ending: bool,
    /// Counts the frames: the spinner turns.
    pub(super) tick: usize,
}

/// The lines of one frame; none is wider than the terminal, and there are fewer than it has rows.
pub(super) fn lines(known: &Known, looks: FrameStyle) -> Vec<String> {
    let paint = Paint(looks);
    let mut lines = vec![paint.line(Style::new().bold(), "", &known.title)];
    for (name, ending, summary) in &known.hops {
        lines.push(ended(*ending, &format!("hop {}: {summary}", sanitize(name)), &paint));
    }
    lines.extend(known.hop.iter().map(|name| paint.line(Style::new(), "  ", &format!("hop {}", sanitize(name)))));
    for (check, ending, summary) in &known.finished {
        lines.push(ended(*ending, &format!("{:<10} {summary}", check.name()), &paint));
    }
    if let Some(check) = known.running {
        let spinner = if looks.unicode {
            &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"][..]
        } else {
            &["|", "/", "-", "\\"][..]
        };
        let turn = spinner.get(known.tick % spinner.len()).copied().unwrap_or_default();
        let idle = known.idle.as_ref().filter(|_| check == Check::Idle);
        let said = match (known.ending, idle) {
            (true, _) => "ending; Ctrl-C once more leaves without a report".to_owned(),
            (false, Some(state)) => phase(state, known.heard, &paint),
            (false, None) if known.elapsed >= Duration::from_secs(1) => clock(known.elapsed),
            (false, None) => String::new(),
        };
        let head = format!("  {turn} ");
        lines.push(paint.line(AnsiColor::Cyan.on_default(), &head, &format!("{:<10} {said}", check.name())));
        let rows = idle.map(|state| state.rows.as_slice()).unwrap_or_default();
        // One row stays free for the cursor.
        let room = looks.height.saturating_sub(lines.len() + 1);
        let shown = if rows.len() <= room { rows.len() } else { room.saturating_sub(1) };
        lines.extend(rows.iter().take(shown).map(|one| row(one, known.heard, &paint)));
        if shown < rows.len() && room > 0 {
            lines.push(paint.line(Style::new().dimmed(), "      ", &format!("and {} more", rows.len() - shown)));
        }
    }
    lines.truncate(looks.height.saturating_sub(1));
    lines
}

/// The line of something that has ended.
fn ended(ending: CheckOutcome, text: &str, paint: &Paint) -> String {
    let (mark, style) = match ending {
        CheckOutcome::Passed => (paint.pick("✓", "+"), AnsiColor::Green.on_default()),
        CheckOutcome::Failed => (paint.pick("✗", "x"), AnsiColor::Red.on_default().bold()),
        CheckOutcome::Skipped => (paint.pick("·", "-"), Style::new().dimmed()),
    };
    paint.line(style, &format!("  {mark} "), text)
}

/// Describes the phase of the idle test, and the time that it may still take; the time taken where that is not known.
fn phase(state: &IdleState, heard: Duration, paint: &Paint) -> String {
    let left = state.left.saturating_sub(heard);
    let time = if left.is_zero() { clock(state.elapsed + heard) } else { format!("at most {} left", clock(left)) };
    format!("{} {} {time}", state.phase, paint.pick("·", "-"))
}

fn row(row: &SessionRow, heard: Duration, paint: &Paint) -> String {
    let waiting = row.state == SessionState::Waiting;
    let idle = row.idle + if waiting { heard } else { Duration::ZERO };
    let idle = row.until.map_or(idle, |until| idle.min(until));
    let (state, style) = match &row.state {
        SessionState::Waiting => (String::new(), Style::new()),
        SessionState::Probing => ("asked".to_owned(), AnsiColor::Yellow.on_default()),
        SessionState::Alive => ("alive".to_owned(), AnsiColor::Green.on_default()),
        SessionState::Dead(how) => (format!("dead: {how}"), AnsiColor::Red.on_default().bold()),
    };
    let bar = match row.until {
        Some(until) if !until.is_zero() => {
            let filled = (idle.as_millis() * BAR as u128 / until.as_millis().max(1)).min(BAR as u128);
            let filled = usize::try_from(filled).unwrap_or(BAR);
            paint.pick("━", "#").repeat(filled) + &paint.pick("─", ".").repeat(BAR - filled)
        }
        _ => paint.pick("┄", "~").repeat(BAR),
    };
    let clocks =
        row.until.map_or_else(|| clock(idle), |until| format!("{} of {}", clock(idle), seconds(until.as_secs_f64())));
    paint.line(style, "      ", &format!("{:<20} {bar} {clocks:<15} {state}", row.label))
}

/// A running clock: `12 s`, `3:05`, `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let total = time.as_secs();
    match (total / 3600, total / 60 % 60, total % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m}:{s:02}"),
        (h, m, s) => format!("{h}:{m:02}:{s:02}"),
    }
}

pub(super) struct Paint(pub(super) FrameStyle);

impl Paint {
    /// The first text where the terminal shows it, else the second.
    pub(super) fn pick<'a>(&self, beautiful: &'a str, plain: &'a str) -> &'a str {
        if self.0.unicode { beautiful } else { plain }
    }

    /// A line cut to the terminal's width, with the style over all of it or over its head.
    pub(super) fn line(&self, style: Style, head: &str, text: &str) -> String {
        let room = self.0.width.saturating_sub(1);
        let whole = format!("{head}{}", text.trim_end());
        let shown = if display_width(&whole) > room {
            format!("{}{}", beginning(&whole, room.saturating_sub(1)), self.pick("…", "~"))
        } else {
            whole
        };
        if self.0.color { format!("{style}{shown}{style:#}") } else { shown }
    }
}

/// Returns the longest beginning of a text that fits into this many columns: a CJK character takes two, a combining
/// mark none.
fn beginning(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let too_far = text.char_indices().find(|(_, c)| {
        used += display_width(c.encode_utf8(&mut [0; 4]));
        used > columns
    });
    too_far.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anstyle::Style;
    use ssh_doctor_checks::facts::Check;
    use ssh_doctor_checks::measure::progress::{CheckOutcome, IdleState, SessionRow, SessionState};
    use textwrap::core::display_width;

    use super::{FrameStyle, Known, Paint, clock, lines};

    const PLAIN: FrameStyle = FrameStyle { width: 80, height: 24, color: false, unicode: true };

    fn known(rows: usize) -> Known {
        let row = |number| SessionRow {
            label: "silent".into(),
            idle: Duration::from_secs(10),
            until: Some(Duration::from_secs(20 + number)),
            state: SessionState::Waiting,
        };
        Known {
            title: "db".into(),
            finished: vec![(Check::Dns, CheckOutcome::Passed, "x".repeat(300))],
            running: Some(Check::Idle),
            idle: Some(IdleState {
                phase: "first round".into(),
                elapsed: Duration::from_secs(10),
                left: Duration::from_mins(3),
                rows: (0..rows as u64).map(row).collect(),
            }),
            ..Known::default()
        }
    }

    #[test]
    fn nothing_is_wider_or_higher_than_the_terminal() {
        for (width, height, rows) in [(80, 24, 12), (80, 8, 12), (40, 24, 40), (10, 3, 5), (0, 0, 3)] {
            let lines = lines(&known(rows), FrameStyle { width, height, ..PLAIN });
            assert!(lines.len() < height.max(1), "{lines:#?}");
            assert!(lines.iter().all(|line| display_width(line) < width.max(2)), "{lines:#?}");
        }
    }

    #[test]
    fn wide_characters_take_two_columns_and_combining_marks_none() {
        let line = |text: &str| Paint(FrameStyle { width: 10, ..PLAIN }).line(Style::new(), "", text);
        assert_eq!(line("日本語の服"), "日本語の…");
        assert_eq!(line("x日本語の服"), "x日本語…");
        assert_eq!(line("日本語の"), "日本語の");
        let marked = "e\u{301}".repeat(9);
        assert_eq!(line(&marked), marked);
        assert_eq!(line(&"e\u{301}".repeat(10)), format!("{}…", "e\u{301}".repeat(8)));
        let known = Known { title: "db-日本語".repeat(20), ..known(1) };
        assert!(lines(&known, PLAIN).iter().all(|line| display_width(line) < 80));
    }

    #[test]
    fn clocks_run_between_two_snapshots() {
        let text = lines(&Known { heard: Duration::from_secs(4), ..known(1) }, PLAIN).join("\n");
        assert!(text.contains("14 s of 20 s"), "{text}");
        assert!(text.contains("at most 2:56 left"), "{text}");
        assert_eq!([59, 60, 3725].map(|s| clock(Duration::from_secs(s))), ["59 s", "1:00", "1:02:05"]);
    }

    #[test]
    fn a_hop_stands_above_its_checks_and_is_one_line_when_it_is_passed() {
        let mut known = Known { hop: Some("gate".into()), ..known(0) };
        let text = lines(&known, PLAIN);
        assert_eq!(text[1], "  hop gate");
        assert!(text[2].starts_with("  ✓ dns"), "{text:#?}");
        known.hops.push(("gate".into(), CheckOutcome::Passed, "connected on to db:22 in 9 ms".into()));
        (known.hop, known.running) = (None, None);
        known.finished.clear();
        assert_eq!(lines(&known, PLAIN), ["db", "  ✓ hop gate: connected on to db:22 in 9 ms"]);
    }

    #[test]
    fn the_dead_are_named() {
        let mut known = known(1);
        if let Some(row) = known.idle.as_mut().and_then(|idle| idle.rows.first_mut()) {
            row.state = SessionState::Dead("silent".into());
        }
        assert!(lines(&known, FrameStyle { unicode: false, ..PLAIN }).join("\n").contains("dead: silent"));
    }
}
