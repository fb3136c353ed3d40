//! Linux.

pub(crate) mod borrow;
mod diag;
pub(crate) mod processes;
pub(crate) mod sockets;
