//! The comparison for people.

use serde_json::Value;
use ssh_doctor_checks::base::text::sanitize;

use super::comparison::Comparison;
use super::difference::Difference;
use super::masked::Masked;
use super::outcome::Outcome;
use crate::report::Style;
use crate::report::style::Ink;

/// The characters of a value that are shown.
const LONGEST: usize = 300;

/// The whole comparison, without a line end at its end.
pub(super) fn render(comparison: &Comparison, style: Style) -> String {
    let mut lines = vec![side("A", &comparison.a, style), side("B", &comparison.b, style), String::new()];
    if comparison.is_same() {
        lines.push("No relevant difference.".to_owned());
        lines.extend(masked(comparison, style));
        return lines.join("\n");
    }
    let (may_explain, others): (Vec<_>, Vec<_>) = comparison.differences.iter().partition(|one| one.may_explain);
    if comparison.a.is_like(&comparison.b) {
        lines.push("Both came out alike. What differs:".to_owned());
    } else if may_explain.is_empty() {
        lines.push(style.wrapped(
            "",
            "",
            "Nothing that was seen before the outcome differs: something changed in between that leaves no trace in a report (the network, the \
             server's state, chance). Run both again, close together.",
        ));
    } else if let [only] = may_explain[..] {
        lines.push(format!("One difference may explain the outcome: {}.", only.what));
    } else {
        lines.push("Any of these may explain the outcome, the nearest first:".to_owned());
    }
    lines.extend(may_explain.iter().map(|one| row(one, style)));
    if !may_explain.is_empty() && !others.is_empty() {
        lines.extend([String::new(), "It differs too, and comes later or follows:".to_owned()]);
    }
    lines.extend(others.iter().map(|one| row(one, style)));
    lines.extend(masked(comparison, style));
    if comparison.names_left_out {
        let note = "A recording replaces hosts, accounts and addresses: these were not compared.";
        lines.extend([String::new(), style.paint(Ink::Faint, note)]);
    }
    lines.join("\n")
}

/// The values that cannot be compared.
fn masked(comparison: &Comparison, style: Style) -> Vec<String> {
    let row = |one: &Masked| {
        let lead = format!("  {} {}: {}: ", style.bullet(), one.check.name(), one.what);
        style.wrapped(&lead, "      ", &bounded(&one.values.join(", ")))
    };
    let rows: Vec<_> = comparison.not_compared.iter().map(row).collect();
    if rows.is_empty() {
        return rows;
    }
    let heading = "Cannot be compared, as they are masked in a recording (--record-plain keeps them):";
    [vec![String::new(), style.wrapped("", "", heading)], rows].concat()
}

fn side(name: &str, outcome: &Outcome, style: Style) -> String {
    let died = outcome.died_at.as_ref().map(|check| format!(" at {check}")).unwrap_or_default();
    let codes = if outcome.codes.is_empty() { String::new() } else { format!(" ({})", outcome.codes.join(", ")) };
    let Outcome { file, verdict, target, started_at, .. } = outcome;
    let line = format!("{name}  {file}  {}{died}{codes}  {target}, {started_at}", verdict.to_uppercase());
    style.wrapped("", "   ", &sanitize(&line))
}

fn row(one: &Difference, style: Style) -> String {
    let values = [("A", &one.a), ("B", &one.b)].map(|(name, value)| {
        let lead = format!("      {name} ");
        style.wrapped(&lead, "        ", &shown(value))
    });
    format!("  {} {}: {}\n{}", style.bullet(), one.check.name(), one.what, values.join("\n"))
}

/// A value in words, bounded and escaped.
fn shown(value: &Value) -> String {
    let words = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => "nothing more".to_owned(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Number(number) => match number.as_f64() {
            Some(figure) if figure.fract() != 0.0 && figure >= 100.0 => format!("{figure:.0}"),
            Some(figure) if figure.fract() != 0.0 => format!("{figure:.1}"),
            _ => number.to_string(),
        },
        Value::Object(_) => value.to_string(),
    };
    bounded(&words)
}

fn bounded(words: &str) -> String {
    let first: String = words.chars().take(LONGEST).collect();
    sanitize(&if first.len() < words.len() { first + "..." } else { first })
}
