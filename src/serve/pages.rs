//! The landing page.

use std::fmt::Write as _;

use super::app::Loaded;
use super::history::History;

/// The content type of HTML.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// The number of targets listed on the page.
const MAX_LISTED: usize = 200;

/// Renders the page: links, modules and the probed targets, broken ones first.
pub(super) fn landing(loaded: &Loaded, history: &History) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>ssh-doctor</title>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\"></head>\n<body>\n<h1>ssh-doctor {}</h1>\n\
         <p>Prometheus exporter for SSH connections.</p>\n<ul>\n",
        env!("CARGO_PKG_VERSION")
    );
    for (path, what) in [
        ("/metrics", "metrics of this exporter"),
        ("/results", "last result of every target, as JSON"),
        ("/config", "configuration, secrets masked"),
        ("/-/healthy", "liveness"),
        ("/-/ready", "readiness"),
    ] {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "<li><a href=\"{path}\">{path}</a>: {what}</li>");
    }
    page.push_str("</ul>\n<h2>Modules</h2>\n<ul>\n");
    for name in loaded.modules.keys() {
        let name = escaped(name);
        let _ = writeln!(
            page,
            "<li>{name}: <code>/probe?module={name}&amp;target=HOST</code>, with <code>&amp;debug=true</code> the whole report</li>"
        );
    }
    page.push_str(
        "</ul>\n<h2>Targets</h2>\n<table>\n<tr><th>target</th><th>verdict</th><th>cause</th><th>module</th></tr>\n",
    );
    let mut all: Vec<_> = history.all().collect();
    all.sort_by_key(|(name, last)| (std::cmp::Reverse(last.verdict.exit_status()), *name));
    for (name, last) in all.iter().take(MAX_LISTED) {
        let (name, module) = (escaped(name), escaped(&last.module));
        let (verdict, code) = (last.verdict.name(), last.code.unwrap_or_default());
        let _ = writeln!(page, "<tr><td>{name}</td><td>{verdict}</td><td>{code}</td><td>{module}</td></tr>");
    }
    page.push_str("</table>\n");
    if all.len() > MAX_LISTED {
        let _ = writeln!(page, "<p>and {} more: /results</p>", all.len() - MAX_LISTED);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn target_names_are_escaped() {
        assert_eq!(escaped("<script>\"'&\u{7}"), "&lt;script&gt;&quot;&#39;&amp;\\u{7}");
    }
}
