//! Explanations: of a cause by its code, or of the cause behind a line, a log, or a file with one.

pub mod cause;
mod input;
mod log;
mod ranked;
mod text;

pub(crate) use cause::at;
pub use cause::{list, suggest};
pub use input::{Asked, asked};
pub use log::{Explained, explained};
pub use text::render;
