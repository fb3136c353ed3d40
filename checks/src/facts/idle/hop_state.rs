//! The connections to the hops at the moment when a session through them was found dead.

use serde::{Deserialize, Serialize};

use crate::base::text::sanitize;
use crate::facts::connection::Manner;

/// A hop's connection when the session that it carried was found dead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HopState {
    /// The number of the session.
    pub session: u32,
    /// The name of the hop in the user's settings.
    pub hop: String,
    /// True if it answered a probe at that moment.
    pub answered: bool,
    /// The way it had ended; `null` while it had not.
    pub manner: Option<Manner>,
}

/// Names the leg on which that session died, as a sentence; `None` where it had no hops.
pub(crate) fn describe(hops: &[HopState], session: u32) -> Option<String> {
    let hops: Vec<_> = hops.iter().filter(|hop| hop.session == session).collect();
    let last = hops.last()?;
    Some(match hops.iter().find(|hop| !hop.answered) {
        None => format!(
            "the connection to the hop {} was still alive then: it is behind that hop that the session died",
            sanitize(&last.hop)
        ),
        Some(HopState { hop, manner, .. }) => {
            let how = manner.as_ref().map_or_else(|| "silence".to_owned(), Manner::words);
            format!(
                "the connection to the hop {} was dead too ({how}): it died at that hop, or on the way to it",
                sanitize(hop)
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{HopState, describe};
    use crate::facts::connection::Manner;

    fn hop(name: &str, answered: bool, manner: Option<Manner>) -> HopState {
        HopState { session: 3, hop: name.into(), answered, manner }
    }

    #[test]
    fn the_first_leg_that_is_dead_is_told() {
        let alive = [hop("a", true, None), hop("b", true, None)];
        assert!(
            describe(&alive, 3).unwrap().contains("behind that hop") && describe(&alive, 3).unwrap().contains("hop b")
        );
        let dead = [hop("a", true, None), hop("b", false, Some(Manner::Reset))];
        assert!(describe(&dead, 3).unwrap().contains("to the hop b was dead too (a reset"));
        let both = [hop("a", false, None), hop("b", false, None)];
        assert!(describe(&both, 3).unwrap().contains("to the hop a was dead too (silence)"));
        assert_eq!(describe(&both, 4), None);
    }
}
