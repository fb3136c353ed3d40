//! What the server is made of, by its own word: whose settings, and whose log.

use crate::facts::Evidence;

/// The software that a server names in its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Software {
    OpenSsh,
    Dropbear,
    Other,
}

/// What the server calls itself; a version that was not read is no software that we know.
pub(crate) fn software(evidence: &Evidence) -> Software {
    let version = evidence.handshake.facts().and_then(|facts| facts.version.as_deref()).unwrap_or_default();
    let known = [("OpenSSH", Software::OpenSsh), ("dropbear", Software::Dropbear)];
    known.into_iter().find(|(name, _)| version.contains(name)).map_or(Software::Other, |(_, software)| software)
}

/// Whether the server calls itself OpenSSH.
pub(crate) fn is_openssh(evidence: &Evidence) -> bool {
    software(evidence) == Software::OpenSsh
}

/// Whether the server calls itself dropbear.
pub(crate) fn is_dropbear(evidence: &Evidence) -> bool {
    software(evidence) == Software::Dropbear
}
