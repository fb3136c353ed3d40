//! The agent: what it holds, and its signatures. Each conversation has a connection of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use russh::keys;
use russh::keys::HashAlg;
use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use tokio::net::UnixStream;

use super::clock::{Clock, Cut};
use crate::base::elapsed::ms_since;
use crate::facts::auth::{Agent, KeyProblem};
use crate::os::pause::timeout;

/// The time that an agent may take to list its keys; that needs no person.
const LISTING: Duration = Duration::from_secs(5);

/// Asks the agent for its keys.
pub(crate) async fn list(
    socket: Option<&Path>,
    binding: Option<&AgentSessionBinding>,
    clock: &mut Clock,
) -> (Agent, Vec<AgentIdentity>) {
    let Some(socket) = socket else { return (Agent::default(), Vec::new()) };
    let mut agent = Agent { socket: Some(socket.to_owned()), ..Agent::default() };
    let began = Instant::now();
    let listing = timeout(LISTING, async {
        let (mut client, bound) = open(socket, binding).await?;
        Ok::<_, keys::Error>((client.request_identities().await?, bound))
    });
    match clock.bound(listing).await {
        Ok(Ok(Ok((identities, bound)))) => {
            (agent.keys, agent.bound) = (Some(identities.len()), bound);
            return (agent, identities);
        }
        Ok(Ok(Err(error))) => agent.error = Some(error.to_string()),
        Ok(Err(_)) | Err(Cut::Deadline) => {
            agent.error = Some("it did not answer in time".to_owned());
            agent.gave_up_ms = Some(ms_since(began));
        }
        Err(Cut::Stopped) => {}
    }
    (agent, Vec::new())
}

/// Appends the agent's signature of `data` to it; waits as long as the caller lets it, for a person may have to agree.
pub(crate) async fn sign(
    socket: &Path,
    binding: Option<&AgentSessionBinding>,
    key: &AgentIdentity,
    hash: Option<HashAlg>,
    data: Vec<u8>,
) -> Result<Vec<u8>, KeyProblem> {
    let failed = |error: keys::Error| KeyProblem::AgentFailed { error: error.to_string() };
    let (mut agent, _) = open(socket, binding).await.map_err(failed)?;
    agent.sign_request(key, hash, data).await.map_err(|error| match error {
        keys::Error::AgentFailure => KeyProblem::AgentRefused,
        error => failed(error),
    })
}

/// Connects and tells the agent which server it is for, so that it shows keys that are bound to destinations; and whether it
/// took that. Agents other than OpenSSH's do not know the request, and need not.
async fn open(
    socket: &Path,
    binding: Option<&AgentSessionBinding>,
) -> Result<(AgentClient<UnixStream>, Option<bool>), keys::Error> {
    let mut agent = AgentClient::connect_uds(socket).await?;
    let bound = match binding {
        Some(binding) => Some(agent.bind_session(binding, false).await.is_ok()),
        None => None,
    };
    Ok((agent, bound))
}
