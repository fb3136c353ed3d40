//! Information from this machine and its kernel. Where a system has none, the result is an error of the kind
//! `Unsupported`, or `None`: not known.

pub mod clocks;
pub mod files;
pub mod host_changes;
pub mod icmp;
pub(crate) mod lag;
#[cfg(target_os = "linux")]
mod linux;
pub mod local_address;
pub mod path;
pub mod pause;
mod portable;
pub mod socket;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

pub use system::borrow::borrow_socket;
pub use system::own_pages::release_own_pages;
pub use system::processes::{process, socket_holders, sockets_of};
pub use system::sockets::{for_each_tcp_socket, tcp_socket};
pub use system::unix_sockets::unix_peers;
