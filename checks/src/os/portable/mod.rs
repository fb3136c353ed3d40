//! Answers of a system whose kernel cannot be asked; built on Linux too, for tests.
#![cfg_attr(target_os = "linux", allow(dead_code, unreachable_pub, reason = "Linux has answers of its own"))]

pub(crate) mod borrow;
pub(crate) mod own_pages;
pub(crate) mod processes;
pub(crate) mod sockets;
pub(crate) mod unix_sockets;
