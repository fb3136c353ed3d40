//! The observations of TCP: attempts to connect, and the kernel's view of a connection.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::text;
use crate::facts;

/// An ICMP error (RFC 792) or an ICMPv6 one (RFC 4443).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Icmp {
    /// True if it is ICMPv6, whose numbers differ.
    pub v6: bool,
    /// Message type: 3 is ICMP's "destination unreachable", 1 is ICMPv6's.
    #[serde(rename = "type")]
    pub kind: u8,
    /// The code within the type.
    pub code: u8,
    /// The party that sent it.
    pub sender: Option<IpAddr>,
}

impl Icmp {
    /// Returns the subject of a "destination unreachable", in the words of RFC 792, RFC 1812 section 5.2.7.1 and RFC
    /// 4443 section 3.1.
    #[must_use]
    pub fn name(&self) -> String {
        let known = match (self.v6, self.kind, self.code) {
            (false, 3, 0) => "net unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 9) => "network administratively prohibited",
            (false, 3, 10) => "host administratively prohibited",
            (false, 3, 13) | (true, 1, 1) => "communication administratively prohibited",
            (true, 1, 0) => "no route to destination",
            (true, 1, 3) => "address unreachable",
            (true, 1, 5) => "source address failed policy",
            (true, 1, 6) => "reject route to destination",
            _ => return format!("ICMP{} type {} code {}", if self.v6 { "v6" } else { "" }, self.kind, self.code),
        };
        format!("ICMP{} {known}", if self.v6 { "v6" } else { "" })
    }

    /// True if the packet had come to the end of its hops (RFC 792 page 6, RFC 4443 section 3.3).
    #[must_use]
    pub fn is_time_exceeded(&self) -> bool {
        matches!((self.v6, self.kind, self.code), (false, 11, 0) | (true, 3, 0))
    }

    /// True if it is "destination unreachable", of any kind.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.kind == if self.v6 { 1 } else { 3 }
    }

    /// True if only a packet filter answers a TCP segment so: a closed port sends a TCP reset (RFC 9293 section 3.10.7.1).
    #[must_use]
    pub fn is_policy(&self) -> bool {
        matches!((self.v6, self.kind, self.code), (false, 3, 2 | 3 | 9 | 10 | 13) | (true, 1, 1 | 4 | 5 | 6))
    }
}

/// A snapshot of Linux's `TCP_INFO` (tcp(7)); `None` on other systems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpInfo {
    /// Smoothed round-trip time, microseconds.
    pub rtt_us: u32,
    /// Retransmission time-out, microseconds.
    pub rto_us: u32,
    /// Consecutive retransmissions of the oldest unacknowledged segment.
    pub backoff: u8,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Bytes that are to be sent and have not left this machine: its route, its firewall or the window holds them; 0 where the system does not
    /// tell.
    #[serde(default)]
    pub unsent_bytes: u32,
    /// Segments retransmitted since the connection began.
    pub retransmits: u32,
    /// Segments with data sent since the connection began, those sent again included; 0 where the system does not tell.
    #[serde(default)]
    pub data_segments: u32,
    /// Segments that came to the other end twice, by its own word (DSACK, RFC 2883); 0 where the system does not tell.
    #[serde(default)]
    pub duplicates: u32,
    /// Times at which segments were seen to overtake each other; 0 where the system does not tell.
    #[serde(default)]
    pub reorderings: u32,
    /// Milliseconds since the last acknowledgement came.
    pub last_ack_ms: u32,
    /// Milliseconds since the last segment with data came.
    #[serde(default)]
    pub last_received_ms: u32,
    /// Milliseconds since the last segment with data was sent, for the first time or again.
    #[serde(default)]
    pub last_sent_ms: u32,
    /// Keepalives or window probes sent since the last answer.
    #[serde(default)]
    pub probes: u8,
    /// Maximum segment size we send, bytes.
    pub mss: u32,
    /// Path MTU, bytes.
    pub path_mtu: u32,
}

impl TcpInfo {
    /// The smoothed round-trip time.
    #[must_use]
    pub fn rtt(&self) -> Duration {
        Duration::from_micros(self.rtt_us.into())
    }

    /// Segments that were sent again and had been lost: not those that had arrived, only late.
    #[must_use]
    pub fn lost(&self) -> u32 {
        self.retransmits.saturating_sub(self.duplicates)
    }

    /// True if the other end has acknowledged everything: nothing is on its way, and nothing waits to be sent.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.unacked == 0 && self.unsent_bytes == 0
    }

    /// True if something of ours gets no answer: it is on its way, or it cannot leave this machine. A receiver that has no room for it (a
    /// zero window) answers the kernel's probes.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.unacked > 0 || self.unsent_bytes > 0 && self.probes > 1
    }

    /// True if the same data was sent again at least twice and has no acknowledgement yet.
    #[must_use]
    pub fn is_losing(&self) -> bool {
        self.unacked > 0 && self.backoff > 1
    }
}

/// The observations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Every address that was tried, in ssh's order.
    pub attempts: Vec<Attempt>,
    /// Addresses of the name beyond those, not tried.
    pub not_tried: usize,
    /// The time that an attempt was given, seconds.
    pub deadline_s: f64,
    /// The local address that the user's settings connect from (`BindAddress`).
    pub bind: Option<IpAddr>,
    /// The first address in ssh's order that connected.
    pub connected_to: Option<SocketAddr>,
    /// Our end of that connection.
    pub connected_from: Option<SocketAddr>,
    /// The kernel's view of that connection.
    pub path: Option<Path>,
    /// Further connections to the same address, one after the other, closed at once (`--deep`).
    #[serde(default)]
    pub repeats: Vec<Attempt>,
}

/// One address and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The address and port.
    pub address: SocketAddr,
    /// Milliseconds until the outcome.
    pub ms: f64,
    /// The outcome of it.
    #[serde(flatten)]
    pub outcome: ConnectOutcome,
}

/// The outcome of an attempt to connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ConnectOutcome {
    /// The connection was established.
    Connected,
    /// Nothing came back before the deadline.
    TimedOut,
    /// The system reported an error.
    Failed {
        /// Its name, such as `ECONNREFUSED` (errno(3)).
        errno: Option<String>,
        /// Its text.
        error: String,
        /// The ICMP message that caused it; `None` for a TCP reset, for an error of this machine's own, and where
        /// the system does not tell.
        icmp: Option<Icmp>,
        /// True if that message came from the address that this machine connects from.
        icmp_from_here: bool,
    },
    /// Another address had connected that ssh tries earlier.
    NotWaitedFor,
}

/// The kernel's data on a new connection's path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// Round-trip time of the TCP handshake, milliseconds.
    pub rtt_ms: f64,
    /// Maximum segment size we send, bytes.
    pub mss: u32,
    /// Path MTU as known so far, bytes.
    pub mtu: u32,
    /// The number of retransmissions of the first packet (SYN).
    #[serde(default)]
    pub repeated_syns: u32,
}

impl facts::Facts for Facts {
    fn summary(&self) -> String {
        let Some(address) = self.connected_to else {
            let outcomes: Vec<_> = self.attempts.iter().map(line).collect();
            return outcomes.join("; ");
        };
        let took = self.attempts.iter().find(|attempt| attempt.address == address).map_or(0.0, |attempt| attempt.ms);
        let rest = match self.attempts.len() {
            0 | 1 => String::new(),
            count => format!(", of {count} addresses"),
        };
        format!("connected to {address} in {}{rest}", text::seconds(took / 1000.0))
    }
}

/// One attempt as a sentence.
pub(crate) fn line(attempt: &Attempt) -> String {
    let (address, took) = (attempt.address, text::seconds(attempt.ms / 1000.0));
    match &attempt.outcome {
        ConnectOutcome::Connected => format!("{address} connected in {took}"),
        ConnectOutcome::TimedOut => format!("{address} gave no answer in {took}"),
        ConnectOutcome::NotWaitedFor => format!("{address} had not answered after {took} and was not waited for"),
        ConnectOutcome::Failed { errno, error, icmp, icmp_from_here } => {
            let name = errno.as_deref().map_or(error.as_str(), plain);
            let by = match icmp {
                None => String::new(),
                Some(icmp) if *icmp_from_here => format!(" ({}, from this machine itself)", icmp.name()),
                Some(icmp) => match icmp.sender {
                    Some(sender) if sender == address.ip() => format!(" ({}, from that address itself)", icmp.name()),
                    Some(sender) => format!(" ({}, from {sender})", icmp.name()),
                    None => format!(" ({})", icmp.name()),
                },
            };
            format!("{address}: {name} after {took}{by}")
        }
    }
}

/// The words that ssh prints for it on Linux (strerror(3)), as far as they are known here.
fn plain(errno: &str) -> &str {
    match errno {
        "ECONNREFUSED" => "connection refused",
        "ENETUNREACH" => "network unreachable",
        "EHOSTUNREACH" => "no route to host",
        "EACCES" => "permission denied",
        "EADDRNOTAVAIL" => "cannot assign requested address",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::Icmp;

    #[test]
    fn only_a_packet_filter_prohibits() {
        let icmp = |v6, kind, code| Icmp { v6, kind, code, sender: None };
        assert!([3, 9, 10, 13].iter().all(|&code| icmp(false, 3, code).is_policy()));
        assert!([1, 4, 5, 6].iter().all(|&code| icmp(true, 1, code).is_policy()));
        assert!(![0, 1].iter().any(|&code| icmp(false, 3, code).is_policy()));
        assert!(![0, 3].iter().any(|&code| icmp(true, 1, code).is_policy()));
        assert_eq!(icmp(true, 1, 4).name(), "ICMPv6 port unreachable");
        assert_eq!(icmp(false, 11, 0).name(), "ICMP type 11 code 0");
        assert!(icmp(false, 11, 0).is_time_exceeded() && !icmp(true, 11, 0).is_time_exceeded());
        assert!(icmp(true, 3, 0).is_time_exceeded() && !icmp(true, 3, 0).is_unreachable());
        assert!(icmp(false, 3, 3).is_unreachable() && icmp(true, 1, 4).is_unreachable());
    }
}
