//! An offer as short as one can be, for a small SSH_MSG_KEXINIT.

use crate::base::target::Algorithms;
use crate::facts::handshake::KexInit;
use crate::facts::retest::is_post_quantum;

/// The algorithms assumed where neither the user's settings nor the server name any: those that every server of today
/// supports.
const USUAL: [&str; 4] = ["curve25519-sha256", "ssh-ed25519", "aes128-ctr", "hmac-sha2-256"];

/// One algorithm of each kind that the user's client offers and the server takes.
pub(super) fn short(user: &Algorithms, server: Option<&KexInit>) -> Algorithms {
    let [kex, host_key, cipher, mac] = USUAL;
    Algorithms {
        kex: first(&user.kex, server.map(|offer| &offer.kex), kex),
        host_key: first(&user.host_key, server.map(|offer| &offer.host_key), host_key),
        cipher: first(&user.cipher, server.map(|offer| &offer.cipher_to_server), cipher),
        mac: first(&user.mac, server.map(|offer| &offer.mac_to_server), mac),
        compression: false,
    }
}

fn first(user: &[String], server: Option<&Vec<String>>, usual: &str) -> Vec<String> {
    let taken = |name: &&String| server.is_none_or(|offer| offer.contains(name)) && !is_post_quantum(name);
    let plain: Vec<_> = user.iter().filter(taken).collect();
    let preferred = plain.iter().find(|name| name.as_str() == usual).or(plain.first());
    vec![preferred.map_or(usual, |name| name.as_str()).to_owned()]
}

#[cfg(test)]
mod tests {
    use super::short;
    use crate::base::target::Algorithms;
    use crate::facts::handshake::KexInit;

    fn names(list: &str) -> Vec<String> {
        list.split(',').map(ToOwned::to_owned).collect()
    }

    #[test]
    fn what_both_sides_speak_is_offered_alone_and_without_large_keys() {
        let user = Algorithms {
            kex: names("mlkem768x25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256"),
            host_key: names("ssh-ed25519,rsa-sha2-512"),
            ..Algorithms::default()
        };
        let server = KexInit {
            kex: names("mlkem768x25519-sha256,diffie-hellman-group14-sha256"),
            host_key: names("rsa-sha2-512"),
            ..KexInit::default()
        };
        let short = short(&user, Some(&server));
        assert_eq!(
            (short.kex.join(","), short.host_key.join(",")),
            ("diffie-hellman-group14-sha256".into(), "rsa-sha2-512".into())
        );
        assert_eq!(short.cipher, ["aes128-ctr"]);
    }
}
