//! From ssh's words to the types that an examination works with: every default settled, every token expanded.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use secrecy::SecretString;
use ssh_doctor_checks::base::masking::holds_password;
use ssh_doctor_checks::base::own_ssh::{OwnSsh, Setting};
use ssh_doctor_checks::base::target::{
    AddressFamily, Algorithms, Credentials, Flags, Identity, LEAST_RSA_BITS, Settings, Target,
};

use super::destination::Destination;
use super::host_keys::host_keys;
use super::local::Local;
use super::proxy::proxy;
use super::raw::Raw;
use super::tokens::Tokens;
use super::{ipqos, origin, own, unhonoured};
use crate::cli::SshFlags;

/// The identity files of ssh_config(5) when none is configured; a newer ssh has more of them, an older one fewer.
const DEFAULT_IDENTITIES: [&str; 5] =
    ["~/.ssh/id_rsa", "~/.ssh/id_ecdsa", "~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519", "~/.ssh/id_ed25519_sk"];

/// The methods that we speak, in ssh's order (`PreferredAuthentications`), and the keyword that switches each off.
const METHODS: [(&str, &str); 3] = [
    ("publickey", "pubkeyauthentication"),
    ("keyboard-interactive", "kbdinteractiveauthentication"),
    ("password", "passwordauthentication"),
];

/// Options of `-o` that say where to go or as whom and have no flag of their own in `Flags`.
const LEADING: [&str; 5] = ["hostname", "hostkeyalias", "identityfile", "proxycommand", "proxyjump"];

/// The parts of a target beside ssh's own settings.
#[derive(Debug)]
pub(super) struct Given<'a> {
    /// The target as the user typed it.
    pub(super) input: &'a str,
    /// The host in it: perhaps an alias.
    pub(super) alias: &'a str,
    /// The flags that ssh has too.
    pub(super) flags: &'a SshFlags,
    /// This side.
    pub(super) local: &'a Local,
    /// A password that the user gave a way to.
    pub(super) password: Option<SecretString>,
    /// True if a person is at the terminal.
    pub(super) person: bool,
    /// ssh's own defaults.
    pub(super) defaults: &'a Raw,
    /// The settings that are not its defaults.
    pub(super) settings: Vec<Setting>,
    /// The source of the keepalive interval.
    pub(super) server_alive_from: String,
    /// True if ssh may have a Kerberos ticket, where it would use one.
    pub(super) ticket: bool,
    /// True if commands of the settings may be shown as they are.
    pub(super) plain: bool,
    /// The arguments by which ssh goes there.
    pub(super) arguments: Vec<String>,
}

/// The target as ssh would reach it.
pub(super) fn target(raw: &Raw, given: Given<'_>) -> Result<Target> {
    let Given { input, alias, flags, local, .. } = given;
    let port = raw.one("port").and_then(|port| port.parse().ok()).unwrap_or(22);
    // Of these "none" is a name like any other (`ssh -G` keeps it).
    let named = |keyword| raw.one(keyword).filter(|name| !name.is_empty());
    let user = named("user").unwrap_or(&local.user);
    let key_alias = named("hostkeyalias");
    // Of several hops ssh names the last one, and of that one the host alone.
    let jump = raw.set("proxyjump").and_then(|hops| Destination::parse(hops.rsplit(',').next()?.trim()).ok());
    let jump = jump.map(|hop| hop.host).unwrap_or_default();
    let mut tokens = Tokens {
        local,
        alias,
        host: alias,
        port,
        user,
        key_alias: key_alias.unwrap_or(alias),
        jump: &jump,
        hash: raw.hash.as_deref(),
    };
    let host = match raw.one("hostname") {
        Some(host) if raw.expanded => host.to_owned(),
        Some(host) => tokens.percent(host).with_context(|| "the HostName cannot be used")?,
        None => alias.to_owned(),
    };
    tokens.host = &host;
    refuse_password(raw, flags, local)?;
    let unhonoured = unhonoured::settings(raw, given.defaults, flags, &tokens, given.ticket, given.plain);
    let deciding =
        unhonoured.iter().filter(|setting| setting.decides).map(|setting| setting.sentence.clone()).collect();
    let beyond_login = unhonoured.iter().any(|setting| setting.beyond_login);
    let mut not_honoured: Vec<_> = unhonoured.into_iter().map(|setting| setting.sentence).collect();
    not_honoured.extend(flags.others.passed_over());
    let credentials = Credentials {
        agent: agent(raw, &tokens)?,
        identities: identities(raw, flags, &tokens, &mut not_honoured),
        certificates: files(raw.all("certificatefile"), "CertificateFile", &tokens, &mut not_honoured),
        identities_only: raw.flag("identitiesonly", false),
        // The keyword had another name before OpenSSH 8.5.
        accepted: raw.algorithms(&["pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"]),
        preferred: methods(raw),
        password: given.password,
        can_ask: given.person && !raw.flag("batchmode", false),
        batch_mode: raw.flag("batchmode", false),
        only_ssh: unhonoured::credentials(raw, given.ticket),
    };
    let own_ssh = own::of_settings(raw, given.defaults, given.settings, given.arguments, given.plain);
    let tcp_keepalive_from =
        origin::of_setting(raw, flags, local, "tcpkeepalive", |value| value.eq_ignore_ascii_case("yes"));
    Ok(Target {
        input: input.to_owned(),
        port,
        user: user.to_owned(),
        family: match raw.one("addressfamily") {
            Some("inet") => AddressFamily::Inet,
            Some("inet6") => AddressFamily::Inet6,
            _ => AddressFamily::Any,
        },
        bind: raw.one("bindaddress").and_then(|address| address.parse().ok()),
        segment: None,
        proxy: proxy(raw, &tokens, flags.config.as_deref())?,
        host_keys: host_keys(raw, &tokens)?,
        required_rsa_bits: raw.one("requiredrsasize").and_then(|bits| bits.parse().ok()).unwrap_or(LEAST_RSA_BITS),
        credentials,
        algorithms: Algorithms {
            kex: raw.names("kexalgorithms"),
            host_key: raw.names("hostkeyalgorithms"),
            cipher: raw.names("ciphers"),
            mac: raw.names("macs"),
            compression: raw.flag("compression", false),
        },
        flags: led_by(flags, input, port, user, given.plain),
        own_ssh: own_ssh.map(|own| OwnSsh { tcp_keepalive_from, ..own }),
        tos: ipqos::interactive(raw.one("ipqos").unwrap_or("af21 cs1")),
        settings: Settings {
            source: raw.source.clone(),
            server_alive_interval_s: raw.number("serveraliveinterval", 0),
            server_alive_count_max: raw.number("serveralivecountmax", 3),
            server_alive_from: given.server_alive_from,
            tcp_keepalive: raw.flag("tcpkeepalive", true),
            not_honoured,
            deciding,
            beyond_login,
            ..Settings::default()
        },
        host,
    })
}

/// Refuses a password in what names a host in a configuration file; of that in a ProxyJump, `ssh -G` shows a login name.
fn refuse_password(raw: &Raw, flags: &SshFlags, local: &Local) -> Result<()> {
    for keyword in ["ProxyJump", "HostName", "HostKeyAlias"] {
        let key = keyword.to_ascii_lowercase();
        let Some(value) = raw.set(&key) else { continue };
        let of_a_jump = keyword == "ProxyJump" && flags.jump.is_none();
        if of_a_jump || holds_password(value) {
            match origin::in_files(&raw.log, local, &key, holds_password) {
                Some(place) => bail!("{keyword} holds a password ({place}); take it out, ssh does not use it as one"),
                None if of_a_jump => {}
                None => bail!("{keyword} holds a password; take it out, ssh does not use it as one"),
            }
        }
    }
    Ok(())
}

/// Returns the flags of the command line that decide the destination, with the resulting port and user.
pub(super) fn led_by(flags: &SshFlags, input: &str, port: u16, user: &str, plain: bool) -> Flags {
    let by_option = |keyword: &str| origin::on_command_line(&flags.options, keyword);
    let destination = Destination::parse(input).ok();
    let (in_port, in_user) = destination.map(|at| (at.port, at.user)).unwrap_or_default();
    let names_port = flags.port.or(in_port).is_some() || by_option("port");
    let names_user = flags.login.is_some() || in_user.is_some() || by_option("user");
    let leads = |option: &&String| LEADING.iter().any(|keyword| origin::on_command_line(&[(*option).clone()], keyword));
    // A command to paste has a word to replace where the user's own command may hold a secret.
    let told = |option: &String| match origin::keyword_and_value(option) {
        Some((keyword, _)) if !plain && keyword.eq_ignore_ascii_case("proxycommand") => format!("{keyword}=COMMAND"),
        _ => option.clone(),
    };
    Flags {
        config: flags.config.clone(),
        port: names_port.then_some(port),
        login: names_user.then(|| user.to_owned()),
        jump: flags.jump.clone(),
        identities: flags.identities.clone(),
        options: flags.options.iter().filter(leads).map(told).collect(),
    }
}

/// `IdentityAgent`, or the environment's agent.
fn agent(raw: &Raw, tokens: &Tokens<'_>) -> Result<Option<PathBuf>> {
    let variable = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match raw.one("identityagent") {
        None | Some("SSH_AUTH_SOCK") => Ok(variable("SSH_AUTH_SOCK")),
        Some("none") => Ok(None),
        Some(name) if name.starts_with('$') && !name.starts_with("${") => Ok(variable(name.trim_start_matches('$'))),
        Some(path) if raw.expanded => Ok(Some(path.into())),
        Some(path) => tokens.path(path).map(Some).with_context(|| "the IdentityAgent cannot be used"),
    }
}

fn identities(raw: &Raw, flags: &SshFlags, tokens: &Tokens<'_>, unused: &mut Vec<String>) -> Vec<Identity> {
    let configured = raw.all("identityfile");
    let is_default = |name: &String| name.strip_prefix("~/.ssh/").is_some_and(|name| name.starts_with("id_"));
    let default = flags.identities.is_empty()
        && (configured.is_empty() || (configured.len() >= 4 && configured.iter().all(is_default)));
    let defaults = DEFAULT_IDENTITIES.map(ToOwned::to_owned);
    let names = if configured.is_empty() { &defaults[..] } else { configured };
    let paths = files(names, "IdentityFile", tokens, unused);
    paths.into_iter().map(|path| Identity { path, explicit: !default }).collect()
}

/// File names, one a value; one that cannot be expanded is named among what is not honoured.
fn files(names: &[String], keyword: &str, tokens: &Tokens<'_>, unused: &mut Vec<String>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for name in names.iter().filter(|name| !name.eq_ignore_ascii_case("none")) {
        match tokens.path(name) {
            Ok(path) => paths.push(path),
            Err(error) => unused.push(format!("{keyword}: {error}")),
        }
    }
    paths
}

/// The methods that may be tried, in the user's order; `none` alone where every one of them is switched off.
fn methods(raw: &Raw) -> Vec<String> {
    let allowed = |name: &str| METHODS.iter().any(|(method, switch)| *method == name && raw.flag(switch, true));
    let preferred = raw.names("preferredauthentications");
    let order = if preferred.is_empty() { METHODS.map(|(method, _)| method.to_owned()).into() } else { preferred };
    let methods: Vec<String> = order.into_iter().filter(|name| allowed(name)).collect();
    if methods.is_empty() { vec!["none".to_owned()] } else { methods }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use ssh_doctor_checks::base::target::{AddressFamily, Strictness, Target};

    use super::{Given, Raw, SshFlags, target};
    use crate::plan::tokens::tests::local;

    fn resolved(lines: &str) -> Target {
        let local = local();
        let given = Given {
            input: "db",
            alias: "db",
            flags: &SshFlags::default(),
            local: &local,
            password: None,
            person: true,
            defaults: &Raw::default(),
            settings: Vec::new(),
            server_alive_from: "ssh's default".into(),
            ticket: false,
            plain: false,
            arguments: Vec::new(),
        };
        target(&Raw { expanded: true, ..Raw::from_lines(lines) }, given).unwrap()
    }

    #[test]
    fn nothing_set_is_what_ssh_does() {
        let target = resolved("");
        assert_eq!((target.host.as_str(), target.port, target.user.as_str()), ("db", 22, "me"));
        assert_eq!(target.host_keys.user_files[0], Path::new("/home/me/.ssh/known_hosts"));
        assert_eq!(target.host_keys.strictness, Strictness::Ask);
        assert!(target.credentials.identities.iter().all(|identity| !identity.explicit));
        assert_eq!(target.credentials.preferred, ["publickey", "keyboard-interactive", "password"]);
        assert_eq!((target.settings.server_alive_interval_s, target.settings.server_alive_count_max), (0, 3));
        assert!(target.credentials.can_ask && target.settings.tcp_keepalive);
    }

    #[test]
    fn settings_reach_the_field_they_are_for() {
        let target = resolved(
            "user joe\nhostname db.example\nport 2222\naddressfamily inet6\nbindaddress ::1\nhostkeyalias key\n\
             stricthostkeychecking false\nuserknownhostsfile /a b /c\nglobalknownhostsfile none\n\
             identityfile ~/.ssh/k_%r_%h\nidentityfile none\ncertificatefile ~/c-cert.pub\nidentityagent none\n\
             identitiesonly yes\npreferredauthentications gssapi-with-mic,password,publickey\npubkeyauthentication false\n\
             pubkeyacceptedalgorithms ssh-ed25519,ssh-rsa\nkexalgorithms a,b\nciphers c\nmacs d\nhostkeyalgorithms e\ncompression yes\nipqos ef none\nbatchmode yes\n\
             serveraliveinterval 30\nserveralivecountmax 5\ntcpkeepalive no\n",
        );
        assert_eq!((target.host.as_str(), target.port, target.user.as_str()), ("db.example", 2222, "joe"));
        assert_eq!((target.family, target.bind), (AddressFamily::Inet6, Some("::1".parse().unwrap())));
        assert_eq!(target.host_keys.alias.as_deref(), Some("key"));
        assert_eq!(target.host_keys.user_files, [PathBuf::from("/a b"), PathBuf::from("/c")]);
        assert!(target.host_keys.global_files.is_empty());
        assert_eq!(target.host_keys.strictness, Strictness::No);
        let credentials = &target.credentials;
        assert_eq!(credentials.identities.len(), 1);
        assert_eq!(credentials.identities[0].path, Path::new("/home/me/.ssh/k_joe_db.example"));
        assert!(credentials.identities[0].explicit && credentials.identities_only && !credentials.can_ask);
        assert_eq!(credentials.certificates, [PathBuf::from("/home/me/c-cert.pub")]);
        assert_eq!(
            (credentials.agent.as_ref(), credentials.preferred.as_slice()),
            (None, &["password".to_owned()][..])
        );
        assert_eq!(credentials.accepted, ["ssh-ed25519", "ssh-rsa"]);
        assert_eq!((target.algorithms.kex.len(), target.algorithms.compression, target.tos), (2, true, Some(0xb8)));
        assert_eq!((target.settings.server_alive_interval_s, target.settings.server_alive_count_max), (30, 5));
        assert!(!target.settings.tcp_keepalive);
    }

    #[test]
    fn what_decides_on_a_host_key_beside_known_hosts_is_taken_as_ssh_prints_it() {
        let bare = resolved("revokedhostkeys none\nnohostauthenticationforlocalhost no\n").host_keys;
        assert_eq!((bare.revoked, bare.command, bare.skip_loopback), (None, false, false));
        let set = "revokedhostkeys ~/revoked\nknownhostscommand /bin/known %H\nnohostauthenticationforlocalhost yes\n";
        let set = resolved(set).host_keys;
        assert_eq!((set.revoked, set.command, set.skip_loopback), (Some("~/revoked".into()), true, true));
    }

    #[test]
    fn none_is_a_login_and_an_alias_and_no_jump() {
        let target = resolved("user none\nhostkeyalias None\nproxyjump none\nproxycommand none\nidentityfile none\n");
        assert_eq!((target.user.as_str(), target.host_keys.alias.as_deref()), ("none", Some("None")));
        assert!(target.proxy.is_none() && target.credentials.identities.is_empty());
    }

    #[test]
    fn a_change_to_a_list_that_only_ssh_knows_leaves_its_own_choice() {
        assert!(resolved("pubkeyacceptedalgorithms +ssh-rsa\n").credentials.accepted.is_empty());
        assert_eq!(resolved("pubkeyacceptedkeytypes a,b\n").credentials.accepted, ["a", "b"]);
    }

    #[test]
    fn a_token_that_is_not_known_is_said_and_not_guessed() {
        let target = resolved("identityfile ~/.ssh/%z\n");
        assert!(target.credentials.identities.is_empty());
        assert!(target.settings.not_honoured[0].contains("%z"));
    }

    #[test]
    fn of_several_hops_the_last_ones_host_is_the_token() {
        let target = resolved("proxyjump a@b:33,c@d:44\nidentityfile /k_%j\n");
        assert_eq!(target.credentials.identities[0].path, Path::new("/k_d"));
    }
}
