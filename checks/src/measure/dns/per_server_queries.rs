//! The answers of the name servers, asked together with the system's resolver, and awaited only at the end if that one
//! answers.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::files::Files;
use super::patience::Patience;
use super::{servers, sshfp};
use crate::base::stop::Stop;
use crate::facts::Step;
use crate::facts::dns::{self, Facts, NameServer, Published};

/// Name servers that are being asked; dropping it ends that.
#[derive(Debug)]
pub struct PerServerQueries {
    asking: JoinSet<Asked>,
    asked: Option<Asked>,
}

/// The text that they said.
#[derive(Debug, Default)]
struct Asked {
    name_servers: Vec<NameServer>,
    host_keys: Option<Published>,
}

impl PerServerQueries {
    /// Starts to ask each name server for the addresses of `host`, and where wanted the first for its keys.
    pub(super) fn ask(host: &str, files: &Arc<Files>, patience: &Arc<Patience>, with_keys: bool) -> Self {
        let (host, files, patience) = (host.to_owned(), files.clone(), patience.clone());
        let mut asking = JoinSet::new();
        asking.spawn(async move {
            let keys = async { if with_keys { sshfp::ask(&host, &files, &patience).await } else { None } };
            let (name_servers, host_keys) = tokio::join!(servers::ask_all(&host, &files, &patience), keys);
            Asked { name_servers, host_keys }
        });
        Self { asking, asked: None }
    }

    /// Returns once all have answered or are no longer waited for, and only if none has answered, or none with an address where
    /// the system asks nobody else (nsswitch.conf(5)).
    pub(super) async fn none_knows(&mut self, sources: Option<&[String]>) {
        let name_servers = &self.over().await.name_servers;
        let alone = !sources.unwrap_or_default().iter().any(|source| dns::is_beside_dns(source));
        let silent = |server: &NameServer| dns::silent_for(server, 0.0);
        let ignorant = |server: &NameServer| silent(server) || (alone && !dns::gave_address(server));
        if name_servers.is_empty() || !name_servers.iter().all(ignorant) {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until all have answered or are no longer waited for, and adds what they said.
    pub(super) async fn tell(mut self, facts: &mut Facts) {
        let Asked { name_servers, host_keys } = std::mem::take(self.over().await);
        facts.name_servers = name_servers;
        facts.host_keys = host_keys;
    }

    async fn over(&mut self) -> &mut Asked {
        if self.asked.is_none() {
            // A task of ours that panicked has asked nobody.
            self.asked = self.asking.join_next().await.and_then(Result::ok);
        }
        self.asked.get_or_insert_default()
    }
}

/// Adds the answers of the name servers so far to the facts of a lookup that passed; a server that has not answered by
/// 150 ms and twice the time of the lookup is not awaited.
pub(crate) async fn complete(queries: Option<PerServerQueries>, stop: &Stop, step: &mut Step<Facts>) {
    if let (Some(queries), Step::Passed(facts)) = (queries, step) {
        stop.race(queries.tell(facts)).await;
    }
}
