//! TCP reachability: every address tried by itself, the first in ssh's order that connects carries the examination.

mod attempts;

use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::TcpStream;

use super::context::Context;
use super::handles::{Link, Reach};
use crate::base::target::Route;
use crate::base::text;
use crate::facts::Step;
use crate::facts::tcp::{Facts, Path};
use crate::os::socket::Socket;
use crate::ssh::dial;
use crate::ssh::transport::Transport;

/// Connects to every address at once and leaves the connection that ssh would have got.
///
/// The other connections are closed without a message: each costs its server a line in the log, and from OpenSSH 9.8 on
/// a second of penalty (`PerSourcePenalties`, sshd_config(5)), far below the 15 s at which sshd begins to refuse.
/// It takes `Limits::connect` at most.
pub async fn check(ctx: &Context, addresses: &[SocketAddr], tunnel: Option<Link>) -> (Step<Facts>, Option<Link>) {
    let since = Instant::now();
    if let Some(proxy) = &ctx.target.proxy {
        if !proxy.hops.is_empty() {
            let how = if tunnel.is_some() { "reached through" } else { "it is not reached through" };
            return (Step::Skipped(format!("{how} {}", text::sanitize(&proxy.hops.join(", ")))), tunnel);
        }
        return match dial::open(&ctx.budget, &ctx.target, Route::Proxy, ctx.limits.connect).await {
            Ok(transport) => {
                let link = Link { transport, reach: Reach { route: Route::Proxy, via: None }, since };
                (Step::Skipped("reached through the proxy command".into()), Some(link))
            }
            Err(error) => (Step::Error(format!("the proxy command could not be started: {error}")), None),
        };
    }
    if addresses.is_empty() {
        return (Step::Skipped("no address: the dns check left none".into()), None);
    }
    let tried = attempts::all(ctx, addresses).await;
    let facts = Facts {
        not_tried: addresses.len().saturating_sub(tried.attempts.len()),
        deadline_s: ctx.limits.connect.as_secs_f64(),
        bind: ctx.target.bind,
        connected_to: tried.winner.as_ref().map(|(address, _)| *address),
        connected_from: tried.winner.as_ref().and_then(|(_, dialed)| dialed.stream.local_addr().ok()),
        path: tried.winner.as_ref().and_then(|(_, dialed)| path(&dialed.stream)),
        repeats: Vec::new(),
        attempts: tried.attempts,
    };
    match tried.winner {
        Some((address, dialed)) => {
            let reach = Reach { route: Route::Direct(address), via: None };
            (Step::Passed(facts), Some(Link { transport: Transport::Tcp(dialed), reach, since }))
        }
        None if ctx.stop.asked() => (Step::Skipped("interrupted".into()), None),
        None => (Step::Failed(facts), None),
    }
}

/// Repeats the connection that passed, where it is asked for (`--deep`), for 12 s at most. To be called when no connection of ours is left:
/// a server that takes one at a time lets the others wait, and the kernel turns away those for which its queue is too short.
pub(crate) async fn repeat(ctx: &Context, step: &mut Step<Facts>) {
    if let (true, false, Step::Passed(facts)) = (ctx.limits.deep, ctx.stop.asked(), step)
        && let Some(address) = facts.connected_to
    {
        facts.repeats = attempts::repeated(ctx, address).await;
    }
}

fn path(stream: &TcpStream) -> Option<Path> {
    let info = Socket::of(stream).ok()?.tcp_info()?;
    Some(Path {
        rtt_ms: f64::from(info.rtt_us) / 1000.0,
        mss: info.mss,
        mtu: info.path_mtu,
        repeated_syns: info.retransmits,
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::base::ask::Nobody;
    use crate::base::limits::Limits;
    use crate::base::stop::Stop;
    use crate::base::target::{Route, Target};
    use crate::facts::tcp::ConnectOutcome;
    use crate::measure::context::Context;
    use crate::measure::progress::Progress;
    use std::sync::Arc;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_first_that_connects_is_kept_and_the_others_are_closed() {
        let [closed, first, second] = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let target = Target::bare("localhost", 22, "me");
        let ctx = Context::new(target, Limits::default(), Progress::default(), Stop::never(), Arc::new(Nobody));
        let addresses = [&closed, &first, &second].map(|listener| listener.local_addr().unwrap());
        drop(closed);
        let (step, link) = check(&ctx, &addresses, None).await;
        let facts = step.passed().unwrap();
        assert!(
            matches!(&facts.attempts[0].outcome, ConnectOutcome::Failed { errno: Some(errno), icmp: None, .. } if errno == "ECONNREFUSED")
        );
        assert!(facts.attempts[1..].iter().all(|attempt| attempt.outcome == ConnectOutcome::Connected));
        assert_eq!(link.map(|link| link.reach.route), Some(Route::Direct(addresses[1])));
        let (mut other, _) = second.accept().await.unwrap();
        assert_eq!(other.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
