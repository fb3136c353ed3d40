//! The standard input of commands: whether it is a terminal, and whether what is sent at once arrives.

use super::command::{KEPT, is_printed};
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::facts::channel::Lead;
use crate::facts::connection::Ran;
use crate::ssh::connection::Connection;

/// True if commands have a terminal for their standard input: none was asked for.
pub(super) async fn is_terminal(connection: &Connection, lead: Lead, patience: Patience) -> bool {
    let mark = nonce();
    let ran = connection.run(&lead.command(&format!("test -t 0 && echo {mark}")), KEPT, patience).await;
    is_printed(&ran.stdout, &mark)
}

/// True if input that is sent as soon as a command is accepted comes back from it, false if the command met the end of its input without it;
/// none where it did not end.
pub(super) async fn arrives_early(connection: &Connection, lead: Lead, patience: Patience) -> Option<bool> {
    let (mark, mut ran) = (nonce(), Ran::default());
    let running = connection.start(&lead.command("cat; exit 0"), patience, &mut ran).await?;
    running.write(mark.as_str(), patience).await;
    // Whatever reads input for a while has stopped when the command runs.
    running.finish(KEPT, patience, &mut ran).await;
    (ran.closed && ran.status == Some(0)).then(|| String::from_utf8_lossy(&ran.stdout).contains(&mark))
}
