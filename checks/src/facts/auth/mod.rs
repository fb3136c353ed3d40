//! The record of a login; never a secret.

pub mod certificate;
pub mod key_problem;
pub mod question;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use certificate::{Certificate, Objection};
pub use key_problem::KeyProblem;

use super::connection::{Manner, Violation};
use super::handshake::Negotiated;
use crate::base::text::seconds;
use crate::facts;

/// The observations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The methods that the server named when asked with `none`; those that the library does not know are missing.
    pub methods: Vec<String>,
    /// The time to that first answer, milliseconds.
    pub first_answer_ms: f64,
    /// The methods that the user's client would try, in order.
    pub preferred: Vec<String>,
    /// Everything that was presented, or deliberately was not, in order.
    pub attempts: Vec<Attempt>,
    /// The methods that were accepted as one of several factors.
    pub factors: Vec<String>,
    /// The methods that the server last said can continue.
    pub wanted: Vec<String>,
    /// The agent.
    pub agent: Agent,
    /// The key and certificate files that exist, or that the user named.
    pub files: Vec<KeyFile>,
    /// True if only configured keys may be offered (`IdentitiesOnly`).
    pub identities_only: bool,
    /// True if a password could have been sent: one was given.
    pub password_given: bool,
    /// True if a person could have been asked.
    pub person_present: bool,
    /// True if ssh would have asked nobody either (`BatchMode`).
    #[serde(default)]
    pub batch_mode: bool,
    /// True if the host key allowed passwords.
    pub passwords_allowed: bool,
    /// The text that the server said before the login was over (SSH_MSG_USERAUTH_BANNER), escaped.
    pub banner: Option<String>,
    /// The way the connection ended, if it did.
    pub end: Option<Manner>,
    /// The data that the server sent that no server may; the connection was ended for it.
    pub violation: Option<Violation>,
    /// The time that we waited for an answer that did not come, milliseconds.
    pub gave_up_ms: Option<f64>,
    /// Further connections, where nothing was understood inside the encryption.
    #[serde(default)]
    pub repeats: Vec<Repeat>,
    /// The way it ended.
    pub conclusion: Conclusion,
    /// The keyword of a setting that gives ssh a credential which only ssh can use, for a method that the server takes.
    #[serde(default)]
    pub only_ssh: Option<String>,
    /// True if ssh went first, and was refused or let in by such a method, so that nothing was presented here.
    #[serde(default)]
    pub left_to_ssh: bool,
    /// True if the same login can be made again without asking a person for something that is good only once.
    pub repeatable: bool,
}

/// The library's words for a message that has no place where it comes, or that it does not know.
const UNKNOWN_MESSAGE: &str = "Inconsistent state of the protocol";

/// The way the login ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// The server let us in.
    LoggedIn,
    /// There was nothing left to try.
    #[default]
    Refused,
    /// The connection ended.
    Ended,
    /// The server stopped answering.
    Silent,
    /// The user ended it.
    Interrupted,
}

/// One thing that was presented to the server, or deliberately was not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// The authentication method.
    pub method: String,
    /// The key, for `publickey`.
    pub key: Option<Key>,
    /// The result.
    pub answer: AuthAnswer,
    /// The problem on our side.
    pub obstacle: Option<KeyProblem>,
    /// The server's prompts, for `keyboard-interactive`; escaped.
    pub prompts: Vec<Prompt>,
    /// The text that the server said beside its questions, for `keyboard-interactive`; escaped.
    #[serde(default)]
    pub notices: Vec<String>,
    /// True if an answer to a question of the server went out, for `keyboard-interactive`.
    #[serde(default)]
    pub sent: bool,
    /// Time from the request to the answer, a person's time included, milliseconds.
    pub ms: f64,
    /// The parts of that time, where they can be told.
    #[serde(default)]
    pub steps: Steps,
}

/// The time that each step of one attempt took, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// The time until the server said whether it would take the key (RFC 4252 section 7), or asked its first question
    /// (RFC 4256).
    pub query_ms: Option<f64>,
    /// The time until we had the signature, from a file or the agent.
    pub signing_ms: Option<f64>,
    /// The time until the server had decided on the signature, the password or the answers; the longest of several
    /// waits.
    pub decision_ms: Option<f64>,
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthAnswer {
    /// The server accepted it, and the login with it.
    Accepted,
    /// The server accepted it and wants more.
    Partial,
    /// The server refused it.
    Refused,
    /// The server would go on, and we could not: it would take the key, or it asks for more than we can answer.
    Unfinished,
    /// It was not presented.
    Withheld,
    /// No answer came in time.
    Silence,
    /// The connection ended.
    Ended,
}

/// A key that was offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The signature algorithm, such as `ssh-ed25519` or `rsa-sha2-512`.
    pub algorithm: String,
    /// The key's `SHA256:` fingerprint.
    pub fingerprint: String,
    /// Its comment, escaped.
    pub comment: String,
    /// The file that it comes from.
    pub file: Option<PathBuf>,
    /// True if the agent holds its private half.
    pub in_agent: bool,
    /// The certificate that was offered, if it was not the bare key.
    pub certificate: Option<Certificate>,
    /// True if each signature needs a touch (FIDO).
    pub needs_touch: bool,
}

impl Key {
    /// In a few words: type, fingerprint, origin.
    #[must_use]
    pub fn words(&self) -> String {
        let (kind, from) = self.kind_and_place();
        format!("{kind} {} ({from})", self.fingerprint)
    }

    /// In fewer words: type and origin, which tell the user's own keys apart.
    #[must_use]
    pub fn origin(&self) -> String {
        let (kind, from) = self.kind_and_place();
        format!("{kind}, {from}")
    }

    fn kind_and_place(&self) -> (String, String) {
        let certificate = if self.certificate.is_some() { "certificate " } else { "" };
        let from = match (&self.file, self.in_agent) {
            (Some(file), true) => format!("{}, in the agent", file.display()),
            (Some(file), false) => file.display().to_string(),
            (None, _) => format!("\"{}\", in the agent", self.comment),
        };
        (format!("{certificate}{}", self.algorithm), from)
    }
}

/// A prompt of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its words, escaped.
    pub text: String,
    /// True if the answer may be seen.
    pub echo: bool,
}

/// The state of the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its socket (`IdentityAgent` or `SSH_AUTH_SOCK`).
    pub socket: Option<PathBuf>,
    /// The number of keys it holds; `None` when it was not asked or did not say.
    pub keys: Option<usize>,
    /// The reason why it could not be asked.
    pub error: Option<String>,
    /// True if it took the request that binds a connection to a server (session-bind@openssh.com); a locked one takes none.
    #[serde(default)]
    pub bound: Option<bool>,
    /// The time that we waited for an answer that did not come, milliseconds.
    #[serde(default)]
    pub gave_up_ms: Option<f64>,
}

/// A key or certificate file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFile {
    /// The path.
    pub path: PathBuf,
    /// True if the user named it.
    pub explicit: bool,
    /// The fingerprint of its public half, where that can be read.
    pub fingerprint: Option<String>,
    /// The reason why it cannot be used as it is.
    pub obstacle: Option<KeyProblem>,
}

impl Facts {
    /// True if the login took only keys that need no unlocking and no touch.
    #[must_use]
    pub fn logged_in_unattended(&self) -> bool {
        let unattended =
            |attempt: &Attempt| attempt.obstacle.is_none() && attempt.key.as_ref().is_some_and(|key| !key.needs_touch);
        self.conclusion == Conclusion::LoggedIn && self.answered(AuthAnswer::Accepted).all(unattended)
    }

    /// True if the login took a password or an answer, which ssh does not give in batch mode.
    #[must_use]
    pub fn took_answers(&self) -> bool {
        let accepted = self.answered(AuthAnswer::Accepted).chain(self.answered(AuthAnswer::Partial));
        accepted.into_iter().any(|attempt| ["password", "keyboard-interactive"].contains(&attempt.method.as_str()))
    }

    /// The attempts with that answer.
    pub fn answered(&self, answer: AuthAnswer) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |attempt| attempt.answer == answer)
    }

    /// The keys that the server refused when it was asked about them, before any signature.
    pub fn refused_keys(&self) -> impl Iterator<Item = &Key> {
        let asked = self.answered(AuthAnswer::Refused).filter(|attempt| attempt.steps.signing_ms.is_none());
        asked.filter_map(|attempt| attempt.key.as_ref())
    }

    /// The key that the server would take and that only ssh itself can use, where nothing else logged in.
    #[must_use]
    pub fn security_key(&self) -> Option<&Key> {
        let mut wanted = self.answered(AuthAnswer::Unfinished);
        let key = wanted.find(|attempt| attempt.obstacle == Some(KeyProblem::HardwareKey))?.key.as_ref();
        key.filter(|_| self.conclusion == Conclusion::Refused)
    }

    /// True if ssh could log in with what this examination cannot use, where nothing else logged in.
    #[must_use]
    pub fn is_open_for_ssh(&self) -> bool {
        let other_login = self.only_ssh.is_some() && self.conclusion == Conclusion::Refused;
        self.security_key().is_some() || other_login || self.lacks_a_person()
    }

    /// True if what the server wants is an answer for which ssh would ask a person, of whoever comes or after a first factor that it accepted, and
    /// nobody was there.
    #[must_use]
    pub fn lacks_a_person(&self) -> bool {
        let asks_a_person = |method: &String| ["password", "keyboard-interactive"].contains(&method.as_str());
        let takes_no_key = self.attempts.is_empty() && !self.methods.iter().any(|method| method == "publickey");
        self.conclusion == Conclusion::Refused
            && (takes_no_key || !self.factors.is_empty())
            && self.wanted.iter().filter(|method| self.preferred.contains(method)).any(asks_a_person)
            && !(self.person_present || self.password_given || self.batch_mode)
            && !self.answered(AuthAnswer::Refused).any(|attempt| attempt.key.is_none())
    }

    /// Everything that the server said for people to read, escaped.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        let notices = self.attempts.iter().flat_map(|attempt| &attempt.notices);
        self.banner.iter().chain(notices).map(String::as_str)
    }

    /// True if there was a password to send, and the host key was not known well enough to send it.
    #[must_use]
    pub fn password_withheld(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.obstacle == Some(KeyProblem::HostKeyNotKnown))
    }

    /// True if nothing was ever understood inside the encryption, on either side.
    #[must_use]
    pub fn never_understood(&self) -> bool {
        let unreadable = self.end.as_ref().is_some_and(|end| {
            // sshd says it in words.
            let is_told =
                matches!(end, Manner::Disconnect { text, .. } if text.contains("MAC") || text.contains("corrupt"));
            end.is_of_integrity() || is_told
        });
        unreadable && self.methods.is_empty() && self.attempts.is_empty()
    }

    /// True if the library ended the login at a message that it does not know; ssh answers such a one and goes on.
    #[must_use]
    pub fn is_beyond_library(&self) -> bool {
        matches!(&self.end, Some(Manner::Protocol { error }) if error == UNKNOWN_MESSAGE)
    }

    /// True if the server offered the method and the user's client would try it.
    #[must_use]
    pub fn usable(&self, method: &str) -> bool {
        [&self.methods, &self.preferred].iter().all(|list| list.iter().any(|name| name == method))
    }
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let methods = || if self.methods.is_empty() { "no method we know".to_owned() } else { self.methods.join(", ") };
        match self.conclusion {
            Conclusion::LoggedIn => {
                let how: Vec<_> = self
                    .attempts
                    .iter()
                    .filter(|attempt| matches!(attempt.answer, AuthAnswer::Accepted | AuthAnswer::Partial))
                    .map(|attempt| attempt.key.as_ref().map_or_else(|| attempt.method.clone(), Key::origin))
                    .collect();
                format!("logged in with {}", how.join(" and "))
            }
            Conclusion::Refused if self.security_key().is_some() && self.left_to_ssh => {
                "left to your own ssh, which went first (security key)".into()
            }
            Conclusion::Refused if self.security_key().is_some() => {
                "the server would take a security key, which is used here through an agent only".into()
            }
            Conclusion::Refused if self.only_ssh.is_some() => {
                let keyword = self.only_ssh.as_deref().unwrap_or_default();
                if self.left_to_ssh {
                    format!("left to your own ssh, which went first ({keyword})")
                } else {
                    format!("refused here; ssh could log in by {keyword}, which only ssh can use")
                }
            }
            Conclusion::Refused if self.lacks_a_person() => {
                format!("the server wants {}, and nobody was there to answer", self.wanted.join(", "))
            }
            Conclusion::Refused => {
                let tried = self.attempts.iter().filter(|attempt| attempt.answer != AuthAnswer::Withheld).count();
                format!("refused; the server offers {}; {tried} tried", methods())
            }
            Conclusion::Ended => {
                let end = self.end.as_ref().map_or_else(|| "the connection's end".to_owned(), Manner::words);
                format!("{end} after {} attempts", self.attempts.len())
            }
            Conclusion::Silent => {
                format!("no answer within {}", seconds(self.gave_up_ms.unwrap_or_default() / 1000.0))
            }
            Conclusion::Interrupted => "interrupted".into(),
        }
    }
}

/// One more connection, on which only `none` was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    /// The agreed algorithms.
    pub agreed: Negotiated,
    /// True if the server's answer could be read.
    pub answered: bool,
}
