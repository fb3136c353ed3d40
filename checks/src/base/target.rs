//! The target of an examination, and its limits.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use super::algorithms::Algorithms;
use super::own_ssh::OwnSsh;

/// The length below which OpenSSH rejects an RSA key with any settings (`SSH_RSA_MINIMUM_MODULUS_SIZE` since 7.6), bits.
pub const LEAST_RSA_BITS: u32 = 1024;

/// One SSH server as the user's own `ssh` would reach it: every setting resolved.
#[derive(Debug, Clone)]
pub struct Target {
    /// The user's own input.
    pub input: String,
    /// The host name after ssh_config: what is looked up and connected to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Login name on the server.
    pub user: String,
    /// The address families that ssh may use (`AddressFamily`).
    pub family: AddressFamily,
    /// Local address to connect from (`BindAddress`).
    pub bind: Option<IpAddr>,
    /// Largest TCP segment to send and to ask the server for, bytes (`TCP_MAXSEG`, tcp(7)); `None` leaves it to the system.
    pub segment: Option<u32>,
    /// The proxy to the server, if it is not reached by a direct TCP connection.
    pub proxy: Option<Proxy>,
    /// The way the server proves who it is.
    pub host_keys: HostKeyPolicy,
    /// The least length of an RSA key, the server's or the user's, bits (`RequiredRSASize`).
    pub required_rsa_bits: u32,
    /// The way we prove who we are.
    pub credentials: Credentials,
    /// The algorithms that the user's own client offers, in its order.
    pub algorithms: Algorithms,
    /// IP type-of-service byte that ssh sets for interactive sessions (`IPQoS`); `None` leaves it alone.
    pub tos: Option<u8>,
    /// The command-line flags that led to this target.
    pub flags: Flags,
    /// The user's own ssh; none where none is installed, or the target is not the user's.
    pub own_ssh: Option<OwnSsh>,
    /// The keepalives that the user's own sessions have today, and the settings that we cannot honour.
    pub settings: Settings,
}

impl Target {
    /// True if ssh does not accept its settings for it, so that nothing about it is resolved.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.own_ssh.as_ref().is_some_and(|own| own.refusal.is_some())
    }

    /// A server as ssh would reach it with an empty configuration, no agent, no keys and no known hosts.
    #[must_use]
    pub fn bare(host: &str, port: u16, user: &str) -> Self {
        Self {
            input: host.to_owned(),
            host: host.to_owned(),
            port,
            user: user.to_owned(),
            family: AddressFamily::Any,
            bind: None,
            segment: None,
            proxy: None,
            host_keys: HostKeyPolicy {
                alias: None,
                user_files: Vec::new(),
                global_files: Vec::new(),
                strictness: Strictness::Ask,
                verify_dns: false,
                revoked: None,
                command: false,
                check_address: false,
                authority_algorithms: Vec::new(),
                skip_loopback: false,
            },
            required_rsa_bits: LEAST_RSA_BITS,
            credentials: Credentials::default(),
            algorithms: Algorithms::default(),
            tos: None,
            flags: Flags::default(),
            own_ssh: None,
            settings: Settings {
                source: "no configuration".to_owned(),
                server_alive_count_max: 3,
                server_alive_from: "ssh's default".to_owned(),
                tcp_keepalive: true,
                ..Settings::default()
            },
        }
    }
}

/// The part of ssh's command line that says where to go, by which route and as whom: a command that is to go there needs it too.
#[derive(Debug, Clone, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// The configuration file (`-F`).
    pub config: Option<String>,
    /// The port: `-p`, `-o Port`, or what stands behind the host.
    pub port: Option<u16>,
    /// The login name: `-l`, `-o User`, or what stands before the host.
    pub login: Option<String>,
    /// The hops (`-J`).
    pub jump: Option<String>,
    /// The private keys (`-i`).
    pub identities: Vec<String>,
    /// The `-o` options that do the same; never recorded, for a command may hold a secret, and one from a recording must not be run.
    #[serde(skip)]
    pub options: Vec<String>,
}

/// `AddressFamily` of ssh_config, or `-4` and `-6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    /// Both families, in the system's order.
    Any,
    /// IPv4 only.
    Inet,
    /// IPv6 only.
    Inet6,
}

impl AddressFamily {
    /// True if the address is one of the family.
    #[must_use]
    pub fn includes(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Inet => address.is_ipv4(),
            Self::Inet6 => address.is_ipv6(),
        }
    }
}

/// A way to the server that ssh itself starts.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// The shell command whose standard input and output are the connection, tokens expanded.
    pub command: String,
    /// The hops of a `ProxyJump`, first hop first; empty for a `ProxyCommand`.
    pub hops: Vec<String>,
    /// Each of those hops as a target of its own, and before them those that the first one is behind itself; empty for a
    /// `ProxyCommand`, which is run.
    pub jumps: Vec<Target>,
}

/// The known_hosts files, and the policy for an unknown key.
#[derive(Debug, Clone)]
pub struct HostKeyPolicy {
    /// The name that known_hosts is searched for, when it is not the host's own (`HostKeyAlias`).
    pub alias: Option<String>,
    /// `UserKnownHostsFile`, expanded, in order.
    pub user_files: Vec<PathBuf>,
    /// `GlobalKnownHostsFile`, expanded, in order.
    pub global_files: Vec<PathBuf>,
    /// `StrictHostKeyChecking`.
    pub strictness: Strictness,
    /// True if ssh looks for the key's fingerprint in DNS too (`VerifyHostKeyDNS`).
    pub verify_dns: bool,
    /// The file of `RevokedHostKeys`, as it is written: ssh expands nothing in it.
    pub revoked: Option<PathBuf>,
    /// True if ssh runs a command that prints further lines of known_hosts (`KnownHostsCommand`); it is not run here.
    pub command: bool,
    /// True if ssh compares the key with that of the server's address too (`CheckHostIP`).
    pub check_address: bool,
    /// The algorithms by which an authority may sign a host certificate (`CASignatureAlgorithms`); empty for any but SHA-1.
    pub authority_algorithms: Vec<String>,
    /// True if ssh takes any key at a loopback address (`NoHostAuthenticationForLocalhost`).
    pub skip_loopback: bool,
}

/// `StrictHostKeyChecking` of ssh_config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strictness {
    /// Unknown keys are refused.
    Yes,
    /// The user is asked about an unknown key.
    Ask,
    /// Unknown keys are accepted, changed ones refused.
    AcceptNew,
    /// Unknown keys are accepted; a changed key only disables passwords in ssh. We stop at it all the same.
    No,
}

/// Everything the user lets us log in with; nothing here is ever serialized.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// The agent's socket (`IdentityAgent` or `SSH_AUTH_SOCK`); `None` when there is none or it is disabled.
    pub agent: Option<PathBuf>,
    /// `IdentityFile`s in ssh's order, expanded.
    pub identities: Vec<Identity>,
    /// `CertificateFile`s, expanded.
    pub certificates: Vec<PathBuf>,
    /// Offer only the configured identities, even when the agent holds more (`IdentitiesOnly`).
    pub identities_only: bool,
    /// The signature algorithms that ssh uses with user keys (`PubkeyAcceptedAlgorithms`); empty for ssh's own choice.
    pub accepted: Vec<String>,
    /// Authentication methods in the order to try them (`PreferredAuthentications`).
    pub preferred: Vec<String>,
    /// A password from a file or the environment.
    pub password: Option<SecretString>,
    /// True if a person at a terminal can be asked for a passphrase, a password or a yes.
    pub can_ask: bool,
    /// True if ssh would ask nobody either (`BatchMode`).
    pub batch_mode: bool,
    /// Credentials that ssh could use by its settings, and this examination cannot.
    pub only_ssh: Vec<OnlySsh>,
}

impl Credentials {
    /// True if no question of the server can be answered: neither a person nor a password is there.
    #[must_use]
    pub fn unattended(&self) -> bool {
        !self.can_ask && self.password.is_none()
    }
}

/// A setting that gives ssh a credential which only ssh itself can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlySsh {
    /// The authentication method that it is used with.
    pub method: &'static str,
    /// The setting's keyword.
    pub keyword: &'static str,
}

/// A private key file, and whether the user named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The file, `~` and tokens expanded.
    pub path: PathBuf,
    /// True when it is not one of ssh's default names: only then is a missing file worth a word.
    pub explicit: bool,
}

/// The user's settings that the report quotes.
#[derive(Debug, Clone, Default, JsonSchema, Serialize, Deserialize)]
pub struct Settings {
    /// The program that resolved them: `ssh -G (OpenSSH_9.2p1 ...)`, or the parser's name.
    pub source: String,
    /// `ServerAliveInterval`, seconds; 0 means that ssh sends no keepalives.
    pub server_alive_interval_s: u64,
    /// `ServerAliveCountMax`.
    pub server_alive_count_max: u64,
    /// The source of the interval: `ssh's default`, `the command line`, or a file.
    pub server_alive_from: String,
    /// `TCPKeepAlive`.
    pub tcp_keepalive: bool,
    /// The limit of this examination on a connection and its handshake, seconds.
    #[serde(default)]
    pub connect_timeout_s: Option<f64>,
    /// The source of that: `ConnectTimeout`, `--timeout`, or `the doctor's own`, where ssh waits as long as the system does.
    #[serde(default)]
    pub connect_timeout_from: String,
    /// Settings of the user that this examination does not honour, each with the reason.
    pub not_honoured: Vec<String>,
    /// Of those, the ones that could change the outcome: with them ssh may fail or work where this examination does not.
    #[serde(default)]
    pub deciding: Vec<String>,
    /// True if one of these shows only after a login: then not even ssh's own tells.
    #[serde(default)]
    pub beyond_login: bool,
}

/// The route by which the server is reached once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By TCP, to this address.
    Direct(SocketAddr),
    /// By the target's proxy command.
    Proxy,
    /// Through a connection to a hop.
    Hops,
}

/// The variable of the environment in which a user may give a password.
pub const PASSWORD_VARIABLE: &str = "SSH_DOCTOR_PASSWORD";
