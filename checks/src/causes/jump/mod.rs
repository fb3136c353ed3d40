//! The causes that show on a route through hops and proxy commands.

mod command;
mod forward;

use super::Cause;

/// The causes that show on a route through hops and proxy commands.
pub(crate) static CAUSES: &[Cause] =
    &[forward::FORWARDING_PROHIBITED, forward::TARGET_UNREACHABLE, command::PROXY_COMMAND_FAILED];
