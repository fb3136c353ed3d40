//! A real ssh-agent on the client.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::command::{Daemon, eventually, must};
use super::{Lab, python};

/// An agent that runs until it is dropped.
pub(crate) struct Agent {
    daemon: Child,
    socket: PathBuf,
}

impl Lab {
    /// An agent that holds these keys of the client, in this order.
    pub(crate) fn agent(&self, keys: &[&str]) -> Agent {
        let socket = self.home().path(&format!("agent_{}", keys.join("_")));
        let mut command = self.client().command("ssh-agent");
        command.args(["-D".as_ref(), "-a".as_ref(), socket.as_os_str()]).stdin(Stdio::null()).stdout(Stdio::null());
        let agent = Agent { daemon: command.spawn().expect("ip netns exec"), socket };
        assert!(eventually(Duration::from_secs(5), || agent.socket.exists()), "the agent does not listen");
        for key in keys {
            agent.add(self, &[], key);
        }
        agent
    }
}

impl Lab {
    /// An agent with a FIDO security key that may log in, and that somebody touches or nobody; and its option of ssh. None without
    /// Python.
    pub(crate) fn security_key(&self, touched: bool) -> Option<(Daemon, String)> {
        let mood = if touched { "touched" } else { "untouched" };
        let [socket, public] =
            [format!("{mood}_socket"), format!("client/.ssh/{mood}.pub")].map(|file| self.home().path(&file));
        let mut agent = self.client().command(python("cryptography")?);
        agent.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/security_key_agent.py"));
        let agent = Daemon::start(agent.args([&socket, &public]).arg(mood));
        self.home().authorize(mood);
        Some((agent, format!("IdentityAgent={}", socket.display())))
    }

    /// Makes the file of a FIDO security key that nobody has, and lets it log in. None without Python.
    pub(crate) fn security_key_file(&self, name: &str) -> Option<()> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/security_key_file.py");
        must(self.client().command(python("base64")?).arg(script).arg(self.home().key(name)), "");
        self.home().authorize(name);
        Some(())
    }

    /// How often the security key was touched.
    pub(crate) fn touches(&self) -> usize {
        let touches = self.home().path("client/.ssh/touched.pub.touches");
        fs::read_to_string(touches).unwrap_or_default().lines().count()
    }
}

impl Agent {
    /// Locks or unlocks it, as `ssh-add -x` and `-X` do at a terminal.
    pub(crate) fn lock(&self, locked: bool) {
        /// SSH_AGENTC_LOCK and SSH_AGENTC_UNLOCK (draft-ietf-sshm-ssh-agent), with the passphrase `x`.
        const REQUESTS: [[u8; 10]; 2] = [[0, 0, 0, 6, 23, 0, 0, 0, 1, b'x'], [0, 0, 0, 6, 22, 0, 0, 0, 1, b'x']];
        let mut agent = UnixStream::connect(&self.socket).expect("it listens");
        let mut answer = [0; 5];
        agent
            .write_all(&REQUESTS[usize::from(locked)])
            .and_then(|()| agent.read_exact(&mut answer))
            .expect("it answers");
        assert_eq!(answer, [0, 0, 0, 1, 6], "SSH_AGENT_SUCCESS");
    }

    /// Adds a key of the client with these options of ssh-add.
    pub(crate) fn add(&self, lab: &Lab, options: &[&str], key: &str) {
        let mut add = lab.client().command("ssh-add");
        must(add.arg("-q").args(options).arg(lab.home().key(key)).env("SSH_AUTH_SOCK", &self.socket), "");
    }

    /// The option that makes ssh use this agent.
    pub(crate) fn option(&self) -> String {
        format!("IdentityAgent={}", self.socket.display())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
