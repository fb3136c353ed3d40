//! Placeholder until the reports are merged.

pub mod json;
pub mod text;

/// How a report looks.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With colours.
    pub color: bool,
    /// With characters beyond ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}
