//! The guide to keepalives as a page of Markdown, from the very tables that the report uses.

use std::fmt::Write as _;

use ssh_doctor_checks::causes::Fix;
use ssh_doctor_checks::causes::suspects::{self, Suspect};

use crate::clients;

const HEAD: &str = "\
# Keepalives

<!-- Generated from the tables in src/clients and checks/src/causes/suspects by `UPDATE=1 cargo test --test all guide`; do not edit. -->

`ssh-doctor check HOST` finds how long a session may be silent on your path, and proves a keepalive interval there.
`--client NAME` shows it in the syntax of the client that you use. In snippets `{interval}` and `{count_max}` stand for the proven
values, `{interval_ms}` for the same interval in milliseconds, and words in capitals for your own.

OpenSSH notices a dead server after the interval times the count plus one. A short interval with a small count
ends sessions at the first outage of the network; with a larger count they survive it.

## In each client

### ssh

`ServerAliveInterval` and `ServerAliveCountMax` in `~/.ssh/config`:

```text
Host {alias}
    ServerAliveInterval {interval}
    ServerAliveCountMax {count_max}
```
";

const TIMERS: &str = "\
## Known timers

What ssh-doctor offers as \"consistent with\" when the bracket is narrow and the manner of the death fits. A timer and a manner
alone prove none of them. What was found in no document is not in the list.
";

/// The page, docs/guides/keepalives.md.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    clients::all().for_each(|(name, fix)| page.push_str(&client(&name, &fix)));
    // Writing to a string cannot fail.
    let _ = write!(page, "\n{TIMERS}");
    suspects::all().for_each(|suspect| page.push_str(&timer(suspect)));
    page
}

fn client(name: &str, fix: &Fix) -> String {
    let place = fix.file.map_or_else(String::new, |file| format!(" ({file})"));
    let mind = fix.caution.map_or_else(String::new, |caution| format!("\nCaution: {caution}.\n"));
    let snippet = fix.snippet.unwrap_or_default();
    format!("\n### {name}\n\n{}{place}:\n\n```text\n{snippet}\n```\n{mind}", fix.summary)
}

fn timer(suspect: &Suspect) -> String {
    let knob = suspect.turned().map(|(todo, snippet)| {
        let snippet =
            snippet.map_or_else(|| ".".to_owned(), |text| format!(":\n\n  ```text\n{}\n  ```", indented(&text)));
        format!(" To change it, {todo}{snippet}")
    });
    let knob = knob.unwrap_or_default();
    format!("\n- **{}**: {}. Source: {}.{knob}\n", suspect.name, suspect.why(), suspect.source)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
