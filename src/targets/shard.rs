//! A part of a list that several machines share without talking to each other.

use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Part K of N, K from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    part: u64,
    of: u64,
}

impl Shard {
    /// True if a target belongs to this part: by the first eight bytes of its SHA-256, so everywhere and always the same.
    #[must_use]
    pub fn holds(self, input: &str) -> bool {
        let digest = Sha256::digest(input.as_bytes());
        let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        number % self.of == self.part - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if (1..=of).contains(&part) => Ok(Self { part, of }),
            _ => Err("a shard reads K/N, with K from 1 to N, such as 2/3".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn every_target_is_in_exactly_one_part_and_the_parts_are_even() {
        let parts: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
        let mut sizes = [0; 3];
        for number in 0..3000 {
            let name = format!("web{number}.example");
            let holders: Vec<_> = (0..3).filter(|at| parts[*at].holds(&name)).collect();
            assert_eq!(holders.len(), 1);
            sizes[holders[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (900..1100).contains(size)), "{sizes:?}");
        // A list that is shared out by different versions must stay whole.
        assert!(parts[1].holds("db.example") && "1/1".parse::<Shard>().unwrap().holds("db.example"));
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
