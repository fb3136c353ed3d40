//! A proxy command run as ssh runs it: by the user's shell, its input and output the connection, hung up when dropped.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::base::target::PASSWORD_VARIABLE;
use crate::base::text::escaped;
use crate::facts::proxy::ProxyExit;
use crate::os::pause::timeout;

/// Bytes kept of the command's standard error at most.
const STDERR_BYTES: usize = 8192;
/// The time that the end of standard error is waited for once the command has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The command's standard input and output.
#[derive(Debug)]
pub struct ProxyStream {
    stdin: ChildStdin,
    stdout: ChildStdout,
    process: Process,
}

/// The command itself; it is hung up when the stream and every clone of this are gone.
#[derive(Debug, Clone)]
pub struct Process(Arc<Running>);

#[derive(Debug)]
struct Running {
    stderr: Mutex<Vec<u8>>,
    /// True if standard error was read to its end.
    read: watch::Receiver<bool>,
    end: watch::Receiver<Option<ProxyExit>>,
    waiting: AbortHandle,
    reading: Mutex<Option<AbortHandle>>,
}

/// A command that is notified of the end as by ssh (`kill_proxy_command`): by SIGHUP, after its input has ended. We do
/// not wait for it, in case it hangs.
#[derive(Debug)]
struct HungUp(Child);

impl Drop for HungUp {
    fn drop(&mut self) {
        // It has no number any more once it has ended, so nobody else's process is meant.
        if let Some(pid) = self.0.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGHUP);
        }
    }
}

impl ProxyStream {
    /// Starts the command.
    pub fn start(command: &str) -> io::Result<Self> {
        let shell =
            std::env::var("SHELL").ok().filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".to_owned());
        // The command stays in our process group, for it may ask at the terminal; Ctrl-C there is ours to obey, and what is
        // ignored stays ignored in the user's shell, whatever its syntax.
        let mut child = Command::new("/bin/sh")
            .args(["-c", r#"trap '' INT; exec "$0" -c "$1""#, &shell, &format!("exec {command}")])
            // A program of somebody else's has no business with it.
            .env_remove(PASSWORD_VARIABLE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(HungUp)?;
        let pipe_missing = || io::Error::other("the proxy command's pipes are missing");
        let stdin = child.0.stdin.take().ok_or_else(pipe_missing)?;
        let stdout = child.0.stdout.take().ok_or_else(pipe_missing)?;
        let stderr = child.0.stderr.take().ok_or_else(pipe_missing)?;
        let (tell, end) = watch::channel(None);
        let waiting = tokio::spawn(async move {
            if let Ok(status) = child.0.wait().await {
                let signalled = status.signal().map(|signal| ProxyExit::Signal { signal });
                // Nobody may be left to hear it.
                let _ = tell.send(status.code().map(|status| ProxyExit::Status { status }).or(signalled));
            }
        });
        let waiting = waiting.abort_handle();
        let (done, read) = watch::channel(false);
        let running = Running { stderr: Mutex::default(), end, read, waiting, reading: Mutex::default() };
        let process = Process(Arc::new(running));
        process.keep(stderr, done);
        Ok(Self { stdin, stdout, process })
    }

    /// The command itself, to be asked after the stream is gone.
    #[must_use]
    pub fn process(&self) -> Process {
        self.process.clone()
    }
}

impl Process {
    /// The text that it wrote to standard error so far, escaped.
    #[must_use]
    pub fn stderr(&self) -> Option<String> {
        let kept = lock(&self.0.stderr);
        (!kept.is_empty()).then(|| escaped(String::from_utf8_lossy(&kept).trim_end()))
    }

    /// The way it ended, if it ends within `deadline`.
    pub async fn end(&self, deadline: Duration) -> Option<ProxyExit> {
        let mut end = self.0.end.clone();
        let ended = timeout(deadline, end.wait_for(Option::is_some)).await;
        let how = ended.ok().and_then(Result::ok).and_then(|end| *end)?;
        // What it wrote last may still be in the pipe; a process that it left behind may hold that open.
        let mut read = self.0.read.clone();
        let _ = timeout(LAST_WORDS, read.wait_for(|read| *read)).await;
        Some(how)
    }

    /// Reads standard error to its end, and keeps the first bytes.
    fn keep(&self, mut stderr: ChildStderr, done: watch::Sender<bool>) {
        let running = Arc::downgrade(&self.0);
        let reading = tokio::spawn(async move {
            let mut chunk = [0; 1024];
            while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
                let Some(running) = running.upgrade() else { return };
                let mut kept = lock(&running.stderr);
                let room = STDERR_BYTES.saturating_sub(kept.len()).min(count);
                kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
            }
            // Nobody may be left to hear it.
            let _ = done.send(true);
        });
        *lock(&self.0.reading) = Some(reading.abort_handle());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The task owns the child, which is hung up with it.
        self.waiting.abort();
        if let Some(reading) = lock(&self.reading).take() {
            reading.abort();
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for ProxyStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdout).poll_read(cx, buf)
    }
}

impl AsyncWrite for ProxyStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stdin).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdin).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdin).poll_shutdown(cx)
    }
}
