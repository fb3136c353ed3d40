//! The rooms of `checks/src` and the arrows allowed between them (docs/architecture.md); no cycles between files.

mod arrows;
mod source;
mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use arrows::{Arrow, arrows, cycles};
use tokens::tokens;

/// The rooms of `checks/src`, and which others each may use.
const ROOMS: [(&str, &[&str]); 8] = [
    ("base", &[]),
    ("facts", &["base"]),
    ("logs", &["facts", "base"]),
    ("causes", &["facts", "base"]),
    ("os", &["facts", "base"]),
    ("ssh", &["os", "facts", "base"]),
    ("measure", &["ssh", "os", "facts", "base"]),
    ("lib.rs", &["base", "facts", "logs", "causes", "os", "ssh", "measure"]),
];

/// Crates that reach the network, which facts and judgements do without.
const NETWORK: [&str; 2] = ["tokio", "russh"];

/// The rooms that have nothing to do with the network.
const PURE: [&str; 3] = ["facts", "causes", "logs"];

/// The files of a crate below its `src`.
fn files(source: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open = vec![source.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(source).unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn arrows_of(files: &[(String, String)]) -> BTreeSet<Arrow> {
    arrows(&source::read(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))))
}

fn room(file: &str) -> &str {
    file.split_once('/').map_or(file, |(room, _)| room)
}

/// Every violation of the table of rooms, with file, line and rule.
fn violations(files: &[(String, String)]) -> Vec<String> {
    let rule = |room: &str| ROOMS.iter().find(|(name, _)| *name == room).map(|(_, others)| *others);
    let mut violations: Vec<String> = files
        .iter()
        .filter(|(file, _)| rule(room(file)).is_none())
        .map(|(file, _)| format!("{file} is in no room of the table"))
        .collect();
    for Arrow { from, line, to, .. } in arrows_of(files) {
        let (own, other) = (room(&from), room(&to));
        let allowed = rule(own).unwrap_or_default();
        if own != other && !allowed.contains(&other) {
            let may = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
            violations.push(format!("{from}:{line} uses {to}: {own} may use {may}"));
        }
    }
    for (file, text) in files.iter().filter(|(file, _)| PURE.contains(&room(file))) {
        for token in tokens(text).iter().filter(|token| NETWORK.contains(&token.text.as_str())) {
            let (name, line) = (&token.text, token.line);
            violations.push(format!("{file}:{line} names {name}: {} has nothing to do with the network", room(file)));
        }
    }
    violations
}

#[test]
fn every_file_of_the_checks_keeps_to_its_room() {
    let violations = violations(&files(Path::new("checks/src")));
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn no_cycle_between_files() {
    let mut found = Vec::new();
    for source in ["checks/src", "src"] {
        let arrows = arrows_of(&files(Path::new(source)));
        let within = |cycle: &BTreeSet<String>| {
            let within = arrows.iter().filter(|it| it.is_use() && cycle.contains(&it.from) && cycle.contains(&it.to));
            let mut shown = BTreeSet::new();
            let first = within.filter(|it| shown.insert((&it.from, &it.to)));
            first.map(|Arrow { from, line, to, .. }| format!("{from}:{line} uses {to}")).collect::<Vec<_>>().join("\n")
        };
        found.extend(cycles(&arrows).iter().map(within).map(|cycle| format!("a cycle in {source}:\n{cycle}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A made-up crate that keeps to the rules, with these files in it or instead of its own.
fn house(other: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = [
        ("lib.rs", "pub mod base; pub mod facts; pub mod causes; pub mod measure; pub mod ssh;"),
        ("base/mod.rs", "pub mod text;"),
        ("base/text.rs", "pub fn shown() {}"),
        ("facts/mod.rs", "pub mod tcp; pub use tcp::Facts;"),
        ("facts/tcp.rs", "use crate::base::text; pub struct Facts; fn words() { text::shown() }"),
        ("causes/mod.rs", "mod tcp; pub static CAUSES: &[u8] = &[tcp::REFUSED];"),
        ("causes/tcp.rs", "use crate::facts::Facts; pub const REFUSED: u8 = 1;"),
        ("ssh/mod.rs", "pub mod dial;"),
        ("ssh/dial.rs", "use crate::facts::tcp; pub fn open() -> tcp::Facts { tcp::Facts }"),
        ("measure/mod.rs", "pub mod tcp;"),
        ("measure/tcp.rs", "use crate::ssh::dial; pub fn check() { dial::open(); }"),
    ];
    let kept = own.into_iter().filter(|(file, _)| other.iter().all(|(name, _)| name != file));
    kept.chain(other.iter().copied()).map(|(file, text)| (file.to_owned(), text.to_owned())).collect()
}

#[test]
fn a_house_in_order_has_nothing_against_it() {
    assert_eq!(violations(&house(&[])), [""; 0]);
    assert!(cycles(&arrows_of(&house(&[]))).is_empty());
}

#[test]
fn whoever_uses_another_room_is_named_with_line_and_rule() {
    let offence = "causes/tcp.rs:2 uses measure/tcp.rs: causes may use facts, base";
    for text in [
        "\nuse crate::measure::tcp::check;",
        "\nfn judge() { crate::measure::tcp::check() }",
        "\nfn judge() { super::super::measure::tcp::check() }",
        "\nfn judge() { assert!(true, \"{}\", crate::measure::tcp::check()); }",
        "use crate::{base, measure::tcp};\nfn judge() { tcp::check() }",
        "use crate::measure as looks;\nfn judge() { looks::tcp::check() }",
        "\nfn judge() { use crate::measure::tcp::check; check() }",
        "use crate::measure::tcp::*;\nuse self::check as look;",
        "#[cfg(test)] mod tests {\nuse crate::measure::tcp::check; }",
    ] {
        assert_eq!(violations(&house(&[("causes/tcp.rs", text)])), [offence], "{text}");
    }
}

#[test]
fn a_name_that_is_handed_on_leads_to_whoever_defines_it() {
    let handed_on = [
        ("facts/mod.rs", "pub mod tcp;\npub use crate::measure::tcp::check;"),
        ("causes/tcp.rs", "use crate::facts::check as look;"),
    ];
    let found = violations(&house(&handed_on));
    assert_eq!(
        found,
        [
            "causes/tcp.rs:1 uses measure/tcp.rs: causes may use facts, base",
            "facts/mod.rs:2 uses measure/tcp.rs: facts may use base"
        ]
    );
    // In the crate's root and by a star too.
    let root = "pub mod base; pub mod facts; pub mod causes; pub mod measure; pub mod ssh; pub use measure::tcp::*;";
    let found = violations(&house(&[("lib.rs", root), ("facts/tcp.rs", "fn words() { crate::check() }")]));
    assert_eq!(found, ["facts/tcp.rs:1 uses measure/tcp.rs: facts may use base"]);
}

#[test]
fn the_network_is_not_named_where_it_has_no_place() {
    let found = violations(&house(&[("facts/tcp.rs", "pub struct Facts;\nuse tokio::net::TcpStream;")]));
    assert_eq!(found, ["facts/tcp.rs:2 names tokio: facts has nothing to do with the network"]);
    assert_eq!(violations(&house(&[("attic/mod.rs", "")])), ["attic/mod.rs is in no room of the table"]);
}

#[test]
fn a_cycle_is_found_however_long_it_is_and_whoever_hands_on() {
    let found = |files: &[(&str, &str)]| -> Vec<Vec<String>> {
        cycles(&arrows_of(&house(files))).into_iter().map(|cycle| cycle.into_iter().collect()).collect()
    };
    let pair = [
        ("measure/tcp.rs", "use super::dns::look_up; pub fn check() {}"),
        ("measure/dns.rs", "use super::tcp::check; pub fn look_up() {}"),
    ];
    assert_eq!(found(&pair), [["measure/dns.rs", "measure/tcp.rs"]]);
    let three = [
        ("measure/mod.rs", "mod dns; mod auth; pub mod tcp; pub use dns::look_up; pub use auth::log_in;"),
        ("measure/tcp.rs", "fn a() { super::look_up() } pub fn check() {}"),
        ("measure/dns.rs", "use crate::measure::log_in; pub fn look_up() {}"),
        ("measure/auth.rs", "pub fn log_in() { crate::measure::tcp::check() }"),
    ];
    assert_eq!(found(&three), [["measure/auth.rs", "measure/dns.rs", "measure/tcp.rs"]]);
    let parent = [
        ("measure/mod.rs", "pub mod tcp; pub fn ms() {} fn all() { tcp::check() }"),
        ("measure/tcp.rs", "use super::ms; pub fn check() {}"),
    ];
    assert_eq!(found(&parent), [["measure/mod.rs", "measure/tcp.rs"]]);
    let tests = [("causes/tcp.rs", "pub const REFUSED: u8 = 1; #[cfg(test)] mod tests { use crate::causes::CAUSES; }")];
    assert!(found(&tests).is_empty(), "what tests use is no cycle");
}
