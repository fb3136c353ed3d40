//! The catalogue of causes as a whole: well-formed, documented, quiet on what is healthy, right on what was recorded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ssh_doctor::{catalogue, diagnose, record};
use ssh_doctor_checks::causes::{Cause, Fix};
use ssh_doctor_fixtures::cases;

use crate::support::healthy;

mod shell;
mod snippets;

/// Prefixes of codes that are not named after the check at which they show.
const OTHER_PREFIXES: [&str; 6] = ["path", "session", "jump", "network", "server", "rekey"];

/// Causes that no case, recording or lab shows yet, only the tests of their judges; each with what it would take.
const NOT_SHOWN: [(&str, &str); 2] = [
    (
        "idle-client-timeout",
        "ssh 9.6 and later have the setting, Debian 12 has 9.2: unit tests, and OpenSSH 10 by hand",
    ),
    ("tcp-reordering", "its lab is not written: unit tests only"),
];

fn in_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every code that can be diagnosed.
fn codes() -> BTreeSet<&'static str> {
    ssh_doctor_checks::causes::all().map(|cause| cause.code).collect()
}

/// The recordings of real runs, each with the code that its name begins with.
fn recordings() -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(in_root("fixtures/recorded")) else { return Vec::new() };
    let files =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|ext| ext == "json"));
    let named = files.map(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (code, _) = stem.split_once("--").unwrap_or_else(|| panic!("{stem} is not named <code>--<what>.json"));
        (code.to_owned(), path)
    });
    named.collect()
}

#[test]
fn every_code_is_unique_and_named_after_its_check() {
    let all: Vec<_> = ssh_doctor_checks::causes::all().collect();
    assert_eq!(codes().len(), all.len(), "a code occurs twice");
    for cause in all {
        let code = cause.code;
        let prefix = code.split('-').next().unwrap();
        assert!(
            prefix == cause.stage.name() || OTHER_PREFIXES.contains(&prefix),
            "{code} shows at {}",
            cause.stage.name()
        );
        let kebab = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(code.contains('-') && code.split('-').all(kebab), "{code} is not kebab-case");
    }
}

#[test]
fn causes_of_the_path_the_network_the_server_and_a_jump_strike_anywhere_and_no_others() {
    for cause in ssh_doctor_checks::causes::all() {
        let prefix = cause.code.split('-').next().unwrap();
        let is_anywhere = ["path", "network", "server", "jump"].contains(&prefix);
        assert_eq!(cause.strikes_anywhere, is_anywhere, "{}", cause.code);
    }
}

#[test]
fn every_cause_is_explained_and_can_be_mended() {
    let wrong: Vec<_> =
        ssh_doctor_checks::causes::all().filter_map(|cause| Some((cause.code, fault(cause)?))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn fault(cause: &Cause) -> Option<&'static str> {
    let sentences =
        cause.explanation.split_terminator(['.', '?']).filter(|text| text.split_whitespace().count() > 2).count();
    let texts = || {
        let of_fixes = cause.fixes.iter().flat_map(|fix| [Some(fix.summary), fix.snippet, fix.caution]).flatten();
        of_fixes.chain([cause.explanation])
    };
    let turns_checking_off = |text: &str| {
        let flat: String = text.to_ascii_lowercase().split([' ', '=', '\t', '"']).collect();
        flat.contains("stricthostkeycheckingno")
            || flat.contains("stricthostkeycheckingoff")
            || flat.contains("userknownhostsfile/dev/null")
    };
    let faults = [
        (
            cause.title.trim().is_empty() || cause.title.contains('\n') || cause.title.ends_with('.'),
            "no title of one line without a full stop",
        ),
        (cause.title.contains('{'), "a title with values of a run"),
        (sentences < 2, "an explanation of less than two sentences"),
        (cause.explanation.contains("  "), "an explanation with the source's indent in it"),
        (!cause.fixes.iter().any(|fix| fix.snippet.is_some()), "no fix that can be pasted"),
        (cause.fixes.iter().any(|fix| fix.summary.trim().is_empty()), "a fix that does not say what to do"),
        (
            cause.fixes.iter().any(|fix| fix.caution.is_some_and(|text| text.ends_with('.'))),
            "a caution with a full stop",
        ),
        (texts().any(misnames_a_placeholder), "a placeholder that is not in lower case letters, which nothing fills"),
        (
            cause.fixes.iter().any(has_angle_brackets),
            "<word>, which a shell reads a file for and ssh_config takes for two values",
        ),
        (texts().any(turns_checking_off), "advice to turn host key checking off"),
    ];
    faults.into_iter().find_map(|(is_fault, words)| is_fault.then_some(words))
}

/// True if the fix has `<word>` to be replaced: a shell takes that for files, and ssh refuses a whole configuration for it.
fn has_angle_brackets(fix: &Fix) -> bool {
    let snippet = fix.snippet.unwrap_or_default();
    snippet.split('<').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// `{sha1}` and the like; shells and formats have other characters between braces.
fn misnames_a_placeholder(text: &str) -> bool {
    let words = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let mut words = words.filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
    words.any(|name| {
        let wordy = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        wordy && name.chars().any(|c| !c.is_ascii_lowercase() && c != '_')
    })
}

#[test]
fn advice_that_does_harm_would_be_found() {
    const fn pasted(snippet: &'static str) -> [Fix; 1] {
        [Fix { summary: "x", snippet: Some(snippet), ..Fix::LOOK }]
    }
    static OFF: [Fix; 1] = pasted("ssh -o StrictHostKeyChecking=no {alias}");
    static READS: [Fix; 1] = pasted("nc {host} {port} </dev/null; ssh -J <another host> {alias}");
    let good = ssh_doctor_checks::causes::all().next().unwrap();
    let with = |fixes| Cause { fixes, ..*good };
    assert_eq!(fault(&with(&OFF)), Some("advice to turn host key checking off"));
    assert_eq!(
        fault(&with(&READS)),
        Some("<word>, which a shell reads a file for and ssh_config takes for two values")
    );
    assert!(has_angle_brackets(&Fix { file: Some("~/.ssh/config"), ..pasted("IdentityFile <key>")[0] }));
}

#[test]
fn a_cause_hides_only_what_exists_and_no_two_hide_each_other() {
    let codes = codes();
    for cause in ssh_doctor_checks::causes::all() {
        for hidden in cause.hides {
            assert!(codes.contains(hidden), "{} hides {hidden}, which does not exist", cause.code);
            let back = ssh_doctor_checks::causes::all().find(|other| other.code == *hidden).unwrap();
            assert!(!back.hides.contains(&cause.code), "{} and {hidden} hide each other", cause.code);
        }
    }
}

#[test]
fn every_check_has_a_stand_in_for_what_is_not_explained() {
    for check in ssh_doctor_checks::facts::Check::ALL {
        assert!(codes().contains(format!("{}-unexplained", check.name()).as_str()), "{}", check.name());
    }
}

#[test]
fn no_judge_speaks_on_a_healthy_run() {
    let speaking: Vec<_> = ssh_doctor_checks::causes::all()
        .filter(|cause| (cause.judge)(&healthy()).is_some())
        .map(|cause| cause.code)
        .collect();
    assert!(speaking.is_empty(), "{speaking:?}");
}

#[test]
fn every_recording_is_diagnosed_with_its_code_first() {
    for (code, path) in recordings() {
        let evidence = record::load(&path).unwrap();
        let diagnosis = diagnose::diagnose(&evidence);
        let first = diagnosis.findings.first().map_or("healthy", |found| found.code);
        assert_eq!(first, code, "{}", path.display());
        for found in &diagnosis.findings {
            assert!(!found.because.is_empty(), "{} names {} without a reason", path.display(), found.code);
            assert!(!found.fixes.is_empty(), "{} names {} without a fix", path.display(), found.code);
        }
    }
}

/// The source of every test on real servers and networks, in which a code between quotes is one that is looked for.
fn lab_tests(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = entries.map(|path| match path.extension() {
        _ if path.is_dir() => lab_tests(&path),
        // This file names the codes that are not looked for.
        Some(ext) if ext == "rs" && !path.ends_with(file!()) => fs::read_to_string(path).unwrap(),
        _ => String::new(),
    });
    sources.filter(|source| ["Lab::", "lab::{Lab", "Hostile::"].iter().any(|sign| source.contains(sign))).collect()
}

#[test]
fn every_cause_is_shown_by_a_case_a_recording_or_a_real_server() {
    let recorded = recordings();
    let by_cases = cases::all().flat_map(|case| case.expect).copied();
    let mut shown: BTreeSet<_> = by_cases.chain(recorded.iter().map(|(code, _)| code.as_str())).collect();
    let labs = lab_tests(&in_root("tests"));
    shown.extend(codes().into_iter().filter(|code| labs.contains(&format!("\"{code}\""))));
    // Logs of real programs are named by their codes.
    let logs = fs::read_dir(in_root("fixtures/logs")).unwrap().map(|entry| entry.unwrap().file_name());
    let logs: Vec<_> = logs.filter_map(|name| Some(name.to_str()?.split_once("--")?.0.to_owned())).collect();
    shown.extend(logs.iter().map(String::as_str));
    let excused: BTreeSet<_> = NOT_SHOWN.into_iter().map(|(code, _)| code).collect();
    let unshown: BTreeSet<_> =
        codes().into_iter().filter(|code| !code.ends_with("-unexplained") && !shown.contains(code)).collect();
    assert_eq!(unshown, excused, "left: shown by nothing; right: what NOT_SHOWN excuses");
}

#[test]
fn the_page_of_causes_is_up_to_date() {
    let path = in_root("docs/causes.md");
    let page = catalogue::page();
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/causes.md is stale: UPDATE=1 cargo test --test all catalogue");
}
