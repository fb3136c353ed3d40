//! The corpora of the fuzz targets, read once by every run of the tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ssh_doctor::fuzz::{TARGETS, run};

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_reader_has_a_fuzz_target_and_a_corpus_that_holds() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), known);
    assert_eq!(names("corpus"), known);
    for (name, _) in TARGETS {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            run(name, &fs::read(path).unwrap());
        }
    }
}
