//! The way to a server that is not a TCP connection of our own: jump hosts and proxy commands.
//!
//! Each hop of a ProxyJump is examined as a target of its own, over the hop before it, as far as its login; then it is asked
//! to carry a connection on (direct-tcpip), as `ssh -W` does.

use std::collections::BTreeSet;
use std::time::Instant;

use super::context::Context;
use super::handles::{Link, LoggedIn, Reach};
use super::progress::{CheckOutcome, Event};
use crate::base::elapsed::ms_since;
use crate::base::target::{Route, Target};
use crate::base::text::{sanitize, seconds};
use crate::facts::{Check, Evidence, Forward, Hop};
use crate::ssh::connection::Via;
use crate::ssh::transport::Transport;
use crate::ssh::tunnel::Tunnel;

/// The checks that a hop goes through.
const CHECKS: [Check; 6] = [Check::Config, Check::Dns, Check::Tcp, Check::Handshake, Check::Hostkey, Check::Auth];

/// Examines the target's hops one after the other with `pipeline`, and leaves the tunnel through them.
///
/// Nothing is done where the target has none, or where nothing that needs a connection was asked for.
pub(crate) async fn pass(
    ctx: &Context,
    selected: &BTreeSet<Check>,
    pipeline: impl AsyncFn(Context, &BTreeSet<Check>, Option<Link>) -> (Evidence, Option<LoggedIn>),
) -> (Vec<Hop>, Option<Link>) {
    let jumps = ctx.target.proxy.as_ref().map(|proxy| proxy.jumps.as_slice()).unwrap_or_default();
    if !selected.iter().any(|check| *check >= Check::Handshake) {
        return (Vec::new(), None);
    }
    let (mut passed, mut tunnel) = (Vec::new(), None);
    for (at, jump) in jumps.iter().enumerate() {
        let next = jumps.get(at + 1).unwrap_or(&ctx.target);
        ctx.progress.tell(Event::Hop(jump.input.clone()));
        let (evidence, logged_in) = Box::pin(pipeline(ctx.of_hop(jump), &BTreeSet::from(CHECKS), tunnel)).await;
        let mut hop = Hop { name: jump.input.clone(), evidence, forward: None };
        tunnel = match logged_in {
            Some(logged_in) => go_on(ctx, &mut hop, logged_in, next).await,
            None => None,
        };
        ctx.progress.tell(finished(&hop));
        passed.push(hop);
        if tunnel.is_none() {
            break;
        }
    }
    (passed, tunnel)
}

/// Opens the connection from a hop to `next`, and notes what became of it.
async fn go_on(ctx: &Context, hop: &mut Hop, logged_in: LoggedIn, next: &Target) -> Option<Link> {
    let (connection, login) = logged_in.connection.zip(logged_in.login)?;
    let via = Via::new(&hop.name, connection);
    let since = Instant::now();
    let answer = ctx.stop.race(Tunnel::open(&via, &next.host, next.port, ctx.limits.connect)).await?;
    let ms = ms_since(since);
    let (tunnel, failure) = match answer {
        Ok(tunnel) => (Some(tunnel), None),
        Err(failure) => (None, Some(failure)),
    };
    hop.forward = Some(Forward { host: next.host.clone(), port: next.port, ms, failure });
    let reach = Reach { route: Route::Hops, via: Some(login) };
    tunnel.map(|tunnel| Link { transport: Transport::Tunnel(Box::new(tunnel)), reach, since })
}

/// The outcome of a hop, for the onlooker.
fn finished(hop: &Hop) -> Event {
    let (ending, summary) = match &hop.forward {
        None => (CheckOutcome::Failed, "not passed".to_owned()),
        Some(Forward { failure: Some(failure), .. }) => (CheckOutcome::Failed, failure.to_string()),
        Some(Forward { host, port, ms, failure: None }) => {
            (CheckOutcome::Passed, format!("connected on to {}:{port} in {}", sanitize(host), seconds(ms / 1000.0)))
        }
    };
    Event::HopFinished { name: hop.name.clone(), ending, summary }
}
