//! known_hosts says nothing of the server.

use std::path::Path;

use super::shared::{COMPARE_ON_SERVER, compared, describe, qualified, shown_key};
use crate::base::target::Strictness;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::hostkey::{Decision, Facts, KnownHostsMarker, KnownHostsMatch};
use crate::facts::witness::Witness;
use crate::facts::{Check, Evidence, auth};

/// The fix in which ssh records the key itself: under the name that it looks for, hashed or not, from behind any hop.
const RECORD: Fix = Fix {
    side: Side::Client,
    summary: "Once the administrator confirms {fingerprint}, connect and paste it at ssh's prompt: ssh adds the key to \
        {known_file}",
    snippet: Some("ssh -o StrictHostKeyChecking=ask {alias}"),
    caution: Some("paste the fingerprint that you were given, never just yes: ssh continues only if it is the same"),
    ..Fix::CHANGE
};

pub(super) const UNKNOWN: Cause = Cause {
    code: "hostkey-unknown",
    stage: Check::Hostkey,
    title: "The server's host key is not in known_hosts",
    severity: Severity::Warning,
    explanation: "No known_hosts file has this server, so nothing on this machine can distinguish the true server from a false \
        one. With StrictHostKeyChecking ask, ssh asks a person and fails without one (BatchMode, cron, CI); with yes \
        it always refuses; with accept-new it trusts the first key that it sees. If KnownHostsCommand is set, ssh may \
        know the key from that command, which only ssh itself runs.\n\n\
        This examination never writes known_hosts. If nobody can be asked it stops here, as ssh does, before it names \
        a user or offers a key. If a KnownHostsCommand may know the key it continues with public keys only: their \
        signatures are bound to this connection (RFC 4252 section 7) and useless to a false server, while a password \
        would not be.",
    fixes: &[
        COMPARE_ON_SERVER,
        RECORD,
        Fix {
            side: Side::Client,
            summary: "For many servers or clients: sign the host keys with one authority, and add it to {known_file} once",
            file: Some("known_hosts"),
            snippet: Some("@cert-authority {known_as} PUBLIC_KEY"),
            when: |evidence| sound_authority(evidence).is_none(),
            caution: Some("replace PUBLIC_KEY by that of the authority"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Once the administrator confirms {authority} as the authority of these servers, add it to {known_file}",
            file: Some("known_hosts"),
            snippet: Some("@cert-authority {known_as} {authority_key}"),
            when: |evidence| sound_authority(evidence).is_some(),
            caution: Some("until it is confirmed, do not trust the authority: anybody can sign a certificate"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "hostkeys_foreach failed for <file>: <why>",
        "can't be established",
        "No <kind> host key is known for <host>",
        "not found in known_hosts",
        "knownhosts: key is unknown",
        "Host key is not trusted for host",
        "The server is unknown. Do you trust the host key",
        "HostKeyUnknown",
        "is not in the trusted hosts file",
        "UnknownHostKey",
        "JSchException: reject HostKey",
        "The server's host key is not cached",
        "The host key is not cached for this server",
        "Cannot confirm a host key in batch mode",
        "Unknown server key",
        "Host denied (verification failed)",
        "Server key did not validate",
        "Host key wasn't verified",
        "host key is not known",
        "Failed to add the host to the list of known hosts",
        "Host Key checking is enabled and sshpass does not support this",
        "No Known Hosts file was found at",
        "No entry currently exists in the Known Hosts file for this host",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = compared(evidence).filter(|facts| facts.standing == KnownHostsMatch::Unknown)?;
        let witness = evidence.witness.as_deref().filter(|_| facts.is_left_to_a_command());
        // In batch mode ssh goes on only with a key that it knows.
        if witness.is_some_and(Witness::logged_in) {
            return None;
        }
        let mut because =
            vec![shown_key(facts), format!("no line of the known_hosts files names {}", facts.name), decided(facts)];
        if let Some(refusal) = witness.filter(|witness| witness.refused_host_key()) {
            because.insert(0, format!("ssh printed \"{}\"", refusal.words.join(" ")));
            because.push("your own ssh ran KnownHostsCommand, and did not get the key from it".to_owned());
            return Some(recorded(Match::new(Certainty::Certain, because).at(Severity::Critical), facts));
        }
        because.extend(sound_authority(evidence).map(|(authority, _)| {
            format!("its certificate is signed by the authority {authority}, which no line of known_hosts names")
        }));
        because.extend(
            facts
                .unread
                .iter()
                .map(|unread| format!("{} could not be read to its end: {}", unread.file.display(), unread.error)),
        );
        let revoked = facts.entries.iter().find(|entry| entry.kind == KnownHostsMarker::Revoked && entry.matches);
        because.extend(revoked.map(|line| {
            format!("{}, marked @revoked for the name without its port: ssh warns of it and takes the key as an unknown one", describe(line))
        }));
        let withheld = evidence.auth.failed().is_some_and(auth::Facts::password_withheld);
        if withheld {
            because.push("the login failed for want of a password, which was not sent to an unknown key".to_owned());
        }
        let severity = if withheld { Severity::Critical } else { severity(facts) };
        // A line that was not read may be the one.
        let certainty = if facts.unread.is_empty() { Certainty::Certain } else { Certainty::Likely };
        let found = qualified(Match::new(certainty, because), facts).at(severity);
        let found = sound_authority(evidence)
            .into_iter()
            .fold(found, |found, (authority, key)| found.with("authority", authority).with("authority_key", key));
        Some(recorded(found, facts))
    },
    ..Cause::NEW
};

/// The fingerprint and the key of the authority that certifies the server's key, where the certificate holds for this server.
fn sound_authority(evidence: &Evidence) -> Option<(&str, &str)> {
    let certificate = evidence.hostkey.facts()?.certificate.as_ref()?;
    let key = certificate.authority_key.as_deref().filter(|_| certificate.objection.is_none())?;
    Some((&certificate.authority, key))
}

/// The match with the key and the file that ssh would add it to, where there is one.
fn recorded(found: Match, facts: &Facts) -> Match {
    let found = found.with("fingerprint", facts.fingerprint.clone());
    match &facts.first_file {
        Some(file) => found.with("known_file", file.display().to_string()),
        None => found,
    }
}

/// Returns the severity of an unknown key, after the decision about it.
pub(super) fn severity(facts: &Facts) -> Severity {
    match facts.decision {
        // A command that was not run may know it.
        Decision::PublicKeysOnly if facts.known_hosts_command => Severity::Info,
        Decision::RefusedBySetting
        | Decision::RefusedByUser
        | Decision::NobodyToAsk
        | Decision::Stopped
        | Decision::TooShort => Severity::Critical,
        Decision::AcceptedBySetting if is_stored(facts) => Severity::Info,
        Decision::AcceptedBySetting | Decision::PublicKeysOnly | Decision::Withheld => Severity::Warning,
        Decision::AcceptedByUser | Decision::Known | Decision::NotChecked => Severity::Info,
    }
}

/// True if ssh keeps the key that it accepts, so that it is unknown only once.
fn is_stored(facts: &Facts) -> bool {
    let file = facts.first_file.as_ref().filter(|file| file.as_path() != Path::new("/dev/null"));
    facts.strictness == Strictness::AcceptNew && file.is_some()
}

fn decided(facts: &Facts) -> String {
    let setting = match facts.strictness {
        Strictness::Yes => "yes",
        Strictness::Ask => "ask",
        Strictness::AcceptNew => "accept-new",
        Strictness::No => "no",
    };
    let what = match facts.decision {
        Decision::PublicKeysOnly => "this examination went on with public keys only",
        Decision::NobodyToAsk => "ssh asks a person, and there was none: it ends here, as it does in cron and CI",
        Decision::AcceptedByUser => "the user compared the fingerprint and accepted it",
        Decision::RefusedByUser => "the user did not accept it",
        Decision::AcceptedBySetting if is_stored(facts) => "ssh accepts an unknown key, and stores it",
        Decision::AcceptedBySetting => "an unknown key is accepted",
        Decision::RefusedBySetting
        | Decision::Stopped
        | Decision::TooShort
        | Decision::Known
        | Decision::Withheld
        | Decision::NotChecked => "an unknown key is refused",
    };
    format!("StrictHostKeyChecking is {setting}: {what}")
}

#[cfg(test)]
mod tests {
    use super::{Check, Evidence, Strictness, UNKNOWN, Witness};
    use crate::causes::Severity;
    use crate::causes::hostkey::samples::{evidence, fired};
    use crate::facts::certainty::Certainty;
    use crate::facts::hostkey::samples::known;
    use crate::facts::hostkey::{Certificate, Decision, Facts, KnownHostsMatch, Unread};
    use crate::facts::witness::WitnessReason;

    fn unknown(decision: Decision) -> Facts {
        Facts { entries: Vec::new(), standing: KnownHostsMatch::Unknown, decision, ..known() }
    }

    #[test]
    fn an_unknown_key_is_as_bad_as_what_ssh_does_with_it() {
        for (decision, severity) in [
            (Decision::RefusedBySetting, Severity::Critical),
            (Decision::RefusedByUser, Severity::Critical),
            (Decision::PublicKeysOnly, Severity::Warning),
            (Decision::NobodyToAsk, Severity::Critical),
            (Decision::AcceptedBySetting, Severity::Warning),
            (Decision::AcceptedByUser, Severity::Info),
        ] {
            assert_eq!(fired(&unknown(decision)), ["hostkey-unknown"]);
            let found = (UNKNOWN.judge)(&evidence(&unknown(decision))).unwrap();
            assert_eq!(found.severity, Some(severity), "{decision:?}");
        }
    }

    #[test]
    fn a_key_that_ssh_stores_at_once_is_no_problem_and_one_that_it_never_stores_is() {
        let severity = |strictness: Strictness, file: &str| {
            let facts = unknown(Decision::AcceptedBySetting);
            let facts = Facts { strictness, first_file: Some(file.into()), ..facts };
            (UNKNOWN.judge)(&evidence(&facts)).and_then(|found| found.severity)
        };
        assert_eq!(severity(Strictness::AcceptNew, "/home/me/.ssh/known_hosts"), Some(Severity::Info));
        assert_eq!(severity(Strictness::AcceptNew, "/dev/null"), Some(Severity::Warning));
        assert_eq!(severity(Strictness::No, "/home/me/.ssh/known_hosts"), Some(Severity::Warning));
    }

    #[test]
    fn the_key_to_confirm_and_the_file_that_ssh_adds_it_to_are_named() {
        let found = (UNKNOWN.judge)(&evidence(&unknown(Decision::PublicKeysOnly))).unwrap();
        let value = |name: &str| found.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("fingerprint"), Some(known().fingerprint.as_str()));
        assert_eq!(value("known_file"), Some("/home/me/.ssh/known_hosts"));
    }

    #[test]
    fn a_command_that_is_not_run_may_know_the_key_and_nothing_is_said_of_a_refusal() {
        let facts = Facts { known_hosts_command: true, ..unknown(Decision::PublicKeysOnly) };
        let found = (UNKNOWN.judge)(&evidence(&facts)).unwrap();
        assert_eq!((found.certainty, found.severity), (Certainty::Possible, Some(Severity::Info)));
        let because = found.because.join("\n");
        assert!(because.contains("does not run that command") && !because.contains("refuse"), "{because}");
    }

    #[test]
    fn an_authority_that_the_server_showed_is_printed_and_none_is_to_be_filled_in_by_hand() {
        let keys = |certificate: Option<Certificate>| {
            let evidence = evidence(&Facts { certificate, ..unknown(Decision::NobodyToAsk) });
            let fixes = UNKNOWN.fixes.iter().filter(|fix| (fix.when)(&evidence)).filter_map(|fix| fix.snippet);
            let lines: Vec<_> =
                fixes.filter_map(|snippet| snippet.strip_prefix("@cert-authority {known_as} ")).collect();
            let value =
                (UNKNOWN.judge)(&evidence).unwrap().values.into_iter().find(|(name, _)| *name == "authority_key");
            (lines, value.map(|(_, key)| key))
        };
        let signed = Certificate {
            key_id: "db".into(),
            serial: 1,
            principals: Vec::new(),
            valid_from: None,
            valid_until: None,
            authority: "SHA256:ca".into(),
            authority_key: Some("ssh-ed25519 AAAA".into()),
            misnamed: false,
            fits_pattern: false,
            objection: None,
        };
        assert_eq!(keys(Some(signed.clone())), (vec!["{authority_key}"], Some("ssh-ed25519 AAAA".into())));
        let expired = Certificate { objection: Some("it has expired".into()), ..signed };
        assert_eq!(keys(Some(expired)), (vec!["PUBLIC_KEY"], None));
        assert_eq!(keys(None), (vec!["PUBLIC_KEY"], None));
    }

    #[test]
    fn ssh_settles_what_was_left_to_a_command_and_nothing_else() {
        let judged = |facts: &Facts, reached: Check, words: &str| {
            let words = vec![words.to_owned()];
            let login_begun = reached == Check::Auth;
            let witness = Witness { reached: Some(reached), login_begun, words, ..witness() };
            (UNKNOWN.judge)(&Evidence { witness: Some(Box::new(witness)), ..evidence(facts) })
        };
        let left = Facts { known_hosts_command: true, ..unknown(Decision::PublicKeysOnly) };
        let refusal = "Host key verification failed.";
        assert!(judged(&left, Check::Auth, "").is_none());
        let refused = judged(&left, Check::Tcp, refusal).unwrap();
        assert_eq!((refused.certainty, refused.severity), (Certainty::Certain, Some(Severity::Critical)));
        let elsewhere = judged(&left, Check::Tcp, "Connection closed").unwrap();
        assert_eq!((elsewhere.certainty, elsewhere.severity), (Certainty::Possible, Some(Severity::Info)));
        // A key that ssh takes whatever it is stays unknown.
        let accepted = Facts { strictness: Strictness::No, ..left };
        assert!(judged(&accepted, Check::Auth, "").is_some());
    }

    fn witness() -> Witness {
        Witness {
            reason: WitnessReason::Settings,
            until: Check::Auth,
            ssh: None,
            ms: 400.0,
            reached: None,
            kex: None,
            awaited: None,
            login_begun: false,
            method: None,
            status: Some(255),
            cut: false,
            words: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_was_not_read_to_its_end_leaves_a_doubt() {
        let certainty = |facts: &Facts| (UNKNOWN.judge)(&evidence(facts)).map(|found| found.certainty);
        let read = unknown(Decision::PublicKeysOnly);
        assert_eq!(certainty(&read), Some(Certainty::Certain));
        let unread = vec![Unread { file: "/home/me/.ssh/known_hosts".into(), error: "too long".into() }];
        assert_eq!(certainty(&Facts { unread, ..read }), Some(Certainty::Likely));
    }
}
