//! The way to a server that is not a TCP connection of our own: jump hosts and proxy commands.
//!
//! Each hop of a ProxyJump is examined as a target of its own, over the hop before it, as far as its login; then it is asked
//! to carry a connection on (direct-tcpip), as `ssh -W` does.

use std::collections::BTreeSet;
use std::time::Instant;

use super::examination::Examination;
use super::progress::{CheckOutcome, Event};
use crate::base::limits::Limits;
use crate::base::target::{Route, Target};
use crate::base::text::{seconds, sanitize};
use crate::facts::{Check, Evidence, Forward, Hop};
use crate::ssh::connection::Via;
use crate::ssh::login::Login;
use crate::ssh::transport::Transport;
use crate::ssh::tunnel::Tunnel;

/// What a hop is examined for.
const CHECKS: [Check; 5] = [Check::Dns, Check::Tcp, Check::Handshake, Check::Hostkey, Check::Auth];

/// Examines the target's hops one after the other with `pipeline`, and leaves the tunnel through them for the handshake.
///
/// Nothing is done where the target has none, or where nothing that needs a connection was asked for.
pub(crate) async fn pass(
    exam: &mut Examination,
    selected: &BTreeSet<Check>,
    pipeline: impl AsyncFn(&mut Examination, &BTreeSet<Check>) -> Evidence,
) -> Vec<Hop> {
    let target = exam.target.clone();
    let jumps = target.proxy.as_ref().map(|proxy| proxy.jumps.as_slice()).unwrap_or_default();
    if !selected.iter().any(|check| *check >= Check::Handshake) {
        return Vec::new();
    }
    let mut passed = Vec::new();
    for (at, jump) in jumps.iter().enumerate() {
        let next = jumps.get(at + 1).unwrap_or(&target);
        exam.progress.tell(Event::Hop(jump.input.clone()));
        let (hop, on) = examine(exam, jump, next, &pipeline).await;
        exam.progress.tell(finished(&hop));
        passed.push(hop);
        let Some(login) = on else { break };
        exam.via = Some(login);
        exam.route = Some(Route::Hops);
    }
    passed
}

/// Examines one hop over the tunnel that the one before it has left, and leaves the tunnel to `next`.
async fn examine(
    exam: &mut Examination,
    jump: &Target,
    next: &Target,
    pipeline: &impl AsyncFn(&mut Examination, &BTreeSet<Check>) -> Evidence,
) -> (Hop, Option<Login>) {
    let (limits, stop) = (Limits { ask_server: false, ..exam.limits.clone() }, exam.stop.clone());
    let mut own = Examination::new(jump.clone(), limits, exam.progress.clone(), stop, exam.ask.clone());
    own.budget = exam.budget.clone();
    own.transport = exam.transport.take();
    own.route = exam.route.take();
    own.via = exam.via.take();
    own.connecting = exam.connecting.take();
    let evidence = Box::pin(pipeline(&mut own, &BTreeSet::from(CHECKS))).await;
    let mut hop = Hop { name: jump.input.clone(), evidence, forward: None };
    let (Some(connection), Some(login)) = (own.connection.take(), own.login.take()) else { return (hop, None) };
    let via = Via::new(&jump.input, connection);
    let asked = Instant::now();
    let Some(answer) = exam.stop.race(Tunnel::open(&via, &next.host, next.port, exam.limits.connect)).await else {
        return (hop, None);
    };
    let ms = asked.elapsed().as_secs_f64() * 1000.0;
    let (transport, failure) = match answer {
        Ok(tunnel) => (Some(Transport::Tunnel(Box::new(tunnel))), None),
        Err(failure) => (None, Some(failure)),
    };
    hop.forward = Some(Forward { host: next.host.clone(), port: next.port, ms, failure });
    let passed = transport.is_some().then_some(login);
    exam.transport = transport;
    exam.connecting = Some(asked);
    (hop, passed)
}

/// What became of a hop, for the onlooker.
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
