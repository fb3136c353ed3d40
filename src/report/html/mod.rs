//! The report as one self-contained HTML page: no script, no style sheet, nothing loaded, and a policy that says so.

mod bars;
mod markup;

use std::fmt::Write as _;

use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::causes::{FixKind, Severity};
use ssh_doctor_checks::facts::{CheckView, Evidence};

use super::finding::{certainty, place, severity, side};
use super::json::{self, Shape};
use super::text::{paused, unread, untested};
use super::{Status, headline};
use crate::diagnose::{Diagnosis, FilledFix, Finding, Verdict};
use markup::{list, paragraphs, pre, text};

/// Nothing is loaded or run; the attributes `style` alone are allowed.
const POLICY: &str = "default-src 'none'; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page, which ends with a line end.
#[must_use]
pub fn render(evidence: &Evidence, diagnosis: &Diagnosis) -> String {
    let target = text(&evidence.target.input);
    let word = diagnosis.verdict.name().to_uppercase();
    let checks = evidence.checks();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{word} {target} - ssh-doctor</title>\n</head>\n\
         <body style=\"background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere\">\n<main>\n"
    );
    let meaning = text(&headline::meaning(evidence, diagnosis));
    let _ =
        writeln!(page, "<h1><span style=\"color: {}\">{word}</span> {target}: {meaning}</h1>", ink(diagnosis.verdict));
    let address = text(&headline::address(&evidence.target, evidence));
    let when = evidence.started_at;
    let _ = writeln!(
        page,
        "<p>{address}<br><time datetime=\"{when}\">{}</time>, {}, ssh-doctor {}</p>",
        when.strftime("%Y-%m-%d %H:%M:%S UTC"),
        seconds(evidence.duration_ms / 1000.0),
        env!("CARGO_PKG_VERSION")
    );
    diagnosis.findings.iter().enumerate().for_each(|(at, found)| page.push_str(&finding(at + 1, found)));
    page.push_str(&bars::lifelines(evidence).unwrap_or_default());
    page.push_str(&bars::hops(evidence).unwrap_or_default());
    page.push_str(&table(&checks, &diagnosis.findings));
    page.push_str(&circumstances(evidence, diagnosis, &checks));
    page.push_str(&details(evidence, diagnosis, &checks));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn ink(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "light-dark(#116622, #66dd88)",
        Verdict::Degraded | Verdict::Inconclusive => "light-dark(#805000, #ffcc55)",
        Verdict::Broken => "light-dark(#b00020, #ff8a8a)",
    }
}

fn finding(at: usize, found: &Finding) -> String {
    let hop = found.hop.as_ref().map_or_else(String::new, |hop| format!("at the jump host {}: ", text(hop)));
    let color = match found.severity {
        Severity::Critical => ink(Verdict::Broken),
        Severity::Warning => ink(Verdict::Degraded),
        Severity::Info => "inherit",
    };
    let mut part = format!(
        "<section aria-labelledby=\"finding-{at}\">\n<h2 id=\"finding-{at}\" style=\"color: {color}\">{at}. {hop}{}</h2>\n\
         <p><code>{}</code>, {}, {}</p>\n",
        text(&found.title),
        found.code,
        severity(found.severity),
        certainty(found)
    );
    part.push_str(&list(found.because.iter().map(String::as_str)));
    let fixes = |kind: FixKind| found.fixes.iter().filter(move |fix| fix.kind == kind);
    fixes(FixKind::Change).for_each(|one| part.push_str(&fix("Fix", one)));
    fixes(FixKind::Look).for_each(|one| part.push_str(&fix("Next step", one)));
    let suspects: Vec<_> = found.suspects.iter().map(|suspect| format!("{}: {}", suspect.name, suspect.why)).collect();
    if !suspects.is_empty() {
        part.push_str("<p>Consistent with (not proven):</p>\n");
        part.push_str(&list(suspects.iter().map(String::as_str)));
    }
    let _ = writeln!(
        part,
        "<details>\n<summary>Explanation</summary>\n{}</details>\n</section>",
        paragraphs(found.explanation)
    );
    part
}

fn fix(label: &str, fix: &FilledFix) -> String {
    let place = place(fix).map_or_else(String::new, |place| format!(", {}", text(&place)));
    let tried = match fix.verified {
        Some(true) => "; <strong>proven on this path</strong>",
        Some(false) => "; tried, did not hold",
        None => "",
    };
    let mut part =
        format!("<p><strong>{label}</strong> ({}{place}{tried}): {}</p>\n", side(fix.side), text(&fix.summary));
    part.push_str(&fix.snippet.as_ref().map_or_else(String::new, |snippet| pre(snippet)));
    for (word, words) in [("Caution: ", &fix.caution), ("", &fix.note)] {
        if let Some(words) = words {
            let _ = writeln!(part, "<p>{word}{}</p>", text(words));
        }
    }
    part
}

/// The checks with their times as bars; the idle test waits on purpose and has none.
fn table(checks: &[CheckView], findings: &[Finding]) -> String {
    let longest = checks.iter().filter(|view| bars::is_work(view)).map(|view| view.duration_ms).fold(1.0, f64::max);
    let mut part = "<section aria-labelledby=\"checks\">\n<h2 id=\"checks\">Checks</h2>\n".to_owned();
    for view in checks {
        let status = Status::of(view, findings);
        let time =
            if status == Status::Skip { String::new() } else { format!(", {}", seconds(view.duration_ms / 1000.0)) };
        let _ = writeln!(
            part,
            "<p><strong>{}</strong>: {}{time}<br>{}</p>",
            view.check.name(),
            status.name(),
            text(&view.summary)
        );
        if status != Status::Skip && bars::is_work(view) {
            part.push_str(&bars::share(view.check.name(), view.duration_ms, longest));
        }
    }
    part + "</section>\n"
}

fn circumstances(evidence: &Evidence, diagnosis: &Diagnosis, checks: &[CheckView]) -> String {
    let gaps = untested(checks, diagnosis.died_at, true).map(|gaps| format!("Not tested: {gaps}."));
    let spent = evidence.spent;
    let used = format!("Used: {} connections (limit {}), {} logins.", spent.connections, spent.budget, spent.logins);
    let settings = format!("Settings: {}.", evidence.settings.source);
    let lines: Vec<String> =
        gaps.into_iter().chain(paused(evidence)).chain(unread(evidence)).chain([settings, used]).collect();
    let items = list(lines.iter().map(String::as_str));
    format!("<section aria-labelledby=\"scope\">\n<h2 id=\"scope\">Scope</h2>\n{items}</section>\n")
}

/// All that was recorded, folded away.
fn details(evidence: &Evidence, diagnosis: &Diagnosis, checks: &[CheckView]) -> String {
    let mut part = "<section aria-labelledby=\"evidence\">\n<h2 id=\"evidence\">Evidence</h2>\n".to_owned();
    for view in checks.iter().filter(|view| !view.facts.is_null()) {
        let facts = serde_json::to_string_pretty(&view.facts).unwrap_or_default();
        let _ = writeln!(part, "<details>\n<summary>{}</summary>\n{}</details>", view.check.name(), pre(&facts));
    }
    let whole = json::render(evidence, diagnosis, Shape { pretty: true, brief: false });
    let _ = writeln!(part, "<details>\n<summary>The whole report as JSON</summary>\n{}</details>", pre(&whole));
    part + "</section>\n"
}

#[cfg(test)]
mod tests {
    use super::POLICY;

    #[test]
    fn the_policy_forbids_scripts_and_everything_from_elsewhere() {
        assert!(POLICY.starts_with("default-src 'none'") && !POLICY.contains("script"));
    }
}
