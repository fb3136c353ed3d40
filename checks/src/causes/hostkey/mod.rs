//! The causes that show in the server's key.

mod certificate;
mod changed;
mod several;
mod shared;
mod short;
mod unknown;

use super::Cause;

/// The causes that show in the server's key.
pub static CAUSES: &[Cause] = &[
    short::TOO_SHORT,
    changed::REVOKED,
    several::SEVERAL,
    changed::CHANGED,
    certificate::CERT_INVALID,
    unknown::UNKNOWN,
];

/// Evidence of a host key check for the tests of all the judges here.
#[cfg(test)]
mod samples {
    use super::CAUSES;
    use crate::facts::hostkey::samples::{entry, known};
    use crate::facts::hostkey::{Decision, Facts, KnownHostsMarker, KnownHostsMatch};
    use crate::facts::{Evidence, Step, Timed};

    /// The evidence with these facts; passed where the decision lets the login go on.
    pub(super) fn evidence(facts: &Facts) -> Evidence {
        let facts = facts.clone();
        let goes_on = facts.decision.trust().is_some() || facts.decision == Decision::Withheld;
        let step = if goes_on { Step::Passed(facts) } else { Step::Failed(facts) };
        Evidence { hostkey: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    /// The codes that fire on these facts.
    pub(super) fn fired(facts: &Facts) -> Vec<&'static str> {
        let evidence = evidence(facts);
        CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
    }

    #[test]
    fn a_known_key_is_healthy_and_so_is_one_that_ssh_does_not_check() {
        assert!(fired(&known()).is_empty());
        let entries = vec![
            entry("SHA256:old", KnownHostsMarker::Host, false),
            entry("SHA256:new", KnownHostsMarker::Revoked, true),
        ];
        for standing in [KnownHostsMatch::Unknown, KnownHostsMatch::Changed, KnownHostsMatch::Revoked] {
            let (entries, decision) = (entries.clone(), Decision::NotChecked);
            assert!(fired(&Facts { entries, standing, decision, ..known() }).is_empty());
        }
    }
}
