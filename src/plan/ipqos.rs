//! `IPQoS` of ssh_config(5).

/// Names of type-of-service bytes, as ssh_config(5) lists them; a DSCP of RFC 2474 and RFC 8622 is shifted left by two.
const NAMES: [(&str, u8); 25] = [
    ("af11", 0x28),
    ("af12", 0x30),
    ("af13", 0x38),
    ("af21", 0x48),
    ("af22", 0x50),
    ("af23", 0x58),
    ("af31", 0x68),
    ("af32", 0x70),
    ("af33", 0x78),
    ("af41", 0x88),
    ("af42", 0x90),
    ("af43", 0x98),
    ("cs0", 0x00),
    ("cs1", 0x20),
    ("cs2", 0x40),
    ("cs3", 0x60),
    ("cs4", 0x80),
    ("cs5", 0xa0),
    ("cs6", 0xc0),
    ("cs7", 0xe0),
    ("ef", 0xb8),
    ("le", 0x04),
    ("lowdelay", 0x10),
    ("throughput", 0x08),
    ("reliability", 0x04),
];

/// The byte that ssh sets for interactive sessions, from `IPQoS`'s first value; `None` leaves the system's.
pub(super) fn interactive(value: &str) -> Option<u8> {
    let first = value.split_whitespace().next()?.to_ascii_lowercase();
    if let Some((_, tos)) = NAMES.iter().find(|(name, _)| *name == first) {
        return Some(*tos);
    }
    // ssh reads numbers as strtol(3) with base 0 does.
    match first.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None if first.len() > 1 && first.starts_with('0') => u8::from_str_radix(&first, 8).ok(),
        None => first.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::interactive;

    #[test]
    fn names_and_numbers_become_the_byte() {
        let read = ["af21 cs1", "lowdelay throughput", "ef none", "EF", "0x10", "16", "020", "cs0"].map(interactive);
        assert_eq!(read, [0x48, 0x10, 0xb8, 0xb8, 0x10, 0x10, 0x10, 0].map(Some));
        assert_eq!(["none none", "", "0x100", "what"].map(interactive), [None; 4]);
    }
}
