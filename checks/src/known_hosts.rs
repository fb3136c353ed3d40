//! What the known_hosts files say about a server: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".

use russh::keys::Algorithm;

use crate::target::Target;

/// The kinds of keys that the files hold for a target.
#[derive(Debug, Clone, Default)]
pub struct KnownAlgorithms {
    /// Of plain keys.
    pub plain: Vec<Algorithm>,
    /// Whether a certificate authority is named for it.
    pub authority: bool,
}

/// The kinds of keys known for the target, so that the handshake asks for those first.
#[must_use]
pub fn known_algorithms(_target: &Target) -> KnownAlgorithms {
    KnownAlgorithms::default()
}
