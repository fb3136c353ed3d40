//! The hops between us and the server.

pub mod place;

use std::net::IpAddr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

pub use place::{Place, Range};

/// The path between us and the server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// Every hop as far as the path is known, the nearest first; the server is the last where its distance is known.
    pub hops: Vec<Hop>,
    /// The distance of the server, where it is known.
    pub distance: Option<Distance>,
}

/// A router, or the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    /// 1 is the nearest.
    #[serde(deserialize_with = "hop_number")]
    pub number: u8,
    /// The address that its answer came from; `null` where it did not answer.
    pub address: Option<IpAddr>,
    /// Milliseconds until its answer.
    pub rtt_ms: Option<f64>,
    /// Others that answered as this hop: there are several routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<IpAddr>,
}

/// The number of hops to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distance {
    /// The number of the hop that is the server.
    #[serde(deserialize_with = "hop_number")]
    pub hops: u8,
    /// The protocol that it answered.
    pub by: Protocol,
}

/// The protocol by which a distance was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// UDP to a closed port; a device that forwards a TCP port on the server's behalf answers for itself.
    Udp,
    /// TCP to the server's port.
    Tcp,
}

/// A time-to-live that reaches a hop: 1 to 254 (255 is the most that an IP packet can have, and is decremented on the way).
pub(crate) fn hop_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = u8::deserialize(deserializer)?;
    if (1..u8::MAX).contains(&number) { Ok(number) } else { Err(D::Error::custom(format!("there is no hop {number}"))) }
}

/// Reads a hop number, or none.
pub(crate) fn some_hop_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    #[derive(Deserialize)]
    struct Number(#[serde(deserialize_with = "hop_number")] u8);
    Ok(Option::<Number>::deserialize(deserializer)?.map(|Number(number)| number))
}

impl Path {
    /// The address of a hop, where it is known.
    #[must_use]
    pub fn address(&self, hop: u8) -> Option<IpAddr> {
        self.hops.iter().find(|known| known.number == hop)?.address
    }

    /// Others that answered as that hop.
    #[must_use]
    pub fn others(&self, hop: u8) -> &[IpAddr] {
        self.hops.iter().find(|known| known.number == hop).map_or(&[], |known| &known.others)
    }

    /// The hops that may hold a state, the server among them; where its distance is unknown the last is `most`, which reaches it.
    #[must_use]
    pub fn candidates(&self, most: u8) -> Vec<u8> {
        match self.distance {
            Some(Distance { hops, .. }) => (1..=hops).collect(),
            None => (1..=self.answered().saturating_add(1)).filter(|hop| *hop < most).chain([most]).collect(),
        }
    }

    /// The last hop that answered.
    pub(crate) fn answered(&self) -> u8 {
        self.hops.iter().rev().find(|hop| hop.address.is_some()).map_or(0, |hop| hop.number)
    }

    /// Notes whom an answer came from; the first answer of a hop counts, and what others say shows further routes.
    pub(crate) fn note(&mut self, number: u8, address: Option<IpAddr>, rtt: Duration) {
        for silent in self.hops.len()..usize::from(number) {
            let number = u8::try_from(silent + 1).unwrap_or(u8::MAX);
            self.hops.push(Hop { number, address: None, rtt_ms: None, others: Vec::new() });
        }
        let Some(hop) = self.hops.iter_mut().find(|hop| hop.number == number) else { return };
        if hop.address.is_none() {
            hop.address = address;
            hop.rtt_ms = Some(rtt.as_secs_f64() * 1000.0);
        } else if let Some(other) = address.filter(|other| hop.address != Some(*other) && !hop.others.contains(other)) {
            hop.others.push(other);
        }
    }

    /// Notes that the server is so far away.
    pub(crate) fn arrive(&mut self, hops: u8, by: Protocol) {
        if self.distance.is_none_or(|known| hops < known.hops) {
            self.distance = Some(Distance { hops, by });
            self.hops.truncate(hops.into());
        }
    }

    /// Makes one of a hop that ended one datagram and turned the next one, which had a hop more to go, away.
    pub(crate) fn merge(&mut self) {
        if let ([.., before, last], None) = (&*self.hops, self.distance)
            && last.address.is_some()
            && last.address == before.address
        {
            self.hops.pop();
        }
    }

    pub(crate) fn is_silent(&self, number: u8) -> bool {
        self.address(number).is_none()
    }
}
