//! The key file on our side cannot be used.

use super::shared::refused;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::{Attempt, AuthAnswer, Facts, KeyFile, KeyProblem};
use crate::facts::certainty::Certainty;
use crate::facts::witness::Witness;
use crate::facts::{Check, Step};

pub(super) const KEY_ENCRYPTED: Cause = Cause {
    code: "auth-key-encrypted",
    stage: Check::Auth,
    title: "The private key is encrypted and no passphrase was available",
    severity: Severity::Critical,
    explanation: "The private key is protected by a passphrase. There was no terminal to ask for it or the passphrase was wrong, \
        and no agent holds the key. Jobs without a terminal (cron, CI, systemd) fail this way, while the same command \
        works for a person.\n\n\
        Where the server was asked about the key and accepts it, only the passphrase is missing.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Load the key into an agent, and give the job access to that agent's socket",
            snippet: Some("ssh-add '{key_file}'"),
            caution: Some("the agent holds the key until it exits; -t 8h limits that"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "For unattended jobs: use a separate key without a passphrase, restricted on the server",
            snippet: Some("ssh-keygen -t ed25519 -N '' -f ~/.ssh/id_job"),
            caution: Some(
                "whoever can read the file can log in: restrict it in authorized_keys (restrict, command=, from=)",
            ),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Enter passphrase for key",
        "Private key file is encrypted",
        "incorrect passphrase supplied to decrypt private key",
        "this private key is passphrase protected",
        "PasswordRequiredException",
        "Passphrase must be specified to import",
        "Encrypted private OpenSSH key detected, but no passphrase given",
        "Encrypted private key detected, but no passphrase given",
        "Wrong passphrase",
        "The key is encrypted",
        "cannot decode encrypted private keys",
        "read_passphrase: can't open /dev/tty",
        "bad decrypt",
        "Integrity check failed -- bad passphrase",
        "Passphrase for key \"<key>\":",
        "bcrypt_pbkdf is required",
        "Incorrect passphrase",
        "Decrypt failed on private key",
        "key is encrypted",
        "password protected keys are not supported",
    ],
    hides: &["auth-no-credentials", "auth-key-rejected"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let locked = |obstacle: Option<&KeyProblem>| {
            matches!(obstacle, Some(KeyProblem::Encrypted | KeyProblem::WrongPassphrase))
        };
        unusable(facts, locked)
    },
    ..Cause::NEW
};

pub(super) const KEY_UNREADABLE: Cause = Cause {
    code: "auth-key-unreadable",
    stage: Check::Auth,
    title: "The private key file cannot be used",
    severity: Severity::Critical,
    explanation: "ssh ignores a private key that other users can read. It also cannot use a key file that it may not open or \
        does not understand, or whose .pub file belongs to another key. It prints one line about it and continues \
        without the key, so the failure looks like a rejected login.",
    fixes: &[
        Fix {
            side: Side::Client,
            when: |evidence| evidence.auth.facts().is_none_or(may_be_the_mode),
            summary: "Make the key readable by its owner only",
            snippet: Some("chmod 600 '{key_file}'"),
            caution: Some("this works for your own files only; one that another user owns needs chown first"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Check whether the file is a private key, and which",
            snippet: Some("ssh-keygen -yf '{key_file}'; ssh-keygen -lf '{key_file}.pub'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "UNPROTECTED PRIVATE KEY FILE",
        "are too open",
        "Load key \"<key>\": <why>",
        "bad permissions",
        "invalid format",
        "error in libcrypto",
        "Unable to use key file",
        "not a valid <kind> private key file",
        "Cannot parse privateKey",
        "Unable to parse given privateKey",
        "Unsupported key format",
        "ssh: no key found",
        "unable to parse private key",
        "Unable to load key file",
        "invalid privatekey",
        "not a valid RSA private key file",
        "NotImplementedError: unsupported key type",
        "Error importing private key",
        "Unable to open public key file",
        "Unable to extract public key from private key",
        "unable to read private key",
        "unpack requires a buffer of 4 bytes",
        "Could not read key",
        "Could not deserialize key data",
        "contents do not match public",
        "base64 decoding error",
        "Invalid private key",
        "KeyImportError",
        "not a private key (",
        "Couldn't load private key",
        "encountered RSA key, expected OPENSSH",
        "does not contain private key",
        "could not load private key file",
        "BadKeyError",
        "Failed loading keyfile",
        "key_load_public: invalid format",
        "key_load_private",
        "OpenSSH keys only supported if ED25519 is available",
    ],
    hides: &["auth-no-credentials", "auth-key-rejected"],
    judge: |evidence| {
        let facts = refused(evidence)?;
        let broken = |obstacle: Option<&KeyProblem>| {
            matches!(
                obstacle,
                Some(
                    KeyProblem::TooOpen { .. }
                        | KeyProblem::Unreadable { .. }
                        | KeyProblem::OtherPrivateHalf
                        | KeyProblem::NoPrivateHalf
                )
            )
        };
        unusable(facts, broken)
    },
    ..Cause::NEW
};

pub(super) const SECURITY_KEY_FILE: Cause = Cause {
    code: "auth-security-key-file",
    stage: Check::Auth,
    title: "The server wants a security key, which needs an agent here",
    severity: Severity::Warning,
    explanation: "The key file points to a FIDO security key. ssh uses such a key itself; ssh-doctor needs an agent for the \
        signature. The server was asked about the key and accepts it, so nothing rules out the login so far. \
        Whether sessions survive could not be tested. This is a limit of the examination, not a fault of the target.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Load the key into an agent and run the check again; each login asks for a touch",
            snippet: Some("ssh-add '{key_file}'"),
            caution: Some("the agent holds the key until it exits; -t 8h limits that"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Test whether ssh itself can log in with it",
            snippet: Some("ssh {alias} true"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["device not found", "Confirm user presence for key"],
    hides: &[],
    judge: |evidence| {
        let Step::Void(facts) = &*evidence.auth else { return None };
        let key = facts.security_key()?;
        let witness = evidence.witness.as_deref();
        if facts.left_to_ssh && witness.is_some_and(|witness| !witness.cut) {
            return None;
        }
        let because = format!("the server accepts {}, but {}", key.words(), KeyProblem::HardwareKey.words());
        let file = key.file.as_ref().map(|file| file.display().to_string());
        let found = named(Match::new(Certainty::Certain, [because]), file);
        Some(if witness.is_some_and(Witness::logged_in) { found.at(Severity::Info) } else { found })
    },
    ..Cause::NEW
};

/// A key that the server would take and that this obstacle keeps us from using; failing that, and where no key was refused,
/// a file of which the server could not be asked.
fn unusable(facts: &Facts, is: impl Fn(Option<&KeyProblem>) -> bool) -> Option<Match> {
    let wanted: Vec<&Attempt> = facts
        .answered(AuthAnswer::Unfinished)
        .filter(|attempt| attempt.key.is_some() && is(attempt.obstacle.as_ref()))
        .collect();
    if let Some(first) = wanted.first() {
        let because = wanted.iter().filter_map(|attempt| {
            let (key, obstacle) = (attempt.key.as_ref()?, attempt.obstacle.as_ref()?);
            Some(format!("the server accepts {}, but {}", key.words(), obstacle.words()))
        });
        let file = first.key.as_ref().and_then(|key| key.file.as_ref());
        return Some(named(Match::new(Certainty::Certain, because), file.map(|file| file.display().to_string())));
    }
    if facts.refused_keys().next().is_some() {
        return None;
    }
    let unknown: Vec<_> = never_offered(facts).filter(|file| is(file.obstacle.as_ref())).collect();
    let first = unknown.first()?;
    let mut because: Vec<String> = unknown.iter().map(|file| describe(file)).collect();
    because.push("the server could not be asked about it: its public half is not known".into());
    Some(named(Match::new(Certainty::Likely, because), Some(first.path.display().to_string())))
}

/// The files that exist and could not be offered, not even as a question.
pub(super) fn never_offered(facts: &Facts) -> impl Iterator<Item = &KeyFile> {
    facts.files.iter().filter(|file| {
        file.fingerprint.is_none() && file.obstacle.as_ref().is_some_and(|obstacle| *obstacle != KeyProblem::Missing)
    })
}

/// A file and what is the matter with it, as a sentence.
pub(super) fn describe(file: &KeyFile) -> String {
    let words = file.obstacle.as_ref().map_or_else(|| "it can be used".to_owned(), KeyProblem::words);
    format!("{}: {words}", file.path.display())
}

/// True where the mode of a key file keeps it from being used, and where nothing is known of the files.
fn may_be_the_mode(facts: &Facts) -> bool {
    let problems = || {
        let of_attempts = facts.attempts.iter().filter_map(|attempt| attempt.obstacle.as_ref());
        of_attempts.chain(facts.files.iter().filter_map(|file| file.obstacle.as_ref()))
    };
    let is_mode = |problem: &KeyProblem| match problem {
        KeyProblem::TooOpen { .. } => true,
        KeyProblem::Unreadable { error } => error.contains("ermission denied"),
        _ => false,
    };
    problems().next().is_none() || problems().any(is_mode)
}

fn named(found: Match, file: Option<String>) -> Match {
    match file.filter(|file| !file.contains('\'')) {
        Some(file) => found.with("key_file", file),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, file, key};
    use crate::facts::auth::{AuthAnswer, KeyProblem};
    use crate::facts::certainty::Certainty;

    #[test]
    fn a_locked_key_that_the_server_would_take_is_certain() {
        let locked = attempt(key("a"), AuthAnswer::Unfinished).hindered(KeyProblem::Encrypted);
        let sample = Sample::refused(["publickey"]).with(locked);
        assert_eq!(sample.fired(), ["auth-key-encrypted"]);
        assert_eq!(sample.certainty("auth-key-encrypted"), Certainty::Certain);
    }

    #[test]
    fn a_locked_key_that_the_server_refused_is_no_cause() {
        let sample = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Refused)).file(file(
            "a",
            Some("SHA256:a"),
            KeyProblem::Encrypted,
        ));
        assert_eq!(sample.fired(), ["auth-key-rejected"]);
    }

    #[test]
    fn a_key_that_nobody_could_ask_about_is_only_likely() {
        let sample = Sample::refused(["publickey"]).file(file("a", None, KeyProblem::Encrypted));
        assert_eq!(sample.fired(), ["auth-no-credentials", "auth-key-encrypted"]);
        assert_eq!(sample.certainty("auth-key-encrypted"), Certainty::Likely);
    }

    #[test]
    fn beside_refused_keys_a_locked_one_is_mentioned_and_not_blamed() {
        let sample = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Refused)).file(file(
            "b",
            None,
            KeyProblem::Encrypted,
        ));
        assert_eq!(sample.fired(), ["auth-key-rejected"]);
        assert!(sample.because("auth-key-rejected").contains("b: it is encrypted"));
    }

    #[test]
    fn a_security_key_that_the_server_would_take_is_our_limit() {
        let wanted = attempt(key("a"), AuthAnswer::Unfinished).hindered(KeyProblem::HardwareKey);
        let sample = Sample::refused(["publickey"]).with(attempt(key("b"), AuthAnswer::Refused)).with(wanted);
        assert_eq!(sample.fired(), ["auth-security-key-file"]);
        let refused = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Refused));
        let file = file("a", Some("SHA256:a"), KeyProblem::HardwareKey);
        assert_eq!(refused.file(file).fired(), ["auth-key-rejected"]);
    }

    #[test]
    fn a_file_that_others_may_read_is_named() {
        let obstacle = KeyProblem::TooOpen { mode: "0644".into() };
        let sample = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Unfinished).hindered(obstacle));
        assert_eq!(sample.fired(), ["auth-key-unreadable"]);
        assert!(sample.because("auth-key-unreadable").contains("0644"));
    }
}
