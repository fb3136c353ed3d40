//! One SSH connection under observation.

pub(crate) mod abandoned;
pub mod algorithms;
pub mod budget;
pub mod channels;
pub mod client_handler;
pub mod connect;
pub mod connection;
pub mod credential;
pub mod dial;
pub mod dialed;
pub mod ending;
#[doc(hidden)]
pub mod fuzz;
pub mod hop_count;
pub mod keepalive;
pub mod known_hosts;
pub mod login;
pub mod observations;
mod openings;
pub mod openssh;
pub mod proxy;
pub mod recorder;
pub mod replies;
pub mod run;
pub mod sftp;
mod spread;
pub mod tap;
pub mod transport;
pub mod tunnel;
pub mod wait;
