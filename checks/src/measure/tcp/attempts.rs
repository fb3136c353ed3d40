//! All addresses tried at once, and the one picked that ssh, which tries them one after the other, would get.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::base::elapsed::ms_since;
use crate::facts::tcp::{Attempt, ConnectOutcome, Icmp};
use crate::measure::context::Context;
use crate::os::socket::errno_name;
use crate::ssh::dial::{self, Refusal};
use crate::ssh::dialed::Dialed;

/// Addresses tried: together they stay below the ten unauthenticated connections at which sshd begins to refuse
/// (MaxStartups, sshd_config(5)), should they all be one server.
const ADDRESSES: usize = 8;
/// The time beyond the winner's for an address that ssh would not reach.
const GRACE: Duration = Duration::from_millis(150);

/// Further connections: together with the first they cost their server no more than 9 s of penalty (`PerSourcePenalties`).
const REPEATS: usize = 8;
/// The least time between the beginnings of two of them.
const SPACING: Duration = Duration::from_millis(300);
/// Failures in a row that end them: one alone may be chance.
const FAILURES: usize = 2;
/// The time after which none is begun.
const SERIES: Duration = Duration::from_secs(8);
/// The time that one is waited for: a lost SYN is sent again after 1 s and after 3 s (RFC 6298 section 2.1).
const REPEATED: Duration = Duration::from_millis(3500);

/// The outcome of the addresses, and the connection that stays open.
pub(super) struct Tried {
    pub(super) attempts: Vec<Attempt>,
    pub(super) winner: Option<(SocketAddr, Dialed)>,
}

type Ended = (usize, Duration, Result<Dialed, Refusal>);

/// Tries every address, and waits to the deadline only for those that ssh would wait for.
pub(super) async fn all(ctx: &Context, addresses: &[SocketAddr]) -> Tried {
    let addresses: Vec<_> = addresses.iter().copied().take(ADDRESSES).collect();
    let began = Instant::now();
    let mut running = start(ctx, &addresses, began);
    let mut outcomes: Vec<Option<(Duration, ConnectOutcome)>> = vec![None; addresses.len()];
    let mut winner: Option<(usize, Dialed)> = None;
    let mut until: Option<Instant> = None;
    loop {
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            () = at(until) => None,
            () = ctx.stop.wait() => None,
        };
        let Some(Ok((index, took, result))) = ended else { break };
        let outcome = match result {
            Ok(dialed) => {
                // Of two connections the one that ssh would not have made is closed at once.
                if winner.as_ref().is_none_or(|(best, _)| index < *best) {
                    winner = Some((index, dialed));
                }
                ConnectOutcome::Connected
            }
            Err(refusal) => failed(addresses[index], refusal),
        };
        outcomes[index] = Some((took, outcome));
        let settled = winner.as_ref().filter(|(best, _)| outcomes[..*best].iter().all(Option::is_some));
        if let (Some((best, _)), None) = (settled, until) {
            let took = outcomes[*best].as_ref().map_or(Duration::ZERO, |(took, _)| *took);
            until = Some(began + took + took.max(GRACE));
        }
    }
    let attempts = std::iter::zip(&addresses, outcomes)
        .map(|(&address, outcome)| {
            let (took, outcome) = outcome.unwrap_or((began.elapsed(), ConnectOutcome::NotWaitedFor));
            Attempt { address, ms: took.as_secs_f64() * 1000.0, outcome }
        })
        .collect();
    Tried { attempts, winner: winner.map(|(index, dialed)| (addresses[index], dialed)) }
}

fn start(ctx: &Context, addresses: &[SocketAddr], began: Instant) -> JoinSet<Ended> {
    let (bind, segment, deadline) = (ctx.target.bind, ctx.target.segment, ctx.limits.connect);
    let mut running = JoinSet::new();
    for (index, &address) in addresses.iter().enumerate() {
        let budget = ctx.budget.clone();
        running.spawn(async move {
            let result = dial::attempt(&budget, address, bind, segment, deadline).await;
            (index, began.elapsed(), result)
        });
    }
    running
}

/// Connects to `address` again and again, one after the other, and closes each connection at once. Two in a row that fail are the last:
/// where a limit was met, each further one would prolong it.
pub(super) async fn repeated(ctx: &Context, address: SocketAddr) -> Vec<Attempt> {
    let (mut attempts, since) = (Vec::new(), Instant::now());
    let series = async {
        let mut failed_in_a_row = 0;
        while attempts.len() < REPEATS && failed_in_a_row < FAILURES && since.elapsed() < SERIES {
            let began = Instant::now();
            let result = dial::attempt(&ctx.budget, address, ctx.target.bind, ctx.target.segment, REPEATED).await;
            let outcome = result.map_or_else(|refusal| failed(address, refusal), |_| ConnectOutcome::Connected);
            failed_in_a_row = if outcome == ConnectOutcome::Connected { 0 } else { failed_in_a_row + 1 };
            attempts.push(Attempt { address, ms: ms_since(began), outcome });
            tokio::time::sleep_until((began + SPACING).into()).await;
        }
    };
    let _ = ctx.stop.race(series).await;
    attempts
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

fn failed(address: SocketAddr, Refusal { error, icmp }: Refusal) -> ConnectOutcome {
    if error.kind() == ErrorKind::TimedOut {
        return ConnectOutcome::TimedOut;
    }
    ConnectOutcome::Failed {
        errno: errno_name(&error),
        error: error.to_string(),
        icmp,
        icmp_from_here: icmp.and_then(|Icmp { sender, .. }| sender).is_some_and(|sender| is_source(address, sender)),
    }
}

/// True if `own` is the address that this machine sends from to `address`; connecting a UDP socket sends nothing.
fn is_source(address: SocketAddr, own: IpAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let source = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(address)?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == own)
}
