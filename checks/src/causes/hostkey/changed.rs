//! The server's key contradicts known_hosts.

use super::shared::{COMPARE_ON_SERVER, SIGNED, compared, describe, qualified, quotable, scan_type, shown_key};
use crate::causes::retest::shared;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::Software;
use crate::facts::hostkey::{Decision, KnownHostsMarker, KnownHostsMatch};

pub(super) const CHANGED: Cause = Cause {
    code: "hostkey-changed",
    stage: Check::Hostkey,
    title: "The server's host key does not match known_hosts",
    severity: Severity::Critical,
    explanation: "known_hosts has keys for this name, but the server proved to hold another one. Possible reasons:\n\
        - the server was reinstalled or has new keys\n\
        - the name or address leads to another machine: DHCP, a re-created VM, a load balancer over servers with \
        different keys\n\
        - a man in the middle\n\n\
        From the client these look alike, so ssh refuses to connect. No user name, key or password was sent by this \
        examination.\n\n\
        Without strict checking, ssh warns and continues without passwords and agent forwarding. If the stored key is \
        of another type than the presented one, ssh reports the same: it has keys for this name, and none matches.",
    fixes: &[
        COMPARE_ON_SERVER,
        Fix {
            side: Side::Client,
            summary: "Only after the fingerprint was confirmed as {fingerprint}: remove the old key, connect, and compare \
                again when ssh asks",
            snippet: Some("ssh-keygen -R '{known_name}' -f '{known_file}'"),
            caution: Some("until it is confirmed, do not trust the server"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Keep host keys across reinstallations, use the same keys on all servers behind one name, or sign them \
                with one authority",
            snippet: Some("ssh-keygen -s ca_key -h -I {host} -n {host} /etc/ssh/ssh_host_ed25519_key.pub"),
            caution: Some(SIGNED),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Offending key for IP in",
        "differs from the key for the IP address",
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "POTENTIAL SECURITY BREACH",
        "has changed and you have requested strict checking",
        "Host key for server <host> does not match",
        "knownhosts: key mismatch",
        "host key mismatch for",
        "Host key for server changed",
        "does not match for \"[<host>",
        "HostKeyMismatch",
        "BadHostKeyException",
        "The server key changed at line",
        "Offending <kind> key in <file>:<line>",
        "DNS SPOOFING DETECTED",
        "host key does not match the one",
        "does not match the key required in the connection configuration",
        "HostKey has been changed",
        "exited: Host key mismatch",
        "Host key did not appear in manually configured list",
        "Host key does not match configured key",
        "ssh: host key mismatch",
        "SSL peer certificate or SSH remote key was not OK",
    ],
    hides: &["hostkey-unknown", "hostkey-cert-invalid"],
    judge: |evidence| {
        let facts = compared(evidence).filter(|facts| facts.standing == KnownHostsMatch::Changed)?;
        let against: Vec<_> = facts
            .entries
            .iter()
            .filter(|entry| entry.kind == KnownHostsMarker::Host && !entry.portless && !entry.matches)
            .collect();
        let first = against.first()?;
        let mut because = vec![shown_key(facts)];
        because.extend(against.iter().take(5).map(|entry| describe(entry)));
        if facts.others.is_empty() {
            because.extend(shared::only_once(evidence));
            let version = evidence.handshake.facts().and_then(|facts| facts.version.as_deref());
            because.extend(Software::penalizes(version).then(|| {
                "whether other keys answer too was not looked at: this server penalizes connections without a login; --deep opens up to three".to_owned()
            }));
        }
        because.extend(
            facts.by_address.then(|| {
                format!("CheckHostIP is set: ssh compares the key with that of the address {} too", facts.name)
            }),
        );
        let found = Match::new(Certainty::Certain, because).reason_open();
        let mut found = found.with("fingerprint", facts.fingerprint.clone());
        if !against.iter().any(|entry| entry.key_type == facts.key_type) {
            found.because.push(format!("no line for {} holds a key of the type {}", facts.name, facts.key_type));
            // The server may have kept the stored key as well, and our library may not speak its type.
            found.certainty = Certainty::Likely;
        }
        found = qualified(found, facts);
        let file = first.file.display().to_string();
        if quotable(&facts.name) && quotable(&file) {
            found = found.with("known_name", facts.name.clone()).with("known_file", file);
        }
        Some(found)
    },
    ..Cause::NEW
};

pub(super) const REVOKED: Cause = Cause {
    code: "hostkey-revoked",
    stage: Check::Hostkey,
    title: "The server's host key is marked as revoked on this machine",
    severity: Severity::Critical,
    explanation: "A @revoked line of known_hosts, or the file that RevokedHostKeys names, marks this key, or the authority that \
        signed its certificate, as never to be accepted, usually because the private key was lost or stolen. Whoever \
        answers holds that private key: the server, still with its old key, or someone with a copy. No user name, key \
        or password was sent.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Create a new host key, and give its fingerprint to the clients over a trusted channel",
            snippet: Some(
                "cd /etc/ssh && mv {key_file} {key_file}.revoked && ssh-keygen -q -t {scan_type} -N '' -f {key_file} && systemctl reload ssh",
            ),
            caution: Some(
                "every client sees a changed key until its known_hosts is updated; the unit is called sshd on some \
                systems",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Ask whoever revoked the key in {known_file} for the server's current key",
            snippet: Some("grep -n '^@revoked' '{known_file}'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Ask whoever maintains {revoked_file} for the server's current key; this lists the revoked keys",
            snippet: Some("ssh-keygen -lf '{revoked_file}'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "REVOKED HOST KEY DETECTED",
        "is marked as revoked",
        "was revoked and you have requested strict checking",
        "revoked by file",
    ],
    hides: &["hostkey-changed", "hostkey-unknown", "hostkey-cert-invalid"],
    judge: |evidence| {
        let facts = compared(evidence).filter(|facts| facts.standing == KnownHostsMatch::Revoked)?;
        let line = facts.entries.iter().find(|entry| entry.kind == KnownHostsMarker::Revoked && entry.matches);
        let (file, name, told) = match (&facts.revoked_by, line) {
            (Some(file), _) => {
                let told =
                    format!("RevokedHostKeys: {} lists that key, or the authority that signed it", file.display());
                (file, "revoked_file", told)
            }
            (None, Some(line)) => (&line.file, "known_file", format!("{}, marked @revoked", describe(line))),
            (None, None) => return None,
        };
        let key_type = scan_type(facts);
        let found = Match::new(Certainty::Certain, [shown_key(facts), told])
            .reason_open()
            .with("scan_type", key_type)
            .with("key_file", format!("ssh_host_{key_type}_key"));
        let found = if facts.decision == Decision::Withheld { qualified(found, facts) } else { found };
        let file = file.display().to_string();
        Some(if quotable(&file) { found.with(name, file) } else { found })
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::{CHANGED, REVOKED};
    use crate::causes::Severity;
    use crate::causes::hostkey::samples::{evidence, fired};
    use crate::facts::certainty::Certainty;
    use crate::facts::hostkey::samples::{entry, known};
    use crate::facts::hostkey::{Decision, Facts, KnownHostsMarker, KnownHostsMatch};

    fn changed() -> Facts {
        Facts {
            entries: vec![entry("SHA256:old", KnownHostsMarker::Host, false)],
            standing: KnownHostsMatch::Changed,
            decision: Decision::Stopped,
            ..known()
        }
    }

    #[test]
    fn a_changed_key_names_both_keys_and_the_line() {
        assert_eq!(fired(&changed()), ["hostkey-changed"]);
        let found = (CHANGED.judge)(&evidence(&changed())).unwrap();
        assert_eq!(found.certainty, Certainty::Certain);
        let because = found.because.join("\n");
        for part in ["SHA256:old", "SHA256:new", "/home/me/.ssh/known_hosts:7"] {
            assert!(because.contains(part), "{because}");
        }
    }

    #[test]
    fn where_ssh_goes_on_it_is_a_warning_and_said() {
        let facts = Facts { decision: Decision::Withheld, ..changed() };
        let found = (CHANGED.judge)(&evidence(&facts)).unwrap();
        assert_eq!((found.certainty, found.severity), (Certainty::Certain, Some(Severity::Warning)));
        assert!(found.because.iter().any(|line| line.contains("without passwords")), "{:?}", found.because);
        let entries = vec![entry("SHA256:new", KnownHostsMarker::Revoked, true)];
        let revoked = Facts { standing: KnownHostsMatch::Revoked, entries, ..facts };
        let found = (REVOKED.judge)(&evidence(&revoked)).unwrap();
        assert_eq!(found.severity, Some(Severity::Warning));
    }

    #[test]
    fn a_command_that_is_not_run_may_know_the_key() {
        let facts = Facts { known_hosts_command: true, ..changed() };
        let found = (CHANGED.judge)(&evidence(&facts)).unwrap();
        assert_eq!(found.certainty, Certainty::Possible);
        assert!(found.because.iter().any(|line| line.contains("KnownHostsCommand")), "{:?}", found.because);
    }

    #[test]
    fn a_key_of_another_type_is_less_than_certain() {
        let mut facts = changed();
        facts.entries[0].key_type = "ssh-rsa".into();
        assert_eq!((CHANGED.judge)(&evidence(&facts)).unwrap().certainty, Certainty::Likely);
    }

    #[test]
    fn a_revoked_key_is_named_as_such_only() {
        let facts = Facts {
            entries: vec![
                entry("SHA256:new", KnownHostsMarker::Host, true),
                entry("SHA256:new", KnownHostsMarker::Revoked, true),
            ],
            standing: KnownHostsMatch::Revoked,
            decision: Decision::Stopped,
            ..known()
        };
        assert_eq!(fired(&facts), ["hostkey-revoked"]);
    }

    #[test]
    fn the_file_that_revokes_a_key_is_named() {
        let listed =
            Facts { revoked_by: Some("/etc/ssh/revoked".into()), standing: KnownHostsMatch::Revoked, ..changed() };
        assert_eq!(fired(&listed), ["hostkey-revoked"]);
        let found = (REVOKED.judge)(&evidence(&listed)).unwrap();
        assert!(found.because[1].contains("RevokedHostKeys: /etc/ssh/revoked"), "{:?}", found.because);
        assert!(found.values.contains(&("revoked_file", "/etc/ssh/revoked".into())));
        assert!(found.values.iter().all(|(name, _)| *name != "known_file"));
    }
}
