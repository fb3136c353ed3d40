//! A server's entries in the known_hosts files: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".

pub(super) mod line;
pub(crate) mod name;

use std::io;
use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use russh::keys::Algorithm;
use russh::keys::ssh_key::public::KeyData;

use crate::base::target::{HostKeyPolicy, Target};
use crate::facts::hostkey::{KnownHostsMarker, Unread};
use crate::os::files;

/// The most that is read of one file, bytes; 100,000 hosts fit in it.
const FILE_BYTES: u64 = 16 << 20;
/// The longest line that is read, bytes; an RSA key of 16,384 bits takes 3 kB.
const LINE_BYTES: u64 = 64 << 10;
/// The most entries that are kept for one target.
const ENTRIES_KEPT: usize = 256;
/// The port that names in known_hosts leave out.
const DEFAULT_PORT: u16 = 22;

/// The kinds of keys that the files hold for a target.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownAlgorithms {
    /// Of plain keys.
    pub plain: Vec<Algorithm>,
    /// True if a certificate authority is named for it.
    pub authority: bool,
}

/// The entries of all the files for one target.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The lines that name the target, in the order in which ssh reads them.
    pub entries: Vec<Entry>,
    /// The files that could not be read to their end, missing ones left out.
    pub unread: Vec<Unread>,
}

/// One line that names the target.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The file it is in.
    pub file: PathBuf,
    /// Its number, counted from 1.
    pub line: usize,
    /// The text that the line says about its key.
    pub kind: KnownHostsMarker,
    /// True when the line names the host without the port that we connect to.
    pub portless: bool,
    /// The key.
    pub key: KeyData,
}

/// The kinds of keys known for the target, so that the handshake asks for those first.
#[must_use]
pub(crate) fn known_algorithms(target: &Target) -> KnownAlgorithms {
    let mut known = KnownAlgorithms::default();
    for entry in look_up(target).entries.iter().filter(|entry| !entry.portless) {
        match entry.kind {
            KnownHostsMarker::Host => known.plain.push(entry.key.algorithm()),
            KnownHostsMarker::CertAuthority => known.authority = true,
            KnownHostsMarker::Revoked => {}
        }
    }
    known
}

/// The name under which ssh looks the target up: `HostKeyAlias`, else the host with its port unless that is 22; in lower case.
#[must_use]
pub(crate) fn recorded_name(target: &Target) -> String {
    match &target.host_keys.alias {
        Some(alias) => alias.to_lowercase(),
        None if target.port == DEFAULT_PORT => target.host.to_lowercase(),
        None => format!("[{}]:{}", target.host.to_lowercase(), target.port),
    }
}

/// The first file that can hold lines: of the user's, else of the machine's.
pub(crate) fn first_file(policy: &HostKeyPolicy) -> Option<PathBuf> {
    let mut files = policy.user_files.iter().chain(&policy.global_files);
    files.find(|file| *file != Path::new("/dev/null")).cloned()
}

/// Every line of the target's files that names it.
#[must_use]
pub(crate) fn look_up(target: &Target) -> Known {
    let policy = &target.host_keys;
    let exact = recorded_name(target);
    // ssh accepts the host's key on any port; a different key there says nothing.
    let portless = (policy.alias.is_none() && target.port != DEFAULT_PORT).then(|| target.host.to_lowercase());
    let mut known = Known::default();
    for file in policy.user_files.iter().chain(&policy.global_files) {
        let unread = read(file, &exact, portless.as_deref(), &mut known.entries).err();
        known.unread.extend(unread.map(|error| Unread { file: file.clone(), error: error.to_string() }));
    }
    known
}

/// The server's address as the files name it, and every line that names it so.
#[must_use]
pub(crate) fn look_up_address(target: &Target, address: IpAddr) -> (String, Known) {
    let target = Target {
        host: address.to_string(),
        host_keys: HostKeyPolicy { alias: None, ..target.host_keys.clone() },
        ..target.clone()
    };
    let mut known = look_up(&target);
    known.entries.retain(|entry| !entry.portless);
    (recorded_name(&target), known)
}

fn read(file: &Path, exact: &str, portless: Option<&str>, entries: &mut Vec<Entry>) -> io::Result<()> {
    let opened = match files::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let Some(opened) = opened else { return Ok(()) };
    let mut reader = BufReader::new(opened).take(FILE_BYTES);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.last() != Some(&b'\n') && bytes.len() as u64 == LINE_BYTES {
            return Err(io::Error::other(format!("line {number} is longer than {LINE_BYTES} bytes")));
        }
        let Some(line) = line::parse(&String::from_utf8_lossy(&bytes)).map(|line| line.naming(exact, portless)) else {
            continue;
        };
        let Some((kind, portless, key)) = line else { continue };
        if entries.len() == ENTRIES_KEPT {
            return Err(io::Error::other(format!("more than {ENTRIES_KEPT} entries name this host")));
        }
        entries.push(Entry { file: file.to_owned(), line: number, kind, portless, key });
    }
    if reader.limit() == 0 {
        return Err(io::Error::other(format!("only the first {} MiB were read", FILE_BYTES >> 20)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
