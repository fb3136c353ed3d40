//! The kinds of algorithms, by the names that RFC 4250 and OpenSSH give them.

/// The use of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlgorithmKind {
    /// The exchange of keys.
    Kex,
    /// The host key.
    HostKey,
    /// Encryption.
    Cipher,
    /// The integrity of packets.
    Mac,
    /// Compression.
    Compression,
}

/// The kind of all the algorithms that a line names; `None` where it names none, or some of several kinds.
pub(super) fn kind_of_all(line: &str) -> Option<AlgorithmKind> {
    let names = line.split(|c: char| c.is_whitespace() || "[](){},;:'\"`".contains(c));
    let mut kinds = names.filter_map(kind);
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// The kind of the algorithm with this name. The name `none` is that of a cipher, a MAC and no compression alike.
fn kind(name: &str) -> Option<AlgorithmKind> {
    use AlgorithmKind::{Cipher, Compression, HostKey, Kex, Mac};
    const KEX: [&str; 9] = [
        "diffie-hellman-",
        "curve25519-",
        "curve448-",
        "ecdh-sha2-",
        "sntrup",
        "mlkem",
        "gss-",
        "rsa1024-sha1",
        "rsa2048-sha256",
    ];
    const HOST_KEYS: [&str; 9] = [
        "ssh-rsa",
        "ssh-dss",
        "ssh-ed25519",
        "ssh-ed448",
        "ecdsa-sha2-",
        "rsa-sha2-",
        "sk-ssh-",
        "sk-ecdsa-",
        "x509v3-",
    ];
    const CIPHERS: [&str; 4] = ["arcfour", "chacha20-", "rijndael-", "AEAD_AES_"];
    const MODES: [&str; 3] = ["-cbc", "-ctr", "-gcm"];
    let begins = |with: &[&str]| with.iter().any(|begin| name.starts_with(begin));
    let base = name.split('@').next().unwrap_or(name);
    if begins(&KEX) {
        Some(Kex)
    } else if begins(&HOST_KEYS) {
        Some(HostKey)
    } else if begins(&CIPHERS) || MODES.iter().any(|mode| base.ends_with(mode)) {
        Some(Cipher)
    } else if begins(&["hmac-", "umac-"]) {
        Some(Mac)
    } else {
        (base == "zlib").then_some(Compression)
    }
}

#[cfg(test)]
mod tests {
    use super::AlgorithmKind::{Cipher, Compression, HostKey, Kex, Mac};
    use super::kind_of_all;

    #[test]
    fn the_names_of_algorithms_tell_their_kind() {
        for (line, kind) in [
            ("settlement: [] and [aes128-ctr, rijndael-cbc@lysator.liu.se]", Some(Cipher)),
            ("[hmac-sha1, hmac-md5] and [umac-64-etm@openssh.com]", Some(Mac)),
            ("[ssh-rsa, ssh-dss] and [sk-ssh-ed25519@openssh.com]", Some(HostKey)),
            ("(client: diffie-hellman-group1-sha1 / server: curve25519-sha256@libssh.org)", Some(Kex)),
            ("[none] and [zlib@openssh.com]", Some(Compression)),
            ("[ssh-rsa] and [aes128-ctr]", None),
            ("no common algorithm", None),
        ] {
            assert_eq!(kind_of_all(line), kind, "{line}");
        }
    }
}
