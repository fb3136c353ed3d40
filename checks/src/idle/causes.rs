//! x
use crate::cause::Cause;
/// x
pub static CAUSES: &[Cause] = &[];
