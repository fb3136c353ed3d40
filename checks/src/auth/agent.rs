//! The agent: what it holds, and its signatures. Each conversation has a connection of its own.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use russh::keys::{self, HashAlg};
use tokio::net::UnixStream;

use super::clock::{Clock, Cut};
use super::facts::{Agent, Obstacle};

/// How long an agent may take to list its keys; that needs no person.
const LISTING: Duration = Duration::from_secs(5);

/// Asks the agent for its keys.
pub(super) async fn list(
    socket: Option<&Path>,
    binding: Option<&AgentSessionBinding>,
    clock: &mut Clock,
) -> (Agent, Vec<AgentIdentity>) {
    let Some(socket) = socket else { return (Agent::default(), Vec::new()) };
    let listing = tokio::time::timeout(LISTING, async { open(socket, binding).await?.request_identities().await });
    let (keys, error, identities) = match clock.bound(listing).await {
        Ok(Ok(Ok(identities))) => (Some(identities.len()), None, identities),
        Ok(Ok(Err(error))) => (None, Some(error.to_string()), Vec::new()),
        Ok(Err(_)) | Err(Cut::Deadline) => (None, Some("it did not answer in time".to_owned()), Vec::new()),
        Err(Cut::Stopped) => (None, None, Vec::new()),
    };
    (Agent { socket: Some(socket.to_owned()), keys, error }, identities)
}

/// Appends the agent's signature of `data` to it; waits as long as the caller lets it, for a person may have to agree.
pub(super) async fn sign(
    socket: &Path,
    binding: Option<&AgentSessionBinding>,
    key: &AgentIdentity,
    hash: Option<HashAlg>,
    data: Vec<u8>,
) -> Result<Vec<u8>, Obstacle> {
    let failed = |error: keys::Error| Obstacle::AgentFailed { error: error.to_string() };
    let mut agent = open(socket, binding).await.map_err(failed)?;
    agent.sign_request(key, hash, data).await.map_err(|error| match error {
        keys::Error::AgentFailure => Obstacle::AgentRefused,
        error => failed(error),
    })
}

/// Connects and tells the agent which server it is for, so that it shows keys that are bound to destinations.
async fn open(socket: &Path, binding: Option<&AgentSessionBinding>) -> Result<AgentClient<UnixStream>, keys::Error> {
    let mut agent = AgentClient::connect_uds(socket).await?;
    if let Some(binding) = binding {
        // Agents other than OpenSSH's do not know the request, and need not.
        let _ = agent.bind_session(binding, false).await;
    }
    Ok(agent)
}
