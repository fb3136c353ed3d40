//! Is the server the one that it was: its proven key against the known_hosts files. Nothing is ever written to them.

pub(crate) mod certificate;
pub(crate) mod known_hosts_match;
mod others;
mod revoked;

use std::net::IpAddr;
use std::time::Duration;

use russh::keys::ssh_key::HashAlg;

use super::context::Context;
use super::handles::{Identity, Keyed, Trusted};
use crate::base::ask::Ask;
use crate::base::target::{Route, Strictness, Target};
use crate::base::text;
use crate::facts::Step;
use crate::facts::hostkey::{Decision, Entry, Facts, KnownHostsMatch};
use crate::ssh::known_hosts::{self, Known};
use crate::ssh::observations::ServerKey;

/// The time that saying goodbye to a server that is not trusted may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Compares the key that the server has proven with known_hosts, and decides whether a login may follow.
pub async fn check(ctx: &Context, keyed: Option<Keyed>) -> (Step<Facts>, Identity) {
    let Some(Keyed { connection, reach }) = keyed else {
        return (Step::Skipped("the handshake did not succeed".into()), Identity::Untrusted);
    };
    let Some(key) = connection.observations().read().server_key.clone() else {
        return (Step::Error("the handshake left no host key".into()), Identity::Untrusted);
    };
    let mut facts = match examine(&ctx.target, &key, reach.route) {
        Ok(facts) => facts,
        Err(why) => {
            connection.close(GOODBYE).await;
            return (Step::Error(why), Identity::Untrusted);
        }
    };
    facts.decision = match decide(&facts, is_exempt(&ctx.target, reach.route)) {
        Some(decision) => decision,
        None if ctx.target.credentials.can_ask => ask(ctx, &facts).await,
        None if facts.known_hosts_command => Decision::PublicKeysOnly,
        None => Decision::NobodyToAsk,
    };
    if facts.decision == Decision::AcceptedBySetting && facts.is_revoked_without_port() {
        facts.decision = Decision::PublicKeysOnly;
    }
    if ctx.stop.asked() {
        return (Step::Skipped("interrupted".into()), Identity::Untrusted);
    }
    let Some(with_passwords) = facts.decision.trust() else {
        let version = connection.watch().seen().server.version.clone();
        connection.close(GOODBYE).await;
        let further = others::further(ctx.limits.deep, version.as_ref().map(|(version, _)| version.as_str()));
        if facts.standing == KnownHostsMatch::Changed && further > 0 {
            facts.others = others::answering(ctx, reach.route, &facts.fingerprint, further).await;
        }
        if facts.decision == Decision::Withheld {
            return (Step::Passed(facts), Identity::Withheld);
        }
        return (Step::Failed(facts), Identity::Untrusted);
    };
    let trusted = Trusted { connection, reach, fingerprint: facts.fingerprint.clone(), with_passwords };
    (Step::Passed(facts), Identity::Trusted(Box::new(trusted)))
}

/// The facts about `key`, with the decision still open; why there are none, where ssh knows of revoked keys what we cannot read.
fn examine(target: &Target, key: &ServerKey, route: Route) -> Result<Facts, String> {
    let file = target.host_keys.revoked.as_deref();
    let is_revoked = file.map_or(Ok(false), |file| revoked::lists(file, key));
    let Known { mut entries, unread } = known_hosts::look_up(target);
    let mut name = known_hosts::recorded_name(target);
    let bare_name = target.host_keys.alias.as_ref().unwrap_or(&target.host).to_lowercase();
    let certificate =
        certificate::read(key, &bare_name, jiff::Timestamp::now(), &target.host_keys.authority_algorithms);
    let valid = certificate.as_ref().is_some_and(|certificate| certificate.objection.is_none());
    let mut standing = known_hosts_match::of(key, &entries, valid);
    let by_address = address(target, route).filter(|_| standing != KnownHostsMatch::Changed).and_then(|known_as| {
        let (name, Known { entries, .. }) = known_hosts::look_up_address(target, known_as);
        (known_hosts_match::of(key, &entries, valid) == KnownHostsMatch::Changed).then_some((name, entries))
    });
    let is_by_address = by_address.is_some();
    if let Some(of_address) = by_address {
        (name, entries) = of_address;
        standing = KnownHostsMatch::Changed;
    }
    let is_revoked = match is_revoked {
        // Changed it is all the same.
        Err(_) if standing == KnownHostsMatch::Changed => false,
        Err(why) => {
            let file = file.map(|file| text::sanitize(&file.to_string_lossy())).unwrap_or_default();
            return Err(format!(
                "whether the host key is revoked is not known, and no login was tried: RevokedHostKeys {file}: {why}"
            ));
        }
        Ok(is_revoked) => is_revoked,
    };
    let data = key.key_data();
    Ok(Facts {
        key_type: data.algorithm().as_str().to_owned(),
        bits: data.rsa().map(russh::keys::ssh_key::public::RsaPublicKey::key_size),
        required_bits: Some(target.required_rsa_bits),
        fingerprint: key.fingerprint(),
        sha1: key.sha1(),
        standing: if is_revoked { KnownHostsMatch::Revoked } else { standing },
        revoked_by: file.filter(|_| is_revoked).map(ToOwned::to_owned),
        certificate,
        name,
        by_address: is_by_address,
        first_file: known_hosts::first_file(&target.host_keys),
        entries: entries
            .into_iter()
            .map(|entry| Entry {
                matches: known_hosts_match::matches(key, &entry),
                key_type: entry.key.algorithm().as_str().to_owned(),
                fingerprint: entry.key.fingerprint(HashAlg::Sha256).to_string(),
                file: entry.file,
                line: entry.line,
                kind: entry.kind,
                portless: entry.portless,
            })
            .collect(),
        unread,
        strictness: target.host_keys.strictness,
        known_hosts_command: target.host_keys.command,
        decision: Decision::Stopped,
        others: Vec::new(),
    })
}

/// The address whose key ssh compares too, where a mismatch is more than a warning.
fn address(target: &Target, route: Route) -> Option<IpAddr> {
    let Route::Direct(address) = route else { return None };
    let policy = &target.host_keys;
    let compares = policy.check_address && policy.strictness != Strictness::No && !address.ip().is_loopback();
    (compares && target.host.parse() != Ok(address.ip())).then(|| address.ip())
}

/// True if ssh takes any key here: at a loopback address that it connects to by itself, unless it looks for another name.
fn is_exempt(target: &Target, route: Route) -> bool {
    let policy = &target.host_keys;
    let is_loopback = matches!(route, Route::Direct(address) if address.ip().is_loopback());
    policy.skip_loopback && policy.alias.is_none() && is_loopback
}

/// The decision that needs no person; none when the user has to be asked.
fn decide(facts: &Facts, is_exempt: bool) -> Option<Decision> {
    // ssh looks at the length before anything else, at a loopback address too.
    if facts.too_short().is_some() {
        return Some(Decision::TooShort);
    }
    // Of a key in the file of RevokedHostKeys ssh asks nothing else.
    if facts.revoked_by.is_some() {
        return Some(Decision::Stopped);
    }
    if is_exempt {
        return Some(Decision::NotChecked);
    }
    match (facts.standing, facts.strictness) {
        (KnownHostsMatch::Known | KnownHostsMatch::KnownAuthority, _) => Some(Decision::Known),
        // ssh goes on here without passwords; we have no reason to log in to a server that may be false.
        (KnownHostsMatch::Changed | KnownHostsMatch::Revoked, Strictness::No) => Some(Decision::Withheld),
        (KnownHostsMatch::Changed | KnownHostsMatch::Revoked, _) => Some(Decision::Stopped),
        // The command may know the key; a public key is of no use to a false server.
        (KnownHostsMatch::Unknown, Strictness::Yes) if facts.known_hosts_command => Some(Decision::PublicKeysOnly),
        (KnownHostsMatch::Unknown, Strictness::Yes) => Some(Decision::RefusedBySetting),
        (KnownHostsMatch::Unknown, Strictness::AcceptNew | Strictness::No) => Some(Decision::AcceptedBySetting),
        (KnownHostsMatch::Unknown, Strictness::Ask) => None,
    }
}

async fn ask(ctx: &Context, facts: &Facts) -> Decision {
    let question = format!(
        "The host key of {} is not known:\n  {} {}\nTrust this key? (it will not be saved)",
        facts.name, facts.key_type, facts.fingerprint
    );
    let ask = ctx.ask.clone();
    let answer = tokio::task::spawn_blocking(move || Ask::confirm(&*ask, &question));
    match ctx.stop.race(answer).await {
        Some(Ok(true)) => Decision::AcceptedByUser,
        _ => Decision::RefusedByUser,
    }
}

#[cfg(test)]
mod tests {
    use super::decide;
    use crate::base::target::Strictness;
    use crate::facts::hostkey::samples::known;
    use crate::facts::hostkey::{Decision, Facts, KnownHostsMatch};

    const ALL: [Strictness; 4] = [Strictness::Yes, Strictness::Ask, Strictness::AcceptNew, Strictness::No];

    fn facts(standing: KnownHostsMatch, strictness: Strictness) -> Facts {
        Facts { standing, strictness, ..known() }
    }

    #[test]
    fn a_changed_or_revoked_key_gets_no_login_whatever_the_setting() {
        for strictness in ALL {
            for standing in [KnownHostsMatch::Changed, KnownHostsMatch::Revoked] {
                let decision = decide(&facts(standing, strictness), false);
                let expected = if strictness == Strictness::No { Decision::Withheld } else { Decision::Stopped };
                assert_eq!(decision, Some(expected), "{strictness:?}");
                assert_eq!(decision.and_then(Decision::trust), None);
            }
        }
    }

    #[test]
    fn a_short_rsa_key_gets_no_login_known_or_not() {
        for standing in [KnownHostsMatch::Known, KnownHostsMatch::Unknown, KnownHostsMatch::Changed] {
            let rsa = |bits| Facts { bits: Some(bits), required_bits: Some(3072), ..facts(standing, Strictness::No) };
            assert_eq!(decide(&rsa(2048), true), Some(Decision::TooShort));
            assert_eq!(decide(&rsa(3072), true), Some(Decision::NotChecked));
        }
        assert_eq!(Decision::TooShort.trust(), None);
    }

    #[test]
    fn an_unknown_key_is_trusted_as_far_as_the_setting_goes() {
        let trust = |facts: &Facts| decide(facts, false).map(Decision::trust);
        let all = ALL.map(|strictness| trust(&facts(KnownHostsMatch::Unknown, strictness)));
        assert_eq!(all, [Some(None), None, Some(Some(true)), Some(Some(true))]);
        assert_eq!(Decision::PublicKeysOnly.trust(), Some(false));
        let command = Facts { known_hosts_command: true, ..facts(KnownHostsMatch::Unknown, Strictness::Yes) };
        assert_eq!(trust(&command), Some(Some(false)));
    }

    #[test]
    fn where_ssh_takes_any_key_only_the_file_of_revoked_ones_stands_against_it() {
        for standing in
            [KnownHostsMatch::Known, KnownHostsMatch::Unknown, KnownHostsMatch::Changed, KnownHostsMatch::Revoked]
        {
            let facts = facts(standing, Strictness::Yes);
            assert_eq!(decide(&facts, true), Some(Decision::NotChecked));
            let listed = Facts { revoked_by: Some("/etc/ssh/revoked".into()), ..facts };
            assert_eq!(decide(&listed, true), Some(Decision::Stopped));
        }
        let listed =
            Facts { revoked_by: Some("/etc/ssh/revoked".into()), ..facts(KnownHostsMatch::Revoked, Strictness::No) };
        assert_eq!(decide(&listed, false), Some(Decision::Stopped));
    }
}
