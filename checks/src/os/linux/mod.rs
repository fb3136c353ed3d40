//! Linux.

pub(crate) mod borrow;
mod diag;
pub(crate) mod own_pages;
pub(crate) mod processes;
pub(crate) mod sockets;
pub(crate) mod tcp_info;
pub(crate) mod unix_sockets;
