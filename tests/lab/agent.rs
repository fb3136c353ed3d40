//! A real ssh-agent on the client.

use std::path::{Path, PathBuf};
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
            let mut add = self.client().command("ssh-add");
            must(add.arg("-q").arg(self.home().key(key)).env("SSH_AUTH_SOCK", &agent.socket), "");
        }
        agent
    }
}

impl Agent {
    /// The option that makes ssh use this agent.
    pub(crate) fn option(&self) -> String {
        format!("IdentityAgent={}", self.socket().display())
    }

    fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
