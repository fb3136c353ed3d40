//! The distance of the server, measured by its answer to TCP where it does not answer to UDP.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::budget::Budget;
use super::dial;
use crate::facts::path::{Path, Protocol};
use crate::os::pause::timeout;

/// Less than the time after which a SYN is sent again (RFC 6298 section 2.1): each costs one segment.
const ONE_SYN: Duration = Duration::from_millis(900);
/// Time between two, so that an answer comes before the next is sent: bounds of twice the longest round-trip time seen.
const PACE: (Duration, Duration) = (Duration::from_millis(60), Duration::from_millis(400));

/// The end of a segment: its number of hops, the party that reported the end, and the time after which it did.
struct Ended {
    hops: u8,
    by: Option<By>,
    rtt: Duration,
}

/// The party that answered.
enum By {
    /// The server, with a connection or a reset.
    Server,
    /// The hop at which the segment's hops were used up.
    Hop(Option<IpAddr>),
}

/// Finds how far the server is, if `path` does not say, by TCP segments with SYN that come one hop further each.
///
/// On a path whose round-trip time is known one connection comes about; it is closed at once, and counted in the budget. Hops that say
/// that a segment ended there are noted too.
pub async fn count(
    path: &mut Path,
    budget: &Arc<Budget>,
    address: SocketAddr,
    bind: Option<IpAddr>,
    most: u8,
    deadline: Duration,
) {
    if path.distance.is_none() {
        let _ = timeout(deadline, search(path, budget, address, bind, most)).await;
    }
}

async fn search(path: &mut Path, budget: &Arc<Budget>, address: SocketAddr, bind: Option<IpAddr>, most: u8) {
    let slowest = path.hops.iter().filter_map(|hop| hop.rtt_ms).reduce(f64::max);
    let pace = slowest.map_or(PACE.1, |slowest| Duration::from_secs_f64(slowest / 500.0).clamp(PACE.0, PACE.1));
    let mut waiting = JoinSet::new();
    for hops in path.answered().saturating_add(1)..=most {
        let budget = budget.clone();
        waiting.spawn(async move { send(&budget, address, bind, hops).await });
        listen(path, &mut waiting, address.ip(), pace).await;
        if path.distance.is_some() {
            break;
        }
    }
    listen(path, &mut waiting, address.ip(), ONE_SYN).await;
    // Those that still wait close what they get, and give back what they took of the budget.
    waiting.detach_all();
}

async fn send(budget: &Budget, address: SocketAddr, bind: Option<IpAddr>, hops: u8) -> Ended {
    let began = Instant::now();
    let by = match dial::within(budget, address, bind, hops, ONE_SYN).await {
        Ok(_) => Some(By::Server),
        Err(refusal) => match refusal.icmp {
            Some(icmp) => icmp.is_time_exceeded().then_some(By::Hop(icmp.sender)),
            None => (refusal.error.kind() == ErrorKind::ConnectionRefused).then_some(By::Server),
        },
    };
    Ended { hops, by, rtt: began.elapsed() }
}

/// Takes answers for a while, until one comes from the server.
async fn listen(path: &mut Path, waiting: &mut JoinSet<Ended>, server: IpAddr, time: Duration) {
    let until = Instant::now() + time;
    while path.distance.is_none() {
        let ended = tokio::select! {
            Some(Ok(ended)) = waiting.join_next() => ended,
            () = sleep_until(until.into()) => return,
        };
        match ended.by {
            Some(By::Hop(address)) => path.note(ended.hops, address, ended.rtt),
            Some(By::Server) => {
                path.note(ended.hops, Some(server), ended.rtt);
                path.arrive(ended.hops, Protocol::Tcp);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::Limits;
    use crate::facts::path::Distance;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_server_that_answers_to_tcp_is_counted_with_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (budget, address) = (Arc::new(Budget::new(&Limits::default())), listener.local_addr().unwrap());
        let mut path = Path::default();
        count(&mut path, &budget, address, None, 30, Duration::from_secs(5)).await;
        assert_eq!(path.distance, Some(Distance { hops: 1, by: Protocol::Tcp }));
        assert_eq!((path.address(1), budget.spent().connections), (Some(address.ip()), 1));
        count(&mut path, &budget, address, None, 30, Duration::from_secs(5)).await;
        assert_eq!(budget.spent().connections, 1, "what is known is not asked again");
    }

    #[tokio::test]
    async fn a_reset_is_an_answer_and_costs_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (budget, address) = (Arc::new(Budget::new(&Limits::default())), listener.local_addr().unwrap());
        drop(listener);
        let mut path = Path::default();
        count(&mut path, &budget, address, None, 30, Duration::from_secs(5)).await;
        assert_eq!(path.distance, Some(Distance { hops: 1, by: Protocol::Tcp }));
        assert_eq!(budget.spent().connections, 0);
    }
}
