//! The hops of a real path, and the one of them that forgets.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ssh_doctor_checks::facts::channel::Lead;
use ssh_doctor_checks::facts::idle::NotLocated;
use ssh_doctor_checks::facts::idle::hop::{Bare, locate};
use ssh_doctor_checks::facts::idle::{LocatedHop, Moves, StretchEnd};
use ssh_doctor_checks::facts::path::{Distance, Path, Place, Protocol};
use ssh_doctor_checks::measure::idle::ChannelUse;
use ssh_doctor_checks::measure::idle::hop::{Found, Room, TtlProbes, interval, next};
use ssh_doctor_checks::os::path;
use ssh_doctor_checks::ssh::hop_count;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::lab::{Lab, Middlebox, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The timer of the middleboxes, a silence that it does not survive, and what a session that nothing refreshed is known to have died of.
const TIMER: u32 = 6;
const SILENCE: Duration = s(9);
const BARE: Bare = Bare { survived_s: None, died_s: Some(7.0), silently: false };
/// The shortest deadline of a verdict, and what logging in takes on a loaded machine.
const VERDICT: Duration = s(8);
const OPENING: Duration = s(6);

/// A path of three routers, of which one has this kind.
fn chain(kind: Middlebox, hop: usize) -> Option<Lab> {
    let mut routers = [Middlebox::Plain; 3];
    routers[hop - 1] = kind;
    Lab::through(&routers)
}

/// Traces the path and tries every hop of it in one round; to be run inside the client.
async fn find(lab: &Lab, server: SocketAddr, bare: Bare) -> (Path, Found, Result<LocatedHop, NotLocated>) {
    let began = Instant::now();
    let (search, mut started) = search(lab, server, interval(4.0).expect("long enough")).await;
    let path = path::trace(server, None, 30, s(5)).await;
    let hops = next(&path, 30, Room { now: 6, later: 6 }, &[], bare);
    let found = search.round(&hops, path.distance.map(|distance| distance.hops), async || SILENCE).await;
    assert!(found.not_opened.is_empty(), "{found:?}");
    let commands = std::iter::from_fn(|| started.try_recv().ok()).count();
    assert_eq!(commands, found.trials.len(), "each ran a command: {found:?}");
    assert!(began.elapsed() < OPENING + SILENCE + VERDICT, "it took {:?}", began.elapsed());
    let verdict = locate(&found.trials, bare);
    (path, found, verdict)
}

async fn search(lab: &Lab, server: SocketAddr, interval: Duration) -> (TtlProbes, UnboundedReceiver<(u32, u32)>) {
    let login = lab.login(server).await;
    let (started, pids) = unbounded_channel();
    (
        TtlProbes {
            login,
            channel_use: ChannelUse::Command { lead: Lead::ExecSh, mark: "hop-test".into() },
            interval,
            deadline: s(10),
            started,
        },
        pids,
    )
}

fn assert_path(path: &Path, hops: &[IpAddr]) {
    let seen: Vec<_> = path.hops.iter().filter_map(|hop| hop.address).collect();
    assert_eq!(seen, hops, "{path:?}");
    let distance = Distance { hops: u8::try_from(hops.len()).expect("short"), by: Protocol::Udp };
    assert_eq!(path.distance, Some(distance));
    assert!(path.hops.iter().all(|hop| hop.rtt_ms.is_some_and(|rtt| rtt > 0.0 && rtt < 1000.0)), "{path:?}");
}

/// The hop is found, and sessions refreshed less far died while the others lived.
fn assert_found(found: &Found, verdict: Result<LocatedHop, NotLocated>, forgetful: u8) {
    let expected = LocatedHop { hop: forgetful, after: forgetful - 1, doubt: None };
    assert_eq!(verdict, Ok(expected), "{found:#?}");
    let alive: Vec<_> = found.trials.iter().map(|trial| matches!(trial.end, StretchEnd::Alive { .. })).collect();
    assert_eq!(alive, [1, 2, 3, 4].map(|hop| hop >= forgetful), "{found:#?}");
    let answered: Vec<_> = found.trials.iter().map(|trial| trial.answered).collect();
    assert_eq!(answered, [false, false, false, true].map(Some), "only the server answers: {found:#?}");
}

#[test]
fn a_nat_is_located() {
    let Some(lab) = chain(Middlebox::Forgets(TIMER), 2) else { return };
    let server = lab.sshd(&[]);
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (path, found, verdict) = lab.client().inside(async || find(&lab, address, BARE).await);
    let routers = [1, 2, 3].map(|hop| lab.router_address(hop).into());
    assert_path(&path, &[&routers[..], &[address.ip()]].concat());
    assert_found(&found, verdict, 2);
    assert_eq!(path.address(2), Some(routers[1]));
    assert!(path.words(2).contains(&routers[1].to_string()), "{}", path.words(2));
}

#[test]
fn a_resetting_nat_is_located_too() {
    let Some(lab) = chain(Middlebox::Resets(TIMER), 2) else { return };
    let server = lab.sshd(&[]);
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (_, found, verdict) = lab.client().inside(async || find(&lab, address, BARE).await);
    assert_found(&found, verdict, 2);
    assert_eq!(found.trials[0].arm(7, 1.5).death().map(|(manner, _)| manner.code()), Some("reset"));
}

#[test]
fn a_packet_filter_for_ipv6_is_located() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 3]).and_then(Lab::with_v6) else { return };
    lab.filter_that_forgets(2, TIMER, "drop");
    let at = lab.server_address_v6();
    let server = lab.sshd(&[&format!("ListenAddress {at}")]);
    let address = SocketAddr::new(at.into(), server.port());
    let (path, found, verdict) = lab.client().inside(async || find(&lab, address, BARE).await);
    let routers = [1, 2, 3].map(|hop| lab.router_address_v6(hop).into());
    assert_path(&path, &[&routers[..], &[address.ip()]].concat());
    assert_found(&found, verdict, 2);
    assert_eq!(path.address(2), Some(routers[1]));
}

#[test]
fn a_server_that_forgets_by_itself_is_told_from_the_path() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 2]) else { return };
    let server = lab.sshd(&[]);
    let host = lab.server_host();
    host.nft("add table inet own\nadd chain inet own input { type filter hook input priority 0; }\nadd rule inet own input ct state invalid drop");
    host.sysctl(&format!(
        "net.netfilter.nf_conntrack_tcp_loose = 0\nnet.netfilter.nf_conntrack_tcp_timeout_established = {TIMER}\n\
         net.netfilter.nf_conntrack_tcp_timeout_unacknowledged = {TIMER}"
    ));
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (path, found, verdict) = lab.client().inside(async || find(&lab, address, BARE).await);
    assert_eq!(verdict, Ok(LocatedHop { hop: 3, after: 2, doubt: None }), "{found:#?}");
    assert_eq!(Place::of(3, path.distance.map(|distance| distance.hops)), Place::Server);
    let arm = found.trials[2].arm(9, 1.0);
    assert_eq!((arm.moves, arm.hop), (Moves::TcpKeepalive, None), "it is refreshed all the way");
}

#[test]
fn a_path_that_forgets_nothing_names_no_hop() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 2]) else { return };
    let server = lab.sshd(&[]);
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (_, found, verdict) = lab.client().inside(async || find(&lab, address, Bare::default()).await);
    assert_eq!(verdict, Err(NotLocated::NothingDied), "{found:#?}");
}

/// The goodbye of a session that is left in the middle of its silence must come as far as the server.
#[test]
fn a_search_that_is_given_up_leaves_nothing_on_the_server() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 2]) else { return };
    let server = lab.sshd(&[]);
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    lab.client().inside(async || {
        let (search, _started) = search(&lab, address, s(1)).await;
        let round = search.round(&[1, 2, 3], Some(3), async || std::future::pending().await);
        // Long enough for all to be silent and limited.
        assert!(timeout(s(4), round).await.is_err());
        assert_eq!(server.connections(), 3, "the sessions of the search");
        // The tasks that hold the sessions end when they are next looked at.
        sleep(s(1)).await;
    });
    assert!(eventually(s(3), || server.sessions(&lab).is_empty()), "{:?}", server.sessions(&lab));
}

#[test]
fn a_server_that_speaks_by_itself_lets_nothing_be_told() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(TIMER), Middlebox::Plain]) else { return };
    let server = lab.sshd(&["ClientAliveInterval 2", "ClientAliveCountMax 100"]);
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (_, found, verdict) = lab.client().inside(async || find(&lab, address, BARE).await);
    assert!(found.trials.iter().all(|trial| trial.heard_bytes > 0), "{found:#?}");
    assert_eq!(verdict, Err(NotLocated::NothingTold), "{found:#?}");
}

#[test]
fn a_silent_hop_keeps_its_number_and_tcp_tells_the_distance_where_udp_is_dropped() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 3]) else { return };
    let server = lab.sshd(&[]);
    let silent = "add table inet own\nadd chain inet own output { type filter hook output priority 0; }\nadd rule inet own output icmp type time-exceeded drop";
    lab.router(2).nft(silent);
    lab.forward("meta l4proto udp drop");
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (before, path) = lab.client().inside(async || trace_and_count(&lab, address).await);
    assert_eq!((before.distance, before.candidates(30)), (None, vec![1, 2, 3, 4, 30]), "{before:?}");
    let [near, far] = [1, 3].map(|hop| Some(lab.router_address(hop).into()));
    assert_eq!(addresses(&path), [near, None, far, Some(address.ip())], "{path:?}");
    assert_eq!(path.distance, Some(Distance { hops: 4, by: Protocol::Tcp }));
}

#[test]
fn several_routes_are_seen_where_traffic_is_spread_over_them() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 3]) else { return };
    let other = lab.second_link(1);
    let address = SocketAddr::new(lab.server_address().into(), 22);
    let path = lab.client().inside(async || {
        let mut path = path::trace(address, None, 30, s(5)).await;
        // Each look from three more ports takes one of the two routes by chance; a router says no more than so much at a time.
        for _ in 0..8 {
            path::routes(&mut path, address, None, s(5)).await;
            if !path.others(2).is_empty() {
                break;
            }
            sleep(s(1)).await;
        }
        path
    });
    let (usual, other) = (IpAddr::from(lab.router_address(2)), IpAddr::from(other));
    let mut second: Vec<_> = path.address(2).into_iter().chain(path.others(2).iter().copied()).collect();
    second.sort();
    let mut both = [usual, other];
    both.sort();
    assert_eq!(second, both, "{path:?}");
    assert!(path.others(1).is_empty() && path.others(3).is_empty() && path.others(4).is_empty(), "{path:?}");
    assert!(path.words(2).contains("several routes"), "{}", path.words(2));
}

#[test]
fn who_turns_udp_away_is_not_the_server() {
    let Some(lab) = Lab::through(&[Middlebox::Plain; 3]) else { return };
    let server = lab.sshd(&[]);
    let rule = "add rule inet lab forward meta l4proto udp reject with icmp type admin-prohibited";
    lab.router(2).nft(rule);
    let address = SocketAddr::new(lab.server_address().into(), server.port());
    let (before, path) = lab.client().inside(async || trace_and_count(&lab, address).await);
    let [first, second, third] = [1, 2, 3].map(|hop| Some(lab.router_address(hop).into()));
    assert_eq!((addresses(&before), before.distance), (vec![first, second], None), "{before:?}");
    assert_eq!(addresses(&path), [first, second, third, Some(address.ip())], "{path:?}");
    assert_eq!(path.distance, Some(Distance { hops: 4, by: Protocol::Tcp }));
}

/// The path before and after the distance was counted, for which one connection came about.
async fn trace_and_count(lab: &Lab, server: SocketAddr) -> (Path, Path) {
    let budget = lab.login(server).await.budget;
    let connections = budget.spent().connections;
    let traced = path::trace(server, None, 30, s(5)).await;
    let mut counted = traced.clone();
    hop_count::count(&mut counted, &budget, server, None, 30, s(5)).await;
    // What is still on its way gives back what it took.
    sleep(s(1)).await;
    assert_eq!(budget.spent().connections - connections, 1, "{counted:?}");
    (traced, counted)
}

fn addresses(path: &Path) -> Vec<Option<IpAddr>> {
    path.hops.iter().map(|hop| hop.address).collect()
}
