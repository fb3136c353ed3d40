//! Marks that no server has seen before.

use std::hash::{BuildHasher, RandomState};

/// A word that only this run knows: `ssh-doctor-` and 16 hexadecimal digits.
#[must_use]
pub(crate) fn nonce() -> String {
    format!("ssh-doctor-{:016x}", seed())
}

/// Bytes that do not compress, the same for the same seed (xorshift64, Marsaglia 2003).
#[must_use]
pub(crate) fn noise(mut seed: u64, count: usize) -> Vec<u8> {
    seed |= 1;
    let words = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()
    });
    words.flatten().take(count).collect()
}

/// A number that differs from run to run.
#[must_use]
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
