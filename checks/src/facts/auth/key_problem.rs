//! Problems that keep a key or an answer from being presented.

use serde::{Deserialize, Serialize};

/// The problem on our side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum KeyProblem {
    /// The private key is encrypted, and no passphrase was given.
    Encrypted,
    /// The passphrase that was typed does not open the key.
    WrongPassphrase,
    /// Others may read the file, and ssh refuses it for that.
    TooOpen {
        /// Its mode, as in `0644`.
        mode: String,
    },
    /// The file could not be read or understood.
    Unreadable {
        /// The reason.
        error: String,
    },
    /// The file does not exist.
    Missing,
    /// There is only the public half.
    NoPrivateHalf,
    /// The `.pub` file beside the private key belongs to another key.
    OtherPrivateHalf,
    /// The key lives in a security key that only an agent can speak to.
    HardwareKey,
    /// The agent holds the key and declined to sign.
    AgentRefused,
    /// The agent could not be reached any more, or made no sense.
    AgentFailed {
        /// The reason.
        error: String,
    },
    /// The server names no SHA-2 signature algorithm for RSA, and ssh no longer signs with SHA-1.
    NoSha2,
    /// The server names only SHA-1 for RSA signatures, which the user's client does not make.
    OnlySha1,
    /// The user's client is set not to use keys of this kind (`PubkeyAcceptedAlgorithms`).
    NotAccepted,
    /// It is an RSA key that is shorter than the user's client uses (`RequiredRSASize`).
    TooShort {
        /// Its length, bits.
        bits: u32,
        /// The length that ssh requires, bits.
        required: u32,
    },
    /// The host key is not known, and was not accepted.
    HostKeyNotKnown,
    /// The server asks a question, and the run is unattended.
    NobodyToAnswer,
    /// A person was asked, and gave no answer.
    Declined,
    /// The server asks for a new password, and an examination changes none.
    NewPassword,
    /// Something came back that is neither success nor failure.
    UnreadAnswer,
}

impl KeyProblem {
    /// In a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Encrypted => "it is encrypted and nobody gave the passphrase".into(),
            Self::WrongPassphrase => "the passphrase is wrong".into(),
            Self::TooOpen { mode } => format!("its mode {mode} lets others read it, so ssh refuses it"),
            Self::Unreadable { error } => format!("it cannot be used: {error}"),
            Self::Missing => "there is no such file".into(),
            Self::NoPrivateHalf => "its private half was not found".into(),
            Self::OtherPrivateHalf => "the .pub file beside it belongs to another key".into(),
            Self::HardwareKey => "it lives in a security key, which takes an agent to use here".into(),
            Self::AgentRefused => "the agent declined to sign with it".into(),
            Self::AgentFailed { error } => format!("the agent failed: {error}"),
            Self::NoSha2 => "the server names no SHA-2 signature algorithm for RSA keys".into(),
            Self::OnlySha1 => "the server takes RSA signatures with SHA-1 only, which ssh is set not to make".into(),
            Self::NotAccepted => "ssh is set not to use this kind of key (PubkeyAcceptedAlgorithms)".into(),
            Self::TooShort { bits, required } => {
                format!("it has {bits} bits, and ssh uses no RSA key below {required} (RequiredRSASize)")
            }
            Self::HostKeyNotKnown => "the host key is not known".into(),
            Self::NobodyToAnswer => "nobody could be asked".into(),
            Self::Declined => "the question was left without an answer".into(),
            Self::NewPassword => "the server asks for a new password".into(),
            Self::UnreadAnswer => "the answer was neither success nor failure".into(),
        }
    }
}
