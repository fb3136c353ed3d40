//! A real ssh-agent on the client.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::Lab;
use super::command::{eventually, must};

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

impl Agent {
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
