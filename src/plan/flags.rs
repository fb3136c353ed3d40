//! The settings where no ssh is installed: flags and `-o` alone, for only ssh itself can tell what its files come to.

use anyhow::{Result, bail, ensure};
use ssh_doctor_checks::base::text::sanitize;

use super::origin::{keyword_and_value, seconds};
use super::raw::Raw;
use super::unhonoured;
use crate::cli::SshFlags;

/// The report's name for this source of the settings.
const SOURCE: &str = "flags and -o alone (no OpenSSH client is installed, so ssh_config was not read)";

/// Keywords whose value is a number or a time; a time is kept in seconds, as ssh itself prints it.
const NUMBERS: [&str; 5] =
    ["connectionattempts", "connecttimeout", "port", "serveralivecountmax", "serveraliveinterval"];

/// Keywords whose value is one of a few words, which ssh prints in lower case.
const WORDS: [&str; 14] = [
    "addressfamily",
    "batchmode",
    "checkhostip",
    "compression",
    "gssapiauthentication",
    "hostbasedauthentication",
    "identitiesonly",
    "kbdinteractiveauthentication",
    "nohostauthenticationforlocalhost",
    "passwordauthentication",
    "pubkeyauthentication",
    "stricthostkeychecking",
    "tcpkeepalive",
    "verifyhostkeydns",
];

/// Lists that a value may change (`+ssh-rsa`) instead of naming them; only ssh knows what it changes.
const LISTS: [&str; 7] = [
    "casignaturealgorithms",
    "ciphers",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
    "pubkeyacceptedkeytypes",
];

/// The other keywords that an examination takes as they are.
const TEXTS: [&str; 17] = [
    "bindaddress",
    "certificatefile",
    "controlpath",
    "globalknownhostsfile",
    "hostkeyalias",
    "hostname",
    "identityagent",
    "identityfile",
    "ipqos",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "rekeylimit",
    "revokedhostkeys",
    "securitykeyprovider",
    "user",
    "userknownhostsfile",
];

/// Keywords that take several file names in one value, each of which may be quoted.
const SEVERAL_FILES: [&str; 2] = ["globalknownhostsfile", "userknownhostsfile"];

/// Reads the command line as ssh would: of a keyword that is given twice the first value holds.
pub(super) fn read(flags: &SshFlags, login: Option<&str>, port: Option<u16>) -> Result<Raw> {
    let mut raw = Raw { source: SOURCE.to_owned(), ..Raw::default() };
    let file = match flags.config.as_deref() {
        Some("none") => None,
        Some(file) => Some(sanitize(file)),
        None => Some("ssh_config".to_owned()),
    };
    raw.not_honoured.extend(file.map(|file| {
        format!("{file}: it was not read, for no OpenSSH client is installed to resolve it; only flags and -o count")
    }));
    let family = if flags.inet { Some("inet") } else { flags.inet6.then_some("inet6") };
    let port = port.map(|port| port.to_string());
    let led =
        [("user", login), ("port", port.as_deref()), ("proxyjump", flags.jump.as_deref()), ("addressfamily", family)];
    for (keyword, value) in led {
        if let Some(value) = value {
            raw.add(keyword, value);
        }
    }
    for file in &flags.identities {
        raw.add("identityfile", file);
    }
    for option in &flags.options {
        add(&mut raw, option)?;
    }
    Ok(raw)
}

/// Adds one `-o`.
fn add(raw: &mut Raw, option: &str) -> Result<()> {
    let (keyword, value) = keyword_and_value(option)
        .filter(|(_, value)| !value.is_empty())
        .map(|(keyword, value)| (keyword.to_ascii_lowercase(), value))
        .ok_or_else(|| anyhow::anyhow!("the option '{}' has no value; write Key=Value", sanitize(option)))?;
    let keyword = keyword.as_str();
    if NUMBERS.contains(&keyword) {
        let number = if keyword == "port" {
            value.parse().ok().filter(|port| (1..=65535).contains(port))
        } else {
            seconds(value)
        };
        let Some(number) = number.filter(|_| value.starts_with(|c: char| c.is_ascii_digit())) else {
            bail!("the option '{}' needs a number", sanitize(option))
        };
        raw.add(keyword, &number.to_string());
    } else if WORDS.contains(&keyword) {
        raw.add(keyword, &value.to_ascii_lowercase());
    } else if LISTS.contains(&keyword) && value.starts_with(['+', '-', '^']) {
        raw.not_honoured
            .push(format!("{}: only ssh knows the list that this changes, and none is installed", sanitize(option)));
    } else if SEVERAL_FILES.contains(&keyword) {
        raw.add(keyword, &value.replace('"', ""));
    } else {
        let known = LISTS.contains(&keyword) || TEXTS.contains(&keyword) || unhonoured::names(keyword);
        ensure!(
            known,
            "the option '{}' cannot be used without an ssh to read it; install the OpenSSH client, or drop the option",
            sanitize(option)
        );
        raw.add(keyword, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Raw, SshFlags, read};

    fn read_with(options: &[&str], flags: SshFlags) -> Result<Raw, String> {
        let options = options.iter().map(ToString::to_string).collect();
        read(&SshFlags { options, ..flags }, Some("me"), Some(2200)).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn flags_and_options_become_settings_and_the_first_value_holds() {
        let flags = SshFlags {
            identities: vec!["~/.ssh/k".into()],
            inet6: true,
            jump: Some("a,b".into()),
            ..SshFlags::default()
        };
        let options = [
            "User=other",
            "IdentityFile \"~/a b\"",
            "ServerAliveInterval=1m30s",
            "serveralivecountmax 5",
            "StrictHostKeyChecking=NO",
            "UserKnownHostsFile=\"/a\" /b",
            "Ciphers=aes128-ctr",
        ];
        let raw = read_with(&options, flags).unwrap();
        assert_eq!((raw.one("user"), raw.one("port")), (Some("me"), Some("2200")));
        assert_eq!((raw.one("addressfamily"), raw.one("proxyjump")), (Some("inet6"), Some("a,b")));
        assert_eq!(raw.all("identityfile"), ["~/.ssh/k", "~/a b"]);
        assert_eq!((raw.number("serveraliveinterval", 0), raw.number("serveralivecountmax", 3)), (90, 5));
        assert_eq!((raw.one("stricthostkeychecking"), raw.one("ciphers")), (Some("no"), Some("aes128-ctr")));
        assert_eq!(raw.one("userknownhostsfile"), Some("/a /b"));
        assert!(!raw.expanded);
    }

    #[test]
    fn files_that_were_not_read_are_said_and_none_is_none() {
        let of = |config: Option<&str>| {
            let flags = SshFlags { config: config.map(ToOwned::to_owned), ..SshFlags::default() };
            read_with(&[], flags).unwrap().not_honoured
        };
        assert!(of(None)[0].starts_with("ssh_config: it was not read"));
        assert!(of(Some("/etc/x\x1b"))[0].starts_with("/etc/x\\u{1b}: it was not read"));
        assert_eq!(of(Some("none")), Vec::<String>::new());
    }

    #[test]
    fn a_change_to_a_list_that_only_ssh_knows_is_said_and_dropped() {
        let raw = read_with(
            &["KexAlgorithms=+x", "MACs ^y"],
            SshFlags { config: Some("none".into()), ..SshFlags::default() },
        );
        let raw = raw.unwrap();
        assert_eq!((raw.one("kexalgorithms"), raw.one("macs"), raw.not_honoured.len()), (None, None, 2));
    }

    #[test]
    fn an_option_that_is_not_understood_is_refused() {
        for (option, said) in [
            ("Nonsense=1", "Nonsense"),
            ("Port=x", "number"),
            ("Port=70000", "number"),
            ("ServerAliveInterval=m", "number"),
            ("ConnectTimeout=-1", "number"),
            ("Port", "Key=Value"),
            ("User=", "Key=Value"),
        ] {
            let refused = read_with(&[option], SshFlags::default()).unwrap_err();
            assert!(refused.contains(said), "{option}: {refused}");
        }
        assert!(read_with(&["KnownHostsCommand=/bin/known", "CheckHostIP=yes"], SshFlags::default()).is_ok());
    }
}
