//! The server refuses the keys themselves.

use super::files::{describe, never_offered};
use super::log::{DROPBEAR_LOG, OTHER_LOG, SSHD_LOG};
use super::shared::{offers, refused};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::auth::{AuthAnswer, Certificate, KeyProblem};
use crate::facts::certainty::Certainty;

/// The number of keys that a diagnosis names.
const NAMED: usize = 6;

pub(super) const KEY_REJECTED: Cause = Cause {
    code: "auth-key-rejected",
    stage: Check::Auth,
    title: "The server rejected every key that was offered",
    severity: Severity::Critical,
    explanation: "The server rejected each key before any signature was made, so the keys are not accepted for this user. It \
        never says why. Possible reasons:\n\
        - the key is not in authorized_keys, or belongs to another user\n\
        - the file, or a directory above it, is writable by others (StrictModes)\n\
        - sshd reads another file (AuthorizedKeysFile)\n\
        - the account does not exist or may not log in (AllowUsers, DenyUsers)\n\
        - the key type is not allowed (PubkeyAcceptedAlgorithms)\n\
        - a certificate's authority is not trusted (TrustedUserCAKeys), or source-address excludes this client\n\n\
        The server's log names the reason.",
    fixes: &[
        SSHD_LOG,
        DROPBEAR_LOG,
        OTHER_LOG,
        Fix {
            side: Side::Server,
            summary: "Check whether the key is authorized, and whether the server may use the file",
            snippet: Some(
                "ssh-keygen -lf ~{user}/.ssh/authorized_keys; ls -ld ~{user} ~{user}/.ssh ~{user}/.ssh/authorized_keys",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Check whether sshd trusts the authority that signed the certificate, {authority}",
            snippet: Some("sshd -T -C user={user} | awk '/^trustedusercakeys/ { print $2 }' | xargs -r ssh-keygen -lf"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Show the login name and the keys that ssh offers; the server may know another one",
            snippet: Some("ssh -G {alias} | grep -E '^(user|identityfile|identityagent) '; ssh-add -l"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Failed publickey for <user> from",
        "Authentication tried for <user> with correct key but not from a permitted host",
        "Authentication tried for <user> with valid certificate but not from a permitted source address",
        "entry expired at",
        "is not permitted to use this key for login",
        "Authentication key <text> revoked",
        "Server refused public-key signature despite accepting key",
        "Failed to authenticate with our public key",
        "Access denied for 'publickey'",
        "Public key authentication failed.",
        "Client: publickey auth failed",
        "Client: agent auth failed",
        "Username/PublicKey combination invalid",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let keys: Vec<_> = facts.refused_keys().collect();
        let wanted = facts.answered(AuthAnswer::Unfinished).any(|attempt| attempt.key.is_some());
        if keys.is_empty() || wanted || !facts.factors.is_empty() {
            return None;
        }
        let mut because = vec![offers(facts)];
        because.extend(keys.iter().take(NAMED).map(|key| format!("refused: {}", key.words())));
        if keys.len() > NAMED {
            because.push(format!("and {} more keys", keys.len() - NAMED));
        }
        because.extend(never_offered(facts).map(|file| format!("not offered: {}", describe(file))));
        let mut certificates = keys.iter().filter_map(|key| key.certificate.as_ref());
        let sound = certificates.find(|certificate| certificate.objection.is_none());
        let found = |because| Match::new(Certainty::Certain, because).reason_open();
        Some(match sound {
            None => found(because),
            Some(Certificate { authority, sources, .. }) => {
                because.push(format!("the certificate holds for this login by our clock; {authority} signed it"));
                because.extend(sources.as_ref().map(|addresses| {
                    format!("it is for clients at {addresses} alone, by the address at which the server sees them")
                }));
                found(because).with("authority", authority)
            }
        })
    },
    ..Cause::NEW
};

pub(super) const SIGNATURE_ALGORITHM: Cause = Cause {
    code: "auth-signature-algorithm",
    stage: Check::Auth,
    title: "No mutual signature algorithm for the key",
    severity: Severity::Critical,
    explanation: "An RSA key can sign with SHA-1 (ssh-rsa) or SHA-2 (rsa-sha2-256, rsa-sha2-512). A server that lists no SHA-2 \
        algorithm in server-sig-algs (RFC 8308), as before OpenSSH 7.2, accepts SHA-1 or no RSA key at all. OpenSSH's \
        client has not signed with SHA-1 since 8.8. The key was not offered, so whether the server knows it is not \
        known.\n\n\
        A client's own PubkeyAcceptedAlgorithms can also exclude a key type. A server's setting of that name looks \
        different: sshd lists every algorithm and then rejects the key.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Use an Ed25519 or ECDSA key for this server",
            snippet: Some("ssh-keygen -t ecdsa -b 256 -f ~/.ssh/id_ecdsa"),
            caution: Some("add its public key to authorized_keys on the server by another route first"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Upgrade the SSH server, or allow rsa-sha2-256 and rsa-sha2-512: {old_algorithm} signatures can be \
                forged",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, allow SHA-1 signatures for this one server",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    PubkeyAcceptedAlgorithms +{old_algorithm}"),
            caution: Some("SHA-1 is broken for this use; allow it for this host only"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Allow {kind_of_key} keys for this server",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    PubkeyAcceptedAlgorithms +{kind_of_key}"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "using an RSA key with SHA-1, which is no longer allowed",
        "no mutual signature supported",
        "no mutual signature algorithm",
        "not in PubkeyAcceptedAlgorithms",
        "not in PubkeyAcceptedKeyTypes",
        "corresponding algorithm not supported by server",
        "unsupported public key algorithm: <text>",
        "signature algorithm not supported",
        "Unable to agree on a pubkey algorithm",
    ],
    hides: &["auth-no-credentials"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let (key, obstacle) = facts.answered(AuthAnswer::Withheld).find_map(|attempt| {
            let ours = [KeyProblem::NoSha2, KeyProblem::OnlySha1, KeyProblem::NotAccepted];
            Some((attempt.key.as_ref()?, attempt.obstacle.as_ref().filter(|obstacle| ours.contains(obstacle))?))
        })?;
        let by_our_setting = *obstacle == KeyProblem::NotAccepted;
        let certainty = match obstacle {
            // Where other keys were refused, this one is one suspect among several.
            _ if facts.refused_keys().next().is_some() => Certainty::Possible,
            KeyProblem::NoSha2 => Certainty::Likely,
            _ => Certainty::Certain,
        };
        let found = Match::new(certainty, [format!("not offered: {}", key.words()), obstacle.words()]);
        Some(if by_our_setting {
            // An RSA key has more names than one, and the one that it begins with is that of SHA-1.
            let kind = key.algorithm.as_str();
            found.with("kind_of_key", if kind == "ssh-rsa" { "rsa-sha2-512,rsa-sha2-256" } else { kind })
        } else {
            found.with("old_algorithm", "ssh-rsa")
        })
    },
    ..Cause::NEW
};

pub(super) const TOO_SHORT: Cause = Cause {
    code: "auth-key-too-short",
    stage: Check::Auth,
    title: "The RSA key is shorter than ssh uses (RequiredRSASize)",
    severity: Severity::Critical,
    explanation: "ssh ignores RSA keys below a minimum length, in files and in an agent: RequiredRSASize, 1024 bits by default, \
        often raised to 2048 or more by a system-wide crypto policy. It prints one line about it and continues without the key. \
        The server was not asked about the key, so whether it is authorized is not known.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Create an Ed25519 key",
            snippet: Some("ssh-keygen -t ed25519"),
            caution: Some("add its public key to authorized_keys on the server by another route first"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, use keys of {bits} bits with this server only",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    RequiredRSASize {bits}"),
            caution: Some("ssh uses no key below 1024 bits, and the server may have a minimum of its own"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "load pubkey \"<key>\": Invalid key length",
        "Skipping key <key>: Invalid key length",
        "agent key: Invalid key length",
    ],
    hides: &["auth-no-credentials"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let (key, bits, obstacle) =
            facts.answered(AuthAnswer::Withheld).find_map(|attempt| match attempt.obstacle {
                Some(KeyProblem::TooShort { bits, .. }) => {
                    Some((attempt.key.as_ref()?, bits, attempt.obstacle.as_ref()?))
                }
                _ => None,
            })?;
        // Where other keys were refused, this one is one suspect among several.
        let alone = facts.refused_keys().next().is_none();
        let certainty = if alone { Certainty::Certain } else { Certainty::Possible };
        let because = [format!("not offered: {}", key.words()), obstacle.words()];
        Some(Match::new(certainty, because).with("bits", bits.to_string()))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, certified, key};
    use crate::facts::auth::{AuthAnswer, KeyProblem};
    use crate::facts::certainty::Certainty;

    #[test]
    fn refused_keys_are_named() {
        let sample = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Refused));
        assert_eq!(sample.fired(), ["auth-key-rejected"]);
        assert!(sample.because("auth-key-rejected").contains("SHA256:a"));
    }

    #[test]
    fn a_key_that_the_server_would_take_is_not_a_rejected_one() {
        let sample = Sample::refused(["publickey"])
            .with(attempt(key("a"), AuthAnswer::Refused))
            .with(attempt(key("b"), AuthAnswer::Unfinished).hindered(KeyProblem::Encrypted));
        assert_eq!(sample.fired(), ["auth-key-encrypted"]);
    }

    #[test]
    fn a_key_that_ssh_would_not_sign_with_was_not_rejected() {
        for (obstacle, certainty) in [
            (KeyProblem::NoSha2, Certainty::Likely),
            (KeyProblem::OnlySha1, Certainty::Certain),
            (KeyProblem::NotAccepted, Certainty::Certain),
        ] {
            let sample =
                Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Withheld).hindered(obstacle));
            assert_eq!(sample.fired(), ["auth-signature-algorithm"]);
            assert_eq!(sample.certainty("auth-signature-algorithm"), certainty);
            let beside = sample.with(attempt(key("b"), AuthAnswer::Refused));
            assert_eq!(beside.certainty("auth-signature-algorithm"), Certainty::Possible);
        }
    }

    #[test]
    fn a_short_key_was_not_rejected() {
        let short =
            attempt(key("a"), AuthAnswer::Withheld).hindered(KeyProblem::TooShort { bits: 2048, required: 3072 });
        let sample = Sample::refused(["publickey"]).with(short);
        assert_eq!(sample.fired(), ["auth-key-too-short"]);
        assert_eq!(sample.certainty("auth-key-too-short"), Certainty::Certain);
        let beside = sample.with(attempt(key("b"), AuthAnswer::Refused));
        assert_eq!(beside.certainty("auth-key-too-short"), Certainty::Possible);
    }

    #[test]
    fn a_sound_certificate_that_was_refused_asks_for_its_authority() {
        let sound = attempt(certified("a", None), AuthAnswer::Refused);
        let refused = |attempt| Sample::refused(["publickey"]).with(attempt);
        let because = refused(sound).because("auth-key-rejected");
        assert!(because.contains("SHA256:ca") && !because.contains("alone"), "{because}");
        let mut elsewhere = certified("a", None);
        elsewhere.certificate.as_mut().unwrap().sources = Some("198.51.100.0/24".into());
        let because = refused(attempt(elsewhere, AuthAnswer::Refused)).because("auth-key-rejected");
        assert!(because.contains("clients at 198.51.100.0/24 alone"), "{because}");
    }
}
