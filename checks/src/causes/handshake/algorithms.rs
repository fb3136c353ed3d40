//! No algorithm in common, as the user's own client would find it (RFC 4253 section 7.1).

use super::algorithm_fixes::{MIND, MIND_THE_KEY, fixes};
use super::names::{CIPHER_NAMES, HOST_KEY_NAMES, KEX_NAMES, MAC_NAMES, Names};
use crate::base::text::sanitize;
use crate::causes::{Cause, Match, Severity};
use crate::facts::certainty::Certainty;
use crate::facts::handshake::Software;
use crate::facts::handshake::kinds::{AlgorithmKind, CIPHER_KIND, HOST_KEY_KIND, KEX_KIND, MAC_KIND, is_signal};
use crate::facts::retest::is_post_quantum;
use crate::facts::{Check, Evidence};

const EXPLANATION: &str = "Client and server each send a list of algorithms, and the first one in the client's list \
        that the server also has is used. Here the lists have none in common. \
    The comparison is made with the list that your own ssh would send to this server, not with that of our library.\n\n\
    Old devices often support only algorithms that newer OpenSSH disables by default; such an algorithm can be enabled \
        for that host alone.\n\n\
    If the server supports an algorithm that OpenSSH uses by default, your side excludes it: a line of ssh_config, an \
        option on the command line, the policy of your system, or an ssh too old to know it (ssh -Q lists what it \
        knows).";

const HIDES: &[&str] = &["handshake-reset", "handshake-kex-failed", "handshake-kex-stalled"];

/// The record that the four kinds share; each fills in its own words.
const NO_COMMON: Cause = Cause {
    code: "",
    stage: Check::Handshake,
    title: "",
    severity: Severity::Critical,
    explanation: EXPLANATION,
    fixes: &[],
    symptoms: &[],
    hides: HIDES,
    judge: |_| None,
    ..Cause::NEW
};

pub(super) const KEX: Cause = Cause {
    code: "handshake-no-common-kex",
    title: "No mutual key exchange method (KexAlgorithms)",
    fixes: &fixes(
        "ssh -G {alias} | grep -i '^kexalgorithms '; grep -rins kexalgorithms ~/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d",
        "Host {alias}\n    KexAlgorithms {spoken_list}",
        "Host {alias}\n    KexAlgorithms {their_list}",
        "KexAlgorithms +{ours}",
        MIND,
    ),
    symptoms: &[
        "no matching key exchange method found",
        "no acceptable kex algorithm",
        "No matching key exchange algorithm found",
        "no common algorithm for key exchange",
        "no match for method kex algos",
        "No matching algo kex",
        "No common key exchange algorithm",
        "could not settle on kex algorithm",
        "no matching key exchange algorithm",
        "Couldn't agree a key exchange algorithm",
        "Algorithm negotiation fail: algorithmName=\"kex\"",
        "kex: algorithm: (no match)",
        "Unable to negotiate key exchange for kex algorithms",
        "Unable to exchange encryption keys",
    ],
    judge: |evidence| judge(evidence, &KEX_KIND, &KEX_NAMES),
    ..NO_COMMON
};

pub(super) const HOST_KEY: Cause = Cause {
    code: "handshake-no-common-hostkey",
    title: "No mutual host key algorithm (HostKeyAlgorithms)",
    fixes: &fixes(
        "ssh -G {alias} | grep -i '^hostkeyalgorithms '; grep -rins hostkeyalgorithms ~/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d",
        "Host {alias}\n    HostKeyAlgorithms {spoken_list}",
        "Host {alias}\n    HostKeyAlgorithms {their_list}",
        "HostKey /etc/ssh/ssh_host_{own_key}_key\nHostKeyAlgorithms +{ours}",
        MIND_THE_KEY,
    ),
    symptoms: &[
        "no matching host key type found",
        "no acceptable host key",
        "no hostkey alg",
        "No matching server host key algorithm found",
        "no common algorithm for host key",
        "no match for method server host key algo",
        "No matching algo hostkey",
        "could not settle on host_key algorithm",
        "no matching host key format",
        "Couldn't agree a host key algorithm",
        "Algorithm negotiation fail: algorithmName=\"server_host_key\"",
        "kex: host key algorithm: (no match)",
        "No common key algorithm",
        "Unable to negotiate key exchange for server host key algorithms",
    ],
    judge: |evidence| judge(evidence, &HOST_KEY_KIND, &HOST_KEY_NAMES),
    ..NO_COMMON
};

pub(super) const CIPHER: Cause = Cause {
    code: "handshake-no-common-cipher",
    title: "No mutual cipher (Ciphers)",
    fixes: &fixes(
        "ssh -G {alias} | grep -i '^ciphers '; grep -rins ciphers ~/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d",
        "Host {alias}\n    Ciphers {spoken_list}",
        "Host {alias}\n    Ciphers {their_list}",
        "Ciphers +{ours}",
        MIND,
    ),
    symptoms: &[
        "no matching cipher found",
        "no acceptable ciphers",
        "No matching encryption algorithm found",
        "no common algorithm for client to server cipher",
        "no common algorithm for server to client cipher",
        "no match for method encryption",
        "No matching algo enc",
        "could not settle on encryption_",
        "no matching C->S cipher",
        "no matching S->C cipher",
        "Couldn't agree a client-to-server cipher",
        "Couldn't agree a server-to-client cipher",
        "Algorithm negotiation fail: algorithmName=\"cipher",
        "Unable to negotiate key exchange for encryption algorithms",
    ],
    judge: |evidence| judge(evidence, &CIPHER_KIND, &CIPHER_NAMES),
    ..NO_COMMON
};

pub(super) const MAC: Cause = Cause {
    code: "handshake-no-common-mac",
    title: "No mutual message authentication code (MACs)",
    fixes: &fixes(
        "ssh -G {alias} | grep -i '^macs '; grep -rins macs ~/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d",
        "Host {alias}\n    MACs {spoken_list}",
        "Host {alias}\n    MACs {their_list}",
        "MACs +{ours}",
        MIND,
    ),
    symptoms: &[
        "no matching MAC found",
        "no acceptable macs",
        "No matching MAC algorithm found",
        "no common algorithm for client to server MAC",
        "no common algorithm for server to client MAC",
        "no match for method mac algo",
        "No matching algo mac",
        "could not settle on hmac_",
        "no matching C->S MAC",
        "no matching S->C MAC",
        "Couldn't agree a client-to-server MAC",
        "Couldn't agree a server-to-client MAC",
        "Algorithm negotiation fail: algorithmName=\"mac",
        "Unable to negotiate key exchange for mac algorithms",
    ],
    judge: |evidence| judge(evidence, &MAC_KIND, &MAC_NAMES),
    ..NO_COMMON
};

fn judge(evidence: &Evidence, kind: &AlgorithmKind, names: &Names) -> Option<Match> {
    let facts = evidence.handshake.failed()?;
    let offer = facts.server_offer.as_ref()?;
    let (ours, theirs) = ((kind.ours)(&facts.client_offer), (kind.theirs)(offer));
    if ours.is_empty() || theirs.is_empty() || facts.agrees_on(kind, offer) {
        return None;
    }
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).filter(|name| !is_signal(name)).collect();
    let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    let found = Match::new(
        Certainty::Certain,
        [
            format!("the server offers only {} {}", kind.keyword, sanitize(&theirs.join(", "))),
            format!("your ssh offers {}", sanitize(&ours.join(", "))),
        ],
    );
    // By its defaults ssh would have agreed with the server: the user's own setting is the odd one.
    let config = evidence.config.facts();
    let defaults = config.map_or(&[][..], |config| (kind.ours)(&config.defaults));
    let known = names.current.iter().copied().chain(defaults.iter().map(String::as_str));
    // Where a list was set, "+" would put all of ssh's defaults in its place.
    let is_set = config.is_some_and(|config| config.setting(kind.keyword).is_some());
    let set: Vec<&str> = ours.iter().copied().filter(|name| is_set && !is_signal(name)).collect();
    let list = |name: &str| if is_set { [&set[..], &[name]].concat().join(",") } else { format!("+{name}") };
    if let Some(spoken) = known.filter(|name| !is_signal(name)).find(|name| theirs.contains(name)) {
        return Some(found.with("spoken", spoken).with("spoken_list", list(spoken)));
    }
    if let Some(since) = post_quantum_only(&theirs) {
        return Some(found.with("since", since));
    }
    // Only what ssh still speaks goes into its configuration: any other name makes ssh refuse the whole file.
    let best = names.weak.iter().find(|name| theirs.contains(name) && !gone(name, &evidence.settings.source));
    let found = best.into_iter().fold(found, |found, name| found.with("their_list", list(name)));
    // Of ours, what old servers know too, and nothing weak: sshd refuses a configuration with a name that it does not know.
    let named = names.current.iter().find(|name| ours.contains(name));
    let found = named.into_iter().fold(found, |found, name| found.with("ours", *name));
    let own_key = named.and_then(|name| match *name {
        "ssh-ed25519" => Some("ed25519"),
        name if name.starts_with("ecdsa-") => Some("ecdsa"),
        name if name.starts_with("rsa-sha2-") => Some("rsa"),
        _ => None,
    });
    Some(own_key.into_iter().fold(found, |found, name| found.with("own_key", name)))
}

/// The version since which OpenSSH has one of these, where all of them are post-quantum key exchanges.
fn post_quantum_only(theirs: &[&str]) -> Option<&'static str> {
    let sntrup = "sntrup761x25519-sha512@openssh.com";
    let all = !theirs.is_empty() && theirs.iter().all(|name| is_post_quantum(name));
    all.then(|| if theirs.contains(&sntrup) { "8.5" } else { "9.9" })
}

/// True if the user's ssh no longer has the algorithm at all: OpenSSH removed DSA in version 10.0.
fn gone(name: &str, settings_source: &str) -> bool {
    let openssh = settings_source
        .split_once("OpenSSH_")
        .and_then(|(_, version)| Software::of(&format!("SSH-2.0-OpenSSH_{version}")));
    name == "ssh-dss" && openssh.and_then(|software| software.openssh()).is_some_and(|version| version >= (10, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::target::Algorithms;
    use crate::causes::handshake::version::failed;
    use crate::facts::handshake::{Facts, KexInit};

    fn names(list: &str) -> Vec<String> {
        list.split(',').map(ToOwned::to_owned).collect()
    }

    fn facts(change: impl FnOnce(&mut KexInit)) -> Facts {
        let mut offer = KexInit {
            kex: names("curve25519-sha256,ext-info-s"),
            host_key: names("ssh-ed25519"),
            cipher_to_server: names("aes256-ctr"),
            mac_to_server: names("hmac-sha2-256"),
            ..KexInit::default()
        };
        change(&mut offer);
        Facts {
            client_offer: Algorithms {
                kex: names("curve25519-sha256,ext-info-c"),
                host_key: names("ssh-ed25519,rsa-sha2-512"),
                cipher: names("aes256-gcm@openssh.com,aes256-ctr"),
                mac: names("hmac-sha2-256"),
                compression: false,
            },
            server_offer: Some(offer),
            ..Facts::default()
        }
    }

    fn fired(facts: Facts) -> Vec<&'static str> {
        let evidence = failed(facts);
        [KEX, HOST_KEY, CIPHER, MAC].iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
    }

    #[test]
    fn each_kind_is_named_and_only_that_one() {
        assert!(fired(facts(|_| {})).is_empty());
        assert_eq!(
            fired(facts(|o| o.kex = names("diffie-hellman-group1-sha1,ext-info-c"))),
            ["handshake-no-common-kex"]
        );
        assert_eq!(fired(facts(|o| o.host_key = names("ssh-dss"))), ["handshake-no-common-hostkey"]);
        assert_eq!(fired(facts(|o| o.cipher_to_server = names("3des-cbc"))), ["handshake-no-common-cipher"]);
        assert_eq!(fired(facts(|o| o.mac_to_server = names("hmac-md5"))), ["handshake-no-common-mac"]);
    }

    #[test]
    fn an_authenticated_cipher_needs_no_mac() {
        let both = facts(|o| {
            o.cipher_to_server = names("aes256-gcm@openssh.com");
            o.mac_to_server = names("hmac-md5");
        });
        assert!(fired(both).is_empty());
    }

    #[test]
    fn the_best_that_ssh_still_speaks_is_switched_on() {
        let evidence = |source: &str| {
            let mut evidence = failed(facts(|o| o.host_key = names("ssh-dss")));
            evidence.settings.source = source.into();
            evidence
        };
        let switched_on = |evidence: &Evidence, cause: &Cause| {
            let found = (cause.judge)(evidence).unwrap();
            found.values.into_iter().find(|(name, _)| *name == "their_list").map(|(_, value)| value)
        };
        let kex = failed(facts(|o| o.kex = names("made-up,diffie-hellman-group1-sha1,diffie-hellman-group14-sha1")));
        assert_eq!(switched_on(&kex, &KEX).as_deref(), Some("+diffie-hellman-group14-sha1"));
        assert_eq!(switched_on(&failed(facts(|o| o.cipher_to_server = names("arcfour"))), &CIPHER), None);
        assert_eq!(switched_on(&evidence("ssh -G (OpenSSH_9.2p1 Debian)"), &HOST_KEY).as_deref(), Some("+ssh-dss"));
        assert_eq!(switched_on(&evidence("ssh -G (OpenSSH_10.0p2 Debian)"), &HOST_KEY), None);
    }

    #[test]
    fn a_setting_of_the_users_that_is_the_odd_one_is_what_to_mend() {
        let values = |evidence: &Evidence, cause: &Cause| (cause.judge)(evidence).unwrap().values;
        let mut odd = facts(|_| {});
        odd.client_offer.kex = names("diffie-hellman-group1-sha1,ext-info-c");
        assert_eq!(
            values(&failed(odd), &KEX),
            [("spoken", "curve25519-sha256".to_owned()), ("spoken_list", "+curve25519-sha256".to_owned())]
        );
        let mut strict = facts(|o| o.mac_to_server = names("hmac-sha2-512"));
        strict.client_offer.mac = names("hmac-sha2-256-etm@openssh.com");
        assert_eq!(
            values(&failed(strict), &MAC),
            [("spoken", "hmac-sha2-512".to_owned()), ("spoken_list", "+hmac-sha2-512".to_owned())],
            "both are current"
        );
        let mut weak = facts(|o| o.cipher_to_server = names("aes128-cbc"));
        weak.client_offer.cipher = names("3des-cbc");
        assert_eq!(
            values(&failed(weak), &CIPHER),
            [("their_list", "+aes128-cbc".to_owned())],
            "nothing weak for a server"
        );
    }

    #[test]
    fn a_list_that_was_set_is_never_widened_to_all_defaults() {
        let mut strict = facts(|_| {});
        strict.client_offer.kex = names("ecdh-sha2-nistp256,ext-info-c");
        let mut evidence = failed(strict);
        let setting = crate::base::own_ssh::Setting {
            keyword: "KexAlgorithms".into(),
            value: Some("ecdh-sha2-nistp256".into()),
            from: "~/.ssh/config line 2".into(),
        };
        let config = crate::facts::config::Facts { settings: vec![setting], ..Default::default() };
        *evidence.config = crate::facts::Timed { step: crate::facts::Step::Passed(config), duration_ms: 1.0 };
        let found = (KEX.judge)(&evidence).unwrap();
        assert!(
            found.values.contains(&("spoken_list", "ecdh-sha2-nistp256,curve25519-sha256".to_owned())),
            "{found:?}"
        );
    }

    #[test]
    fn against_a_server_of_post_quantum_exchanges_only_the_client_is_upgraded() {
        let since = |kex: &str| (KEX.judge)(&failed(facts(|o| o.kex = names(kex)))).unwrap().values;
        assert_eq!(since("mlkem768x25519-sha256,ext-info-s"), [("since", "9.9".to_owned())]);
        assert_eq!(since("sntrup761x25519-sha512@openssh.com"), [("since", "8.5".to_owned())]);
    }

    #[test]
    fn a_hostile_name_never_gets_into_a_snippet() {
        let evidence = failed(facts(|o| o.kex = names("x; rm -rf ~")));
        let found = (KEX.judge)(&evidence).unwrap();
        assert!(!found.values.iter().any(|(name, _)| *name == "their_list"));
    }
}
