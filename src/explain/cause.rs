//! The catalogue for people: one cause in full, all causes in a list, the nearest code to a misspelt one.

use ssh_doctor_checks::causes::Cause;
use ssh_doctor_checks::causes::told::symptoms_of;
use ssh_doctor_checks::facts::Check;

use crate::clients;
use crate::diagnose::FilledFix;
use crate::report::Style;
use crate::report::finding::{fixes, listed, severity};
use crate::report::style::{INDENT, Ink, PASTE};

/// The similarity from which a code counts as meant, 1 being equal.
const ALIKE: f64 = 0.6;

/// Everything the catalogue knows of a cause; `None` for an unknown code.
#[must_use]
pub fn page(code: &str, style: &Style) -> Option<String> {
    let style = *style;
    let cause = ssh_doctor_checks::causes::all().find(|cause| cause.code == code)?;
    let label = format!("{}, {}, shows at the {} check", cause.code, severity(cause.severity), cause.stage.name());
    let mut parts = vec![
        format!("{}\n{}", style.paint(Ink::Strong, &style.wrapped("", "", cause.title)), style.wrapped("", "", &label)),
        style.paragraphs(INDENT, cause.explanation),
    ];
    let templates: Vec<_> = cause.fixes.iter().map(FilledFix::template).collect();
    parts.extend(fixes(&templates, style));
    if templates.iter().any(FilledFix::has_placeholder) {
        parts.push(style.wrapped(
            INDENT,
            INDENT,
            "A report fills in the words in braces: {alias} is what you type after ssh.",
        ));
    }
    let symptoms: Vec<_> = symptoms_of(cause).collect();
    if !symptoms.is_empty() {
        let heading = style.paint(Ink::Strong, "What other tools print for it:");
        parts.push(listed(&heading, symptoms.into_iter(), style));
    }
    if cause.fixes.iter().any(clients::is_keepalive) {
        parts.push(other_clients(style));
    }
    Some(parts.join("\n\n"))
}

/// The keepalive of each client but ssh.
fn other_clients(style: Style) -> String {
    let heading =
        style.wrapped(INDENT, INDENT, "The same keepalive in other clients; check --client NAME fills it in:");
    let (first, rest) = (format!("{INDENT}{} ", style.bullet()), format!("{INDENT}  "));
    let entry = |fix: FilledFix| {
        let place = fix.file.map_or_else(String::new, |file| format!(" ({file})"));
        let mind = fix.caution.map_or_else(String::new, |caution| format!("; caution: {caution}"));
        let line = style.wrapped(&first, &rest, &format!("{}{place}{mind}:", fix.summary));
        format!("{line}\n{}", style.snippet(PASTE, &fix.snippet.unwrap_or_default()))
    };
    let entries = clients::all().map(|(_, fix)| entry(FilledFix::template(&fix)));
    let heading = heading.replacen("The same keepalive", &style.paint(Ink::Strong, "The same keepalive"), 1);
    [heading].into_iter().chain(entries).collect::<Vec<_>>().join("\n")
}

/// All causes, grouped by the check at which they show.
#[must_use]
pub fn list(style: &Style) -> String {
    let style = *style;
    let widest = ssh_doctor_checks::causes::all().map(|cause| cause.code.len()).max().unwrap_or(0);
    let groups = Check::ALL.iter().filter_map(|check| {
        let lines: Vec<_> = at(*check).map(|cause| list_line(cause, widest, style)).collect();
        (!lines.is_empty()).then(|| format!("{}\n{}", style.paint(Ink::Strong, check.name()), lines.join("\n")))
    });
    groups.collect::<Vec<_>>().join("\n\n")
}

/// The causes that show at a check, in the catalogue's order.
pub(crate) fn at(check: Check) -> impl Iterator<Item = &'static Cause> {
    ssh_doctor_checks::causes::all().filter(move |cause| cause.stage == check)
}

fn list_line(cause: &Cause, widest: usize, style: Style) -> String {
    let first = format!("  {:widest$}  {:8}  ", cause.code, severity(cause.severity));
    let rest = " ".repeat(first.len());
    style.wrapped(&first, &rest, cause.title)
}

/// The code that was probably meant.
#[must_use]
pub fn suggest(code: &str) -> Option<&'static str> {
    let code = code.to_ascii_lowercase();
    let all = || ssh_doctor_checks::causes::all().map(|cause| cause.code);
    let containing = || (code.len() > 3).then(|| all().find(|known| known.contains(&code))).flatten();
    let alike = all().map(|known| (known, strsim::normalized_damerau_levenshtein(known, &code)));
    let nearest = alike.max_by(|(_, a), (_, b)| a.total_cmp(b)).filter(|(_, likeness)| *likeness >= ALIKE);
    nearest.map(|(known, _)| known).or_else(containing)
}

#[cfg(test)]
mod tests {
    use super::{Style, list, page, suggest};

    #[test]
    fn a_misspelt_code_finds_its_neighbour_and_nonsense_none() {
        assert_eq!(suggest("auth-unexplaned"), Some("auth-unexplained"));
        assert_eq!(suggest("DNS-Unexplained"), Some("dns-unexplained"));
        assert_eq!(suggest("xyzzy"), None);
        assert_eq!(suggest(""), None);
    }

    #[test]
    fn a_cause_is_told_whole_and_an_unknown_code_is_none() {
        let told = page("auth-unexplained", &Style::default()).unwrap();
        assert!(told.contains("auth-unexplained, critical, shows at the auth check"), "{told}");
        assert!(told.contains("ssh -vvv {alias} true") && told.contains("{alias} is what you type"), "{told}");
        assert!(told.is_ascii() && told.lines().all(|line| line.len() <= 80), "{told}");
        assert_eq!(page("auth-", &Style::default()), None);
    }

    #[test]
    fn the_list_holds_every_code_and_fits() {
        let list = list(&Style::default());
        for cause in ssh_doctor_checks::causes::all() {
            assert_eq!(list.matches(&format!("  {} ", cause.code)).count(), 1, "{}", cause.code);
        }
        assert!(list.lines().all(|line| line.len() <= 80), "{list}");
    }
}
