//! The checks as a table: what became of each, and where the seconds went.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, TableStyle, Width,
};
use comfy_table::{LineStyle, presets};
use ssh_doctor_checks::base::text;
use ssh_doctor_checks::facts::{Check, CheckView};

use super::style::Ink;
use super::{Status, Style};
use crate::diagnose::Finding;

/// Columns of the time bar.
const BAR: u32 = 8;

/// In less than these columns the bar would leave no room for what was seen.
const ROOM_FOR_BAR: usize = 64;

const HEADERS: [&str; 5] = ["check", "result", "time", "share", "what was seen"];

/// The table of checks, as wide as the style says.
pub(crate) fn checks(views: &[CheckView], findings: &[Finding], style: Style) -> String {
    let total: f64 = views.iter().filter(|view| is_work(view)).map(|view| view.duration_ms).sum();
    let mut table = Table::new();
    table.load_style(lines(style)).set_content_arrangement(ContentArrangement::Dynamic).force_no_tty();
    table.set_width(u16::try_from(style.columns()).unwrap_or(u16::MAX));
    if style.color {
        table.enforce_styling().style_text_only();
    }
    let header = |header| Cell::new(header).add_attribute(Attribute::Dim);
    table.set_header(HEADERS.map(|name| if name == "time" { right(header(name)) } else { header(name) }));
    for view in views {
        table.add_row(row(view, Status::of(view, findings), total, style));
    }
    let bar = match style.columns() {
        ROOM_FOR_BAR.. => ColumnConstraint::Absolute(Width::Fixed(u16::try_from(BAR + 2).unwrap_or(u16::MAX))),
        _ => ColumnConstraint::Hidden,
    };
    let content = ColumnConstraint::ContentWidth;
    table.set_constraints([content, content, content, bar]);
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// One rule below the header, no boxes: a table that can be read and copied.
fn lines(style: Style) -> TableStyle {
    let rule = if style.unicode { '─' } else { '-' };
    presets::NOTHING.header_separator(LineStyle::none().fill(rule).junction(rule))
}

fn row(view: &CheckView, status: Status, total_ms: f64, style: Style) -> [Cell; 5] {
    let ran = !matches!(status, Status::Skip);
    let time = if ran { text::seconds(view.duration_ms / 1000.0) } else { String::new() };
    let share = if ran && is_work(view) && total_ms > 0.0 { view.duration_ms / total_ms } else { 0.0 };
    let seen = Cell::new(style.safe(&view.summary));
    [
        Cell::new(view.check.name()),
        inked(Cell::new(status.name()), status.into()),
        right(Cell::new(time)),
        Cell::new(style.bar(share, BAR)).fg(Color::Blue),
        if ran { seen } else { inked(seen, Ink::Faint) },
    ]
}

/// The idle check waits on purpose; beside its minutes the seconds of all others would vanish.
fn is_work(view: &CheckView) -> bool {
    view.check != Check::Idle
}

fn right(cell: Cell) -> Cell {
    cell.set_alignment(CellAlignment::Right)
}

fn inked(cell: Cell, ink: Ink) -> Cell {
    match ink {
        Ink::Good => cell.fg(Color::Green),
        Ink::Care => cell.fg(Color::Yellow).add_attribute(Attribute::Bold),
        Ink::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Ink::Faint => cell.add_attribute(Attribute::Dim),
        Ink::Strong | Ink::Paste => cell.add_attribute(Attribute::Bold),
    }
}
