//! The keys were exchanged, but the data protected by them cannot be read.

use crate::causes::shared::RELOAD;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::Repeat;
use crate::facts::certainty::Certainty;
use crate::facts::{Check, Evidence};

pub(super) const MAC_MISMATCH: Cause = Cause {
    code: "handshake-mac-mismatch",
    stage: Check::Handshake,
    title: "The first encrypted packet cannot be read: an algorithm is broken",
    severity: Severity::Critical,
    explanation: "The key exchange succeeded with a valid signature, and then the first encrypted packet failed its integrity \
        check. Damage in transit hits random packets, and TCP's checksum catches most of it. A failure at the same \
        packet every time, but not with another cipher or MAC, is an implementation fault of that algorithm on one \
        side: for example umac-128 in some builds of ssh for Windows, or servers with an incomplete patch for strict \
        key exchange.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Disable that algorithm for this host until the faulty side is upgraded",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    {setting} -{algorithm}"),
            tried: |evidence| evidence.auth.failed()?.repeats.get(1).map(|other| other.answered),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Upgrade the SSH server, or disable the algorithm there",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("{setting} -{algorithm}"),
            caution: Some(RELOAD),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Show what ssh itself negotiates, and whether it fails in the same place",
            snippet: Some("ssh -vv {alias} true 2>&1 | grep -E 'kex: (server|client)|MAC|message authentication'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Max packet size exceeded"],
    hides: &["auth-disconnected"],
    judge: |evidence| {
        let (same, other) = repeats(evidence)?;
        if same.answered || other.is_some_and(|other| !other.answered) {
            return None;
        }
        let protects_itself = same.agreed.cipher.contains("gcm") || same.agreed.cipher.contains("poly1305");
        let (setting, algorithm) =
            if protects_itself { ("Ciphers", &same.agreed.cipher) } else { ("MACs", &same.agreed.mac) };
        let mut because = vec![
            format!("with {} {algorithm} the first encrypted packet could not be read", setting.trim_end_matches('s')),
            "on a second connection it failed at the same place".to_owned(),
        ];
        let certainty = match other {
            Some(other) => {
                because.push(format!(
                    "with {} and {} the server's answer was read",
                    other.agreed.cipher, other.agreed.mac
                ));
                Certainty::Certain
            }
            None => Certainty::Likely,
        };
        Some(Match::new(certainty, because).with("setting", setting).with("algorithm", algorithm.clone()))
    },
    ..Cause::NEW
};

/// The connection that repeated the first, and the one with another algorithm.
fn repeats(evidence: &Evidence) -> Option<(&Repeat, Option<&Repeat>)> {
    let facts = evidence.auth.failed().filter(|facts| facts.never_understood())?;
    Some((facts.repeats.first()?, facts.repeats.get(1)))
}

/// Returns sentences on data from the server that makes no sense under the agreed keys, for any algorithm.
pub(super) fn nonsense_after_keys(evidence: &Evidence) -> Option<[String; 2]> {
    let (same, other) = repeats(evidence)?;
    let other = other.filter(|other| !same.answered && !other.answered)?;
    let tried = |repeat: &Repeat| format!("{} and {}", repeat.agreed.cipher, repeat.agreed.mac);
    Some([
        "what the server sends after its keys is not protected by them".to_owned(),
        format!("it was so on three connections, with {} and with {}", tried(same), tried(other)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::auth::{Conclusion, Facts};
    use crate::facts::connection::Manner;
    use crate::facts::handshake::Negotiated;
    use crate::facts::{Step, Timed};

    fn evidence(answers: &[bool]) -> Evidence {
        let agreed = |number: usize| Negotiated {
            cipher: ["chacha20-poly1305@openssh.com", "aes256-ctr"][number].into(),
            ..Negotiated::default()
        };
        let repeats =
            answers.iter().enumerate().map(|(at, answered)| Repeat { agreed: agreed(at), answered: *answered });
        let facts = Facts {
            end: Some(Manner::Protocol { error: "Wrong packet authentication code".into() }),
            conclusion: Conclusion::Ended,
            repeats: repeats.collect(),
            ..Facts::default()
        };
        Evidence { auth: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    #[test]
    fn one_algorithm_every_time_is_an_implementation_and_all_of_them_are_nonsense() {
        let certainty = |answers: &[bool]| (MAC_MISMATCH.judge)(&evidence(answers)).map(|found| found.certainty);
        assert_eq!(certainty(&[false, true]), Some(Certainty::Certain));
        assert_eq!(certainty(&[false]), Some(Certainty::Likely));
        assert_eq!(certainty(&[true, true]), None);
        assert_eq!(certainty(&[false, false]), None);
        assert!(nonsense_after_keys(&evidence(&[false, false])).is_some());
        assert!(nonsense_after_keys(&evidence(&[false, true])).is_none());
        assert!(nonsense_after_keys(&evidence(&[])).is_none());
    }
}
