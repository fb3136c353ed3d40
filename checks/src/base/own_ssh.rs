//! The user's own ssh: what it said of its settings for a target, and the command line by which it goes there.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::algorithms::Algorithms;

/// The user's own ssh, as far as it was asked for its settings for one target.
#[derive(Debug, Clone, Default)]
pub struct OwnSsh {
    /// Its version, such as `OpenSSH_9.2p1 Debian-2+deb12u10`.
    pub version: String,
    /// The arguments by which it goes to the target: the user's flags, `--`, and the host.
    pub arguments: Vec<String>,
    /// The configuration files that it read, in order.
    pub files: Vec<PathBuf>,
    /// The settings for the target that are not its defaults.
    pub settings: Vec<Setting>,
    /// The lists of algorithms that it offers by default.
    pub defaults: Algorithms,
    /// The reason for which ssh rejects its settings, if it does.
    pub refusal: Option<Refusal>,
    /// The jump host that is reached through itself; its settings then have no end.
    pub jump_loop: Option<String>,
    /// The socket of a control master, where ControlPath is set.
    pub control: Option<ControlPath>,
    /// The place where `TCPKeepAlive yes` is set, although it is ssh's default; `None` where it is set nowhere.
    pub tcp_keepalive_from: Option<String>,
    /// `PKCS11Provider`, where it is set.
    pub pkcs11: Option<PathBuf>,
    /// The session by the settings, where it differs from the one the command line asks for.
    pub session: SessionSettings,
    /// The forwardings that it sets up after its login.
    pub forwardings: Forwardings,
}

/// The forwardings that ssh sets up after its login.
#[derive(Debug, Clone, Default)]
pub struct Forwardings {
    /// True if it exits where one of them fails (`ExitOnForwardFailure`).
    pub required: bool,
    /// The forwardings that it listens for on this machine (`LocalForward`, `DynamicForward`).
    pub listeners: Vec<Listener>,
    /// The keywords of those that are requested from the server (`RemoteForward`, `Tunnel`).
    pub requested: Vec<&'static str>,
    /// True if one of them leaves a socket behind in a file system, here or on the server.
    pub leaves_socket: bool,
}

/// A forwarding that ssh listens for on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The keyword that it comes from.
    pub keyword: &'static str,
    /// The place as `ssh -G` prints it: `8080`, `[127.0.0.1]:8080`, a path.
    pub listen: String,
    /// The place.
    pub place: ListenPlace,
}

/// The place where ssh listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenPlace {
    /// At a port of the loopback addresses, of every address (an empty host), or of a host's.
    Port {
        /// The host; none for the loopback addresses.
        host: Option<String>,
        /// The port.
        port: u16,
    },
    /// At a socket in the file system.
    Socket {
        /// Its name.
        path: PathBuf,
        /// True if one that is there is replaced (`StreamLocalBindUnlink`).
        replaces: bool,
    },
}

/// A setting that is not ssh's default.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Setting {
    /// The keyword as ssh_config(5) spells it.
    pub keyword: String,
    /// The value. Commands, environment variables and names may hold a secret: of these it is the length and the first digits of the
    /// SHA-256 (`--record-plain` keeps them).
    pub value: Option<String>,
    /// Where it was set: `the command line`, a file and line, or `a configuration file`.
    pub from: String,
}

/// ssh's refusal of its own settings.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Refusal {
    /// Its words, escaped, one a line; empty where it said nothing.
    pub words: Vec<String>,
    /// Its exit status; `null` where it was still reading its settings when the wait was over.
    pub status: Option<i32>,
}

/// `ControlPath`, and its use by ssh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPath {
    /// The socket, tokens expanded.
    pub path: PathBuf,
    /// True if ssh makes itself the master where there is none (`ControlMaster` is not `no`).
    pub becomes_master: bool,
}

/// The settings that decide on what a session runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionSettings {
    /// True if `RemoteCommand` is set: ssh then refuses a command on its command line.
    pub remote_command: bool,
    /// True if `RequestTTY` asks for a terminal even for a command (`yes` with a terminal on this side, `force` always).
    pub request_tty: Option<String>,
    /// `SessionType`, where it is not `default`: with `none` nothing is run.
    pub session_type: Option<String>,
}
