//! Sessions of plain `ssh` that stay open while a test goes on.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use super::{Lab, Server, eventually};

/// A session that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldSession {
    child: Child,
    input: Option<ChildStdin>,
}

impl Lab {
    /// Opens a session through plain `ssh` with these options, and waits until the server runs the command.
    pub(crate) fn hold(&self, server: &Server, options: &[&str], remote: &str) -> HeldSession {
        let begun = if remote.is_empty() { "Accepted publickey" } else { "Starting session" };
        let count = || server.log().matches(begun).count();
        let before = count();
        let remote: &[&str] = if remote.is_empty() { &[] } else { &[remote] };
        let mut ssh = self.client().command("ssh");
        ssh.env("HOME", self.home.path("client")).args(self.ssh_args(server, options, remote));
        let held = HeldSession::start(&mut ssh);
        assert!(eventually(Duration::from_secs(20), || count() > before), "no session: {}", server.log());
        held
    }

    /// Runs this program with these arguments on a host.
    pub(crate) fn tool_at_server(&self, args: &[&str], deadline: Duration) -> super::Run {
        let mut tool = self.server_host().command(env!("CARGO_BIN_EXE_ssh-doctor"));
        super::command::run(tool.env("HOME", self.home.path("server")).args(args), deadline)
    }

    /// Runs this program with these arguments on the client.
    pub(crate) fn tool(&self, args: &[&str], deadline: Duration) -> super::Run {
        self.run(env!("CARGO_BIN_EXE_ssh-doctor"), args, deadline)
    }
}

impl HeldSession {
    /// Starts a command with an input that stays open; what it prints goes nowhere.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("ip netns exec");
        let input = child.stdin.take();
        Self { child, input }
    }

    /// The process of ssh.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a line, as its user would by typing it.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        input.write_all(format!("{line}\n").as_bytes()).expect("ssh reads its input");
    }

    /// True if ssh still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// Sends ssh a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|sent| sent.success()));
    }
}

impl Drop for HeldSession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
