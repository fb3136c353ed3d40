//! Algorithms that the target's own client and the server agree on, and our SSH library does not support.

use crate::base::text::sanitize;
use crate::facts::handshake::Facts;
use crate::facts::handshake::kinds::{AlgorithmKind, KINDS, is_signal};
use crate::ssh::algorithms;

/// Returns a sentence on the algorithms that the user's own client and the server would agree on and our library does
/// not support.
pub(super) fn library_lacks(facts: &Facts) -> String {
    let agreed = |kind: &AlgorithmKind| {
        let offer = facts.server_offer.as_ref().filter(|offer| !facts.needs_no(kind, offer))?;
        let theirs = (kind.theirs)(offer);
        let mut common =
            (kind.ours)(&facts.client_offer).iter().filter(|name| !is_signal(name) && theirs.contains(name));
        let first = common.clone().next()?;
        let spoken = common.any(|name| algorithms::library_speaks(kind.keyword, name));
        (!spoken).then(|| format!("{} {}", kind.keyword, sanitize(first)))
    };
    let lacking: Vec<String> = KINDS.iter().filter_map(agreed).collect();
    format!(
        "your ssh and this server agree on {}, which our SSH library does not speak, and on nothing that it does: the server is not at fault, and what follows could not be examined",
        lacking.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::target::Algorithms;
    use crate::facts::handshake::KexInit;

    fn names(list: &str) -> Vec<String> {
        list.split(',').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn what_the_library_lacks_is_only_what_nothing_in_common_makes_up_for() {
        let server_offer = KexInit {
            kex: names("sntrup761x25519-sha512@openssh.com,curve25519-sha256"),
            host_key: names("ssh-ed25519"),
            cipher_to_server: names("aes256-gcm@openssh.com,aes256-ctr"),
            mac_to_server: names("umac-64@openssh.com"),
            ..KexInit::default()
        };
        let client_offer = Algorithms {
            kex: names("sntrup761x25519-sha512@openssh.com"),
            host_key: names("ssh-ed25519,rsa-sha2-512"),
            cipher: names("aes256-gcm@openssh.com,aes256-ctr"),
            mac: names("umac-64@openssh.com"),
            compression: false,
        };
        let mut lacking = Facts { client_offer, server_offer: Some(server_offer), ..Facts::default() };
        let words = library_lacks(&lacking);
        assert!(words.contains("KexAlgorithms sntrup761") && !words.contains("MACs"), "{words}");
        lacking.client_offer.kex = names("sntrup761x25519-sha512@openssh.com,curve25519-sha256");
        lacking.client_offer.cipher = names("aes256-ctr");
        let words = library_lacks(&lacking);
        assert!(words.contains("MACs umac-64") && !words.contains("KexAlgorithms"), "{words}");
    }
}
