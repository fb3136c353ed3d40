//! The texts of the catalogue and the logs of real programs: each has a cause, and each log its own first.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ssh_doctor_checks::causes;
use ssh_doctor_checks::causes::told::{Known, Writer, families, judge, texts};
use ssh_doctor_checks::facts::certainty::Certainty;
use ssh_doctor_checks::logs::Reader;

fn logs() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/logs");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files.filter(|path| path.extension().is_some_and(|ext| ext == "log")).map(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (code, _) = stem.split_once("--").unwrap_or_else(|| panic!("{stem} is not named <code>--<what>.log"));
        (code.to_owned(), path)
    });
    named.collect()
}

/// The code that a log is given first, the gravest ones before what is only worth knowing; none where nothing is.
fn first_code(reader: &Reader, path: &Path) -> (String, bool) {
    let file = fs::File::open(path).unwrap();
    let log = reader.read(std::io::BufReader::new(file)).unwrap();
    let told = judge(&log, &Known::nothing());
    let grave = told.iter().find(|one| one.found.severity.unwrap_or(one.cause.severity) != causes::Severity::Info);
    let first = grave.or(told.first()).map_or("none", |one| one.cause.code);
    (first.to_owned(), grave.is_some())
}

#[test]
fn every_log_of_a_real_client_or_server_is_given_its_code_first() {
    let reader = Reader::new(texts());
    let known: BTreeSet<_> = causes::all().map(|cause| cause.code).chain(["healthy"]).collect();
    let logs = logs();
    assert!(logs.len() > 200, "{} logs", logs.len());
    let wrong: Vec<_> = logs
        .iter()
        .inspect(|(code, path)| assert!(known.contains(code.as_str()), "{}", path.display()))
        .filter_map(|(code, path)| {
            let (first, is_grave) = first_code(&reader, path);
            let is_right = if code == "healthy" { !is_grave } else { first == *code };
            (!is_right).then(|| format!("{}: {first}", path.file_name().unwrap().display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), logs.len());
}

#[test]
fn a_text_is_in_one_family_of_each_writer() {
    let mut shared: Vec<(String, causes::told::Writer)> = Vec::new();
    for family in families() {
        assert!(family.candidates.len() > 1, "{:?} has one candidate only", family.texts);
        for text in family.texts {
            let lower = text.to_lowercase();
            let twice = shared.iter().any(|(known, writer)| *known == lower && *writer == family.writer);
            assert!(!twice, "{text:?} is in two families");
            shared.push((lower, family.writer));
        }
    }
}

#[test]
fn every_candidate_is_a_cause() {
    let known: BTreeSet<_> = causes::all().map(|cause| cause.code).collect();
    for candidate in families().flat_map(|family| family.candidates) {
        assert!(known.contains(candidate.code), "{} is no cause", candidate.code);
    }
}

/// A text of the catalogue as a program would print it.
pub(super) fn sample(text: &str) -> String {
    const NUMBERS: [&str; 10] = ["n", "port", "pid", "code", "status", "channel", "sent", "received", "type", "line"];
    let mut pieces = text.split('<');
    let mut line = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (hole, rest) = piece.split_once('>').unwrap();
        line.push_str(if NUMBERS.contains(&hole) { "22" } else { "word" });
        line.push_str(rest);
    }
    line
}

#[test]
fn no_bare_text_of_the_catalogue_is_unknown_and_shared_ones_give_candidates() {
    let reader = Reader::new(texts());
    let told = |text: &str| judge(&reader.read(sample(text).as_bytes()).unwrap(), &Known::nothing());
    for cause in causes::all() {
        for text in cause.symptoms {
            let told = told(text);
            let first = told.first().unwrap_or_else(|| panic!("{text:?} is unknown"));
            // A longer text in the same line may be another cause's.
            assert!(first.found.certainty != Certainty::Possible || told.len() > 1, "{text:?}: {told:?}");
        }
    }
    for family in families() {
        for text in family.texts {
            // The words before a server's own are its log's, and the kernel names the process that it is about.
            let server = match family.writer {
                Writer::Server => "sshd[22]: ",
                _ if text.starts_with("sshd") => "kernel: ",
                _ => "",
            };
            let read = |before: &str| {
                let line = format!("{server}{before}{}", sample(text));
                judge(&reader.read(line.as_bytes()).unwrap(), &Known::nothing())
            };
            // Ordinary words need a sign of SSH beside them.
            let told = Some(read(""))
                .filter(|told| !told.is_empty() || !family.speaks_alone())
                .unwrap_or_else(|| read("[SSH] "));
            if !family.speaks_alone() {
                assert!(told.is_empty(), "{text:?}: {told:?}");
                continue;
            }
            let is_named = told.first().is_some_and(|first| first.found.certainty == Certainty::Certain);
            // The end of every session is no complaint alone.
            let is_an_end = family.is_an_end && told.is_empty();
            assert!(told.len() > 1 || is_named || is_an_end, "{text:?}: {told:?}");
        }
    }
}
