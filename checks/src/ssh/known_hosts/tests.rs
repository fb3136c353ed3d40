use std::fs;
use std::path::PathBuf;

use super::{first_file, known_algorithms, look_up};
use crate::base::target::Target;
use crate::facts::hostkey::KnownHostsMarker;

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

/// A file of our own that goes when the test ends.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ssh-doctor-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn found(name: &str, text: &str, host: &str, port: u16) -> Vec<(usize, KnownHostsMarker, bool)> {
    let file = Temporary::new(name, text);
    let mut target = Target::bare(host, port, "me");
    target.host_keys.user_files = vec![file.0.clone()];
    look_up(&target).entries.iter().map(|entry| (entry.line, entry.kind, entry.portless)).collect()
}

#[test]
fn names_markers_comments_and_line_ends() {
    let text = format!(
        "# comment\r\n\r\n  db.example,10.0.0.1\t{ED25519} a comment\r\n@revoked db.example {OTHER}\n\
         @cert-authority *.example {OTHER}\n@new-marker db.example {ED25519}\nweb.example {ED25519}\n\
         db.example ssh-ed25519 not-base64\ndb.example ssh-rsa {}\ndb.example\n  #db.example {ED25519}\ndb.example {OTHER}",
        &ED25519[12..]
    );
    let expected = [
        (3, KnownHostsMarker::Host, false),
        (4, KnownHostsMarker::Revoked, false),
        (5, KnownHostsMarker::CertAuthority, false),
    ];
    let entries = found("names", &text, "DB.example", 22);
    assert_eq!(entries[..3], expected);
    assert_eq!(
        entries[3..],
        [(12, KnownHostsMarker::Host, false)],
        "the last line needs no line end; unparsable ones are skipped"
    );
}

#[test]
fn a_port_is_part_of_the_name_and_the_portless_name_is_told_apart() {
    let text = format!("db.example {ED25519}\n[db.example]:2222 {ED25519}\n[db.example]:2223 {ED25519}\n");
    assert_eq!(
        found("port", &text, "db.example", 2222),
        [(1, KnownHostsMarker::Host, true), (2, KnownHostsMarker::Host, false)]
    );
    assert_eq!(found("port22", &text, "db.example", 22), [(1, KnownHostsMarker::Host, false)]);
}

#[test]
fn hashed_names_are_found() {
    // `ssh-keygen -H` wrote these for db.example and [db.example]:2222.
    let text = format!(
        "|1|TdAFkIFGrWMe0rNiGIS3fwu0d4M=|h4bLmXXTaFD8YhJ95n43ta7AKl4= {ED25519}\n|1|nF14HFDvJWx9j6CW2v/ujP/3+V0=|viN2gSDjvBRAfUQGqGHYHiANSsU= {ED25519}\n|1|broken|= {ED25519}\n"
    );
    assert_eq!(found("hash", &text, "db.example", 22), [(1, KnownHostsMarker::Host, false)]);
    assert_eq!(
        found("hash-port", &text, "db.example", 2222),
        [(1, KnownHostsMarker::Host, true), (2, KnownHostsMarker::Host, false)]
    );
    assert_eq!(found("hash-not", &text, "web.example", 22), []);
}

#[test]
fn an_alias_replaces_host_and_port() {
    let file = Temporary::new("alias", &format!("pool {ED25519}\n[db.example]:2222 {ED25519}\n"));
    let mut target = Target::bare("db.example", 2222, "me");
    // ssh looks for it in lower case, as -G prints it.
    target.host_keys.alias = Some("Pool".into());
    target.host_keys.global_files = vec![file.0.clone()];
    let lines: Vec<_> = look_up(&target).entries.iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [1]);
}

#[test]
fn a_missing_file_is_fine_and_one_that_is_no_file_is_told() {
    let mut target = Target::bare("db.example", 22, "me");
    target.host_keys.user_files = vec!["/nonexistent/known_hosts".into(), "/dev/null".into(), "/dev/zero".into()];
    let known = look_up(&target);
    assert!(known.entries.is_empty());
    assert_eq!(known.unread.iter().map(|unread| unread.file.to_str()).collect::<Vec<_>>(), [Some("/dev/zero")]);
}

#[test]
fn an_endless_line_ends_the_reading() {
    let file = Temporary::new("long", &format!("{}\ndb.example {ED25519}\n", "x".repeat(100_000)));
    let mut target = Target::bare("db.example", 22, "me");
    target.host_keys.user_files = vec![file.0.clone()];
    assert_eq!(look_up(&target).unread.len(), 1);
}

#[test]
fn known_kinds_leave_out_revoked_keys_and_portless_names() {
    let text = format!("db.example {ED25519}\n@revoked [db.example]:2222 {OTHER}\n@cert-authority [*]:2222 {OTHER}\n");
    let file = Temporary::new("kinds", &text);
    let mut target = Target::bare("db.example", 2222, "me");
    target.host_keys.user_files = vec![file.0.clone()];
    let known = known_algorithms(&target);
    assert!(known.plain.is_empty());
    assert!(known.authority);
}

#[test]
fn the_first_file_is_one_that_keeps_what_is_written() {
    let mut policy = Target::bare("db.example", 22, "me").host_keys;
    assert_eq!(first_file(&policy), None);
    policy.global_files = vec!["/etc/ssh/ssh_known_hosts".into()];
    policy.user_files = vec!["/dev/null".into()];
    assert_eq!(first_file(&policy), Some("/etc/ssh/ssh_known_hosts".into()));
    policy.user_files.push("/home/me/.ssh/other".into());
    assert_eq!(first_file(&policy), Some("/home/me/.ssh/other".into()));
}
