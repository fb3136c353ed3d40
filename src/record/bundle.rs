//! The attachment for a ticket, in one file: the report, the evidence, the settings that were in force, and the
//! versions.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_checks::facts::Evidence;

use super::{Words, recording, replace, written};
use crate::clients::Client;
use crate::diagnose::diagnose_for;
use crate::named_file;
use crate::report::{Style, json, text};

/// The folder that the files are in.
const FOLDER: &str = "ssh-doctor";
/// Bytes read of os-release(5) at most.
const LARGEST: u64 = 64 << 10;

/// Writes a bundle, readable by its owner only; a file that is there is replaced at once or not at all. Gives what is in it of other
/// people's words.
pub fn bundle(evidence: &Evidence, path: &Path, words: Words, client: Client) -> anyhow::Result<Vec<&'static str>> {
    let write = || {
        let (evidence, kept) = written(evidence, words)?;
        let diagnosis = diagnose_for(client, &evidence);
        let report = text::render(&evidence, &diagnosis, &Style::default());
        let for_programs = json::render(&evidence, &diagnosis, json::Shape { pretty: true, brief: false });
        let files = [
            ("report.txt", report.into_bytes()),
            ("report.json", for_programs.into_bytes()),
            ("evidence.json", recording(&evidence)?),
            ("settings.txt", settings(&evidence).into_bytes()),
            ("versions.txt", versions(&evidence).into_bytes()),
            ("kept.txt", kept.join("\n").into_bytes()),
        ];
        replace(path, &packed(&files, evidence.started_at.as_second())?)?;
        Ok(kept)
    };
    let written: anyhow::Result<_> = write();
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn packed(files: &[(&str, Vec<u8>)], seconds: i64) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(seconds).unwrap_or_default());
        let mut content = content.clone();
        if !content.ends_with(b"\n") {
            content.push(b'\n');
        }
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, format!("{FOLDER}/{name}"), content.as_slice())?;
    }
    archive.into_inner()?.finish()
}

/// The settings that were in force, one a line, as far as the evidence has them.
fn settings(evidence: &Evidence) -> String {
    let own = &evidence.settings;
    let mut lines = format!("# resolved by {}\n", own.source);
    // Writing to a string cannot fail.
    let _ = writeln!(lines, "ServerAliveInterval {}  # {}", own.server_alive_interval_s, own.server_alive_from);
    let _ = writeln!(lines, "ServerAliveCountMax {}", own.server_alive_count_max);
    let _ = writeln!(lines, "TCPKeepAlive {}", if own.tcp_keepalive { "yes" } else { "no" });
    for setting in evidence.config.facts().into_iter().flat_map(|facts| &facts.settings) {
        let _ = writeln!(
            lines,
            "{} {}  # {}",
            setting.keyword,
            sanitize(setting.value.as_deref().unwrap_or("[masked]")),
            sanitize(&setting.from)
        );
    }
    for setting in &own.not_honoured {
        let _ = writeln!(lines, "# not honoured by the examination: {}", sanitize(setting));
    }
    lines
}

/// The versions of everything that took part.
fn versions(evidence: &Evidence) -> String {
    let unknown = || "not known".to_owned();
    let release = named_file::whole(Path::new("/etc/os-release"), LARGEST).unwrap_or_default();
    let release = String::from_utf8_lossy(&release).into_owned();
    let named = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let kernel = named_file::whole(Path::new("/proc/sys/kernel/osrelease"), LARGEST).unwrap_or_default();
    // What follows the number is whatever its builder chose.
    let kernel: String =
        kernel.iter().map(|byte| char::from(*byte)).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let server = evidence.handshake.facts().and_then(|facts| facts.version.clone());
    let rows = [
        ("ssh-doctor", env!("CARGO_PKG_VERSION").to_owned()),
        ("system", named.map_or_else(|| std::env::consts::OS.to_owned(), |name| name.trim_matches('"').to_owned())),
        ("kernel", if kernel.is_empty() { unknown() } else { kernel.trim_end_matches('.').to_owned() }),
        ("machine", std::env::consts::ARCH.to_owned()),
        ("ssh", evidence.config.facts().map_or_else(unknown, |facts| facts.ssh.clone())),
        ("server", server.unwrap_or_else(unknown)),
    ];
    rows.map(|(name, version)| format!("{name}: {}", sanitize(&version))).join("\n")
}
