//! What `ssh -G` says: the exact settings that ssh itself would use, with Match, Include, tokens and canonical names.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use ssh_doctor_checks::base::target::PASSWORD_VARIABLE;
use ssh_doctor_checks::base::text::sanitize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::raw::{Log, Raw};
use crate::cli::SshFlags;
use crate::terminal::reason;

/// How long ssh may take: a `Match exec` command or a canonical name that is looked up takes its time.
const DEADLINE: Duration = Duration::from_secs(15);

/// How much ssh may say on either stream, bytes; a default configuration takes 6 KiB.
const MOST: u64 = 1 << 20;

/// Asks ssh; none when no OpenSSH client is installed.
pub(super) async fn ask(flags: &SshFlags, login: Option<&str>, port: Option<u16>, host: &str) -> Result<Option<Raw>> {
    let Some((stdout, stderr)) = run(&arguments(flags, login, port, host), host).await? else { return Ok(None) };
    let mut raw = Raw::from_lines(&stdout);
    if raw.one("hostname").is_none() {
        // Another program goes by the name of ssh.
        return Ok(None);
    }
    let version = stderr.lines().find(|line| line.starts_with("OpenSSH")).and_then(|line| line.split(',').next());
    raw.source = format!("ssh -G ({})", sanitize(version.unwrap_or("version unknown")));
    raw.expanded = true;
    raw.log = log(&stderr);
    // What is hashed differs between versions of ssh, so ssh itself is asked.
    let left_to_us = ["identityfile", "certificatefile", "proxycommand"].map(|keyword| raw.all(keyword));
    if left_to_us.into_iter().flatten().any(|value| value.contains("%C")) {
        raw.hash = hash(flags, login, port, host).await?;
    }
    Ok(Some(raw))
}

/// ssh's own value of %C for this connection: in this setting `ssh -G` expands it.
async fn hash(flags: &SshFlags, login: Option<&str>, port: Option<u16>, host: &str) -> Result<Option<String>> {
    let options = std::iter::once("ControlPath=/%C".to_owned()).chain(flags.options.iter().cloned()).collect();
    let flags = SshFlags { options, ..flags.clone() };
    let Some((stdout, _)) = run(&arguments(&flags, login, port, host), host).await? else { return Ok(None) };
    let hash =
        Raw::from_lines(&stdout).one("controlpath").and_then(|path| path.strip_prefix('/')).map(ToOwned::to_owned);
    Ok(hash.filter(|hash| !hash.contains('%')))
}

/// ssh's own default of a keyword for a host, with the same command line and no configuration file.
pub(super) async fn default_of(keyword: &str, flags: &SshFlags, host: &str) -> Option<String> {
    let flags = SshFlags { config: Some("none".into()), ..flags.clone() };
    let (stdout, _) = run(&arguments(&flags, None, None, host), host).await.ok()??;
    Raw::from_lines(&stdout).one(keyword).map(ToOwned::to_owned)
}

fn arguments(flags: &SshFlags, login: Option<&str>, port: Option<u16>, host: &str) -> Vec<String> {
    // At this level ssh tells on standard error which files it reads and which of their blocks apply.
    let mut arguments = vec!["-vvv".to_owned(), "-G".to_owned()];
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
    if flags.inet {
        arguments.push("-4".to_owned());
    }
    if flags.inet6 {
        arguments.push("-6".to_owned());
    }
    arguments.extend(["--".to_owned(), host.to_owned()]);
    arguments
}

/// Runs ssh within bounds of time and size; none when it is not installed.
async fn run(arguments: &[String], host: &str) -> Result<Option<(String, String)>> {
    let spawned = Command::new("ssh")
        .args(arguments)
        .env_remove(PASSWORD_VARIABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => bail!("ssh cannot be run to read its settings: {}", reason(&error)),
    };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let finished = timeout(DEADLINE, async { tokio::join!(text(out), text(err), child.wait()) }).await;
    let Ok((stdout, stderr, status)) = finished else {
        let seconds = DEADLINE.as_secs();
        bail!(
            "ssh took more than {seconds} s to read its configuration for {}; does a Match exec command hang?",
            sanitize(host)
        );
    };
    match status {
        Ok(status) if status.success() => Ok(Some((stdout, stderr))),
        _ => Err(anyhow!("ssh does not accept the settings for {}: {}", sanitize(host), complaint(&stderr))),
    }
}

async fn text(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read before an error still tells something, and the exit status tells the rest.
        let _ = (&mut stream).take(MOST).read_to_end(&mut bytes).await;
        // A full pipe would keep ssh from ending.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first line in which ssh complains.
fn complaint(stderr: &str) -> String {
    let chatter = ["debug", "OpenSSH_", "Pseudo-terminal", "Warning:"];
    let mut lines = stderr.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !chatter.iter().any(|start| line.starts_with(start)));
    line.map_or_else(|| "it gives no reason".to_owned(), sanitize)
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
    use super::{arguments, complaint, log};
    use crate::cli::SshFlags;
    use crate::plan::raw::Raw;

    #[test]
    fn the_host_is_never_an_option() {
        let arguments = arguments(&SshFlags::default(), Some("me"), Some(2222), "db");
        assert_eq!(arguments, ["-vvv", "-G", "-l", "me", "-p", "2222", "--", "db"]);
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
        let said = "OpenSSH_9.2p1, OpenSSL\r\ndebug1: Reading configuration data bad\r\nbad: line 1: Bad configuration option: \x1b[31mx\r\nbad: terminating\r\n";
        assert_eq!(complaint(said), "bad: line 1: Bad configuration option: \\u{1b}[31mx");
        assert_eq!(complaint(""), "it gives no reason");
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
