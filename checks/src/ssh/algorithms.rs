//! The algorithms that the user's own client offers, as far as our library speaks them.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, cipher, compression, kex, mac};

use super::known_hosts;
use crate::base::target::Target;
use crate::facts::handshake::kinds::authenticates;

/// The library speaks none of the algorithms of one kind that the user's client offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shortfall {
    /// `KexAlgorithms`, `HostKeyAlgorithms`, `Ciphers` or `MACs`.
    pub setting: &'static str,
    /// The algorithms that the user's client offers.
    pub offered: Vec<String>,
}

/// The user's offer, less what the library lacks, in the user's order.
///
/// Host key algorithms of which known_hosts holds a key come first, as in ssh: otherwise a server with several keys would
/// show one that looks unknown.
pub(crate) fn preferred(target: &Target) -> Result<Preferred, Shortfall> {
    let offer = &target.algorithms;
    let mut kex = spoken("KexAlgorithms", &offer.kex, Preferred::DEFAULT.kex, |name| kex::Name::try_from(name).ok())?;
    for marker in [kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT] {
        if !kex.contains(&marker) {
            kex.to_mut().push(marker);
        }
    }
    let key = spoken("HostKeyAlgorithms", &offer.host_key, Preferred::DEFAULT.key, host_key_algorithm)?;
    let known = known_hosts::known_algorithms(target);
    let mut key = key.into_owned();
    key.sort_by_key(|algorithm| !known.plain.iter().any(|known| same_key_type(known, algorithm)));
    let host_key_certificates = if known.authority { key.clone() } else { Vec::new() };
    let mut cipher =
        spoken("Ciphers", &offer.cipher, Preferred::DEFAULT.cipher, |name| cipher::Name::try_from(name).ok())?;
    let mac = spoken("MACs", &offer.mac, Preferred::DEFAULT.mac, |name| mac::Name::try_from(name).ok());
    let mac = mac.or_else(|lacking| {
        // A cipher that authenticates by itself needs none, and with no other the user's MACs cannot matter.
        cipher.to_mut().retain(|name| authenticates(name.as_ref()));
        if cipher.is_empty() { Err(lacking) } else { Ok(Preferred::DEFAULT.mac) }
    })?;
    let none_first = [compression::NONE, compression::ZLIB_LEGACY, compression::ZLIB];
    let zlib_first = [compression::ZLIB_LEGACY, compression::ZLIB, compression::NONE];
    Ok(Preferred {
        kex,
        key: key.into(),
        host_key_certificates: host_key_certificates.into(),
        cipher,
        mac,
        compression: if offer.compression { zlib_first.to_vec().into() } else { none_first.to_vec().into() },
    })
}

/// True if the library speaks the algorithm `name` of the kind that `setting` sets in ssh_config.
#[must_use]
pub(crate) fn library_speaks(setting: &str, name: &str) -> bool {
    match setting {
        "KexAlgorithms" => kex::Name::try_from(name).is_ok(),
        "HostKeyAlgorithms" => host_key_algorithm(name).is_some(),
        "Ciphers" => cipher::Name::try_from(name).is_ok(),
        "MACs" => mac::Name::try_from(name).is_ok(),
        _ => false,
    }
}

fn spoken<T: Clone>(
    setting: &'static str,
    offered: &[String],
    default: Cow<'static, [T]>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Cow<'static, [T]>, Shortfall> {
    if offered.is_empty() {
        return Ok(default);
    }
    let spoken: Vec<T> = offered.iter().filter_map(|name| parse(name)).collect();
    if spoken.is_empty() { Err(Shortfall { setting, offered: offered.to_vec() }) } else { Ok(spoken.into()) }
}

/// A plain host key algorithm; certificate names are offered only where known_hosts names an authority.
fn host_key_algorithm(name: &str) -> Option<Algorithm> {
    if name.contains("-cert-v01@") {
        return None;
    }
    Algorithm::new(name)
        .ok()
        .filter(|algorithm| matches!(algorithm, Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. }))
}

fn same_key_type(known: &Algorithm, offered: &Algorithm) -> bool {
    let rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
    known == offered || (rsa(known) && rsa(offered))
}
