//! The hops of a ProxyJump as targets of their own, each with the settings that ssh would use for it.

use anyhow::{Context, Result, ensure};
use ssh_doctor_checks::base::target::Target;
use ssh_doctor_checks::base::text::sanitize;

use super::destination::Destination;
use super::local::Local;
use super::resolve::{self, Given};
use super::ssh_g;
use crate::cli::SshFlags;

/// The most hops that are resolved; a configuration in which a host is its own jump host has no end.
const MOST: usize = 16;

/// Every hop in the order in which they are connected to.
///
/// As in ssh, the first hop is reached by its own settings, perhaps through further hops; each other one goes through those
/// before it. Of the command line only `-F` reaches the hops.
pub(super) async fn resolve(hops: &[String], config: Option<&str>, local: &Local, person: bool) -> Result<Vec<Target>> {
    let mut names = hops.to_vec();
    let mut targets: Vec<Target> = Vec::new();
    loop {
        let mut own = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let before = (at > 0).then(|| names[..at].join(","));
            own.push(
                hop(name, before, config, local, person)
                    .await
                    .with_context(|| format!("the hop {} cannot be used", sanitize(name)))?,
            );
        }
        names = own.first().and_then(|first| first.proxy.as_ref()).map(|proxy| proxy.hops.clone()).unwrap_or_default();
        own.append(&mut targets);
        targets = own;
        ensure!(targets.len() <= MOST, "there are more than {MOST} hops; is a host its own jump host?");
        if names.is_empty() {
            return Ok(targets);
        }
    }
}

async fn hop(name: &str, before: Option<String>, config: Option<&str>, local: &Local, person: bool) -> Result<Target> {
    let destination = Destination::parse(name)?;
    let flags = SshFlags { config: config.map(ToOwned::to_owned), jump: before, ..SshFlags::default() };
    let host = destination.host.as_str();
    let raw = ssh_g::ask(&flags, destination.user.as_deref(), destination.port, host).await?;
    let raw = raw.context("there is no ssh to ask for its settings")?;
    let server_alive_from = "the hop's own settings".to_owned();
    resolve::target(
        &raw,
        Given { input: name, alias: host, flags: &flags, local, password: None, person, server_alive_from },
    )
}
