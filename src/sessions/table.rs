//! The live sessions as a table for people, and a sentence on each that needs attention.

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, presets};
use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::live_sessions::Probe;

use super::listed::Listed;
use super::state::State;
use crate::report::Style;

const HEADERS: [&str; 5] = ["pid", "program", "peer", "idle", "state"];

/// The table, the sentences, and the unknowns.
pub(super) fn render(listed: &[Listed], not_known: &[String], style: Style) -> String {
    let mut parts = Vec::new();
    if listed.is_empty() {
        parts.push("No SSH connections are open on this machine.".to_owned());
    } else {
        parts.push(table(listed, style));
    }
    let sentences: Vec<String> = listed.iter().filter_map(|listed| sentence(listed, style)).collect();
    parts.extend((!sentences.is_empty()).then(|| sentences.join("\n")));
    let not_known: Vec<String> = not_known.iter().map(|what| style.wrapped("Not known: ", "  ", what)).collect();
    parts.extend((!not_known.is_empty()).then(|| not_known.join("\n")));
    parts.join("\n\n") + "\n"
}

fn table(listed: &[Listed], style: Style) -> String {
    let mut table = Table::new();
    let rule = if style.unicode { '─' } else { '-' };
    let lines = presets::NOTHING.header_separator(LineStyle::none().fill(rule).junction(rule));
    table.load_style(lines).set_content_arrangement(ContentArrangement::Dynamic).force_no_tty();
    table.set_width(u16::try_from(style.columns()).unwrap_or(u16::MAX));
    if style.color {
        table.enforce_styling().style_text_only();
    }
    table.set_header(HEADERS);
    for listed in listed {
        table.add_row(row(listed, style));
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn row(listed: &Listed, style: Style) -> [Cell; 5] {
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let state = Cell::new(listed.state.name());
    let state = match listed.state {
        State::Active | State::Idle => state,
        State::Frozen { .. } | State::Dead => state.fg(Color::Red),
        State::HalfClosed | State::ReaderStuck | State::WindowClosed => state.fg(Color::Yellow),
    };
    let idle = listed.quiet_s().map(|[received, sent, _]| seconds(received.min(sent)));
    [
        right(listed.pid().map(|pid| pid.to_string()).unwrap_or_default()),
        Cell::new(style.safe(&listed.described.program)),
        Cell::new(style.safe(&listed.described.peer)),
        right(idle.unwrap_or_default()),
        state,
    ]
}

/// Returns a sentence on a session beyond its row.
fn sentence(listed: &Listed, style: Style) -> Option<String> {
    let [_, _, acknowledged] = listed.quiet_s().unwrap_or_default();
    let what = match (listed.state, &listed.session.probe) {
        (State::Frozen { unanswered_s }, _) => {
            let retransmissions = listed.socket.info.map_or(0, |info| info.backoff);
            let gives_up = listed.gives_up_s().map(seconds).unwrap_or_default();
            format!(
                "frozen for about {}: {retransmissions} retransmissions, no ACK for {}. The kernel gives up in about {gives_up}",
                seconds(unanswered_s),
                seconds(acknowledged)
            )
        }
        (State::Dead, Some(Probe::Unanswered { probes, waited_ms })) => format!(
            "dead: {probes} TCP keepalives in {}, no ACK; the server was last heard {} ago",
            seconds(waited_ms / 1000.0),
            seconds(acknowledged)
        ),
        (State::HalfClosed, _) => "one side has closed the connection, the other has not".to_owned(),
        (State::ReaderStuck, _) => {
            let stopped = listed.session.process.as_ref().is_some_and(|process| process.stopped);
            let why =
                if stopped { "its program is stopped (Ctrl-Z): fg continues it" } else { "its program does not read" };
            format!("{} bytes wait to be read: {why}", listed.socket.receive_queue)
        }
        (State::WindowClosed, _) => {
            format!("the other side takes no more data (receive window 0); {} bytes wait", listed.socket.send_queue)
        }
        (_, Some(Probe::NotProbed { why })) => format!("not probed: {why}"),
        _ => return None,
    };
    let end = listed.state.is_lost().then(|| listed.to_end_it()).flatten();
    let end = end.map(|command| format!(". To end it: {command}")).unwrap_or_default();
    let name = listed.pid().map_or_else(|| listed.described.peer.clone(), |pid| format!("PID {pid}"));
    Some(style.wrapped("", "  ", &format!("{name}: {what}{end}")))
}
