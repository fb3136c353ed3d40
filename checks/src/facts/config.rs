//! The user's own ssh before any packet: its settings, its files, its control master.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check;
use crate::base::algorithms::Algorithms;
use crate::base::own_ssh::{Refusal, SessionSettings, Setting};
use crate::base::text::sanitize;

/// The observations of the user's own ssh and its settings for the target.
#[derive(Debug, Clone, Default, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// ssh's version, such as `OpenSSH_9.2p1 Debian-2+deb12u10`.
    pub ssh: String,
    /// Why ssh does not accept its settings, where it does not.
    pub refusal: Option<Refusal>,
    /// The jump host that is reached through itself.
    pub jump_loop: Option<String>,
    /// The configuration files that ssh read, and the one that it refused.
    pub files: Vec<ConfigFile>,
    /// The number of the user that ssh runs as.
    pub uid: u32,
    /// The settings for the target that are not ssh's defaults.
    pub settings: Vec<Setting>,
    /// Where `TCPKeepAlive yes` is set, ssh's default though it is; `null` where nobody set it.
    pub tcp_keepalive_from: Option<String>,
    /// The lists of algorithms that ssh offers by default.
    pub defaults: Algorithms,
    /// The control socket, where ControlPath is set.
    pub control: Option<Control>,
    /// The program that ProxyCommand begins with, where the command is simple enough to tell.
    pub proxy_program: Option<ProxyProgram>,
    /// The PKCS#11 library, where one is set.
    pub pkcs11: Option<Pkcs11>,
    /// The agent's socket, where one is set.
    pub agent: Option<AgentSocket>,
    /// The command, subsystem or shell that the settings make a session run.
    pub session: SessionSettings,
    /// The forwardings that ssh sets up after its login; `null` where there are none.
    pub forwardings: Option<Forwardings>,
    /// The home folder of the environment, where it has another `.ssh/config` than the one of the user database, which ssh reads.
    pub other_home: Option<OtherHome>,
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ConfigFile {
    /// Its name.
    pub path: String,
    /// Its permission bits, octal; `null` where it could not be looked at.
    pub mode: Option<String>,
    /// The number of its owner.
    pub owner: Option<u32>,
    /// True if group or others may write it.
    pub writable_by_others: bool,
}

/// The socket of a control master.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Control {
    /// The socket, tokens expanded.
    pub path: String,
    /// The length of that name, bytes.
    pub bytes: usize,
    /// The length at which this system no longer takes it for a socket's name, bytes (`sun_path`, unix(7)).
    pub limit: usize,
    /// True if ssh makes itself the master where there is none.
    pub becomes_master: bool,
    /// True if the folder of the socket exists.
    pub folder: bool,
    /// The state of the socket.
    pub socket: ControlSocket,
    /// A command run through a master that answers; `null` where none did.
    pub session: Option<MasterSession>,
}

/// The state of a control socket.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ControlSocket {
    /// Nothing.
    Absent,
    /// A name that nobody listens at: ssh goes on without it.
    Stale {
        /// The error of connect(2).
        error: String,
    },
    /// Something that takes the connection and does not answer.
    Silent {
        /// The wait, seconds.
        waited_s: f64,
    },
    /// A master that answers.
    Alive {
        /// Its process, as it says.
        pid: Option<u32>,
    },
}

/// A command run through the control master.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct MasterSession {
    /// Milliseconds until it ended, or until the wait was over.
    pub ms: f64,
    /// ssh's exit status; `null` where nothing came back in that time.
    pub status: Option<i32>,
    /// The text that ssh said, escaped.
    pub said: Option<String>,
}

/// The program that ProxyCommand begins with.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ProxyProgram {
    /// Its name as the command has it.
    pub name: String,
    /// True if it is there and may be run, by the PATH of this process.
    pub found: bool,
}

/// A PKCS#11 library.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Pkcs11 {
    /// Its file.
    pub path: String,
    /// True if the file exists.
    pub found: bool,
}

/// The socket of an agent.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AgentSocket {
    /// Its name.
    pub path: String,
    /// The error of connect(2); `null` where somebody listens.
    pub error: Option<String>,
}

/// The forwardings that ssh sets up after its login.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Forwardings {
    /// True if ssh exits where one of them fails (`ExitOnForwardFailure`).
    pub required: bool,
    /// Forwardings that ssh listens for on this machine.
    pub listeners: Vec<Listener>,
    /// The keywords of those that the server is asked for.
    pub requested: Vec<String>,
    /// True if the control master has all of them; `null` where it was not asked.
    pub held_by_master: Option<bool>,
}

/// A forwarding that ssh listens for on this machine, and whether it could.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Listener {
    /// The keyword that it comes from.
    pub keyword: String,
    /// The port or socket.
    pub listen: String,
    /// True if ssh can listen at one address at least.
    pub works: bool,
    /// The errors, each with its address.
    pub errors: Vec<String>,
}

impl Forwardings {
    /// The listeners that fail.
    pub fn failing(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.iter().filter(|listener| !listener.works)
    }
}

/// A home folder that ssh does not use.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct OtherHome {
    /// HOME of the environment.
    pub environment: String,
    /// The home folder of the user database.
    pub database: String,
}

impl Facts {
    /// A setting that is not ssh's default.
    #[must_use]
    pub fn setting(&self, keyword: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.keyword.eq_ignore_ascii_case(keyword))
    }

    /// True if it is open if ssh exits for a forwarding: a control master would set it up, or has it already.
    #[must_use]
    pub fn leaves_forwardings_open(&self) -> bool {
        let open = |forwardings: &Forwardings| {
            let to_be_set_up = !forwardings.requested.is_empty() || forwardings.failing().next().is_some();
            forwardings.required && forwardings.held_by_master.is_none() && to_be_set_up
        };
        self.shares_a_connection() && self.forwardings.as_ref().is_some_and(open)
    }

    /// True if ssh goes through a control master that runs commands, so that sessions share its connection.
    #[must_use]
    pub fn shares_a_connection(&self) -> bool {
        self.control
            .as_ref()
            .is_some_and(|control| matches!(control.session, Some(MasterSession { status: Some(0), .. })))
    }
}

impl Control {
    /// True if ssh refuses the name, or fails to make a socket of it: of one that it makes, the name is 17 bytes longer for a
    /// moment (mux.c, `muxserver_listen`).
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.bytes >= self.limit || (self.becomes_master && self.bytes + TEMPORARY_SUFFIX >= self.limit)
    }

    /// True if ssh is to make the socket in a folder that does not exist.
    #[must_use]
    pub fn has_no_folder(&self) -> bool {
        self.becomes_master && !self.folder
    }

    /// True if ssh comes no further than to this socket.
    #[must_use]
    pub fn stops(&self) -> bool {
        self.is_too_long() || self.has_no_folder() || self.hangs()
    }

    /// True if a session through it, or the attempt to have one, never ends.
    #[must_use]
    pub fn hangs(&self) -> bool {
        matches!(self.socket, ControlSocket::Silent { .. })
            || self.session.as_ref().is_some_and(|session| session.status.is_none())
    }
}

/// A dot and 16 random characters.
const TEMPORARY_SUFFIX: usize = 17;

impl check::Facts for Facts {
    fn summary(&self) -> String {
        if let Some(hop) = &self.jump_loop {
            return format!("the jump host {} is reached through itself", sanitize(hop));
        }
        if let Some(refusal) = &self.refusal {
            let said = refusal.words.first().map_or("it gives no reason", String::as_str);
            return match refusal.status {
                Some(_) => format!("ssh does not accept its settings: {said}"),
                None => format!("ssh does not come to an end of its settings: {said}"),
            };
        }
        let own = match self.settings.len() {
            0 => "all settings are ssh's defaults".to_owned(),
            1 => "1 setting is not ssh's default".to_owned(),
            count => format!("{count} settings are not ssh's defaults"),
        };
        match &self.control {
            Some(control) if control.hangs() => {
                format!("{own}; the control master at {} does not answer", sanitize(&control.path))
            }
            Some(control) if control.has_no_folder() => format!("{own}; the folder of ControlPath does not exist"),
            Some(control) if control.is_too_long() => {
                format!("{own}; ControlPath is too long ({} bytes)", control.bytes)
            }
            Some(Control { socket: ControlSocket::Alive { .. }, .. }) => format!("{own}; a control master is running"),
            _ => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Control, ControlSocket};

    fn control(bytes: usize, becomes_master: bool) -> Control {
        Control {
            path: "x".repeat(bytes),
            bytes,
            limit: 108,
            becomes_master,
            folder: true,
            socket: ControlSocket::Absent,
            session: None,
        }
    }

    #[test]
    fn a_name_of_91_bytes_is_too_long_for_a_socket_that_ssh_makes_itself() {
        // OpenSSH 9.2 makes a master at 90 bytes and fails at 91.
        assert!(!control(90, true).is_too_long() && control(91, true).is_too_long());
        assert!(!control(107, false).is_too_long() && control(108, false).is_too_long());
    }
}
