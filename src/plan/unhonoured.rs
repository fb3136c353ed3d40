//! Settings that the user changed and that this examination does not honour, each with the reason.

use std::net::IpAddr;
use std::path::Path;

use ssh_doctor_checks::base::text::sanitize;

use super::local::Local;
use super::origin;
use super::raw::Raw;
use super::tokens::Tokens;
use crate::cli::SshFlags;

/// Settings that are off in ssh, and why they are not honoured when the user turned them on.
const OFF: &[(&str, &str, &str)] = &[
    ("bindinterface", "BindInterface", "the doctor binds to no interface, and may take another path than ssh"),
    (
        "knownhostscommand",
        "KnownHostsCommand",
        "the command is not run: only known_hosts files are searched for the host key",
    ),
    (
        "verifyhostkeydns",
        "VerifyHostKeyDNS",
        "fingerprints of the host key in DNS (SSHFP) are compared and decide nothing; with yes, ssh takes a key that a validated answer has",
    ),
    ("pkcs11provider", "PKCS11Provider", "keys on a token are used only if the agent holds them"),
    ("hostbasedauthentication", "HostbasedAuthentication", "the doctor does not log in by the client host's key"),
    ("proxyusefdpass", "ProxyUseFdpass", "the doctor takes no descriptor from a proxy command"),
    ("remotecommand", "RemoteCommand", "the doctor runs a harmless command of its own instead"),
    ("localforward", "LocalForward", "forwardings are not set up"),
    ("remoteforward", "RemoteForward", "forwardings are not set up"),
    ("dynamicforward", "DynamicForward", "forwardings are not set up"),
    ("checkhostip", "CheckHostIP", "known_hosts is searched for the name only"),
];

/// Settings whose default varies between systems: worth a word only when the user's own file or command line sets them.
const VARYING: &[(&str, &str, &str)] = &[
    ("casignaturealgorithms", "CASignatureAlgorithms", "a certificate's signature is taken by any algorithm"),
    ("requiredrsasize", "RequiredRSASize", "RSA keys of any size are used"),
];

/// Whether a keyword, in lower case, is one that this examination knows and does not honour.
pub(super) fn names(keyword: &str) -> bool {
    OFF.iter().chain(VARYING).any(|(name, ..)| *name == keyword)
}

/// A sentence for each setting that is not honoured.
pub(super) fn sentences(raw: &Raw, flags: &SshFlags, tokens: &Tokens<'_>) -> Vec<String> {
    let local = tokens.local;
    let mut sentences = raw.not_honoured.clone();
    let mut say = |name: &str, value: &str, why: &str| sentences.push(format!("{name} {}: {why}", sanitize(value)));
    for (keyword, name, why) in OFF {
        if let Some(value) = raw.set(keyword).filter(|value| !matches!(*value, "no" | "false")) {
            say(name, value, why);
        }
    }
    for (keyword, name, why) in VARYING {
        if set_by_user(raw, flags, local, keyword) {
            say(name, raw.one(keyword).unwrap_or_default(), why);
        }
    }
    if raw.flag("gssapiauthentication", false)
        && (set_by_user(raw, flags, local, "gssapiauthentication") || has_ticket(local))
    {
        say(
            "GSSAPIAuthentication",
            "yes",
            "the doctor does not log in by Kerberos; where ssh does or tries to, its login is another one and may wait for a KDC",
        );
    }
    if let Some(address) = raw.one("bindaddress").filter(|address| address.parse::<IpAddr>().is_err()) {
        say("BindAddress", address, "only a numeric address can be bound to");
    }
    if let Some(limit) = raw.set("rekeylimit").filter(|limit| !matches!(*limit, "0 0" | "default none")) {
        say(
            "RekeyLimit",
            limit,
            "the doctor's sessions exchange keys again only after 1 GiB: the idle test has to be silent",
        );
    }
    if let Some(provider) = raw.set("securitykeyprovider").filter(|provider| *provider != "internal") {
        say("SecurityKeyProvider", provider, "keys on a security key are used only if the agent holds them");
    }
    if let Some(path) = raw.set("controlpath") {
        let master = if raw.expanded { Ok(path.into()) } else { tokens.path(path) };
        match master {
            Ok(master) if !master.exists() => {}
            Ok(_) => say(
                "ControlPath",
                path,
                "ssh would use the master connection that is open there; the doctor opens its own",
            ),
            Err(error) => say("ControlPath", path, &error.to_string()),
        }
    }
    if let Some(attempts) = raw.one("connectionattempts").filter(|attempts| *attempts != "1") {
        say("ConnectionAttempts", attempts, "the doctor connects once");
    }
    sentences
}

/// Whether `-o` or a file outside /etc sets the keyword for this host.
fn set_by_user(raw: &Raw, flags: &SshFlags, local: &Local, keyword: &str) -> bool {
    let mut log = raw.log.clone();
    log.files.retain(|file| !file.starts_with("/etc"));
    origin::on_command_line(&flags.options, keyword) || origin::in_files(&log, local, keyword, |_| true).is_some()
}

/// Whether Kerberos tickets are around, where they usually are.
fn has_ticket(local: &Local) -> bool {
    std::env::var_os("KRB5CCNAME").is_some() || Path::new(&format!("/tmp/krb5cc_{}", local.uid)).exists()
}

#[cfg(test)]
mod tests {
    use super::{Raw, SshFlags, sentences};
    use crate::plan::tokens::tests::{local, plain};

    fn said(lines: &str, options: &[&str]) -> Vec<String> {
        let local = local();
        let tokens = plain(&local);
        let flags = SshFlags { options: options.iter().map(ToString::to_string).collect(), ..SshFlags::default() };
        let raw = Raw { expanded: true, ..Raw::from_lines(lines) };
        sentences(&raw, &flags, &tokens)
    }

    #[test]
    fn a_default_configuration_is_not_worth_a_word() {
        let lines = "rekeylimit 0 0\nsecuritykeyprovider internal\nverifyhostkeydns false\nhostbasedauthentication no\n\
                     proxyusefdpass no\nconnectionattempts 1\ncheckhostip no\ncontrolpath none\nrequiredrsasize 1024\n\
                     pubkeyacceptedalgorithms a,b\ncontrolpath /nonexistent/master\nrevokedhostkeys /etc/ssh/revoked\n";
        assert_eq!(said(lines, &[]), Vec::<String>::new());
    }

    #[test]
    fn what_the_user_changed_is_named_with_the_reason() {
        let one = |line: &str, options: &[&str]| {
            let said = said(line, options);
            assert_eq!(said.len(), 1, "{said:?}");
            said.into_iter().next().unwrap()
        };
        assert!(one("bindinterface eth0", &[]).starts_with("BindInterface eth0: "));
        assert!(one("rekeylimit 0 3600", &[]).contains("silent"));
        assert!(one("controlpath /tmp", &[]).contains("master"));
        assert!(one("gssapiauthentication yes", &["GSSAPIAuthentication=yes"]).contains("Kerberos"));
        assert!(one("requiredrsasize 4096", &["RequiredRSASize 4096"]).contains("4096"));
        assert!(one("verifyhostkeydns true", &[]).contains("are compared"));
        assert!(one("knownhostscommand /bin/known", &[]).contains("not run"));
        for name in ["bindaddress myhost", "bindaddress none"] {
            assert!(one(name, &[]).contains("numeric"), "{name}");
        }
        assert!(one("remotecommand evil\x1b[31m", &[]).contains("\\u{1b}"));
    }
}
