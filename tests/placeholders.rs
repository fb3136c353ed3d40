//! What is left to be filled in: where the evidence has the value, no version of a fix with a word to replace stands beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use ssh_doctor::clients::Client;
use ssh_doctor::diagnose::Finding;
use ssh_doctor::explain::explained;
use ssh_doctor_checks::causes::{self, Fix, told::Known};

/// Words in capitals that are names of their own in what is pasted.
const NAMES: [&str; 17] = [
    "DROP",
    "DROPBEAR_EXTRA_ARGS",
    "FORWARD",
    "HOME",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LIBRARY_PATH",
    "MAC",
    "PATH",
    "REJECT",
    "RST",
    "SHELL",
    "SSHFP",
    "SYN",
    "TCPMSS",
    "TMOUT",
    "SSH",
];

/// A fix as a report prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Printed {
    code: String,
    side: String,
    kind: String,
    file: String,
    snippet: String,
}

impl Printed {
    /// The words in capitals that the reader has to replace.
    fn placeholders(&self) -> Vec<&str> {
        let in_word = |c: char| c.is_alphanumeric() || "_-.$".contains(c);
        let words = self.snippet.split(|c: char| !in_word(c)).filter(|word| word.len() > 2);
        let capitals = |word: &&str| {
            word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.chars().all(|c| c.is_ascii_uppercase() || "_-.".contains(c))
        };
        words.filter(capitals).filter(|word| !NAMES.contains(word) && !word.starts_with("SSH_")).collect()
    }

    /// What it sets: the keywords of the lines of a file, the program and its subject of a command.
    fn sets(&self) -> BTreeSet<&str> {
        let keyword = |line: &'_ str| line.split_whitespace().next().unwrap_or_default().len();
        let lines = self.snippet.lines().map(str::trim).filter(|line| !line.is_empty());
        let of_file = !self.file.is_empty();
        lines.filter(|line| !of_file || !line.starts_with("Host ")).map(|line| &line[..keyword(line)]).collect()
    }

    /// True if the other one is for the same setting on the same side.
    fn is_rival_of(&self, other: &Self) -> bool {
        self != other
            && (&self.side, &self.kind, &self.file) == (&other.side, &other.kind, &other.file)
            && !self.file.is_empty()
            && !self.sets().is_disjoint(&other.sets())
    }
}

/// What stands with a placeholder although it is filled in beside it.
fn left_unfilled(printed: &[Printed]) -> Option<String> {
    let open = printed.iter().filter(|fix| !fix.placeholders().is_empty());
    open.flat_map(|fix| printed.iter().map(move |other| (fix, other)))
        .find(|(fix, other)| other.placeholders().is_empty() && fix.is_rival_of(other))
        .map(|(fix, other)| format!("{fix:?} beside {other:?}"))
}

/// Checks the findings of an examination.
pub(crate) fn left_open(findings: &[Finding]) -> Option<String> {
    let report = serde_json::to_value(findings).expect("findings are JSON");
    left_unfilled(&printed(&report))
}

fn printed(diagnoses: &Value) -> Vec<Printed> {
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |found: &Value| {
        let code = words(&found["code"]);
        let fixes = found["fixes"].as_array().cloned().unwrap_or_default();
        let printed = move |fix: &Value| Printed {
            code: code.clone(),
            side: words(&fix["side"]),
            kind: words(&fix["kind"]),
            file: words(&fix["file"]),
            snippet: words(&fix["snippet"]),
        };
        fixes.iter().map(printed).collect::<Vec<_>>()
    };
    diagnoses.as_array().into_iter().flatten().flat_map(of).collect()
}

/// The diagnoses of a recording.
fn diagnosed(file: &Path) -> Value {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    let run = doctor.args(["diagnose", "--format", "json"]).arg(file).output().unwrap();
    let mut report: Value =
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{}: {error}: {run:?}", file.display()));
    report["diagnoses"].take()
}

/// The diagnoses of a log. Hundreds of processes, each of which compiles the texts of the catalogue, would take a processor for half a minute.
fn explained_log(file: &Path) -> Value {
    let log = fs::read(file).unwrap();
    let explained = explained(log.as_slice(), "a log", Client::Ssh, Known::all()).unwrap();
    serde_json::to_value(explained.diagnosis.findings).expect("findings are JSON")
}

#[test]
fn no_recording_or_log_prints_a_placeholder_beside_the_value_for_it() {
    let (mut seen, mut open) = (0, 0);
    for (folder, kind) in [("recorded", "json"), ("logs", "log")] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_none_or(|ext| ext != kind) {
                continue;
            }
            let printed = printed(&if kind == "log" { explained_log(&file) } else { diagnosed(&file) });
            seen += printed.len();
            open += printed.iter().filter(|fix| !fix.placeholders().is_empty()).count();
            assert_eq!(left_unfilled(&printed), None, "{}", file.display());
        }
    }
    assert!(seen > 200 && open > 10, "{seen} fixes, {open} of them with a placeholder");
}

fn of(code: &str, fix: &Fix) -> Printed {
    Printed {
        code: code.to_owned(),
        side: format!("{:?}", fix.side),
        kind: format!("{:?}", fix.kind),
        file: fix.file.unwrap_or_default().to_owned(),
        snippet: fix.snippet.unwrap_or_default().to_owned(),
    }
}

#[test]
fn every_word_to_replace_is_said_to_be_one() {
    let mut unsaid = Vec::new();
    for cause in causes::all() {
        for fix in cause.fixes {
            let printed = of(cause.code, fix);
            let said = format!("{} {}", fix.summary, fix.caution.unwrap_or_default());
            let is_said = |word: &&str| said.contains("replace") || said.contains("Replace") || said.contains(*word);
            let words: BTreeSet<_> = printed.placeholders().into_iter().filter(|word| !is_said(word)).collect();
            if !words.is_empty() {
                unsaid.push(format!("{}: {words:?} in {:?}", cause.code, printed.snippet));
            }
        }
    }
    assert!(unsaid.is_empty(), "{}", unsaid.join("\n"));
}

/// The causes that have a fix in both versions; a test beside each of them shows that their conditions exclude each other.
const IN_TWO_VERSIONS: [&str; 2] = ["dns-invalid-name", "hostkey-unknown"];

#[test]
fn a_fix_in_two_versions_is_known_for_it() {
    let mut pairs = Vec::new();
    for cause in causes::all() {
        let fixes: Vec<_> = cause.fixes.iter().map(|fix| of(cause.code, fix)).collect();
        let with_a_word = |fix: &&Printed| !fix.placeholders().is_empty();
        for open in fixes.iter().filter(with_a_word) {
            for other in fixes.iter().filter(|other| other.placeholders().is_empty() && open.is_rival_of(other)) {
                pairs.push((open.clone(), other.clone()));
            }
        }
    }
    let codes: BTreeSet<_> = pairs.iter().map(|(open, _)| open.code.as_str()).collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), IN_TWO_VERSIONS, "{pairs:#?}");
}

#[test]
fn a_placeholder_beside_its_value_would_be_found() {
    let fix = |snippet: &str| Printed {
        code: "x".into(),
        side: "client".into(),
        kind: "change".into(),
        file: "~/.ssh/config".into(),
        snippet: snippet.into(),
    };
    let (open, filled) = (fix("Host db\n    Port PORT"), fix("Host db\n    HostName db\n    Port 2222"));
    assert!(left_unfilled(&[open.clone(), filled.clone()]).is_some());
    assert!(left_unfilled(&[filled.clone(), open.clone()]).is_some());
    assert!(left_unfilled(&[open, fix("Host db\n    ConnectTimeout 5")]).is_none());
    assert!(left_unfilled(&[filled.clone(), filled]).is_none());
}
