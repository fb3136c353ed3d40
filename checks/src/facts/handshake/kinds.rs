//! The kinds of algorithms that both sides must share (RFC 4253 section 7.1).

use super::{Facts, KexInit};
use crate::base::target::Algorithms;

/// Names in the key exchange list that are signals, not methods: ext-info (RFC 8308) and strict key exchange.
const SIGNALS: [&str; 2] = ["ext-info-", "kex-strict-"];

/// One kind of algorithm: its ssh_config keyword, and both sides' lists of it.
pub(crate) struct AlgorithmKind {
    pub(crate) keyword: &'static str,
    pub(crate) ours: fn(&Algorithms) -> &[String],
    pub(crate) theirs: fn(&KexInit) -> &[String],
}

pub(crate) const KEX_KIND: AlgorithmKind =
    AlgorithmKind { keyword: "KexAlgorithms", ours: |ours| &ours.kex, theirs: |theirs| &theirs.kex };
pub(crate) const HOST_KEY_KIND: AlgorithmKind =
    AlgorithmKind { keyword: "HostKeyAlgorithms", ours: |ours| &ours.host_key, theirs: |theirs| &theirs.host_key };
pub(crate) const CIPHER_KIND: AlgorithmKind =
    AlgorithmKind { keyword: "Ciphers", ours: |ours| &ours.cipher, theirs: |theirs| &theirs.cipher_to_server };
pub(crate) const MAC_KIND: AlgorithmKind =
    AlgorithmKind { keyword: "MACs", ours: |ours| &ours.mac, theirs: |theirs| &theirs.mac_to_server };

pub(crate) const KINDS: [AlgorithmKind; 4] = [KEX_KIND, HOST_KEY_KIND, CIPHER_KIND, MAC_KIND];

impl Facts {
    /// True if the user's own client and the server would find an algorithm of every kind.
    pub(crate) fn user_would_agree(&self) -> bool {
        let Some(offer) = &self.server_offer else { return false };
        KINDS.iter().all(|kind| self.agrees_on(kind, offer)) && offer.has_a_known_compression()
    }

    /// True if the user's own client and a server with this offer would find an algorithm of the kind.
    pub(crate) fn agrees_on(&self, kind: &AlgorithmKind, offer: &KexInit) -> bool {
        let theirs = (kind.theirs)(offer);
        self.needs_no(kind, offer)
            || (kind.ours)(&self.client_offer).iter().any(|name| !is_signal(name) && theirs.contains(name))
    }

    /// True if it is about the message authentication code, which a cipher that authenticates by itself does without.
    pub(crate) fn needs_no(&self, kind: &AlgorithmKind, offer: &KexInit) -> bool {
        let mut ciphers = self.client_offer.cipher.iter();
        kind.keyword == MAC_KIND.keyword
            && ciphers.find(|name| offer.cipher_to_server.contains(name)).is_some_and(|name| authenticates(name))
    }
}

/// The compression methods that OpenSSH's client offers, regardless of `Compression` (compression_alg_list in its kex.c).
pub(crate) const COMPRESSIONS: [&str; 3] = ["none", "zlib@openssh.com", "zlib"];

impl KexInit {
    /// True if each direction has a compression method that OpenSSH's client offers; older recordings have no lists.
    fn has_a_known_compression(&self) -> bool {
        let known =
            |theirs: &Vec<String>| theirs.is_empty() || theirs.iter().any(|name| COMPRESSIONS.contains(&&**name));
        known(&self.compression_to_server) && known(&self.compression_to_client)
    }
}

/// True if a name in a key exchange list is a signal, and no method.
pub(crate) fn is_signal(name: &str) -> bool {
    SIGNALS.iter().any(|signal| name.starts_with(signal))
}

/// True if a cipher needs no message authentication code beside it (RFC 5647, PROTOCOL.chacha20poly1305 of OpenSSH).
#[must_use]
pub(crate) fn authenticates(cipher: &str) -> bool {
    cipher.contains("gcm") || cipher.contains("poly1305")
}
