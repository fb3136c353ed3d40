//! The ledger of ssh's settings: each is honoured, or cannot change the outcome, or is not honoured, with its consequence.

use Treatment::{Honoured, Irrelevant, NotHonoured};

/// A keyword as ssh_config(5) spells it; as it is where the ledger does not know it.
pub(super) fn spelling(keyword: &str) -> &str {
    entry(keyword).map_or(keyword, |(name, _)| name)
}

/// The way in which a keyword is treated; none for one that the ledger does not know.
pub(super) fn treatment(keyword: &str) -> Option<Treatment> {
    entry(keyword).map(|(_, treatment)| *treatment)
}

fn entry(keyword: &str) -> Option<&'static (&'static str, Treatment)> {
    LEDGER.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword))
}

/// The way in which an examination treats a setting of ssh_config(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// The examination does as ssh does, or the setting is gone by the time that `ssh -G` prints its answer.
    Honoured,
    /// Whatever its value, the same sessions work for the same time.
    Irrelevant,
    /// The examination does otherwise than ssh.
    NotHonoured(Consequence),
}

/// The consequence of a setting that is not honoured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Consequence {
    /// The values with which it is off; `none` and an empty value always are.
    pub(super) off: &'static [&'static str],
    /// In words.
    pub(super) words: &'static str,
    /// True where ssh could fail or work while the examination does not: then no verdict is healthy, unless ssh itself was seen to log in.
    pub(super) decides: bool,
    /// True where defaults vary between systems: only what the user's own files or command line set is worth a word.
    pub(super) own_only: bool,
}

/// Off by default, and without a bearing on the outcome.
const fn noted(words: &'static str) -> Treatment {
    NotHonoured(Consequence { off: &["no", "false"], words, decides: false, own_only: false })
}

/// Off by default, and able to change the outcome.
const fn decides(words: &'static str) -> Treatment {
    NotHonoured(Consequence { off: &["no", "false"], words, decides: true, own_only: false })
}

const FORWARDINGS: Treatment = noted("forwardings are not set up");
const HOST_BASED: &str = "the doctor does not log in by the client host's key";

/// Every keyword of ssh_config(5) up to OpenSSH 10.2, those of Debian's and Red Hat's GSSAPI patch and of macOS, and old names that
/// `ssh -G` still prints.
const LEDGER: &[(&str, Treatment)] = &[
    ("AddKeysToAgent", Irrelevant),
    ("AddressFamily", Honoured),
    ("BatchMode", Honoured),
    // Only a numeric one; see `special`.
    ("BindAddress", Honoured),
    ("BindInterface", decides("the doctor binds to no interface, and may take another route than ssh")),
    ("CanonicalDomains", Honoured),
    ("CanonicalizeFallbackLocal", Honoured),
    ("CanonicalizeHostname", Honoured),
    ("CanonicalizeMaxDots", Honoured),
    ("CanonicalizePermittedCNAMEs", Honoured),
    ("CASignatureAlgorithms", Honoured),
    ("CertificateFile", Honoured),
    ("ChallengeResponseAuthentication", Honoured),
    ("ChannelTimeout", Irrelevant),
    ("CheckHostIP", Honoured),
    ("Ciphers", Honoured),
    ("ClearAllForwardings", Irrelevant),
    ("Compression", Honoured),
    (
        "ConnectionAttempts",
        NotHonoured(Consequence { off: &["1"], words: "the doctor connects once", decides: false, own_only: false }),
    ),
    ("ConnectTimeout", Honoured),
    // The config check looks at the control socket.
    ("ControlMaster", Honoured),
    ("ControlPath", Honoured),
    ("ControlPersist", Irrelevant),
    ("DynamicForward", FORWARDINGS),
    ("EnableEscapeCommandline", Irrelevant),
    ("EnableSSHKeysign", Irrelevant),
    ("EscapeChar", Irrelevant),
    // Of the forwardings of this side; of those of the server see `special`.
    ("ExitOnForwardFailure", Honoured),
    ("FingerprintHash", Irrelevant),
    (
        "ForkAfterAuthentication",
        noted(
            "ssh goes into the background after its login, which is not tested; it refuses to start without a command",
        ),
    ),
    ("ForwardAgent", Irrelevant),
    ("ForwardX11", Irrelevant),
    ("ForwardX11Timeout", Irrelevant),
    ("ForwardX11Trusted", Irrelevant),
    ("GatewayPorts", Honoured),
    ("GlobalKnownHostsFile", Honoured),
    // Where there is a ticket; see `special`.
    ("GSSAPIAuthentication", Irrelevant),
    ("GSSAPIClientIdentity", Irrelevant),
    ("GSSAPIDelegateCredentials", Irrelevant),
    ("GSSAPIKexAlgorithms", Irrelevant),
    ("GSSAPIKeyExchange", decides("the doctor exchanges no keys by Kerberos")),
    ("GSSAPIRenewalForcesRekey", Irrelevant),
    ("GSSAPIServerIdentity", Irrelevant),
    ("GSSAPITrustDns", Irrelevant),
    ("HashKnownHosts", Irrelevant),
    ("Host", Honoured),
    ("HostbasedAcceptedAlgorithms", Irrelevant),
    ("HostbasedAuthentication", decides(HOST_BASED)),
    ("HostbasedKeyTypes", Irrelevant),
    ("HostKeyAlgorithms", Honoured),
    ("HostKeyAlias", Honoured),
    ("Hostname", Honoured),
    ("IdentitiesOnly", Honoured),
    ("IdentityAgent", Honoured),
    ("IdentityFile", Honoured),
    ("IgnoreUnknown", Honoured),
    ("Include", Honoured),
    ("IPQoS", Honoured),
    ("KbdInteractiveAuthentication", Honoured),
    ("KbdInteractiveDevices", Irrelevant),
    ("KexAlgorithms", Honoured),
    ("KnownHostsCommand", decides("the command is not run: only known_hosts files are searched for the host key")),
    // Where it is permitted; see `special`.
    ("LocalCommand", Irrelevant),
    ("LocalForward", FORWARDINGS),
    ("LogLevel", Irrelevant),
    ("LogVerbose", Irrelevant),
    ("MACs", Honoured),
    ("Match", Honoured),
    ("NoHostAuthenticationForLocalhost", Honoured),
    ("NumberOfPasswordPrompts", Irrelevant),
    ("ObscureKeystrokeTiming", Irrelevant),
    ("PasswordAuthentication", Honoured),
    ("PermitLocalCommand", Irrelevant),
    ("PermitRemoteOpen", Irrelevant),
    ("PKCS11Provider", decides("keys on a token are used only if the agent holds them")),
    ("Port", Honoured),
    ("PreferredAuthentications", Honoured),
    ("ProxyCommand", Honoured),
    ("ProxyJump", Honoured),
    ("ProxyUseFdpass", decides("the doctor takes no descriptor from a proxy command")),
    ("PubkeyAcceptedAlgorithms", Honoured),
    ("PubkeyAcceptedKeyTypes", Honoured),
    ("PubkeyAuthentication", Honoured),
    ("RefuseConnection", Honoured),
    (
        "RekeyLimit",
        NotHonoured(Consequence {
            off: &["0 0", "default none"],
            words: "the doctor's sessions exchange keys again only after 1 GiB: the idle test has to be silent",
            decides: false,
            own_only: false,
        }),
    ),
    // The config check judges these three: they decide on what a session runs.
    ("RemoteCommand", Honoured),
    ("RemoteForward", FORWARDINGS),
    ("RequestTTY", Honoured),
    ("RequiredRSASize", Honoured),
    ("RevokedHostKeys", Honoured),
    (
        "SecurityKeyProvider",
        NotHonoured(Consequence {
            off: &["internal"],
            words: "a security key is used only if the agent holds it; its file alone is left to ssh",
            decides: false,
            own_only: true,
        }),
    ),
    ("SendEnv", Irrelevant),
    ("ServerAliveCountMax", Honoured),
    ("ServerAliveInterval", Honoured),
    ("SessionType", Honoured),
    ("SetEnv", Irrelevant),
    ("StdinNull", noted("ssh reads no input, so that an interactive shell ends at once")),
    ("StreamLocalBindMask", Irrelevant),
    ("StreamLocalBindUnlink", Honoured),
    ("StrictHostKeyChecking", Honoured),
    ("SyslogFacility", Irrelevant),
    ("Tag", Honoured),
    ("TCPKeepAlive", Honoured),
    ("Tunnel", noted("no tunnel device is set up")),
    ("TunnelDevice", Irrelevant),
    ("UpdateHostKeys", Irrelevant),
    ("UseKeychain", Irrelevant),
    ("User", Honoured),
    ("UserKnownHostsFile", Honoured),
    (
        "VerifyHostKeyDNS",
        noted(
            "fingerprints of the host key in DNS (SSHFP) are compared and decide nothing; with yes, ssh takes a key that a validated answer has",
        ),
    ),
    ("VersionAddendum", Irrelevant),
    ("VisualHostKey", Irrelevant),
    ("WarnWeakCrypto", Irrelevant),
    ("XAuthLocation", Irrelevant),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::{LEDGER, treatment};

    /// The keywords of ssh_config(5) on this machine; empty where the manual is not installed.
    fn of_the_manual() -> Vec<String> {
        let page = Command::new("sh").args(["-c", "zcat /usr/share/man/man5/ssh_config.5.gz 2>/dev/null"]).output();
        let page = page.map(|page| String::from_utf8_lossy(&page.stdout).into_owned()).unwrap_or_default();
        // Below the list of keywords come patterns, tokens and files.
        let keywords = page.split(".Sh PATTERNS").next().unwrap_or_default().lines();
        keywords.filter_map(|line| line.strip_prefix(".It Cm ")?.split(' ').next().map(ToOwned::to_owned)).collect()
    }

    /// The keywords that `ssh -G` prints on this machine.
    fn of_ssh() -> Vec<String> {
        let Ok(ran) = Command::new("ssh").args(["-F", "none", "-G", "h"]).output() else { return Vec::new() };
        let lines = String::from_utf8_lossy(&ran.stdout).into_owned();
        lines.lines().filter_map(|line| line.split(' ').next().map(ToOwned::to_owned)).collect()
    }

    #[test]
    fn every_keyword_of_the_installed_ssh_is_in_the_ledger() {
        let (manual, ssh) = (of_the_manual(), of_ssh());
        assert!(manual.is_empty() || manual.len() > 90, "the manual was not understood: {manual:?}");
        let unknown: BTreeSet<_> = manual.iter().chain(&ssh).filter(|keyword| treatment(keyword).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_keyword_stands_once_in_the_ledger_and_in_order() {
        let names: Vec<_> = LEDGER.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        let once: BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len());
        assert!(names.is_sorted(), "{names:?}");
    }
}
