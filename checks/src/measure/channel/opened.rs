//! The server's answer to the wish for a channel, and its end.

use std::time::Duration;

use crate::facts::channel::Capability;
use crate::os::pause::timeout;
use crate::ssh::channels::Opened;

/// The time that closing may take: it takes none, except on a connection whose packets no longer pass.
const WAIT: Duration = Duration::from_secs(2);

/// Closes what is open; a word on a connection that is stuck or gone is not waited for.
pub(super) async fn close(opened: Opened) {
    if let Opened::Open(channel) = opened {
        let _ = timeout(WAIT, channel.close()).await;
    }
}

/// The answer as a capability.
pub(super) fn opened(answer: &Opened) -> Capability {
    match answer {
        Opened::Open(_) => Capability::Allowed,
        Opened::Refused(refused) => Capability::refused(refused.code, &refused.text),
        Opened::Silent | Opened::Gone => Capability::of(None),
    }
}
