//! The output of `ssh -G`: the exact settings that ssh itself would use, with Match, Include, tokens and canonical
//! names.

use std::io;
use std::time::Duration;

use anyhow::{Result, bail};
use ssh_doctor_checks::base::masking::without_passwords;
use ssh_doctor_checks::base::own_ssh::Refusal;
use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_checks::causes::config::says_it_cannot_start;
use ssh_doctor_checks::ssh::openssh::{self, Ran};

use super::local::Local;
use super::raw::{Log, Raw};
use super::tokens::may_fail;
use crate::cli::SshFlags;
use crate::terminal::reason;

/// The time limit for ssh: a `Match exec` command or the lookup of a canonical name takes its time.
const DEADLINE: Duration = Duration::from_secs(15);

/// The most lines that are kept of ssh's words when it refuses its settings.
const WORDS: usize = 8;

/// Messages of ssh where its settings require a command on its command line (`ForkAfterAuthentication`, `SessionType
/// subsystem`).
const WANT_COMMAND: [&str; 2] = ["Cannot fork into background without a command", "You must specify a subsystem"];

/// The announcement of a command that ssh runs while it reads its settings.
const RUNS_COMMAND: &str = "Executing command: ";

/// The beginnings of ssh's complaints that name no file first (readconf.c, ssh.c, misc.c).
const COMPLAINTS: [&str; 29] = [
    "Bad ",
    "Can't open",
    "Can't ",
    "Cannot ",
    "Could not",
    "Garbage",
    "Hostname",
    "Incompatible",
    "Invalid",
    "Missing",
    "No ",
    "Privileged ports ",
    "Too many",
    "Unknown",
    "Unsupported",
    "ControlPath",
    "command-line",
    "command line",
    "env_expand",
    "hostname contains",
    "illegal option",
    "jumphost loop",
    "keyword ",
    "no argument",
    "percent_",
    "ssh: ",
    "unknown option",
    "usage: ssh",
    "vdollar_percent_expand",
];

/// The reason for which ssh printed no settings.
#[derive(Debug)]
pub(super) enum NotAnswered {
    /// No OpenSSH client is installed.
    NoSsh,
    /// It does not accept them.
    Refused(Box<Refused>),
}

/// Settings that ssh does not accept.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    /// ssh's version.
    pub(super) version: String,
    /// The files that it read up to there.
    pub(super) log: Log,
    /// The jump host that is reached through itself.
    pub(super) jump_loop: Option<String>,
}

impl Refused {
    /// Settings that ssh prints, and refuses with these words when it connects.
    pub(super) fn saying(raw: &Raw, words: String) -> Self {
        let refusal = Refusal { words: vec![words], status: Some(255) };
        Self { refusal, version: raw.version.clone(), log: raw.log.clone(), jump_loop: None }
    }

    /// Settings by which ssh starts itself without end.
    pub(super) fn looping(raw: &Raw, hop: String) -> Self {
        let refusal = Refusal { words: Vec::new(), status: None };
        Self { refusal, version: raw.version.clone(), log: raw.log.clone(), jump_loop: Some(hop) }
    }

    /// In one sentence.
    pub(super) fn sentence(&self, host: &str) -> String {
        let said = self.refusal.words.first().map_or("it gives no reason", String::as_str);
        if let Some(hop) = &self.jump_loop {
            return format!(
                "ssh never reaches {}: the jump host {} is reached through itself",
                sanitize(host),
                sanitize(hop)
            );
        }
        match self.refusal.status {
            Some(_) if says_it_cannot_start(said) => format!("ssh does not start: {said}"),
            Some(_) => format!("ssh does not accept the settings for {}: {said}", sanitize(host)),
            None => format!(
                "ssh took more than {} s to read its configuration for {}; does a Match exec command hang?",
                DEADLINE.as_secs(),
                sanitize(host)
            ),
        }
    }
}

/// Asks ssh.
pub(super) async fn ask(
    flags: &SshFlags,
    login: Option<&str>,
    port: Option<u16>,
    host: &str,
) -> Result<Result<Raw, NotAnswered>> {
    // At this level ssh tells on standard error which files it reads and which of their blocks apply.
    let question = [&["-vvv", "-G"].map(str::to_owned)[..], &arguments(flags, login, port, host)].concat();
    let Some(mut ran) = run(&question).await? else { return Ok(Err(NotAnswered::NoSsh)) };
    if ran.status != Some(0) && WANT_COMMAND.iter().any(|said| ran.stderr.contains(said)) {
        ran = run(&[&question[..], &["true".to_owned()]].concat()).await?.unwrap_or(ran);
    }
    let mut version = version(&ran.stderr).map(ToOwned::to_owned);
    if ran.status != Some(0) {
        if version.is_none() {
            // Before it reads its configuration, ssh complains of its command line without saying who it is.
            version = run(&["-V".to_owned()]).await?.and_then(|ran| self::version(&ran.stderr).map(ToOwned::to_owned));
        }
        if version.is_none() && !ran.cut && !ran.stderr.lines().any(says_it_cannot_start) {
            // Another program goes by the name of ssh.
            return Ok(Err(NotAnswered::NoSsh));
        }
        let status = if ran.cut { None } else { Some(ran.status.unwrap_or(-1)) };
        let log = log(&ran.stderr);
        let mut words = words(&ran.stderr, &log);
        if words.is_empty() && !ran.stderr.contains(RUNS_COMMAND) {
            words = own_words(&ran.stderr);
        }
        let refusal = Refusal { words, status };
        let version = version.unwrap_or_default();
        return Ok(Err(NotAnswered::Refused(Box::new(Refused { refusal, version, log, jump_loop: None }))));
    }
    let mut raw = Raw::from_lines(&ran.stdout);
    if raw.one("hostname").is_none() {
        return Ok(Err(NotAnswered::NoSsh));
    }
    raw.source = format!("ssh -G ({})", sanitize(version.as_deref().unwrap_or("version unknown")));
    raw.version = version.unwrap_or_default();
    raw.expanded = true;
    raw.log = log(&ran.stderr);
    // What is hashed differs between versions of ssh, so ssh itself is asked.
    let left_to_us = ["identityfile", "certificatefile", "proxycommand"].map(|keyword| raw.all(keyword));
    if left_to_us.into_iter().flatten().any(|value| value.contains("%C")) {
        raw.hash = hash(flags, login, port, host).await?;
    }
    Ok(Ok(raw))
}

/// ssh's own defaults: no configuration file and nothing on the command line; empty where no ssh is installed.
pub(super) async fn defaults() -> Raw {
    let arguments = ["-F", "none", "-G", "--", "host"].map(ToOwned::to_owned);
    let ran = run(&arguments).await.ok().flatten();
    ran.map(|ran| Raw::from_lines(&ran.stdout)).unwrap_or_default()
}

/// ssh's own value of %C for this connection: in this setting `ssh -G` expands it.
async fn hash(flags: &SshFlags, login: Option<&str>, port: Option<u16>, host: &str) -> Result<Option<String>> {
    let options = std::iter::once("ControlPath=/%C".to_owned()).chain(flags.options.iter().cloned()).collect();
    let flags = SshFlags { options, ..flags.clone() };
    let arguments = [&["-G".to_owned()][..], &arguments(&flags, login, port, host)].concat();
    let Some(ran) = run(&arguments).await? else { return Ok(None) };
    let hash =
        Raw::from_lines(&ran.stdout).one("controlpath").and_then(|path| path.strip_prefix('/')).map(ToOwned::to_owned);
    Ok(hash.filter(|hash| !hash.contains('%')))
}

/// ssh's refusal of the name of a key, a certificate or a file of known hosts, which it expands only when it connects. As a ControlPath,
/// which has the same tokens, `ssh -G` expands it.
pub(super) async fn refusal_of_files(
    raw: &Raw,
    local: &Local,
    (flags, login, port, host): (&SshFlags, Option<&str>, Option<u16>, &str),
) -> Result<Option<Refused>> {
    let known = raw.one("globalknownhostsfile").into_iter().flat_map(|names| names.split(' '));
    let names = ["identityfile", "certificatefile"].into_iter().flat_map(|keyword| raw.all(keyword));
    let names = names.map(String::as_str).chain(known.filter(|name| name.starts_with('~')));
    for name in names.filter(|name| may_fail(name, local)) {
        let options = std::iter::once(format!("ControlPath={name}")).chain(flags.options.iter().cloned()).collect();
        let flags = SshFlags { options, ..flags.clone() };
        if let Err(NotAnswered::Refused(refused)) = Box::pin(ask(&flags, login, port, host)).await? {
            return Ok(Some(*refused));
        }
    }
    Ok(None)
}

/// The arguments by which ssh goes to a host; `--` keeps the host from being an option.
pub(super) fn arguments(flags: &SshFlags, login: Option<&str>, port: Option<u16>, host: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut add = |flag: &str, value: &str| arguments.extend([flag.to_owned(), value.to_owned()]);
    if let Some(config) = &flags.config {
        add("-F", config);
    }
    for option in &flags.options {
        add("-o", option);
    }
    for identity in &flags.identities {
        add("-i", identity);
    }
    if let Some(login) = login {
        add("-l", login);
    }
    if let Some(port) = port {
        add("-p", &port.to_string());
    }
    if let Some(jump) = &flags.jump {
        add("-J", jump);
    }
    arguments.extend(flags.others.forwardings());
    if flags.inet {
        arguments.push("-4".to_owned());
    }
    if flags.inet6 {
        arguments.push("-6".to_owned());
    }
    arguments.extend(["--".to_owned(), host.to_owned()]);
    arguments
}

/// Runs ssh; none when it is not installed.
async fn run(arguments: &[String]) -> Result<Option<Ran>> {
    match openssh::run(arguments, DEADLINE).await {
        Ok(ran) => Ok(Some(ran)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => bail!("ssh cannot be run to read its settings: {}", reason(&error)),
    }
}

fn version(stderr: &str) -> Option<&str> {
    stderr.lines().find(|line| line.starts_with("OpenSSH")).and_then(|line| line.split(',').next())
}

/// Returns the lines in which ssh complains, escaped. A command of a Match exec line writes to the same place, and its output is left out.
fn words(stderr: &str, log: &Log) -> Vec<String> {
    let lines = stderr.lines().map(str::trim);
    let lines = lines.filter(|line| {
        let of_a_file = log.files.iter().filter_map(|file| line.strip_prefix(file.to_str()?)).any(is_behind_a_file);
        of_a_file || COMPLAINTS.iter().any(|start| line.starts_with(start))
    });
    lines.take(WORDS).map(|line| sanitize(&without_passwords(line))).collect()
}

/// All that ssh says beside its debugging output, where nothing else writes to the same place.
fn own_words(stderr: &str) -> Vec<String> {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("debug") && !line.starts_with("OpenSSH_"));
    lines.take(WORDS).map(|line| sanitize(&without_passwords(line))).collect()
}

/// True if this follows the name of a file in ssh's words: `: line 2: ...`, ` line 2: ...`, `: terminating, ...`.
fn is_behind_a_file(rest: &str) -> bool {
    [": line ", " line ", ": terminating", ": No such file", ": Permission denied"]
        .iter()
        .any(|form| rest.starts_with(form))
}

fn log(stderr: &str) -> Log {
    let mut log = Log::default();
    for line in stderr.lines() {
        let Some((_, said)) = line.trim().split_once(": ").filter(|(level, _)| level.starts_with("debug")) else {
            continue;
        };
        if let Some(file) = said.strip_prefix("Reading configuration data ") {
            if !log.files.iter().any(|known| known.as_os_str() == file) {
                log.files.push(file.into());
            }
        } else if let Some((place, what)) = said.split_once(": ")
            && let Some((file, number)) = place.rsplit_once(" line ")
            && let Ok(number) = number.parse()
        {
            if what.starts_with("Applying options for") {
                log.applied.insert((file.to_owned(), number));
            } else if what.starts_with("not matched") {
                log.unmatched.insert((file.to_owned(), number));
            }
        }
    }
    log
}

#[cfg(test)]
mod tests {
    use super::{Log, arguments, log, own_words, words};
    use crate::cli::SshFlags;
    use crate::plan::raw::Raw;

    #[test]
    fn the_host_is_never_an_option() {
        let arguments = arguments(&SshFlags::default(), Some("me"), Some(2222), "db");
        assert_eq!(arguments, ["-l", "me", "-p", "2222", "--", "db"]);
    }

    #[test]
    fn lines_become_settings() {
        let raw = Raw::from_lines("port 2222\nidentityfile ~/a b\nidentityfile ~/c\nipqos af21 cs1\nbroken\n");
        assert_eq!(raw.one("port"), Some("2222"));
        assert_eq!(raw.all("identityfile"), ["~/a b", "~/c"]);
        assert_eq!(raw.one("ipqos"), Some("af21 cs1"));
        assert_eq!(raw.one("broken"), None);
    }

    #[test]
    fn the_complaint_is_found_among_the_chatter() {
        let said = "OpenSSH_9.2p1, OpenSSL\r\ndebug1: Reading configuration data bad\r\ntoken=hunter2\nbad: hunter2\nbad: line 1: Bad configuration option: \x1b[31mx\r\nbad: terminating\r\n";
        assert_eq!(
            words(said, &log(said)),
            ["bad: line 1: Bad configuration option: \\u{1b}[31mx", "bad: terminating"]
        );
        assert!(words("", &Log::default()).is_empty());
        assert_eq!(own_words("OpenSSH_9.2p1, OpenSSL\ndebug1: x\nsomething new\r\n"), ["something new"]);
    }

    #[test]
    fn the_log_tells_files_and_blocks() {
        let said = "debug1: Reading configuration data /a b\ndebug1: /a b line 2: Applying options for db\r\n\
                    debug3: /c line 7: not matched 'exec \"false\"' \ndebug1: Reading configuration data /a b\n";
        let log = log(said);
        assert_eq!(log.files, [std::path::PathBuf::from("/a b")]);
        assert!(log.applied.contains(&("/a b".into(), 2)));
        assert!(log.unmatched.contains(&("/c".into(), 7)));
    }
}
