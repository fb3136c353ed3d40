//! More than one server answers under the name, each with a key of its own.

use super::shared::{COMPARE_ON_SERVER, SIGNED, compared, qualified, shown_key};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::hostkey::KnownHostsMatch;
use crate::facts::{Check, Evidence};

pub(super) const SEVERAL: Cause = Cause {
    code: "hostkey-several-keys",
    stage: Check::Hostkey,
    title: "Different host keys answer under the same name and address",
    severity: Severity::Critical,
    explanation: "Consecutive connections to the same address met different host keys of the same type. A load balancer or round \
        robin over servers with different keys does this: ssh works or fails depending on which server it reaches. \
        Someone who intercepts only some of the connections looks the same, so confirm every fingerprint before \
        trusting it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Use the same host keys on all servers behind the name, or sign them with one authority that clients \
                trust",
            snippet: Some("ssh-keygen -s ca_key -h -I {host} -n {host} /etc/ssh/ssh_host_ed25519_key.pub"),
            caution: Some(SIGNED),
            ..Fix::CHANGE
        },
        COMPARE_ON_SERVER,
        Fix {
            side: Side::Client,
            summary: "Collect the fingerprints to confirm; known_hosts may have several keys for one name",
            snippet: Some(
                "for try in 1 2 3 4 5; do ssh-keyscan -p {port} {host} 2>/dev/null; done | sort -u | ssh-keygen -lf -",
            ),
            caution: Some("ssh-keyscan trusts whoever answers: it shows the fingerprints but proves none"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", "Host key verification failed."],
    hides: &["hostkey-changed"],
    judge: |evidence| at_once(evidence).or_else(|| later(evidence)),
    ..Cause::NEW
};

/// A key that contradicts known_hosts, and another one right after it.
fn at_once(evidence: &Evidence) -> Option<Match> {
    let facts = compared(evidence).filter(|facts| facts.standing == KnownHostsMatch::Changed)?;
    let other = facts.others.iter().find(|other| other.fingerprint != facts.fingerprint)?;
    if other.key_type != facts.key_type {
        return None;
    }
    let known = if other.known { "which known_hosts has" } else { "which known_hosts does not have either" };
    let found = Match::new(
        Certainty::Certain,
        [
            format!("{}, which known_hosts does not have", shown_key(facts)),
            format!("a connection right after it met the {} key {}, {known}", other.key_type, other.fingerprint),
        ],
    );
    Some(qualified(found.reason_open(), facts))
}

/// A key that is known, and another one when the idle test connected again.
fn later(evidence: &Evidence) -> Option<Match> {
    const WORDS: &str = "another host key answered: ";
    let facts = evidence.hostkey.passed()?;
    let mut others = evidence.idle.facts()?.not_opened.iter().filter_map(|why| why.strip_prefix(WORDS));
    let other = others.next().filter(|other| other.starts_with("SHA256:") && **other != facts.fingerprint)?;
    let met = format!("a later connection to the same address met the key {other}");
    Some(Match::new(Certainty::Certain, [shown_key(facts), met]).reason_open().at(Severity::Warning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::hostkey::samples::{evidence, fired};
    use crate::facts::connection::NotLoggedIn;
    use crate::facts::hostkey::samples::{entry, known};
    use crate::facts::hostkey::{Decision, Facts, KnownHostsMarker, Other};
    use crate::facts::{Step, Timed, idle};

    fn changed(others: &[(&str, &str)]) -> Facts {
        let other = |(key_type, fingerprint): &(&str, &str)| Other {
            key_type: (*key_type).into(),
            fingerprint: (*fingerprint).into(),
            known: true,
        };
        Facts {
            entries: vec![entry("SHA256:old", KnownHostsMarker::Host, false)],
            standing: KnownHostsMatch::Changed,
            decision: Decision::Stopped,
            others: others.iter().map(other).collect(),
            ..known()
        }
    }

    #[test]
    fn another_key_of_the_same_type_is_another_server() {
        assert_eq!(fired(&changed(&[])), ["hostkey-changed"]);
        assert_eq!(fired(&changed(&[("ssh-ed25519", "SHA256:new")])), ["hostkey-changed"]);
        assert_eq!(fired(&changed(&[("ssh-rsa", "SHA256:old")])), ["hostkey-changed"]);
        let pool = [("ssh-ed25519", "SHA256:new"), ("ssh-ed25519", "SHA256:old")];
        assert_eq!(fired(&changed(&pool)), ["hostkey-several-keys", "hostkey-changed"]);
        let goes_on = Facts { decision: Decision::Withheld, ..changed(&pool) };
        assert_eq!((SEVERAL.judge)(&evidence(&goes_on)).and_then(|found| found.severity), Some(Severity::Warning));
    }

    #[test]
    fn a_key_that_the_idle_test_met_is_told_by_its_words() {
        let met = |why: NotLoggedIn| {
            let facts = idle::Facts { not_opened: vec![why.to_string()], ..idle::Facts::default() };
            let idle = Timed { step: Step::Passed(facts), duration_ms: 1.0 };
            (SEVERAL.judge)(&Evidence { idle, ..evidence(&known()) }).and_then(|found| found.severity)
        };
        assert_eq!(met(NotLoggedIn::OtherHostKey("SHA256:other".into())), Some(Severity::Warning));
        assert_eq!(met(NotLoggedIn::Refused), None);
    }
}
