//! The end of a connection, derived from the observations and not from the result of a call.

use std::time::Instant;

use super::observations::Observations;
use super::tap::{EndKind, Watch};
use crate::facts::connection::Manner;
use crate::ssh::tap::wire::Disconnect;

/// The manner and time of a connection's end.
#[derive(Debug, Clone)]
pub struct Ending {
    /// The time at which we noticed.
    pub at: Instant,
    /// The manner.
    pub manner: Manner,
}

impl Ending {
    /// The end of the connection that these two watched, if it ended.
    #[must_use]
    pub fn of(watch: &Watch, observations: &Observations) -> Option<Self> {
        let plain = watch.seen().server.disconnect.clone();
        let end = watch.seen().end;
        let observed = observations.read();
        if let Some((Disconnect { code, text }, at)) = observed.disconnect.clone() {
            return Some(Self { at, manner: Manner::Disconnect { code, text } });
        }
        if let Some(Disconnect { code, text }) = plain {
            return Some(Self {
                at: end.map_or_else(Instant::now, |end| end.at),
                manner: Manner::Disconnect { code, text },
            });
        }
        if let Some(end) = end {
            let manner = match end.how {
                EndKind::Fin => Manner::Fin,
                EndKind::Reset => Manner::Reset,
                EndKind::Errno(errno) => Manner::Errno { errno },
            };
            return Some(Self { at: end.at, manner });
        }
        observed.failure.clone().map(|(error, at)| Self { at, manner: Manner::Protocol { error } })
    }
}
