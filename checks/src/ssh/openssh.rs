//! The user's own ssh, run within bounds of time and size.

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::base::target::PASSWORD_VARIABLE;
use crate::os::pause::timeout;

/// The most that is kept of either stream, bytes; the settings of a host take 6 KiB, with their log 20 KiB.
const MAX_OUTPUT_BYTES: u64 = 1 << 20;

/// A run of ssh that came to its end, or was cut short.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Its exit status; none for one that was ended by a signal, or by us when the wait was over.
    pub status: Option<i32>,
    /// True if the wait was over before it ended.
    pub cut: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// The time that it took.
    pub took: Duration,
}

/// The command of a run of ssh: killed when dropped, with nothing on its standard input and without our secrets.
#[must_use]
pub fn command(arguments: &[String]) -> Command {
    let mut command = Command::new("ssh");
    command
        .args(arguments)
        // A program of somebody else's has no business with it.
        .env_remove(PASSWORD_VARIABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs ssh for at most `deadline`.
///
/// # Errors
/// If it cannot be started; [`io::ErrorKind::NotFound`] where no OpenSSH client is installed.
pub async fn run(arguments: &[String], deadline: Duration) -> io::Result<Ran> {
    let began = Instant::now();
    let mut child = command(arguments).spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut texts = (Vec::new(), Vec::new());
    let streams = async { tokio::join!(keep(out, &mut texts.0), keep(err, &mut texts.1)) };
    let ended = timeout(deadline, async {
        // A process that ssh leaves behind, such as a control master, may hold its streams open.
        let (status, _) = tokio::join!(child.wait(), timeout(deadline, streams));
        status
    })
    .await;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ran {
        status: ended.as_ref().ok().and_then(|status| status.as_ref().ok()?.code()),
        cut: ended.is_err(),
        stdout: text(texts.0),
        stderr: text(texts.1),
        took: began.elapsed(),
    })
}

/// Reads a stream to its end, and keeps the first bytes: a full pipe would keep ssh from ending.
async fn keep(stream: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut stream) = stream else { return };
    let mut chunk = vec![0; 8192];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let room = usize::try_from(MAX_OUTPUT_BYTES).unwrap_or(usize::MAX).saturating_sub(kept.len());
        kept.extend_from_slice(chunk.get(..count.min(room)).unwrap_or_default());
    }
}
