//! Commands run to their end or to a deadline.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::keep_reports;

/// How often a wait looks again.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);

/// A command that was run: all it printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit status; none where the deadline ended it.
    pub(crate) status: Option<i32>,
    pub(crate) took: Duration,
}

/// Runs a command without input; at the deadline it and its children are killed.
pub(crate) fn run(command: &mut Command, deadline: Duration) -> Run {
    run_to_end(command.stdin(Stdio::null()), deadline)
}

/// Runs it with an input that stays open and brings nothing.
pub(crate) fn run_at_prompt(command: &mut Command, deadline: Duration) -> Run {
    run_to_end(command.stdin(Stdio::piped()), deadline)
}

fn run_to_end(command: &mut Command, deadline: Duration) -> Run {
    let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a temporary file"));
    // Files, not pipes: a background process that holds the output open must not hold the test.
    command.stdout(handle(&stdout)).stderr(handle(&stderr)).process_group(0);
    let began = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let status = wait(&mut child, deadline);
    let took = began.elapsed();
    if status.is_none() {
        kill_group(&mut child);
    }
    let (stdout, stderr) = (contents(stdout), contents(stderr));
    keep_reports(&stdout);
    Run { stdout, stderr, status, took }
}

/// Waits until something is true; false at the deadline.
pub(crate) fn eventually(deadline: Duration, mut is_true: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !is_true() {
        if began.elapsed() > deadline {
            return false;
        }
        sleep(GLANCE);
    }
    true
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Daemon(Child);

impl Daemon {
    /// Starts a program that prints a line when it is ready.
    pub(super) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut daemon = Self(command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}")));
        let mut line = String::new();
        let said = BufReader::new(daemon.0.stdout.take().expect("piped")).read_line(&mut line);
        assert!(said.is_ok_and(|length| length > 0), "{command:?} ended at once");
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a setting-up command with text on its standard input; a failure of it is a failure of the test.
pub(crate) fn must(command: &mut Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("the command reads its input");
    let output = child.wait_with_output().expect("the command ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed on {input:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn wait(child: &mut Child, deadline: Duration) -> Option<i32> {
    let mut status = None;
    eventually(deadline, || {
        status = child.try_wait().expect("our own child");
        status.is_some()
    });
    status.map(|ended| ended.code().unwrap_or(-1))
}

fn kill_group(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-9", "--", &group]).status();
    let _ = child.wait();
}

fn handle(file: &File) -> Stdio {
    file.try_clone().expect("a second handle").into()
}

fn contents(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("our own file");
    String::from_utf8_lossy(&bytes).into_owned()
}
