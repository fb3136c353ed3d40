//! Texts of SSH's programs in words that others use too, which say nothing without a sign of SSH, or make a cause likely and no more.

use super::foreign::is_of_ssh;
use super::likeness::lines;
use crate::facts::log::{Connection, Log, Sighting};

/// Texts that count only where a sign of SSH is beside them: their words are ordinary ones.
pub(super) const ONLY_BESIDE_SSH: &[&str] = &[
    "Bad port \"",
    "Proxy authentication failed",
    "No public key in packet",
    "IOException: Agent closed",
    "agent: locked",
    "unhandled elliptic curve",
    "PKCS8: failed to parse key",
    "unsupported cipher function",
    "Key object may not be empty",
    "UnknownKeyType(",
    "Could not get the public key from the private key",
    "Failed to import public key:",
    "NoSuchAlgorithmException: EdDSA not supported",
    "' does not exist or cannot be opened",
    "Certificate principal mismatch",
    ": entry expired at",
    ": bad key options:",
    "Auth rejected: invalid signature",
    "is not in permitted list",
    "No authentication methods supported",
    "no authentication methods enabled",
    "unknown service in auth",
    "bad service request",
    "Illegal info request from server",
    "after EOF was sent",
    "could not connect to remote host (<host>)",
    "port <port>: Address already in use",
    "error: DISPLAY not set",
    "Invalid X11 display",
    "Bad xauth request",
    "Error getting shell",
    "Error changing user group",
    "Failed to set uids to",
    "Failed to get subsystem",
    "Outbound message too long",
    "bad reply len:",
    "Configuration file is too large",
    "no support for PKCS#11",
    "exitSignal: ",
    "Error forking: Resource temporarily unavailable",
    "error: fork: No such file or directory",
    "Exited: Failed to generate key",
    "Failed moving key file to <file>",
    "No listening ports available",
    "Unable to negotiate sandbox",
    "PAM: initialisation failed",
    "PAM: initialization failed",
    "PAM initialization failed",
    "Bad packet size",
    "Invalid padding: <n> (",
    "referred to nonexistent channel",
    "GSSAPI authentication failed",
    "agent: client error:",
    "unknown response from agent",
    "bad authentication response <n>",
    "bad authentication reply: <n>",
    "Authentication response too long:",
    "The request was rejected by the other party",
    "Error: Inactivity timeout",
    "API timeout expired",
    "Error while tunneling the connection",
    "Timeout waiting for prompt",
    "Unexpected termination of the channel",
    "unexpected stream termination",
    "Failed MAC check",
    "_list: Permission denied",
    "_stat: Permission denied",
    "_delete: Permission denied",
    "_rename: Permission denied",
    "_append: Permission denied",
    "Disconnecting: <why>",
    "Disconnecting <address> port <port>: <why>",
];

/// Of these, texts with which a message of SSH begins, and one of another program goes on.
const AT_THE_BEGIN: &[&str] = &[
    "Bad port \"",
    "Proxy authentication failed",
    "GSSAPI authentication failed",
    "no support for PKCS#11",
    "Outbound message too long",
    "error: DISPLAY not set",
    "agent: locked",
    "agent: client error:",
    "unknown response from agent",
    "could not connect to remote host (<host>)",
    "port <port>: Address already in use",
    "exitSignal: ",
    "Exited: Failed to generate key",
    "Failed moving key file to <file>",
    "Error while tunneling the connection",
    "Disconnecting: <why>",
    "Disconnecting <address> port <port>: <why>",
];

/// Texts of one cause each, which are SSH's for all that is known: without a sign of it they make the cause likely.
pub(super) const SSH_IS_LIKELY: &[&str] = &[
    "Unknown cipher type '",
    "Unknown mac type '",
    "Bad escape character '",
    "Can't open user config file",
    "Cannot specify -N with",
    "Cannot specify -s with",
    "Too many lines in environment file",
    "strange hostname '<what>' blocked",
    "getifaddrs: <device>: no suitable addresses",
    "received from peer during key exchange",
    "Algs too short",
    "Received unexpected connection-layer packet",
    "Disconnects with code = 8",
    "Unexpected server identification:",
    "invalid DH value",
    "DH modulus value is too large",
    "Couldn't find DH group for",
    "MLKEM768 requires Java",
    "MLKEM1024 requires Java",
    "XDH requires Java",
    "invalid signature algorithm \"<what>\", expected",
    "Did not receive expected KEX reply",
    "junixsocket library unavailable",
    "UnixDomainSocketFactory requires Java",
    "agent: failed to list keys",
    "Agent sign method",
    "unable to sign data with agent",
    "Cannot parse EdDSA private key",
    "privatekey: <what> is not available",
    "Invalid key curve identifier",
    "SignatureEd25519 requires Java",
    "SignatureEdDSA requires Java",
    "SignatureEd448 requires Java",
    "cannot be used for signing without an agent",
    "Invalid PublicBlob contents",
    "Rejecting, user-presence not set",
    "Rejecting, user-verification not set",
    "user presence (authenticator touch) requirement not met",
    "user verification requirement not met",
    "rejected: user presence (authenticator touch)",
    "No common pubkey algorithms exist",
    "Username too long from",
    "client changed the user after a partial success",
    "attempted to change username in mid-flight",
    "Invalid keyboard interactive info request",
    "unexpected reply in keyboard interactive",
    "Server refused request to start '<what>' protocol",
    "server replied with unknown key",
    "is being closed while opening channel",
    "Failed to open channel (ConnectFailed)",
    "Channel open failure (connect failed)",
    "Invalid X11 forwarding data",
    "Already forwarding to another X11 display",
    "Could not parse display number from DISPLAY",
    "Could not find ':' in DISPLAY",
    "unable to connect to forwarded X server",
    "unable to resolve host name '<host>' in display name",
    "pty_allocate:",
    "Invalid control record (",
    "chroot path too long",
    "Host '<host>' key unknown",
    "certificates not allowed in known hosts",
    "Auth rejected (password)",
    "no active jobs on this node",
    "rexec version mismatch",
    "chroot(\"/var/empty",
    "ERROR. Cannot create process (<n>)",
    "size mismatch in put!",
    "size mismatch in get!",
    "Encountered EOF, could not transfer",
    "No supported key exchange algorithms",
];

/// True for a text in ordinary words, in a line and a connection without any sign of SSH.
pub(super) fn is_of_anybody(connection: &Connection, seen: &Sighting) -> bool {
    let is_one_of = |texts: &[&str]| texts.iter().any(|known| known.eq_ignore_ascii_case(&seen.symptom));
    let begin = seen.symptom.split('<').next().unwrap_or_default();
    let before = || seen.line.in_english().split_once(begin).map(|(before, _)| before);
    let begins = || is_one_of(AT_THE_BEGIN) && before().is_some_and(|text| !text.contains(char::is_alphabetic));
    is_one_of(ONLY_BESIDE_SSH)
        && connection.program.is_none()
        && connection.entries.is_empty()
        && !begins()
        && !connection.sightings.iter().any(|other| is_of_ssh(other.line.in_english()))
}

/// True if something in a short text is of SSH: what is asked about as one is about it.
pub(super) fn is_about_ssh(log: &Log) -> bool {
    let has_steps = |connection: &Connection| connection.program.is_some() || !connection.entries.is_empty();
    log.is_brief()
        && (log.connections.iter().any(has_steps) || lines(log).iter().any(|line| is_of_ssh(line.in_english())))
}

#[cfg(test)]
mod tests {
    use super::super::foreign::is_said_of_others_too;
    use super::super::wordings;
    use super::*;

    /// Words that only programs of SSH print, and of which none names SSH.
    const OWN_WORDS: &[&str] = &[
        "ProxyCommand",
        "inconsistent options: Proxy",
        "into background without a command",
        "ControlPath",
        "a subsystem to invoke",
        "both -y and -E",
        "ultiplex",
        "stdio forward",
        "Bad tun device",
        "KnownHosts",
        "IdentityAgent",
        "ForwardAgent",
        "TCP forward",
        "netcat endpoint",
        "multi-hop",
        "proxy jump",
        "-nc expects",
        "BindInterface",
        "proxy dialer",
        "pipes to communicate with the proxy",
        "direct dialing to nodes",
        "MaxStartups",
        "KEXINIT",
        "msgKexInit",
        "dh-gex",
        "DH grp",
        "server-side gex",
        "not a certificate) for negotiated",
        "does not correspond to any supported algorithm",
        "Pageant",
        "source-address",
        "force-command",
        "AuthorizedPrincipalsCommand",
        "AuthorizedKeysCommand",
        "AuthenticationMethods",
        "authorized keys '",
        "Pubkey auth",
        "USERAUTH",
        "after additional sessions disabled",
        "treamlocal",
        "tunnel device forwarding",
        "$DISPLAY already forwarded",
        "do_exec_no_pty",
        "NoClientAuth",
        "not from a permitted source address",
        "RESTART FAILED: av",
        "preauth child",
    ];

    #[test]
    fn a_text_of_one_cause_that_is_certain_has_a_word_of_ssh() {
        let listed = |text: &str| ONLY_BESIDE_SSH.contains(&text) || is_said_of_others_too(text);
        let is_own = |text: &str| is_of_ssh(text) || OWN_WORDS.iter().any(|word| text.contains(word));
        let open: Vec<_> = wordings::from_sources().filter(|text| !is_own(text) && !listed(text)).collect();
        assert!(open.is_empty(), "{open:#?}");
    }
}
