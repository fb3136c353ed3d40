//! Name look-up: what the system's resolver says, which ssh uses, and beside it what each name server says by itself.

pub(crate) mod beside;
mod files;
mod patience;
mod servers;
mod sshfp;
mod system;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::examination::Examination;
use crate::facts::Step;
use crate::facts::dns::{Facts, System, SystemAnswer, literal};
use beside::PerServerQueries;
use patience::Patience;

/// How much longer than twice the system's resolver a name server may take that only we asked.
const GRACE: Duration = Duration::from_millis(150);

/// How much longer than ssh may take to connect the system's resolver is waited for when no name server gives an address.
const LAST_HOPE: Duration = Duration::from_secs(1);

/// Looks the target's name up and leaves its addresses, in the order in which ssh would try them.
///
/// It takes as long as the system's resolver, which ssh waits for too and ConnectTimeout does not bound, and `Limits::stage` at
/// most; `Limits::connect` and a second where no name server gives an address. Where the look-up succeeds, [`complete`] adds what
/// the name servers say.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    let target = exam.target.clone();
    if let Some(proxy) = &target.proxy {
        let by = if proxy.hops.is_empty() { "the proxy command" } else { "the jump host" };
        return Step::Skipped(format!("the name is looked up by {by}"));
    }
    if let Some(addresses) = system::literal(&target.host, target.port) {
        return leave(exam, literal(&target.host, target.family, addresses));
    }
    let began = Instant::now();
    let files = Arc::new(files::read(&target.host).await);
    let patience = Arc::new(Patience::until(began + exam.limits.connect));
    let mut beside = PerServerQueries::ask(&target.host, &files, &patience, target.host_keys.verify_dns || exam.limits.deep);
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
        beside.none_knows(files.sources.as_deref()).await;
        sleep_until((began + exam.limits.connect + LAST_HOPE).into()).await;
    };
    let unanswered = |answer| System { ms: ms(began), answer, other_family: Vec::new() };
    facts.system = tokio::select! {
        system = system::look_up(&target.host, target.port, target.family, exam.limits.stage) => system,
        () = hopeless => unanswered(SystemAnswer::TimedOut),
        () = exam.stop.wait() => unanswered(SystemAnswer::NotWaitedFor),
    };
    match facts.system.answer {
        SystemAnswer::Addresses { .. } => {
            patience.shorten(began + 2 * began.elapsed() + GRACE);
            exam.name_servers = Some(beside);
        }
        SystemAnswer::NotWaitedFor => {}
        SystemAnswer::Error { .. } | SystemAnswer::TimedOut => {
            exam.stop.race(beside.tell(&mut facts)).await;
        }
    }
    leave(exam, facts)
}

fn leave(exam: &mut Examination, facts: Facts) -> Step<Facts> {
    match &facts.system.answer {
        SystemAnswer::Addresses { addresses } => {
            exam.addresses.clone_from(addresses);
            Step::Passed(facts)
        }
        SystemAnswer::NotWaitedFor => Step::Skipped("interrupted".into()),
        SystemAnswer::Error { .. } | SystemAnswer::TimedOut => Step::Failed(facts),
    }
}

pub(crate) fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
