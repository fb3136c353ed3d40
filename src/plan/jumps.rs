//! The hops of a ProxyJump as targets of their own, each with the settings that ssh would use for it.

use anyhow::{Context, Result, bail};
use ssh_doctor_checks::base::own_ssh::SessionSettings;
use ssh_doctor_checks::base::target::Target;
use ssh_doctor_checks::base::text::sanitize;

use super::destination::Destination;
use super::kerberos;
use super::local::Local;
use super::raw::Raw;
use super::resolve::{self, Given};
use super::settings_cache::{Asked, SshSettings};
use super::ssh_g::{self, NotAnswered};
use crate::cli::SshFlags;

/// The most hops that are resolved; a configuration in which a host is its own jump host has no end.
const MAX_JUMPS: usize = 16;

/// Every hop in the order in which they are connected to.
///
/// As in ssh, the first hop is reached by its own settings, perhaps through further hops; each other one goes through those
/// before it. Of the command line only `-F` reaches the hops. A hop that is reached through itself is reported instead: there is no end
/// then.
pub(super) async fn resolve(
    hops: &[String],
    config: Option<&str>,
    local: &Local,
    person: bool,
    defaults: &Raw,
) -> Result<Result<Vec<Target>, String>> {
    let mut names = hops.to_vec();
    let mut targets: Vec<Target> = Vec::new();
    loop {
        let mut own = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let before = (at > 0).then(|| names[..at].join(","));
            own.push(
                hop(name, before, config, local, person, defaults)
                    .await
                    .with_context(|| format!("the hop {} cannot be used", sanitize(name)))?,
            );
        }
        names = own.first().and_then(|first| first.proxy.as_ref()).map(|proxy| proxy.hops.clone()).unwrap_or_default();
        own.append(&mut targets);
        targets = own;
        let Some(next) = names.first() else { return Ok(Ok(targets)) };
        if targets.len() > MAX_JUMPS {
            return Ok(Err(next.clone()));
        }
    }
}

async fn hop(
    name: &str,
    before: Option<String>,
    config: Option<&str>,
    local: &Local,
    person: bool,
    defaults: &Raw,
) -> Result<Target> {
    let destination = Destination::parse(name)?;
    // As ssh -W, which goes there, has it.
    let options = vec!["ClearAllForwardings=yes".to_owned()];
    let flags = SshFlags { config: config.map(ToOwned::to_owned), jump: before, options, ..SshFlags::default() };
    let host = destination.host.as_str();
    let (user, port) = (destination.user.as_deref(), destination.port);
    let asked = Asked { flags: &flags, local, defaults, login: user, port, host };
    let SshSettings { raw, settings, server_alive_from } = match asked.ssh().await? {
        Ok(answer) => answer,
        Err(NotAnswered::Refused(refused)) => bail!(refused.sentence(host)),
        Err(NotAnswered::NoSsh) => bail!("there is no ssh to ask for its settings"),
    };
    let arguments = ssh_g::arguments(&flags, user, port, host);
    let ticket = raw.flag("gssapiauthentication", false) && kerberos::has_ticket(local).await;
    let mut target = resolve::target(
        &raw,
        Given {
            input: name,
            alias: host,
            flags: &flags,
            local,
            password: None,
            person,
            defaults,
            settings,
            server_alive_from,
            ticket,
            plain: false,
            arguments,
        },
    )?;
    if let Some(own) = &mut target.own_ssh {
        // It has no session there.
        own.session = SessionSettings::default();
    }
    Ok(target)
}
