//! Times as SVG: a session's life, a hop's round trip, a check's share. Each has a title, and its text stands beside it.

use std::fmt::Write as _;

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::idle::Search;
use ssh_doctor_checks::facts::{Check, CheckView, Evidence};

use super::markup::text;
use crate::report::lifelines::lifeline::{self, LATEST, Lifeline, Mark};

/// The most sessions that are drawn.
const ROWS: usize = 24;
/// The units of a drawing's width.
const WIDTH: f64 = 1000.0;

/// True if the check's time is work: the idle test waits on purpose.
pub(super) fn is_work(view: &CheckView) -> bool {
    view.check != Check::Idle
}

/// The sessions of the idle test; none where fewer than two were held.
pub(super) fn lifelines(evidence: &Evidence) -> Option<String> {
    let facts = evidence.idle.facts().filter(|facts| facts.arms.len() > 1)?;
    let (lines, left) = lifeline::telling(lifeline::lifelines(facts), ROWS);
    let total = lines.iter().map(|line| line.ended_s).fold(facts.elapsed_s, f64::max).clamp(0.001, LATEST);
    let mut part = format!(
        "<section aria-labelledby=\"sessions\">\n<h2 id=\"sessions\">Sessions held idle</h2>\n\
         <p>From 0 to {}. Thin: idle; thick: data or keepalives; tick: an answer on the way.</p>\n",
        seconds(total)
    );
    for line in &lines {
        let _ = writeln!(part, "<p style=\"margin: 0.5rem 0 0\">{}: {}</p>", text(&line.label), text(&line.words));
        part.push_str(&drawn(line, total));
    }
    if left > 0 {
        let _ = writeln!(part, "<p>{left} more sessions are in the JSON.</p>");
    }
    Some(part + "</section>\n")
}

fn drawn(line: &Lifeline, total_s: f64) -> String {
    let x = |at_s: f64| WIDTH * at_s.clamp(0.0, total_s) / total_s;
    let (begin, end) = (x(line.started_s), x(line.ended_s));
    // The whole life, also between the stretches.
    let mut shapes = format!(
        "<rect x=\"{begin:.1}\" y=\"7\" width=\"{:.1}\" height=\"2\" fill=\"currentColor\"/>",
        (end - begin).max(1.0)
    );
    for stretch in line.stretches.iter().filter(|stretch| !stretch.is_idle()) {
        let (from, to) = (x(stretch.from_s), x(stretch.to_s.min(line.ended_s)));
        let _ = write!(
            shapes,
            "<rect x=\"{from:.1}\" y=\"4\" width=\"{:.1}\" height=\"8\" fill=\"currentColor\"/>",
            (to - from).max(1.0)
        );
    }
    for answered in line.answered_s.iter().filter(|at_s| **at_s < line.ended_s) {
        let _ =
            write!(shapes, "<rect x=\"{:.1}\" y=\"2\" width=\"4\" height=\"12\" fill=\"currentColor\"/>", x(*answered));
    }
    let color = match line.mark {
        Mark::Died | Mark::Unheard => "light-dark(#b00020, #ff8a8a)",
        Mark::Answered | Mark::Open => "light-dark(#116622, #66dd88)",
        Mark::Void => "currentColor",
    };
    let _ = write!(
        shapes,
        "<rect x=\"{:.1}\" y=\"0\" width=\"8\" height=\"16\" style=\"fill: {color}\"/>",
        (end - 8.0).max(0.0)
    );
    svg(&format!("{}: {}", line.label, line.words), &shapes)
}

/// The hops with their round-trip times; none where none was looked for.
pub(super) fn hops(evidence: &Evidence) -> Option<String> {
    let facts = evidence.idle.facts()?;
    let path = facts.path.as_ref().filter(|path| facts.search() != Search::None && !path.hops.is_empty())?;
    let longest = path.hops.iter().filter_map(|hop| hop.rtt_ms).fold(0.001, f64::max);
    let dropped = |number: u8| matches!(facts.search(), Search::Found(found) if found.hops().contains(&number));
    let mut part = "<section aria-labelledby=\"hops\">\n<h2 id=\"hops\">Hops to the server</h2>\n".to_owned();
    for hop in &path.hops {
        let address = hop.address.map_or_else(|| "no answer".to_owned(), |address| address.to_string());
        let rtt = hop.rtt_ms.map_or_else(String::new, |rtt| format!(", round trip {rtt:.1} ms"));
        let drops = if dropped(hop.number) { ", drops idle connections" } else { "" };
        let words = format!("Hop {}: {address}{rtt}{drops}", hop.number);
        let _ = writeln!(part, "<p style=\"margin: 0.5rem 0 0\">{}</p>", text(&words));
        part.push_str(&hop.rtt_ms.map_or_else(String::new, |rtt| bar(&words, rtt / longest)));
    }
    Some(part + "</section>\n")
}

/// A check's time, beside the longest of all.
pub(super) fn share(name: &str, took_ms: f64, longest_ms: f64) -> String {
    bar(&format!("{name}: {}", seconds(took_ms / 1000.0)), took_ms / longest_ms)
}

fn bar(title: &str, share: f64) -> String {
    let width = (WIDTH * share.clamp(0.0, 1.0)).max(2.0);
    svg(title, &format!("<rect x=\"0\" y=\"5\" width=\"{width:.1}\" height=\"6\" fill=\"currentColor\"/>"))
}

fn svg(title: &str, shapes: &str) -> String {
    format!(
        "<svg role=\"img\" width=\"100%\" height=\"16\" viewBox=\"0 0 1000 16\" preserveAspectRatio=\"none\"><title>{}</title>{shapes}</svg>\n",
        text(title)
    )
}
