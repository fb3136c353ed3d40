//! The user's own ssh, run beside the examination: where both differ, and where ssh settles what was open.

use super::{Cause, Fix, Match, Severity};
use crate::base::text::seconds;
use crate::facts::certainty::Certainty;
use crate::facts::hostkey::Decision;
use crate::facts::witness::Witness;
use crate::facts::{Check, Evidence, Step, auth, hostkey};

/// The causes that the user's own ssh shows.
pub static CAUSES: &[Cause] = &[FAILS, REFUSED, WORKS];

const FAILS: Cause = Cause {
    code: "session-own-ssh-fails",
    stage: Check::Auth,
    title: "Your own ssh does not log in",
    severity: Severity::Critical,
    explanation: "The same target was tried with your own ssh, your own settings and no questions (BatchMode), as far as its login. It \
        did not get that far. The facts quote what it printed last. ssh may offer other algorithms, larger packets in \
        its key exchange, other keys or another route to the server than this examination; its log shows the step.",
    fixes: &[Fix {
        summary: "See at which step ssh stops",
        snippet: Some("ssh -vvv -o BatchMode=yes -o ControlPath=none {alias} true"),
        ..Fix::LOOK
    }],
    symptoms: &[],
    judge: |evidence| {
        let witness = evidence.witness.as_ref().filter(|witness| !(witness.came_through() || witness.logged_in()))?;
        let is_unknown_key = witness.refused_host_key() && left_to_a_command(evidence);
        let is_left = matches!(&*evidence.auth, Step::Void(auth) if auth.left_to_ssh);
        if is_left || is_broken_here(evidence) || is_for_want_of_an_answer(evidence, witness) || is_unknown_key {
            return None;
        }
        let mut because = Vec::new();
        because.extend(witness.words.last().map(|words| format!("ssh printed \"{words}\"")));
        let took = seconds(witness.ms / 1000.0);
        let kex = witness.kex.as_ref().map_or_else(String::new, |kex| format!(" of {kex}"));
        because.push(match (&witness.awaited, witness.cut) {
            (Some(message), true) => format!("ssh was still waiting for {message}{kex} after {took}"),
            (Some(message), false) => format!("ssh stopped while it waited for {message}{kex}"),
            (None, true) => format!("ssh had not logged in after {took}"),
            (None, false) => format!("ssh ended with status {}", witness.status.unwrap_or(-1)),
        });
        let here = if evidence.auth.passed().is_some() {
            "this examination logged in"
        } else {
            "this examination stopped before a login, for a reason of its own"
        };
        because.push(here.to_owned());
        let ours = evidence.handshake.passed().and_then(|facts| facts.negotiated.as_ref());
        because.extend(ours.map(|ours| format!("this examination exchanged keys by {}", ours.kex)));
        // A key with a passphrase would be asked for at a terminal.
        let settled = !witness.cut && (!witness.login_begun || evidence.auth.passed().is_some());
        let certainty = if settled { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, because).reason_open())
    },
    ..Cause::NEW
};

const REFUSED: Cause = Cause {
    code: "session-own-ssh-refused",
    stage: Check::Auth,
    title: "The server refuses the login of your own ssh",
    severity: Severity::Critical,
    explanation: "A setting gives ssh a credential that only ssh itself can use: a Kerberos ticket, the host's own \
        key, or a key on a token or security key. Your own ssh was therefore run first, with your own settings and no \
        questions (BatchMode), and the server refused it. No second login was tried, because repeated failures can \
        lock an account or ban an address. A PIN, passphrase or password that ssh would ask for at a terminal was not \
        given.",
    fixes: &[
        Fix {
            summary: "See which credentials ssh presents, and which the server refuses",
            snippet: Some("ssh -v -o ControlPath=none {alias} true"),
            ..Fix::LOOK
        },
        Fix {
            summary: "See whether the security key is plugged in",
            when: wants_security_key,
            snippet: Some("fido2-token -L"),
            ..Fix::LOOK
        },
        Fix {
            summary: "Test the keys without that setting",
            when: |evidence| !wants_security_key(evidence),
            snippet: Some(
                "ssh-doctor check --idle 0 -o GSSAPIAuthentication=no -o HostbasedAuthentication=no -o PKCS11Provider=none {alias}",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &[],
    judge: |evidence| {
        let witness = evidence.witness.as_ref().filter(|witness| !witness.logged_in())?;
        let Step::Void(auth) = &*evidence.auth else { return None };
        if !auth.left_to_ssh {
            return None;
        }
        let why = match (&auth.only_ssh, auth.security_key()) {
            (Some(keyword), _) => format!("{keyword} is set, so ssh went first"),
            // It waits for a touch that only a person can give.
            (None, Some(_)) if witness.cut => return None,
            (None, Some(_)) => {
                "the server accepts a security key, which only ssh can use, so ssh went first".to_owned()
            }
            (None, None) => return None,
        };
        let own = witness.words.iter().filter(|words| words.starts_with("sign_and_send_pubkey: "));
        let own = own.chain(witness.words.last());
        let said = own.map(|words| format!("ssh printed \"{words}\""));
        let cut = witness.cut.then(|| format!("ssh had not logged in after {}", seconds(witness.ms / 1000.0)));
        let because = said.chain(cut).chain([why]);
        let certainty = if witness.cut { Certainty::Likely } else { Certainty::Certain };
        Some(Match::new(certainty, because).reason_open())
    },
    ..Cause::NEW
};

const WORKS: Cause = Cause {
    code: "session-own-ssh-works",
    stage: Check::Auth,
    title: "Your own ssh logs in; this examination could not decide",
    severity: Severity::Info,
    explanation: "A limit of this examination, or a setting that it does not honour, kept it from deciding. Your own \
        ssh was run as far as its login, with your own settings, and logged in. What comes after the login was not \
        tested where the examination did not get there itself.",
    fixes: &[Fix {
        summary: "Repeat it with ssh alone",
        snippet: Some("ssh -v -N -o BatchMode=yes -o ControlPath=none {alias}"),
        ..Fix::LOOK
    }],
    symptoms: &[],
    judge: |evidence| {
        let witness = evidence.witness.as_ref().filter(|witness| witness.logged_in() && witness.came_through())?;
        let open = evidence.auth.passed().is_none() || !evidence.settings.deciding.is_empty();
        open.then(|| {
            let version = witness.ssh.as_deref().unwrap_or("of an unknown version");
            let took = seconds(witness.ms / 1000.0);
            let mut because = vec![format!("ssh (OpenSSH {version}) logged in within {took}")];
            because.extend(left_to_a_command(evidence).then(|| {
                "it took the host key without a question, although no known_hosts file has it: it knows the key, as from KnownHostsCommand".to_owned()
            }));
            Match::new(Certainty::Certain, because)
        })
    },
    ..Cause::NEW
};

/// True if the server accepts a security key's file, which only ssh can use.
fn wants_security_key(evidence: &Evidence) -> bool {
    evidence.auth.facts().is_some_and(|auth| auth.security_key().is_some())
}

/// True if a check that comes before the login failed here too: that has a cause of its own.
fn is_broken_here(evidence: &Evidence) -> bool {
    let failed = |step: &Step<()>| matches!(step, Step::Failed(()));
    evidence.checks().iter().any(|view| view.check <= Check::Auth && failed(&view.step))
}

/// True if ssh may only have lacked an answer: a password or passphrase, a touch.
fn is_for_want_of_an_answer(evidence: &Evidence, witness: &Witness) -> bool {
    let by_key_alone = evidence.auth.passed().is_some_and(auth::Facts::logged_in_unattended);
    let takes_keys_alone = witness.words.last().is_some_and(|words| words.ends_with("Permission denied (publickey)."));
    // A person who accepts the key here is not asked by ssh in batch mode.
    let by_person = evidence.hostkey.facts().is_some_and(|facts| facts.decision == Decision::AcceptedByUser);
    (witness.login_begun && (witness.cut || !(by_key_alone || takes_keys_alone)))
        || (witness.refused_host_key() && by_person)
}

/// True if only ssh, which runs KnownHostsCommand, can tell if the host key is known.
fn left_to_a_command(evidence: &Evidence) -> bool {
    evidence.hostkey.facts().is_some_and(hostkey::Facts::is_left_to_a_command)
}

#[cfg(test)]
mod tests {
    use super::{FAILS, REFUSED, WORKS};
    use crate::facts::auth;
    use crate::facts::certainty::Certainty;
    use crate::facts::handshake::Facts;
    use crate::facts::witness::{Witness, WitnessReason};
    use crate::facts::{Check, Evidence, Step, Timed};

    fn evidence(reached: Check, cut: bool) -> Evidence {
        let witness = Witness {
            reason: WitnessReason::Asked,
            until: Check::Auth,
            ssh: Some("9.2p1".into()),
            ms: 5000.0,
            reached: Some(reached),
            kex: Some("sntrup761x25519-sha512@openssh.com".into()),
            awaited: Some("SSH2_MSG_KEX_ECDH_REPLY".into()),
            login_begun: reached >= Check::Hostkey,
            method: None,
            status: (!cut).then_some(255),
            cut,
            words: Vec::new(),
        };
        Evidence { witness: Some(Box::new(witness)), ..Evidence::unexamined() }
    }

    #[test]
    fn ssh_that_hangs_in_the_key_exchange_is_named_with_the_message() {
        let found = (FAILS.judge)(&evidence(Check::Tcp, true)).unwrap();
        assert!(found.because[0].contains("still waiting for SSH2_MSG_KEX_ECDH_REPLY of sntrup761"), "{found:?}");
        assert!((WORKS.judge)(&evidence(Check::Tcp, true)).is_none());
    }

    #[test]
    fn a_failure_that_is_ours_too_or_only_lacks_an_answer_is_none_of_sshs() {
        assert!((FAILS.judge)(&evidence(Check::Hostkey, true)).is_none());
        let mut shared = evidence(Check::Tcp, true);
        shared.handshake = Timed { step: Step::Failed(Facts::default()), duration_ms: 1.0 };
        assert!((FAILS.judge)(&shared).is_none());
        assert!((FAILS.judge)(&Evidence::unexamined()).is_none());
    }

    #[test]
    fn a_login_that_was_left_to_ssh_is_refused_for_both() {
        let mut refused = evidence(Check::Hostkey, false);
        assert!((REFUSED.judge)(&refused).is_none());
        let left = auth::Facts { only_ssh: Some("PKCS11Provider".into()), left_to_ssh: true, ..Default::default() };
        refused.auth = Timed { step: Step::Void(left), duration_ms: 1.0 };
        let found = (REFUSED.judge)(&refused).unwrap();
        assert_eq!(
            (found.certainty, found.because),
            (Certainty::Certain, vec!["PKCS11Provider is set, so ssh went first".into()])
        );
        assert!((FAILS.judge)(&refused).is_none() && (WORKS.judge)(&refused).is_none());
    }

    #[test]
    fn ssh_that_logs_in_settles_what_was_open() {
        let settled = evidence(Check::Auth, false);
        assert!((WORKS.judge)(&settled).is_some() && (FAILS.judge)(&settled).is_none());
    }
}
