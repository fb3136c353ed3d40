//! The user's own ssh as the config check needs it: its settings beside its defaults, and its command line.

use std::path::PathBuf;

use ssh_doctor_checks::base::masking::masked;
use ssh_doctor_checks::base::own_ssh::{ControlPath, OwnSsh, SessionSettings, Setting};
use ssh_doctor_checks::base::target::{Algorithms, Target};

use super::destination::Destination;
use super::forwardings;
use super::ledger;
use super::local::Local;
use super::origin;
use super::raw::Raw;
use super::ssh_g::{self, Refused};
use crate::cli::SshFlags;

/// Keywords that name the target, or that `ssh -G` prints for it in any case.
const OF_THE_TARGET: [&str; 5] = ["host", "hostname", "port", "user", "identityfile"];

/// Keywords whose value is masked: commands, variables and names may hold a secret.
const MASKED: [&str; 12] = [
    "canonicaldomains",
    "dynamicforward",
    "identityagent",
    "knownhostscommand",
    "localcommand",
    "localforward",
    "proxycommand",
    "proxyjump",
    "remotecommand",
    "remoteforward",
    "sendenv",
    "setenv",
];

/// Returns ssh's report on its settings for a target.
pub(super) fn of_settings(
    raw: &Raw,
    defaults: &Raw,
    mut settings: Vec<Setting>,
    arguments: Vec<String>,
    plain: bool,
) -> Option<OwnSsh> {
    for setting in settings.iter_mut().filter(|_| plain) {
        setting.value = Some(raw.all(&setting.keyword.to_ascii_lowercase()).join(" "));
    }
    raw.expanded.then(|| OwnSsh {
        version: raw.version.clone(),
        arguments,
        files: raw.log.files.clone(),
        settings,
        tcp_keepalive_from: None,
        defaults: lists(defaults),
        refusal: None,
        jump_loop: None,
        control: raw.set("controlpath").map(|path| ControlPath {
            path: PathBuf::from(path),
            becomes_master: !matches!(raw.one("controlmaster"), None | Some("no" | "false")),
        }),
        pkcs11: raw.set("pkcs11provider").map(PathBuf::from),
        session: SessionSettings {
            remote_command: raw.set("remotecommand").is_some(),
            request_tty: raw.set("requesttty").filter(|value| ["yes", "true", "force"].contains(value)).map(Into::into),
            // Here "none" is a value like any other.
            session_type: raw.one("sessiontype").filter(|value| *value != "default").map(Into::into),
        },
        forwardings: forwardings::of(raw),
    })
}

/// A target whose settings ssh does not accept: nothing of it is resolved but what was typed.
pub(super) fn refused(
    input: &str,
    destination: &Destination,
    flags: &SshFlags,
    local: &Local,
    refused: Refused,
) -> Target {
    let login = flags.login.as_deref().or(destination.user.as_deref());
    let port = flags.port.or(destination.port);
    let user = login.unwrap_or(&local.user);
    let mut target = Target::bare(&destination.host, port.unwrap_or(22), user);
    input.clone_into(&mut target.input);
    target.settings.source = format!("ssh -G ({})", refused.version);
    target.own_ssh = Some(OwnSsh {
        version: refused.version,
        arguments: ssh_g::arguments(flags, login, port, &destination.host),
        files: refused.log.files,
        refusal: Some(refused.refusal),
        jump_loop: refused.jump_loop,
        ..OwnSsh::default()
    });
    target
}

/// The settings that are not ssh's defaults, each with its origin.
pub(super) fn settings(raw: &Raw, defaults: &Raw, flags: &SshFlags, local: &Local) -> Vec<Setting> {
    let changed = raw.values.iter().filter(|(keyword, values)| {
        let default = defaults.all(keyword);
        !OF_THE_TARGET.contains(&keyword.as_str()) && values.as_slice() != default && !is_unset(values, default)
    });
    let settings = changed.map(|(keyword, values)| Setting {
        keyword: ledger::spelling(keyword).to_owned(),
        value: Some(told(keyword, &values.join(" "), false)),
        from: origin::of_setting(raw, flags, local, keyword, |_| true).unwrap_or_else(|| origin::of_files(raw, local)),
    });
    settings.collect()
}

/// Returns the value of a keyword as it may appear in a report: masked where it may hold a secret, or where its contents are unknown.
pub(super) fn told(keyword: &str, value: &str, plain: bool) -> String {
    let is_private = MASKED.contains(&keyword) || ledger::treatment(keyword).is_none();
    if is_private && !plain { masked(value) } else { value.to_owned() }
}

/// `none` where there is no default.
fn is_unset(values: &[String], default: &[String]) -> bool {
    default.is_empty() && values.iter().all(|value| value.eq_ignore_ascii_case("none"))
}

fn lists(raw: &Raw) -> Algorithms {
    Algorithms {
        kex: raw.names("kexalgorithms"),
        host_key: raw.names("hostkeyalgorithms"),
        cipher: raw.names("ciphers"),
        mac: raw.names("macs"),
        compression: raw.flag("compression", false),
    }
}

#[cfg(test)]
mod tests {
    use super::{Raw, SshFlags, masked, of_settings, settings};
    use crate::plan::tokens::tests::local;

    #[test]
    fn what_differs_from_the_defaults_is_told_and_no_command_with_it() {
        let defaults = Raw::from_lines(
            "port 22\nciphers a,b\nserveraliveinterval 0\nrequesttty auto\ncontrolmaster false\nsessiontype default\n",
        );
        let set = "port 2222\nciphers a\nserveraliveinterval 0\nproxycommand nc --password x %h\nrequesttty force\n\
                   controlpath /tmp/m\ncontrolmaster auto\nremotecommand date\nsessiontype default\npkcs11provider none\n";
        let raw = Raw { expanded: true, version: "OpenSSH_9.2p1".into(), ..Raw::from_lines(set) };
        let flags = SshFlags { options: vec!["RequestTTY=force".into()], ..SshFlags::default() };
        let settings = settings(&raw, &defaults, &flags, &local());
        let own = of_settings(&raw, &defaults, settings, vec!["--".into(), "db".into()], false).unwrap();
        let told: Vec<_> = own.settings.iter().map(|set| (set.keyword.as_str(), set.value.as_deref())).collect();
        let [proxy, remote] = ["nc --password x %h", "date"].map(masked);
        let expected = [
            ("Ciphers", Some("a")),
            ("ControlMaster", Some("auto")),
            ("ControlPath", Some("/tmp/m")),
            ("ProxyCommand", Some(proxy.as_str())),
            ("RemoteCommand", Some(remote.as_str())),
            ("RequestTTY", Some("force")),
        ];
        assert_eq!(told, expected);
        assert_eq!(own.settings[5].from, "the command line");
        assert!(own.session.remote_command && own.control.unwrap().becomes_master && own.pkcs11.is_none());
    }
}
