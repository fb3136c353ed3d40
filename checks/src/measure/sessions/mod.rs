//! The SSH connections that are open on this machine, and a few TCP keepalives on them.

mod inventory;
mod keepalive;
mod probe;

pub use inventory::{Inventory, inventory};
pub use keepalive::{borrowed, keepalive_of, leave_keepalive, set_keepalive};
pub use probe::probe;
