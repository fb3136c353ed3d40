//! The steps of a connection that logs record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Check;

/// A step that a log records. In parentheses: the values of its entry, each present where the line has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The server listens (`address`, `port`).
    ServerStarted,
    /// The server stops or starts again.
    ServerStopped,
    /// The server accepted a connection (`address`, `port`).
    Accepted,
    /// The server turned a connection away before it was one (`address`, `port`).
    TurnedAway,
    /// The server has a process of the session's own (`pid`).
    ChildStarted,
    /// The login name is not that of an account (`user`, `address`, `port`).
    UnknownUser,
    /// The server refused a method (`method`, `user`, `address`, `port`).
    LoginRefused,
    /// A configuration file is read (`file`).
    ConfigRead,
    /// A configuration file, or a setting in it, is not accepted (`file`, `why`).
    ConfigRejected,
    /// The name is looked up (`host`).
    Resolving,
    /// The name has no address (`host`, `why`).
    ResolveFailed,
    /// A ProxyCommand is started (`command`).
    ProxyStarted,
    /// A control master is asked for a session (`file`).
    MasterAsked,
    /// An address is tried (`host`, `address`, `port`).
    Connecting,
    /// An address could not be connected to, and another one may follow (`host`, `address`, `port`, `why`).
    ConnectFailed,
    /// No address could be connected to (`host`, `port`, `why`).
    NotConnected,
    /// TCP is connected.
    Connected,
    /// A key file was looked for; type -1 is none (`file`, `type`).
    IdentityFile,
    /// This end's version was sent (`version`).
    VersionSent,
    /// A line came before the version (`text`).
    LineBeforeVersion,
    /// The other end's version arrived (`protocol`, `software`).
    VersionReceived,
    /// The login name is stated (`host`, `port`, `user`).
    LoginName,
    /// KEXINIT was sent.
    KexinitSent,
    /// KEXINIT was received.
    KexinitReceived,
    /// The lists of a KEXINIT follow (`whose`: client or server).
    Proposal,
    /// One list of a KEXINIT (`kind`, `names`).
    ProposalList,
    /// An algorithm was agreed on (`kind`, `name`).
    Algorithm,
    /// The cipher of one direction was agreed on (`direction`, `cipher`, `mac`, `compression`).
    Cipher,
    /// Nothing in common (`text`: the kind of algorithm; `names`: those of the other end).
    NothingInCommon,
    /// A reply of the key exchange is waited for (`message`).
    KexReplyAwaited,
    /// A reply of the key exchange arrived (`message`).
    KexReply,
    /// The server's host key (`kind`, `fingerprint`).
    HostKey,
    /// known_hosts, or a certificate, vouches for the host key (`host`, `kind`).
    HostKeyTrusted,
    /// Where the host key was found (`file`, `line`).
    HostKeyFound,
    /// The host key is not recorded (`host`).
    HostKeyUnknown,
    /// The recorded host key is another one.
    HostKeyChanged,
    /// The host key is marked as revoked.
    HostKeyRevoked,
    /// The client goes no further because of the host key.
    HostKeyRejected,
    /// New keys were sent.
    NewkeysSent,
    /// New keys were received.
    NewkeysReceived,
    /// The signature algorithms that the server takes (`names`).
    SignatureAlgorithms,
    /// The server takes logins.
    LoginBegun,
    /// The login methods that the server offers (`methods`).
    MethodsOffered,
    /// The person is asked for a password (`user`, `host`).
    Asked,
    /// A login method is tried (`method`).
    MethodTried,
    /// The agent is asked for its keys (`file`).
    AgentAsked,
    /// The agent told its keys.
    AgentAnswered,
    /// A public key is offered (`key`, `kind`, `fingerprint`).
    KeyOffered,
    /// A private key without a public half at hand is tried (`key`).
    KeyTried,
    /// The server accepts an offered key (`key`, `kind`, `fingerprint`).
    KeyAccepted,
    /// The agent, or the key, does not sign (`key`, `why`).
    SigningFailed,
    /// A factor was accepted and another one is wanted (`method`).
    PartialSuccess,
    /// The login succeeded (`method`).
    LoggedIn,
    /// No method is left to try.
    MethodsExhausted,
    /// The login failed (`user`, `host`, `methods`).
    LoginFailed,
    /// The server sent text for the user, or about the key (`text`).
    ServerMessage,
    /// A channel was asked for (`channel`, `kind`).
    ChannelAsked,
    /// A channel was refused (`channel`, `why`).
    ChannelRefused,
    /// A command, shell or subsystem was asked for (`what`).
    RequestSent,
    /// It was granted (`what`).
    RequestGranted,
    /// It was refused (`what`).
    RequestRefused,
    /// A forwarding was refused (`what`).
    ForwardRefused,
    /// The session is running.
    SessionBegun,
    /// The exit status or signal of the command arrived (`what`).
    CommandEnded,
    /// A channel is gone (`channel`).
    ChannelFreed,
    /// The client ended with this status (`status`).
    ExitStatus,
    /// The amount that was moved (`sent`, `received`, `seconds`).
    Transferred,
    /// A program that runs ssh reports that its work was done.
    Succeeded,
    /// The server asked for a sign of life (`want_reply`).
    ServerKeepalive,
    /// Keys are exchanged again.
    Rekeying,
    /// The client gave up, since its keepalives got no answer (`host`).
    KeepaliveTimeout,
    /// SSH_MSG_DISCONNECT arrived (`code`, `text`).
    DisconnectReceived,
    /// This end disconnected (`why`).
    DisconnectSent,
    /// The other end closed the connection (`where`).
    Closed,
    /// The connection was reset (`where`).
    Reset,
    /// A wait of this end was over (`where`).
    TimedOut,
    /// The connection failed in another way (`where`, `why`).
    Failed,
}

/// The part that an event plays in its check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The check is under way.
    Step,
    /// The check has done its job.
    Passes,
    /// The check fails.
    Fails,
    /// The connection fails, at whichever check it is.
    Ends,
}

impl Event {
    /// The check that the event belongs to, and its part in it; `None` for what precedes any packet.
    #[must_use]
    pub fn place(self) -> Option<(Check, Part)> {
        use Event as E;
        let place = match self {
            E::ServerStarted | E::ServerStopped | E::ChildStarted | E::IdentityFile => return None,
            E::ConfigRead | E::MasterAsked => (Check::Config, Part::Step),
            E::ConfigRejected => (Check::Config, Part::Fails),
            E::Resolving => (Check::Dns, Part::Step),
            E::ResolveFailed => (Check::Dns, Part::Fails),
            E::ProxyStarted | E::Connecting | E::ConnectFailed => (Check::Tcp, Part::Step),
            E::NotConnected => (Check::Tcp, Part::Fails),
            E::Accepted | E::Connected => (Check::Tcp, Part::Passes),
            E::VersionSent
            | E::LineBeforeVersion
            | E::VersionReceived
            | E::LoginName
            | E::KexinitSent
            | E::KexinitReceived
            | E::Proposal
            | E::ProposalList
            | E::Algorithm
            | E::Cipher
            | E::KexReplyAwaited
            | E::KexReply
            | E::NewkeysSent => (Check::Handshake, Part::Step),
            E::TurnedAway | E::NothingInCommon => (Check::Handshake, Part::Fails),
            E::NewkeysReceived | E::SignatureAlgorithms => (Check::Handshake, Part::Passes),
            E::HostKeyTrusted => (Check::Hostkey, Part::Passes),
            E::HostKey | E::HostKeyFound | E::HostKeyUnknown | E::HostKeyChanged | E::HostKeyRevoked => {
                (Check::Hostkey, Part::Step)
            }
            E::HostKeyRejected => (Check::Hostkey, Part::Fails),
            E::UnknownUser
            | E::LoginRefused
            | E::LoginBegun
            | E::MethodsOffered
            | E::Asked
            | E::MethodTried
            | E::AgentAsked
            | E::AgentAnswered
            | E::KeyOffered
            | E::KeyTried
            | E::KeyAccepted
            | E::SigningFailed
            | E::PartialSuccess
            | E::ServerMessage => (Check::Auth, Part::Step),
            E::LoggedIn => (Check::Auth, Part::Passes),
            E::MethodsExhausted | E::LoginFailed => (Check::Auth, Part::Fails),
            E::ChannelAsked | E::RequestSent | E::SessionBegun | E::ForwardRefused => (Check::Channel, Part::Step),
            E::ChannelRefused | E::RequestRefused => (Check::Channel, Part::Fails),
            E::RequestGranted | E::CommandEnded => (Check::Channel, Part::Passes),
            E::ChannelFreed | E::ExitStatus | E::Transferred | E::Succeeded | E::ServerKeepalive | E::Rekeying => {
                (Check::Exit, Part::Step)
            }
            E::KeepaliveTimeout => (Check::Idle, Part::Fails),
            E::DisconnectReceived | E::DisconnectSent | E::Closed | E::Reset | E::TimedOut | E::Failed => {
                (Check::Exit, Part::Ends)
            }
        };
        Some(place)
    }
}
