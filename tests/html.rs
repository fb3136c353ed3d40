//! The HTML page: well-formed, self-contained, without scripts, and hostile text in it stays text.

use std::fs;
use std::path::Path;

use ssh_doctor::diagnose::{Diagnosis, diagnose};
use ssh_doctor::record;
use ssh_doctor::report::html;
use ssh_doctor_checks::facts::Evidence;

use crate::support::{changed, healthy};

/// Elements without an end tag.
const VOID: [&str; 3] = ["meta", "br", "rect"];

/// The elements of a page in order; panics where they do not nest.
fn elements(page: &str) -> Vec<String> {
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for piece in page.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("a tag without an end: {piece}"));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default().to_owned();
        if tag.starts_with('!') || VOID.contains(&name.as_str()) {
            seen.push(tag.to_owned());
        } else if tag.starts_with('/') {
            assert_eq!(open.pop().as_ref(), Some(&name), "</{name}> ends another element");
        } else {
            seen.push(tag.to_owned());
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} are not ended");
    seen
}

fn assert_safe(page: &str, what: &str) {
    let seen = elements(page);
    for tag in &seen {
        let name = tag.split(' ').next().unwrap_or_default();
        assert!(
            !["script", "style", "link", "img", "iframe", "form", "base", "object"].contains(&name),
            "{what}: <{tag}>"
        );
        let foreign = ["href=", "src=", " on", "url("].iter().any(|part| tag.contains(part));
        assert!(!foreign, "{what}: <{tag}>");
    }
    let ids: Vec<_> = seen.iter().filter_map(|tag| tag.split(" id=\"").nth(1)?.split('"').next()).collect();
    assert_eq!(ids.len(), ids.iter().collect::<std::collections::BTreeSet<_>>().len(), "{what}: an id occurs twice");
    assert!(page.contains("Content-Security-Policy") && page.contains("<html lang=\"en\">"), "{what}");
}

fn page(evidence: &Evidence) -> (String, Diagnosis) {
    let diagnosis = diagnose(evidence);
    (html::render(evidence, &diagnosis), diagnosis)
}

#[test]
fn the_page_of_every_recording_is_self_contained_and_has_verdict_findings_and_fixes() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded")).unwrap() {
        let file = entry.unwrap().path();
        let (page, diagnosis) = page(&record::load(&file).unwrap());
        assert_safe(&page, &file.display().to_string());
        assert!(page.contains(&diagnosis.verdict.name().to_uppercase()));
        for found in &diagnosis.findings {
            assert!(page.contains(&format!("<code>{}</code>", found.code)), "{}", found.code);
        }
    }
}

#[test]
fn what_a_hostile_server_sends_stays_text() {
    let hostile = "</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{1b}[2J\u{202e}";
    let evidence = changed(&healthy(), |value| {
        value["target"]["input"] = hostile.into();
        value["handshake"]["facts"]["version"] = format!("SSH-2.0-{hostile}").into();
    });
    let (page, _) = page(&evidence);
    assert_safe(&page, "hostile");
    assert!(!page.contains(['\u{1b}', '\u{202e}']) && page.contains("&lt;script&gt;"));
}
