//! Name lookup: the answer of the system's resolver, which ssh uses, and beside it that of each name server.

mod files;
mod patience;
pub(crate) mod per_server_queries;
mod servers;
mod sshfp;
mod system;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::context::Context;
use crate::base::elapsed::ms_since;
use crate::base::target::AddressFamily;
use crate::facts::Step;
use crate::facts::dns::{Facts, System, SystemAnswer, literal};
use patience::Patience;
use per_server_queries::PerServerQueries;

/// The time beyond twice the system resolver's that a name server may take if only we asked it.
const GRACE: Duration = Duration::from_millis(150);

/// The time beyond ssh's connect timeout for which the system's resolver is awaited when no name server gives an
/// address.
const LAST_HOPE: Duration = Duration::from_secs(1);

/// The time that the name of this machine's own address is waited for.
const OWN_NAME: Duration = Duration::from_secs(2);

/// The addresses of a name that ssh is to listen at.
pub(super) async fn addresses_of_own(host: &str, port: u16, family: AddressFamily) -> Result<Vec<SocketAddr>, String> {
    match system::look_up(host, port, family, OWN_NAME).await.answer {
        SystemAnswer::Addresses { addresses } => Ok(addresses),
        SystemAnswer::Error { text, .. } => Err(text),
        SystemAnswer::TimedOut | SystemAnswer::NotWaitedFor => Err("its name was not found in time".to_owned()),
    }
}

/// The result of the lookup.
#[derive(Debug, Default)]
pub struct LookedUp {
    /// The addresses that ssh would try, in its order.
    pub addresses: Vec<SocketAddr>,
    /// The name servers that are still being asked, beside the other checks.
    pub name_servers: Option<PerServerQueries>,
}

/// Looks the target's name up and leaves its addresses, in the order in which ssh would try them.
///
/// It takes as long as the system's resolver, which ssh waits for too and ConnectTimeout does not bound, and `Limits::stage` at
/// most; `Limits::connect` and a second where no name server gives an address. Where the look-up succeeds, `per_server_queries::complete` adds what
/// the name servers say.
pub async fn check(ctx: &Context) -> (Step<Facts>, LookedUp) {
    let target = ctx.target.clone();
    if let Some(proxy) = &target.proxy {
        let by = if proxy.hops.is_empty() { "the proxy command" } else { "the jump host" };
        return (Step::Skipped(format!("the name is looked up by {by}")), LookedUp::default());
    }
    if let Some(addresses) = system::literal(&target.host, target.port) {
        return leave(literal(&target.host, target.family, addresses), None);
    }
    let began = Instant::now();
    let files = Arc::new(files::read(&target.host).await);
    let patience = Arc::new(Patience::until(began + ctx.limits.connect));
    let mut queries =
        PerServerQueries::ask(&target.host, &files, &patience, target.host_keys.verify_dns || ctx.limits.deep);
    let mut facts = Facts {
        name: target.host.clone(),
        family: target.family,
        literal: false,
        system: System { ms: 0.0, answer: SystemAnswer::NotWaitedFor, other_family: Vec::new() },
        hosts_file: files.hosts.clone(),
        sources: files.sources.clone(),
        search: files.search.iter().map(ToString::to_string).collect(),
        ndots: files.ndots,
        configuration_error: files.error.clone(),
        name_servers: Vec::new(),
        host_keys: None,
    };
    // The system's resolver is waited for longer than ssh's connections, since ssh waits for it; not where nobody knows.
    let hopeless = async {
        queries.none_knows(files.sources.as_deref()).await;
        sleep_until((began + ctx.limits.connect + LAST_HOPE).into()).await;
    };
    let unanswered = |answer| System { ms: ms_since(began), answer, other_family: Vec::new() };
    facts.system = tokio::select! {
        system = system::look_up(&target.host, target.port, target.family, ctx.limits.stage) => system,
        () = hopeless => unanswered(SystemAnswer::TimedOut),
        () = ctx.stop.wait() => unanswered(SystemAnswer::NotWaitedFor),
    };
    let mut name_servers = None;
    match facts.system.answer {
        SystemAnswer::Addresses { .. } => {
            patience.shorten(began + 2 * began.elapsed() + GRACE);
            name_servers = Some(queries);
        }
        SystemAnswer::NotWaitedFor => {}
        SystemAnswer::Error { .. } | SystemAnswer::TimedOut => {
            ctx.stop.race(queries.tell(&mut facts)).await;
        }
    }
    leave(facts, name_servers)
}

fn leave(facts: Facts, name_servers: Option<PerServerQueries>) -> (Step<Facts>, LookedUp) {
    match &facts.system.answer {
        SystemAnswer::Addresses { addresses } => {
            let left = LookedUp { addresses: addresses.clone(), name_servers };
            (Step::Passed(facts), left)
        }
        SystemAnswer::NotWaitedFor => (Step::Skipped("interrupted".into()), LookedUp::default()),
        SystemAnswer::Error { .. } | SystemAnswer::TimedOut => (Step::Failed(facts), LookedUp::default()),
    }
}
