//! The algorithms of each kind that OpenSSH still supports.

/// The algorithms of one kind.
pub(super) struct Names {
    /// Algorithms in OpenSSH's default configuration, today and years ago, best first.
    pub(super) current: &'static [&'static str],
    /// Weak algorithms, off by default, that it still supports on request, best first (`ssh -Q`).
    pub(super) weak: &'static [&'static str],
}

pub(super) const KEX_NAMES: Names = Names {
    current: &[
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group14-sha256",
    ],
    weak: &["diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"],
};

pub(super) const HOST_KEY_NAMES: Names = Names {
    current: &[
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ],
    weak: &["ssh-rsa", "ssh-dss"],
};

pub(super) const CIPHER_NAMES: Names = Names {
    current: &[
        "aes256-gcm@openssh.com",
        "aes128-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr",
        "aes192-ctr",
        "aes128-ctr",
    ],
    weak: &["aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc"],
};

pub(super) const MAC_NAMES: Names = Names {
    current: &[
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "umac-128-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "umac-128@openssh.com",
        "hmac-sha1-etm@openssh.com",
        "hmac-sha1",
        "umac-64-etm@openssh.com",
        "umac-64@openssh.com",
    ],
    weak: &["hmac-sha1-96", "hmac-md5", "hmac-md5-96"],
};
