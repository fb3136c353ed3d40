//! A journal loses no record but the one being written, however its writer ends and however full the disk is.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use ssh_doctor::journal::{Sync, Writer, read};
use ssh_doctor_checks::facts::journal::{Event, Lost};

use crate::lab::skip;

/// The journal of the process that is killed.
const JOURNAL: &str = "SSH_DOCTOR_TEST_JOURNAL";
const KILLS: u32 = 200;

/// A record that ends in another page of the file than it begins in more often than not: there a kill can tear it.
fn event(number: u64) -> Event {
    Event::Lost(Lost { records: number, error: "x".repeat(3000) })
}

/// Not a test: the process that [`no_record_is_lost_but_the_one_being_written`] kills. It names each record once it is written.
#[test]
#[ignore = "a process of another test"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(JOURNAL) else { return };
    let mut writer = Writer::open(Path::new(&path)).unwrap();
    let mut out = std::io::stdout();
    for number in 0.. {
        let sync = if number % 8 == 0 { Sync::Now } else { Sync::Later };
        writer.write(event(number), sync).unwrap();
        out.write_all(b"written\n").unwrap();
    }
}

#[test]
fn no_record_is_lost_but_the_one_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let mut written = 0;
    for kill in 0..KILLS {
        let mut writer = Command::new(std::env::current_exe().unwrap());
        writer.args(["--exact", "journals::writes_until_it_is_killed", "--ignored", "--nocapture"]);
        let mut writer = writer.env(JOURNAL, &path).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
        let first = lines.find(|line| line.ends_with("written"));
        assert!(first.is_some(), "the writer did not begin");
        // Moments spread over the time that several records take.
        sleep(Duration::from_micros(u64::from(kill * 7919 % 4001)));
        writer.kill().unwrap();
        writer.wait().unwrap();
        tear(&path, kill);
        written += 1 + lines.filter(|line| line.ends_with("written")).count();
        // Larger journals would make this test slow, and show nothing new.
        if kill % 20 == 19 {
            holds(&path, written, kill % 20 + 1);
            fs::remove_file(&path).unwrap();
            written = 0;
        }
    }
}

/// Leaves a part of one more record, as a file system does that writes page by page.
fn tear(path: &Path, kill: u32) {
    let record = format!("{{\"seq\":7,\"kind\":\"lost\",\"records\":1,\"error\":\"{}", "é".repeat(1000));
    let part = &record.as_bytes()[..(kill * 7919) as usize % record.len()];
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(part).unwrap();
}

/// The journal has every record whose writing was reported, in order, and at most one more for each kill.
#[track_caller]
fn holds(path: &Path, reported: usize, kills: u32) {
    // The last one may have been torn by the last kill.
    drop(Writer::open(path).unwrap());
    let journal = read(path).unwrap();
    assert_eq!(journal.unreadable, 0);
    let numbers: Vec<u64> = journal.records.iter().map(|record| record.seq).collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "a gap: {numbers:?}");
    let whole =
        journal.records.iter().filter(|record| matches!(&record.event, Event::Lost(lost) if lost.error.len() == 3000));
    assert_eq!(whole.count(), numbers.len());
    let most = reported + kills as usize;
    assert!((reported..=most).contains(&numbers.len()), "{} records of {reported} to {most}", numbers.len());
}

/// A file system of 64 KiB that goes away with this value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "small"]).arg(folder.path()).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            Some(Self(folder))
        } else {
            skip("root, to mount a file system")
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_costs_the_records_that_do_not_fit_and_no_other() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (path, ballast) = (disk.0.path().join("journal.jsonl"), disk.0.path().join("ballast"));
    fs::write(&ballast, vec![0; 24 << 10]).unwrap();
    let mut writer = Writer::open(&path).unwrap();
    let written = (0..100).take_while(|number| writer.write(event(*number), Sync::Now).is_ok()).count();
    assert!((4..20).contains(&written), "{written}");
    assert!(writer.write(event(100), Sync::Now).is_err());
    let full = read(&path).unwrap();
    assert_eq!((full.records.len(), full.unreadable), (written, 0));
    fs::remove_file(ballast).unwrap();
    writer.write(event(200), Sync::Now).unwrap();
    let journal = read(&path).unwrap();
    assert_eq!(journal.unreadable, 0);
    let [.., lost, last] = &journal.records[..] else { panic!("too few: {journal:?}") };
    assert!(matches!(&lost.event, Event::Lost(lost) if lost.records == 2), "{lost:?}");
    assert_eq!(last.event, event(200));
    let numbers = journal.records.iter().map(|record| record.seq);
    assert!(numbers.eq(0..journal.records.len() as u64));
}
