//! A repeat of the exchange that differs from the user's in one respect.

use serde::{Deserialize, Serialize};

use super::tcp::TcpInfo;

/// Observations without ssh's DSCP marks, and of the marked connection meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marks {
    /// The IP type of service of the connection that did not work.
    pub tos: u8,
    /// The kernel's view of that connection.
    pub marked: Option<TcpInfo>,
    /// A login and a command without the mark.
    pub arm: Retest,
    /// The kernel's view of the marked connection afterwards.
    pub marked_after: Option<TcpInfo>,
    /// Milliseconds until the marked connection's data was acknowledged once its mark was taken off; `null` where it was
    /// not, or not tried.
    pub acknowledged_ms: Option<f64>,
}

/// One exchange on a connection of its own, in one respect unlike the user's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retest {
    /// The largest TCP segment that both ends were held to, bytes; `null` for the system's own.
    pub segment: Option<u32>,
    /// True if a single algorithm of each kind was offered, for a short SSH_MSG_KEXINIT.
    pub short_offer: bool,
    /// The IP type of service after the login; `null` leaves the system's.
    pub tos: Option<u8>,
    /// Milliseconds until the exchange was through, or until we stopped waiting.
    pub ms: f64,
    /// The outcome of it.
    #[serde(flatten)]
    pub outcome: RetestOutcome,
    /// The kernel's view at the end.
    pub tcp: Option<TcpInfo>,
}

/// The outcome of an arm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RetestOutcome {
    /// The exchange was through.
    Through,
    /// The connection stayed open and nothing more came.
    Silent,
    /// Something else; in words.
    Failed {
        /// The words.
        error: String,
    },
}

impl Retest {
    /// True if the kernel sent the same data again and again and had no acknowledgement of it.
    pub(crate) fn is_unacknowledged(&self) -> bool {
        self.tcp.is_some_and(|tcp| tcp.is_losing())
    }
}

/// True if a key exchange method is a post-quantum one, whose first message each way is more than 1000 bytes long.
#[must_use]
pub fn is_post_quantum(kex: &str) -> bool {
    ["mlkem", "sntrup", "kyber"].iter().any(|family| kex.contains(family))
}

/// IP and TCP header without options, by IPv4 (RFC 791, RFC 9293).
pub(crate) const HEADERS_V4: u32 = 40;

/// Bytes of the headers of IPv6 (RFC 8200) and TCP.
pub(crate) const HEADERS_V6: u32 = 60;
