//! The texts that people read, kept as files: a change of wording is a diff that can be reviewed.
//!
//! `INSTA_UPDATE=always cargo test --test all snapshots` writes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use ssh_doctor::cli::Cli;
use ssh_doctor::diagnose::{Diagnosis, diagnose};
use ssh_doctor::record;
use ssh_doctor::report::{Style, full, text};
use ssh_doctor_checks::facts::Evidence;

type Render = fn(&Evidence, &Diagnosis, &Style) -> String;

fn within(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// The recordings by the name of their snapshot: a kind of report, and the name of the recording.
fn recordings(kind: &str) -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(within("fixtures/recorded")).unwrap().map(|entry| entry.unwrap().path());
    let mut named: Vec<_> =
        files.map(|file| (format!("{kind}-{}", file.file_stem().unwrap().display()), file)).collect();
    named.sort();
    named
}

/// Every command line that prints a help text: the program alone and each of its commands.
fn helps() -> Vec<(String, Vec<String>)> {
    let command = Cli::command();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    let of_commands = names.map(|name| (format!("help-{name}"), vec![name, "--help".to_owned()]));
    [("help".to_owned(), vec!["--help".to_owned()])].into_iter().chain(of_commands).collect()
}

fn assert_kept(texts: impl IntoIterator<Item = (String, String)>) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in texts {
            insta::assert_snapshot!(name, text);
        }
    });
}

#[test]
fn the_text_report_of_every_recording_is_the_kept_one() {
    for (kind, render) in [("report", text::render as Render), ("full", full::render)] {
        assert_kept(recordings(kind).into_iter().map(|(name, file)| {
            let evidence = record::load(&file).unwrap();
            (name, render(&evidence, &diagnose(&evidence), &Style::default()))
        }));
    }
}

#[test]
fn every_help_text_is_the_kept_one() {
    assert_kept(helps().into_iter().map(|(name, args)| {
        let output = Command::new(env!("CARGO_BIN_EXE_ssh-doctor")).args(args).env_remove("COLUMNS").output().unwrap();
        (name, String::from_utf8(output.stdout).unwrap())
    }));
}

#[test]
fn every_snapshot_belongs_to_a_recording_or_a_help_text() {
    let reports = ["report", "full"].into_iter().flat_map(recordings).map(|(name, _)| name);
    let known: BTreeSet<String> = reports.chain(helps().into_iter().map(|(name, _)| name)).collect();
    let files = fs::read_dir(within("tests/snapshots")).unwrap().map(|entry| entry.unwrap().file_name());
    let kept = files.filter_map(|name| Some(name.to_str()?.strip_suffix(".snap")?.to_owned()));
    assert_eq!(kept.filter(|name| !known.contains(name)).collect::<Vec<_>>(), Vec::<String>::new());
}
