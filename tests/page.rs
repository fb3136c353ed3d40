//! HTML pages of every kind in a real browser: html-validate, Chromium at two widths in both colour schemes, and axe.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use ssh_doctor::diagnose::diagnose;
use ssh_doctor::record;
use ssh_doctor::report::html;
use ssh_doctor_checks::facts::Evidence;

use crate::lab::{installed, skip};
use crate::support::{changed, healthy};

/// Recordings with pages of different kinds: nothing wrong, lifelines and hops, several findings, no fix, a slow path, a jump host.
const RECORDED: [&str; 5] = [
    "healthy--openssh",
    "idle-silent-drop--kernel-nat-30s",
    "hostkey-changed--openssh-new-key",
    "auth-key-rejected--openssh",
    "tcp-some-addresses-dead--two-a-records",
];

/// A server that puts markup, terminal controls and one endless word into all that it sends.
fn hostile() -> Evidence {
    let markup = "</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\u{1b}[2J\u{202e}";
    changed(&healthy(), |value: &mut Value| {
        value["target"]["input"] = markup.into();
        value["handshake"]["facts"]["version"] = format!("SSH-2.0-{markup}{}", "x".repeat(2000)).into();
        value["handshake"]["step"] = "failed".into();
    })
}

#[test]
fn pages_of_every_kind_are_valid_accessible_and_fit_the_screen() {
    let Some(modules) = std::env::var_os("SSH_DOCTOR_TEST_PAGE").filter(|folder| Path::new(folder).is_dir()) else {
        return skip("the checkers of pages (npm) are not installed").unwrap_or_default();
    };
    let (Some(node), Some(chromium)) = (installed("node"), installed("chromium")) else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = tempfile::tempdir().unwrap();
    let write = |name: &str, evidence: &Evidence| {
        fs::write(pages.path().join(format!("{name}.html")), html::render(evidence, &diagnose(evidence))).unwrap();
    };
    for name in RECORDED {
        write(name, &record::load(root.join(format!("fixtures/recorded/{name}.json"))).unwrap());
    }
    write("hostile", &hostile());
    write("nothing", &Evidence::unexamined());
    let check = root.join("tests/page/check.mjs");
    // A browser keeps both processors busy for as long as tests of timers run beside it. It is started in a session of its own, which has
    // as large a share of them as all tests together, however nice it is, until the session itself is (sched(7), autogroup).
    let browser = tempfile::tempdir().unwrap();
    let nicest = browser.path().join("chromium");
    let script = format!("#!/bin/sh\necho 19 2>/dev/null >/proc/self/autogroup\nexec '{chromium}' \"$@\"\n");
    fs::write(&nicest, script).unwrap();
    fs::set_permissions(&nicest, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(node).arg(check).arg(modules).arg(pages.path()).env("CHROMIUM", nicest);
    command.args(std::env::var_os("SSH_DOCTOR_SCREENSHOTS"));
    let run = command.output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("7 pages, 0 faults"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
