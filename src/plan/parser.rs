//! The settings where no ssh is installed: read by a parser crate, without `Match`.

use std::fs::File;

use std::io::{ErrorKind, Read};

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use ssh_doctor_checks::base::text::shown;

use ssh2_config::{HostParams, ParseRule, SshConfig, SshParserError};

use super::local::Local;

use super::origin::{MOST, keyword_and_value, short};

use super::raw::Raw;

use crate::cli::SshFlags;

use crate::terminal::reason;

/// What the report says of the source.
const SOURCE: &str = "the ssh2-config parser (no OpenSSH client is installed; Match blocks are not honoured)";

/// The configuration of the whole machine.
const SYSTEM: &str = "/etc/ssh/ssh_config";

/// Reads the configuration files as far as the parser understands them.
pub(super) fn read(flags: &SshFlags, login: Option<&str>, port: Option<u16>, host: &str, local: &Local) -> Result<Raw> {
    let mut raw = Raw { source: SOURCE.to_owned(), ..Raw::default() };
    let mut text = String::new();
    for line in lines_of(flags, login, port) {
        parse(&format!("{line}\n"), ParseRule::ALLOW_UNSUPPORTED_FIELDS, local)
            .map_err(|error| anyhow!("the option '{}' is not understood: {}", shown(&line), shown(&error)))?;
        text.push_str(&line);
        text.push('\n');
    }
    for file in files(flags, local) {
        let Some(contents) = contents(&file)? else { continue };
        let (kept, had_match) = without_match(&contents);
        if had_match {
            raw.not_honoured
                .push(format!("Match in {}: no ssh is installed that could evaluate it", short(&file, local)));
        }
        // What stands before the first Host of this file is for every host, whatever block the text before ended in.
        text.push_str("Host *\n");
        text.push_str(&kept);
        text.push('\n');
        raw.log.files.push(file);
    }
    let rules = ParseRule::ALLOW_UNSUPPORTED_FIELDS | ParseRule::ALLOW_UNKNOWN_FIELDS;
    let config = parse(&text, rules, local).map_err(|error| {
        anyhow!("the configuration of ssh is not understood: {}; ssh itself may read it: install ssh", shown(&error))
    })?;
    let params = config.query(host);
    if params.ignored_fields.keys().any(|name| name.eq_ignore_ascii_case("match")) {
        raw.not_honoured.push(
            "Match in an included file: its settings may have been taken for those of the block before it".to_owned(),
        );
    }
    fill(&mut raw, &params);
    Ok(raw)
}

/// The flags as lines of a configuration, which come first and so win.
fn lines_of(flags: &SshFlags, login: Option<&str>, port: Option<u16>) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(login.map(|login| format!("User {login}")));
    lines.extend(port.map(|port| format!("Port {port}")));
    lines.extend(flags.identities.iter().map(|file| format!("IdentityFile \"{file}\"")));
    lines.extend(flags.jump.iter().map(|hops| format!("ProxyJump {hops}")));
    lines.extend(flags.inet.then(|| "AddressFamily inet".to_owned()));
    lines.extend(flags.inet6.then(|| "AddressFamily inet6".to_owned()));
    lines.extend(flags.options.iter().cloned());
    lines
}

fn files(flags: &SshFlags, local: &Local) -> Vec<PathBuf> {
    match flags.config.as_deref() {
        Some("none") => Vec::new(),
        Some(file) => vec![file.into()],
        None => vec![local.home.join(".ssh/config"), SYSTEM.into()],
    }
}

/// The file's text; none when there is no such file.
fn contents(file: &Path) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    match File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() as u64 > MOST => {
            bail!("the configuration file {} is longer than {} MiB; give an ssh_config", file.display(), MOST >> 20)
        }
        Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => bail!("the configuration file {} cannot be read: {}", file.display(), reason(&error)),
    }
}

fn parse(text: &str, rules: ParseRule, local: &Local) -> Result<SshConfig, String> {
    SshConfig::default().home_dir(&local.home).parse(&mut text.as_bytes(), rules).map_err(|error| match error {
        SshParserError::UnknownField(name, _) => format!("there is no setting {name}"),
        other => other.to_string(),
    })
}

/// The text less its `Match` blocks, which the parser would take for part of the block before; and whether there were any.
fn without_match(text: &str) -> (String, bool) {
    let (mut kept, mut skipping, mut found) = (String::new(), false, false);
    for line in text.lines() {
        match keyword_and_value(line).map(|(keyword, _)| keyword.to_ascii_lowercase()).as_deref() {
            Some("match") => (skipping, found) = (true, true),
            Some("host") => skipping = false,
            _ => {}
        }
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    (kept, found)
}

/// The parser's typed values in ssh's words.
fn fill(raw: &mut Raw, params: &HostParams) {
    let yes_no = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    let values = [
        ("hostname", params.host_name.clone()),
        ("user", params.user.clone()),
        ("port", params.port.map(|port| port.to_string())),
        ("bindaddress", params.bind_address.clone()),
        ("bindinterface", params.bind_interface.clone()),
        ("certificatefile", params.certificate_file.as_ref().map(path)),
        ("compression", params.compression.map(yes_no)),
        ("connectionattempts", params.connection_attempts.map(|count| count.to_string())),
        ("connecttimeout", params.connect_timeout.map(|time| time.as_secs().to_string())),
        ("proxyjump", params.proxy_jump.as_ref().map(|hops| hops.join(","))),
        ("pubkeyauthentication", params.pubkey_authentication.map(yes_no)),
        ("serveraliveinterval", params.server_alive_interval.map(|time| time.as_secs().to_string())),
        ("tcpkeepalive", params.tcp_keep_alive.map(yes_no)),
        ("kexalgorithms", Some(params.kex_algorithms.algorithms().join(","))),
        ("hostkeyalgorithms", Some(params.host_key_algorithms.algorithms().join(","))),
        ("ciphers", Some(params.ciphers.algorithms().join(","))),
        ("macs", Some(params.mac.algorithms().join(","))),
    ];
    for (keyword, value) in values {
        if let Some(value) = value {
            raw.add(keyword, &value);
        }
    }
    for file in params.identity_file.iter().flatten() {
        raw.add("identityfile", &path(file));
    }
    if !params.remote_forward.is_empty() {
        raw.add("remoteforward", &params.remote_forward.len().to_string());
    }
    for (keyword, arguments) in params.unsupported_fields.iter().chain(&params.ignored_fields) {
        if raw.one(keyword).is_none() {
            raw.add(keyword, &arguments.join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{SshFlags, read, without_match};

    use crate::plan::tokens::tests::local;

    fn resolved(config: &str, flags: SshFlags) -> Result<super::Raw, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        fs::write(&file, config).unwrap();
        let flags = SshFlags { config: Some(file.display().to_string()), ..flags };
        read(&flags, None, None, "db", &local()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_plain_configuration_is_read() {
        let config = "User all\nHost db\n  User joe\n  HostName %h.example\n  Port 2222\n  IdentityFile ~/.ssh/k\n  \
                      StrictHostKeyChecking accept-new\n  ServerAliveInterval 30\n  ServerAliveCountMax 5\nHost other\n  Port 1\n";
        let raw = resolved(config, SshFlags::default()).unwrap();
        assert_eq!(raw.one("user"), Some("all"));
        assert_eq!((raw.one("hostname"), raw.one("port")), (Some("%h.example"), Some("2222")));
        assert_eq!(raw.all("identityfile"), ["/home/me/.ssh/k"]);
        assert_eq!(raw.one("stricthostkeychecking"), Some("accept-new"));
        assert_eq!((raw.number("serveraliveinterval", 0), raw.number("serveralivecountmax", 3)), (30, 5));
        assert!(raw.not_honoured.is_empty());
    }

    #[test]
    fn match_blocks_are_dropped_and_said() {
        let config = "Host db\n  Port 999\nMatch exec \"true\"\n  Port 998\n  User x\n";
        let raw = resolved(config, SshFlags::default()).unwrap();
        assert_eq!((raw.one("port"), raw.one("user")), (Some("999"), None));
        assert_eq!(raw.not_honoured.len(), 1);
        assert_eq!(without_match("A b\nmatch all\nC d\nHost x\nE f\n"), ("A b\nHost x\nE f\n".into(), true));
    }

    #[test]
    fn flags_win_over_files_and_wrong_ones_are_refused() {
        let flags = |option: &str| SshFlags { options: vec![option.into()], inet: true, ..SshFlags::default() };
        let raw = resolved("Host db\n  Port 999\n", flags("Port=2200")).unwrap();
        assert_eq!((raw.one("port"), raw.one("addressfamily")), (Some("2200"), Some("inet")));
        assert!(resolved("", flags("Nonsense=1")).unwrap_err().contains("no setting Nonsense"));
        assert!(resolved("", flags("Port=x")).unwrap_err().contains("port"));
    }
}
