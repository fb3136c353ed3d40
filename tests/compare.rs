//! Two reports side by side: noise is no difference, and what comes before a failure may explain it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Report};

fn compare(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssh-doctor")).arg("compare").args(args).output().expect("the doctor")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn explanations(output: &Output) -> Vec<String> {
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let all = json["differences"].as_array().expect("a list").iter();
    all.filter(|one| one["may_explain"] == true)
        .map(|one| one["what"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn the_same_target_twice_does_not_differ_and_a_setting_that_breaks_it_does() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let seen = |name: &str, options: &[&str]| {
        let record = folder.path().join(format!("{name}.rec")).display().to_string();
        let options = [&["--idle", "0", "--record", &record], options].concat();
        let seen: Report = lab.doctor(&server, &options, Duration::from_secs(30));
        let file = folder.path().join(name).display().to_string();
        fs::write(&file, seen.json.to_string()).expect("our own file");
        (file, record)
    };
    let (a, recorded) = seen("a", &[]);
    let (b, recorded_again) = seen("b", &[]);
    for pair in [[&a, &b], [&recorded, &recorded_again], [&a, &recorded_again]] {
        let ran = compare(&[pair[0], pair[1]]);
        assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
        assert!(said(&ran).contains("No relevant difference."), "{}", said(&ran));
    }
    // Two settings that a recording masks alike are neither different nor equal.
    let (_, alice) = seen("first", &["-o", "SetEnv=PROJECT=alice"]);
    let (_, carol) = seen("second", &["-o", "SetEnv=PROJECT=carol"]);
    let ran = compare(&[&alice, &carol, "--format", "json"]);
    let json: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!((ran.status.code(), json["differences"].as_array().map(Vec::len)), (Some(0), Some(0)), "{json}");
    assert!(json["not_compared"].to_string().to_lowercase().contains("setenv"), "{json}");
    let ran = said(&compare(&[&alice, &carol]));
    assert!(ran.contains("Cannot be compared, as they are masked") && !ran.contains("alice"), "{ran}");
    let (cipher, _) = seen("cipher", &["-o", "Ciphers=3des-cbc"]);
    let ran = compare(&[&a, &cipher, "--format", "json"]);
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert_eq!(explanations(&ran), ["ciphers of ssh", "settings of ssh"], "{}", said(&ran));
    let (user, _) = seen("user", &["-l", "nobody"]);
    assert_eq!(explanations(&compare(&[&a, &user, "--format", "json"])).last().map(String::as_str), Some("user"));
}

#[test]
fn what_is_no_report_is_refused_in_one_sentence_and_hostile_words_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name).display().to_string();
        fs::write(&path, text).expect("our own file");
        path
    };
    let report = |server: &str| {
        let version = Value::from(server).to_string();
        format!(
            r#"{{"verdict":"healthy","checks":[{{"name":"handshake","status":"pass","evidence":{{"version":{version}}}}}]}}"#
        )
    };
    let plain = file("plain", &report("SSH-2.0-x"));
    let two = file("two", &report("SSH-2.0-x").repeat(2));
    let deep = file("deep", &"[".repeat(1 << 20));
    let other = file("other", "{}");
    for bad in [&two, &deep, &other, &"/nonexistent".to_owned(), &Path::new("/dev").display().to_string()] {
        let ran = compare(&[&plain, bad]);
        assert_eq!((ran.status.code(), ran.stdout.len()), (Some(3), 0), "{bad}: {}", said(&ran));
        assert_eq!(said(&ran).lines().count(), 1, "{bad}: {}", said(&ran));
    }
    let hostile = file("hostile", &report("SSH-2.0-\u{1b}[2Jx\u{202e}\nHEALTHY"));
    let ran = compare(&[&plain, &hostile]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(!said(&ran).contains(['\u{1b}', '\u{202e}']) && !said(&ran).contains("\nHEALTHY"), "{}", said(&ran));
}
