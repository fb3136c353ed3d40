//! The JSON Schema: it is up to date, every recorded outcome satisfies it, and it tells a report that does not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;
use ssh_doctor::diagnose::diagnose;
use ssh_doctor::record;
use ssh_doctor::report::json::{self, Shape};
use ssh_doctor_checks::facts::Evidence;

use crate::lab::python;
use crate::support::healthy;

fn in_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_schema_in_the_documentation_is_up_to_date() {
    let path = in_root("docs/report.schema.json");
    let schema = json::schema();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == schema, "docs/report.schema.json is stale: UPDATE=1 cargo test --test all schema");
}

/// Validates lines as tests/run does with those of all tests; none without the Python module.
fn validate(lines: &str) -> Option<(bool, String)> {
    let python = python("jsonschema")?;
    let [schema, input] = [json::schema(), lines.to_owned()].map(|text| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    });
    let output = Command::new(python)
        .args([&in_root("tests/servers/validate.py"), schema.path()])
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
