//! The socket of a control master: what is there, and whether a session through it works.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;

use crate::base::own_ssh::{ControlPath, OwnSsh};
use crate::base::text::sanitize;
use crate::facts::config::{Control, ControlSocket, MasterSession};
use crate::ssh::openssh::{self, Ran};

/// The time that a master may take to answer: it has only to read and write at a socket.
const ANSWER: Duration = Duration::from_secs(3);
/// The time that a command through it may take.
const SESSION: Duration = Duration::from_secs(10);
/// The length of a socket's name at which Linux no longer takes it, bytes (`sun_path`, unix(7)); elsewhere it is 104.
pub(super) const LIMIT: usize = if cfg!(target_os = "linux") { 108 } else { 104 };

/// Looks at the socket. Where a master answers, `true` is run through it, since a master whose connection is dead answers too.
pub(super) async fn look(control: &ControlPath, own: &OwnSsh, stage: Duration) -> Control {
    let path = &control.path;
    let name = path.display().to_string();
    let mut seen = Control {
        bytes: path.as_os_str().len(),
        limit: LIMIT,
        becomes_master: control.becomes_master,
        folder: path.parent().is_none_or(Path::is_dir),
        socket: ControlSocket::Absent,
        session: None,
        path: name,
    };
    if seen.bytes >= LIMIT || !path.exists() {
        return seen;
    }
    seen.socket = socket(path, own, stage).await;
    if matches!(seen.socket, ControlSocket::Alive { .. }) {
        seen.session = Some(session(path, own, stage).await);
    }
    seen
}

async fn socket(path: &Path, own: &OwnSsh, stage: Duration) -> ControlSocket {
    if let Err(error) = UnixStream::connect(path).await {
        if error.kind() == io::ErrorKind::WouldBlock {
            // Its queue is full of others that wait, and ssh waits to get into it.
            return ControlSocket::Silent { waited_s: 0.0 };
        }
        return ControlSocket::Stale { error: error.to_string() };
    }
    let limit = ANSWER.min(stage);
    match openssh::run(&through(path, own, &["-O", "check"], &[]), limit).await {
        Ok(ran) if ran.cut => ControlSocket::Silent { waited_s: limit.as_secs_f64() },
        Ok(ran) if ran.status == Some(0) => ControlSocket::Alive { pid: pid(&ran.stderr) },
        Ok(ran) => {
            ControlSocket::Stale { error: words(&ran).unwrap_or_else(|| "it does not answer as a master".into()) }
        }
        Err(error) => ControlSocket::Stale { error: error.to_string() },
    }
}

async fn session(path: &Path, own: &OwnSsh, stage: Duration) -> MasterSession {
    // Forwardings that the master does not have yet would stay there.
    let options =
        ["RemoteCommand=none", "RequestTTY=no", "SessionType=default", "LogLevel=ERROR", "ClearAllForwardings=yes"];
    let options: Vec<_> = options.iter().flat_map(|option| ["-o", option]).collect();
    // Where the master refuses a session, ssh would connect by itself, which is not the question here.
    let options = [&options[..], &["-T", "-o", "ProxyCommand=false"]].concat();
    match openssh::run(&through(path, own, &options, &["true"]), SESSION.min(stage)).await {
        Ok(ran) => MasterSession {
            ms: ran.took.as_secs_f64() * 1000.0,
            status: if ran.cut { None } else { Some(ran.status.unwrap_or(-1)) },
            said: words(&ran),
        },
        Err(error) => MasterSession { ms: 0.0, status: Some(-1), said: Some(error.to_string()) },
    }
}

/// True if the master has the user's forwardings already. It would set up one that it lacks: for those alone whose ports are taken, by it
/// or by another program.
pub(super) async fn has_forwardings(path: &Path, own: &OwnSsh, stage: Duration) -> Option<bool> {
    let ran = openssh::run(&through(path, own, &["-O", "forward"], &[]), ANSWER.min(stage)).await.ok()?;
    ran.status.map(|status| status == 0)
}

/// ssh's arguments with this socket; of an option the first value counts, so ours come first.
fn through(path: &Path, own: &OwnSsh, before: &[&str], after: &[&str]) -> Vec<String> {
    let socket = path.display().to_string().replace('%', "%%");
    let ours = ["-S", &socket, "-o", "ControlMaster=no", "-o", "BatchMode=yes"];
    let ours = ours.iter().chain(before).map(ToString::to_string);
    ours.chain(own.arguments.iter().cloned()).chain(after.iter().map(ToString::to_string)).collect()
}

/// `Master running (pid=11390)`.
fn pid(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("pid=")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn words(ran: &Ran) -> Option<String> {
    ran.stderr.lines().map(str::trim).find(|line| !line.is_empty()).map(sanitize)
}

#[cfg(test)]
mod tests {
    use super::{pid, through};
    use crate::base::own_ssh::OwnSsh;

    #[test]
    fn ours_come_before_the_users_and_the_command_after_the_host() {
        let own =
            OwnSsh { arguments: ["-o", "ControlMaster=auto", "--", "db"].map(Into::into).into(), ..OwnSsh::default() };
        let all = through("/tmp/a%b".as_ref(), &own, &["-T"], &["true"]).join(" ");
        assert_eq!(all, "-S /tmp/a%%b -o ControlMaster=no -o BatchMode=yes -T -o ControlMaster=auto -- db true");
        assert_eq!((pid("Master running (pid=11390)\r\n"), pid("no")), (Some(11390), None));
    }
}
