//! The man pages as installed, read by a real formatter.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::lab::installed;

fn all_pages() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let man1 = folder.path().join("man1");
    let run = Command::new(env!("CARGO_BIN_EXE_ssh-doctor")).args(["man", "--all"]).arg(&man1).output().unwrap();
    assert!(run.status.success() && run.stdout.is_empty() && run.stderr.is_empty(), "{run:?}");
    folder
}

fn pages(folder: &Path) -> Vec<std::path::PathBuf> {
    let pages: Vec<_> = fs::read_dir(folder.join("man1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(pages.len(), 15, "{pages:?}");
    pages
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn mandoc_finds_nothing_wrong_with_any_page() {
    let Some(mandoc) = installed("mandoc") else { return };
    let folder = all_pages();
    for page in pages(folder.path()) {
        let lint = Command::new(&mandoc).args(["-T", "lint", "-W", "warning"]).arg(&page).output().unwrap();
        // The date of a page would have to be that of its last change; a generated page has none.
        let found: Vec<_> =
            said(&lint).lines().filter(|line| !line.contains("missing date")).map(str::to_owned).collect();
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn a_page_reads_as_text_in_80_columns() {
    let Some(mandoc) = installed("mandoc") else { return };
    let folder = all_pages();
    for page in pages(folder.path()) {
        let text = Command::new(&mandoc).args(["-T", "utf8", "-O", "width=78"]).arg(&page).output().unwrap();
        let text = String::from_utf8(text.stdout).unwrap();
        // mandoc overstrikes bold and underlined characters.
        let plain: Vec<String> = text.lines().map(plain).collect();
        let whole = plain.join("\n");
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "EXAMPLES", "SEE ALSO"] {
            assert!(plain.iter().any(|line| line == heading), "{heading} is missing in\n{whole}");
        }
        assert!(whole.contains("ssh-doctor") && !whole.contains('\\'), "{whole}");
    }
}

fn plain(line: &str) -> String {
    let mut shown = Vec::new();
    for c in line.chars() {
        if c == '\u{8}' {
            shown.pop();
        } else {
            shown.push(c);
        }
    }
    shown.into_iter().collect()
}
