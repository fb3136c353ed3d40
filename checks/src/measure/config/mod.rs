//! The user's own ssh before any packet: its settings, the files that it reads, its control master, the programs that it starts.

mod control;
mod files;
mod forwardings;

use std::path::Path;

use nix::unistd::Uid;
use tokio::net::UnixStream;

use crate::base::target::Target;
use crate::facts::Step;
use crate::facts::config::{AgentSocket, Control, Facts, Pkcs11, ProxyProgram};
use crate::measure::context::Context;

/// Examines ssh's steps before it connects. It fails where ssh refuses its settings, or never comes to connect.
pub async fn check(ctx: &Context) -> Step<Facts> {
    let target = ctx.target.clone();
    let Some(own) = &target.own_ssh else {
        return Step::Skipped("there are no settings of an ssh of yours to look at".into());
    };
    let mut facts = Facts {
        ssh: own.version.clone(),
        refusal: own.refusal.clone(),
        jump_loop: own.jump_loop.clone(),
        files: files::of(own),
        uid: Uid::current().as_raw(),
        settings: own.settings.clone(),
        tcp_keepalive_from: own.tcp_keepalive_from.clone(),
        defaults: own.defaults.clone(),
        session: own.session.clone(),
        other_home: files::other_home(),
        ..Facts::default()
    };
    if facts.refusal.is_some() {
        return Step::Failed(facts);
    }
    facts.proxy_program = proxy_program(&target);
    facts.pkcs11 = own.pkcs11.as_ref().map(|path| Pkcs11 { path: path.display().to_string(), found: path.exists() });
    if let Some(path) = &target.credentials.agent {
        facts.agent = Some(agent(path).await);
    }
    if let Some(path) = &own.control {
        let look = control::look(path, own, ctx.limits.stage);
        let Some(control) = ctx.stop.race(look).await else { return Step::Skipped("interrupted".into()) };
        facts.control = Some(control);
    }
    let is_shared = facts.shares_a_connection();
    facts.forwardings = forwardings::look(&own.forwardings, target.family).await;
    if let (Some(forwardings), Some(control), true) = (&mut facts.forwardings, &own.control, is_shared) {
        let are_taken =
            forwardings.requested.is_empty() && forwardings.listeners.iter().all(|listener| !listener.works);
        if forwardings.required && are_taken {
            forwardings.held_by_master = control::has_forwardings(&control.path, own, ctx.limits.stage).await;
        }
    }
    if facts.control.as_ref().is_some_and(Control::stops) { Step::Failed(facts) } else { Step::Passed(facts) }
}

/// True if somebody listens at the agent's socket.
async fn agent(path: &Path) -> AgentSocket {
    let error = UnixStream::connect(path).await.err().map(|error| error.to_string());
    AgentSocket { path: path.display().to_string(), error }
}

fn proxy_program(target: &Target) -> Option<ProxyProgram> {
    let proxy = target.proxy.as_ref().filter(|proxy| proxy.hops.is_empty())?;
    files::program(&proxy.command)
}
