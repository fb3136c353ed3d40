//! The hops between us and the server, without privileges: packets with few hops to go, and who says that they ended there.
//!
//! UDP probes as tracepath sends them ([`trace`]); where a packet filter keeps those from the server, TCP segments with SYN tell how
//! far it is (`count`). A path of several routes shows one of them, which need not be the one that an SSH connection takes.

mod probe;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::facts::path::{Path, Protocol};
use crate::os::pause::timeout;
use probe::{ProbeReply, Reply};

/// Time between two probes: the probes sent in vain once the server has answered are few, and no router's limit on ICMP is met.
const PACE: Duration = Duration::from_millis(20);
/// The number of probes to a silent hop.
const ATTEMPTS: u32 = 3;
/// The shortest and longest wait for answers after the last probe of a pass.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(1));
/// The number of source ports for each hop: on a path of two equal routes both show with a probability of seven in
/// eight.
const ROUTES: u32 = 4;
/// Hops asked again behind the last that answered: further ones are probably behind a packet filter.
const BEYOND: u8 = 2;

/// Asks the hops to the host of `address`, at most `most` of them, who they are; nothing where the system does not tell (Linux does).
///
/// Each silent hop is asked `ATTEMPTS` times; it takes a few round-trip times on a path that answers, and never longer than `deadline`.
pub async fn trace(address: SocketAddr, bind: Option<IpAddr>, most: u8, deadline: Duration) -> Path {
    let mut tracing = Tracing { address, bind, deadline, path: Path::default(), last: most, asking: JoinSet::new() };
    // What is known when the time is over is what there is.
    let _ = timeout(deadline, tracing.go()).await;
    let Tracing { mut path, last, .. } = tracing;
    path.hops.truncate(last.into());
    path.merge();
    path
}

/// Asks the hops that answered from other ports too: where traffic is spread over several routes, others answer as the same hop then.
pub async fn routes(path: &mut Path, address: SocketAddr, bind: Option<IpAddr>, deadline: Duration) {
    let mut asking = JoinSet::new();
    let number_of_hops = path.answered();
    let _ = timeout(deadline, async {
        for number in (1..ROUTES).flat_map(|_| 1..=number_of_hops) {
            asking.spawn(probe::ask(address, bind, number, deadline));
            sleep(PACE).await;
        }
        while let Some(answer) = asking.join_next().await {
            if let Ok((number, Some(answer))) = answer {
                path.note(number, answer.from, answer.rtt);
            }
        }
    })
    .await;
}

/// The hops of these that answer within `deadline`, the server among them; none where the system does not tell.
pub async fn answering(address: SocketAddr, bind: Option<IpAddr>, hops: &[u8], deadline: Duration) -> Vec<u8> {
    let mut asking = JoinSet::new();
    let mut answered = Vec::new();
    let _ = timeout(deadline, async {
        for hop in hops {
            asking.spawn(probe::ask(address, bind, *hop, deadline));
        }
        while let Some(answer) = asking.join_next().await {
            if let Ok((hop, Some(_))) = answer {
                answered.push(hop);
            }
        }
    })
    .await;
    answered.sort_unstable();
    answered
}

struct Tracing {
    address: SocketAddr,
    bind: Option<IpAddr>,
    deadline: Duration,
    path: Path,
    /// No answer can come from behind this hop.
    last: u8,
    asking: JoinSet<(u8, Option<ProbeReply>)>,
}

impl Tracing {
    async fn go(&mut self) {
        for attempt in 0..ATTEMPTS {
            let asked = if attempt == 0 { self.last } else { self.path.answered().saturating_add(BEYOND) };
            let mut number = 1;
            while number <= asked.min(self.last) {
                if attempt == 0 || self.path.is_silent(number) {
                    self.asking.spawn(probe::ask(self.address, self.bind, number, self.deadline));
                    self.listen(PACE).await;
                }
                number += 1;
            }
            let slowest = self.path.hops.iter().filter_map(|hop| hop.rtt_ms).fold(0.0, f64::max);
            self.listen(Duration::from_secs_f64(slowest * 3.0 / 1000.0).clamp(PATIENCE.0, PATIENCE.1)).await;
            if self.is_complete() {
                return;
            }
        }
    }

    /// Takes answers for a while; no longer than until every hop up to the last has answered.
    async fn listen(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_complete() {
            let answer = tokio::select! {
                Some(Ok(answer)) = self.asking.join_next() => answer,
                () = sleep(until.saturating_duration_since(Instant::now())) => return,
            };
            if let (number, Some(answer)) = answer {
                self.take(number, &answer);
            }
        }
    }

    fn take(&mut self, number: u8, answer: &ProbeReply) {
        self.path.note(number, answer.from, answer.rtt);
        match answer.reply {
            Reply::Ended => {}
            Reply::Arrived => {
                self.path.arrive(number, Protocol::Udp);
                self.last = self.last.min(number);
            }
            // Somebody on the way turns UDP away, and does so with all that would go further.
            Reply::TurnedAway => self.last = self.last.min(number),
        }
    }

    fn is_complete(&self) -> bool {
        self.path.hops.len() >= self.last.into() && (1..=self.last).all(|number| !self.path.is_silent(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::path::Distance;

    #[test]
    fn a_silent_hop_has_its_number() {
        let mut path = Path::default();
        let [near, far] = ["10.0.0.1", "10.0.2.1"].map(|text| text.parse().ok());
        path.note(3, far, Duration::from_millis(3));
        path.note(1, near, Duration::from_millis(1));
        let hops: Vec<_> = path.hops.iter().map(|hop| (hop.number, hop.address)).collect();
        assert_eq!(hops, [(1, near), (2, None), (3, far)]);
        assert_eq!(path.candidates(30), [1, 2, 3, 4, 30]);
        path.arrive(3, Protocol::Udp);
        path.arrive(5, Protocol::Tcp);
        assert_eq!(path.candidates(30), [1, 2, 3]);
        assert_eq!(Path::default().candidates(30), [1, 30]);
    }

    #[test]
    fn who_turns_datagrams_away_is_one_hop() {
        let mut path = Path::default();
        let [near, far] = ["10.0.0.1", "10.0.1.1"].map(|text| text.parse().ok());
        for (number, address) in [(1, near), (2, far), (3, far)] {
            path.note(number, address, Duration::from_millis(1));
        }
        path.merge();
        path.merge();
        assert_eq!(path.hops.iter().map(|hop| hop.address).collect::<Vec<_>>(), [near, far]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn this_machine_is_its_own_first_hop() {
        for text in ["127.0.0.1:22", "[::1]:22"] {
            let address: SocketAddr = text.parse().unwrap();
            if std::net::UdpSocket::bind((address.ip(), 0)).is_err() {
                continue;
            }
            let began = Instant::now();
            let path = trace(address, None, 30, Duration::from_secs(5)).await;
            assert_eq!(path.distance, Some(Distance { hops: 1, by: Protocol::Udp }), "{path:?}");
            assert_eq!(path.hops.len(), 1, "{path:?}");
            assert_eq!(path.address(1), Some(address.ip()));
            assert!(began.elapsed() < Duration::from_secs(2), "nothing was left to wait for");
        }
    }
}
