//! Leave to connect to addresses: asked for once a name was looked up, and before anything is sent there.

use std::net::SocketAddr;
use std::pin::Pin;

/// Grants leave to examine an address: a run of many targets, which spares each address, or a service with an
/// allow-list.
pub trait Admission: Send + Sync {
    /// Waits for the leave to connect to the addresses of a target; the sentence of a refusal says what to do.
    fn admit<'a>(&'a self, addresses: &'a [SocketAddr]) -> Admitting<'a>;
}

/// The wait for a leave.
pub type Admitting<'a> = Pin<Box<dyn Future<Output = Result<Admitted, String>> + Send + 'a>>;

/// The leave.
pub struct Admitted {
    /// The addresses that may be connected to, in their order.
    pub addresses: Vec<SocketAddr>,
    /// The capacity withheld from other examinations until this one is over.
    pub hold: Box<dyn Send + Sync>,
}
