//! The observations of the end of a session.

use serde::{Deserialize, Serialize};

use super::connection::{Manner, Ran};
use crate::base::service::Service;
use crate::base::text::seconds;
use crate::facts;

/// The observations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The outcome of the command that writes and then ends with a status, or of the service that was ended in its place.
    pub ran: Ran,
    /// The service, where no command runs.
    #[serde(default)]
    pub of: Option<Service>,
    /// Nothing followed the end of a command's input: the one that was run then reads none.
    #[serde(default)]
    pub input_open: bool,
    /// Other output that came with its own, escaped.
    #[serde(default)]
    pub other_output: Option<String>,
    /// Bytes of output that it wrote.
    pub written_bytes: u64,
    /// The status that it ended with.
    pub given_status: u32,
    /// The outcome of the same command run again, without waiting for anything before its end (`--deep`).
    #[serde(default)]
    pub again: Vec<Ran>,
    /// The way the connection ended before our goodbye, if it did.
    pub ending: Option<Manner>,
    /// Milliseconds from our goodbye to the end of the connection.
    pub goodbye_ms: Option<f64>,
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let ran = &self.ran;
        let status = ran.end_words();
        if let Some(service) = self.of {
            let end = if ran.closed { "closed by the server" } else { "closed by us" };
            return format!("{}: {status}, {end} after {}", service.words(), seconds(ran.duration_ms / 1000.0));
        }
        let output = format!("{} of {} bytes of output", ran.stdout_bytes, self.written_bytes);
        match self.goodbye_ms {
            Some(ms) if ran.closed => {
                format!("{output}, {status}, closed in {}", seconds((ran.duration_ms + ms) / 1000.0))
            }
            _ if ran.closed => format!("{output}, {status}, channel closed"),
            _ => format!("{output}, {status}, the channel was not closed"),
        }
    }
}
