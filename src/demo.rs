//! A faulty server or network on loopback, diagnosed exactly as if it were real.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context as _, anyhow};
use secrecy::SecretString;
use ssh_doctor_checks::base::limits::Limits;
use ssh_doctor_checks::base::target::{Algorithms, Identity, Target};
use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_fixtures::cases::{self, Case, Running};
use tempfile::TempDir;

use crate::report::Style;
use crate::report::style::Ink;

/// The case that is started when none is named.
const DEFAULT: &str = "silent-drop";
/// The likeness (Jaro-Winkler, 0 to 1) from which a name is proposed.
const SIMILAR: f64 = 0.8;

/// A case that was started; it ends when this is dropped.
#[derive(Debug)]
pub struct RunningDemo {
    /// The target to examine.
    pub target: Target,
    /// The limits of the examination.
    pub limits: Limits,
    /// The text that introduces it.
    pub intro: String,
    _running: Running,
    _files: TempDir,
}

/// The cases by name, a line each.
#[must_use]
pub fn list(style: &Style) -> String {
    let widest = cases::all().map(|case| case.name.len()).max().unwrap_or_default();
    let line = |case: &Case| {
        let mark = if case.name == DEFAULT { " (the default)" } else { "" };
        let name = style.paint(Ink::Strong, &format!("{:widest$}", case.name));
        format!("{name}  {}{mark}\n", case.about)
    };
    cases::all().map(line).collect()
}

/// Starts the named case, or the default one. The error is one sentence that says where the names are.
pub async fn start(case: Option<&str>) -> anyhow::Result<RunningDemo> {
    let name = case.unwrap_or(DEFAULT);
    let case = cases::find(name).ok_or_else(|| unknown(name))?;
    let running = (case.start)().await.with_context(|| format!("the demo {name} cannot be started"))?;
    let files = tempfile::tempdir().context("the demo needs a folder for its keys")?;
    let target = target(&running, files.path()).context("the demo's keys cannot be written")?;
    let limits = Limits { connect: Duration::from_secs(3), idle: running.idle, ..Limits::default() };
    let intro = intro(case, &running);
    Ok(RunningDemo { target, limits, intro, _running: running, _files: files })
}

fn unknown(name: &str) -> anyhow::Error {
    let likeness = |case: &&Case| strsim::jaro_winkler(case.name, name);
    let similar = cases::all().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let similar = similar.filter(|case| likeness(case) > SIMILAR);
    let hint = similar.map_or_else(String::new, |case| format!("the most similar is {}; ", case.name));
    anyhow!("unknown demo '{}': {hint}ssh-doctor demo --list names them all", sanitize(name))
}

/// The started case as ssh would reach it with nothing but the files made for it.
fn target(running: &Running, files: &Path) -> io::Result<Target> {
    let mut target = Target::bare(&running.address.ip().to_string(), running.address.port(), running.user);
    "demo".clone_into(&mut target.input);
    let known_hosts = files.join("known_hosts");
    fs::write(&known_hosts, &running.known_hosts)?;
    target.host_keys.user_files.push(known_hosts);
    for (number, key) in running.keys.iter().enumerate() {
        let path = files.join(format!("key-{}", number + 1));
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(key.as_bytes())?;
        target.credentials.identities.push(Identity { path, explicit: true });
    }
    target.credentials.agent = running.agent_gone.then(|| files.join("agent"));
    target.credentials.identities_only = true;
    target.credentials.preferred = names("publickey,keyboard-interactive,password");
    target.credentials.password = running.password.clone().map(SecretString::from);
    target.algorithms = algorithms();
    "the demo's own".clone_into(&mut target.settings.source);
    Ok(target)
}

/// The algorithms of OpenSSH's default configuration that matter here.
fn algorithms() -> Algorithms {
    Algorithms {
        kex: names("mlkem768x25519-sha256,curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group16-sha512"),
        host_key: names("ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256"),
        cipher: names("chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes256-gcm@openssh.com"),
        mac: names("hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"),
        compression: false,
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',').map(ToOwned::to_owned).collect()
}

/// A few lines for a terminal of usual width.
fn intro(case: &Case, running: &Running) -> String {
    let style = Style { unicode: true, ..Style::default() };
    let mut lines = style.wrapped("", "", &format!("Demo: {}.", case.about));
    lines.push('\n');
    let how = "It runs at {}, on this machine only, and ends with this command.";
    lines.push_str(&style.wrapped("", "", &how.replace("{}", &running.address.to_string())));
    lines.push('\n');
    if !running.idle.is_zero() {
        lines.push_str("The check is the same as `ssh-doctor check HOST`; it takes about 20 s.\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use ssh_doctor_fixtures::cases;

    use super::{DEFAULT, list, start};
    use crate::report::Style;

    #[test]
    fn the_list_has_a_line_for_every_case_and_marks_the_default() {
        let list = list(&Style::default());
        assert_eq!(list.lines().count(), cases::all().count());
        let default = list.lines().find(|line| line.contains("(the default)"));
        assert!(default.is_some_and(|line| line.starts_with(DEFAULT)), "{list}");
    }

    #[tokio::test]
    async fn a_name_that_is_no_case_is_answered_with_the_way_to_the_names() {
        let error = start(Some("coffee")).await.unwrap_err().to_string();
        assert_eq!(error, "unknown demo 'coffee': ssh-doctor demo --list names them all");
        let error = start(Some("silentdrop")).await.unwrap_err().to_string();
        assert!(error.contains("the most similar is silent-drop"), "{error}");
    }

    #[tokio::test]
    async fn the_key_is_readable_by_its_owner_only() {
        let stage = start(None).await.unwrap();
        let key = &stage.target.credentials.identities[0].path;
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(stage.intro.contains("silently drops"), "{}", stage.intro);
    }
}
