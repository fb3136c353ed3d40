//! The JSON Schema: it is up to date, every recorded outcome satisfies it, and it tells a report that does not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;
use ssh_doctor::diagnose::diagnose;
use ssh_doctor::record;
use ssh_doctor::report::json::{self, Shape};
use ssh_doctor::sessions;
use ssh_doctor_checks::facts::Evidence;

use crate::lab::{Lab, python};
use crate::support::healthy;

fn in_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Each schema, with its copy in the documentation.
fn schemas() -> [(&'static str, String); 2] {
    [("docs/report.schema.json", json::schema()), ("docs/sessions.schema.json", sessions::schema())]
}

#[test]
fn the_schemas_in_the_documentation_are_up_to_date() {
    for (file, schema) in schemas() {
        let path = in_root(file);
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &schema).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written == schema, "{file} is stale: UPDATE=1 cargo test --test all schema");
    }
}

/// Validates lines as tests/run does with those of all tests; none without the Python module.
fn validate(lines: &str) -> Option<(bool, String)> {
    let python = python("jsonschema")?;
    let file = |text: String| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    };
    let schemas = schemas().map(|(_, text)| file(text));
    let input = file(lines.to_owned());
    let output = Command::new(python)
        .arg(in_root("tests/servers/validate.py"))
        .args(schemas.iter().map(tempfile::NamedTempFile::path))
        .stdin(fs::File::open(input.path()).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    Some((output.status.success(), String::from_utf8(output.stdout).unwrap()))
}

fn outcomes() -> Vec<Evidence> {
    let recordings = fs::read_dir(in_root("fixtures/recorded")).unwrap().map(|entry| entry.unwrap().path());
    let recordings = recordings.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let recorded = recordings.map(|path| record::load(path).unwrap());
    let unusable = Evidence::unusable("a\u{1b}[2Jb", "the target holds a control character".to_owned());
    recorded.chain([healthy(), Evidence::unexamined(), unusable]).collect()
}

#[test]
fn every_recorded_outcome_satisfies_the_schema_in_full_and_in_brief() {
    let mut lines = String::new();
    for evidence in outcomes() {
        let diagnosis = diagnose(&evidence);
        for brief in [false, true] {
            lines.push_str(&json::render(&evidence, &diagnosis, Shape { brief, pretty: false }));
            lines.push('\n');
        }
    }
    let Some((valid, said)) = validate(&lines) else { return };
    assert!(valid, "{said}");
}

type Change = fn(&mut Value);

#[test]
fn a_key_that_is_missing_unknown_or_of_another_kind_is_a_fault() {
    let evidence = healthy();
    let line = json::render(&evidence, &diagnose(&evidence), Shape::default());
    let changes: [(&str, Change); 5] = [
        ("verdict", |report| drop(report.as_object_mut().unwrap().remove("verdict"))),
        ("surplus", |report| report["checks"][0]["surplus"] = 1.into()),
        ("started_at", |report| report["started_at"] = 5.into()),
        ("status", |report| report["checks"][0]["status"] = "fine".into()),
        ("exit_status", |report| report["exit_status"] = 4.into()),
    ];
    for (what, change) in changes {
        let mut report: Value = serde_json::from_str(&line).unwrap();
        change(&mut report);
        let Some((valid, said)) = validate(&format!("{report}\n")) else { return };
        assert!(!valid && said.contains("1 faults") && said.contains(what), "{what}: {said}");
    }
}

#[test]
fn the_live_sessions_satisfy_a_schema_of_their_own() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let session = lab.hold(&server, &[], "cat");
    let run = lab.tool(&["sessions", "--probe", "--format", "json"], Duration::from_secs(20));
    drop(session);
    let Some((valid, said)) = validate(&run.stdout) else { return };
    assert!(valid, "{said}\n{}", run.stdout);
    let mut live: Value = serde_json::from_str(&run.stdout).unwrap();
    live["sessions"][0]["state"] = "fine".into();
    let Some((valid, said)) = validate(&format!("{live}\n")) else { return };
    assert!(!valid && said.contains("ssh-doctor sessions") && said.contains("1 faults"), "{said}");
}
