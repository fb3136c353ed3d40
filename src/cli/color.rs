//! The flags for the looks of what is printed.

use clap::Args;

use crate::terminal::Color;

/// The report's looks.
#[derive(Debug, Clone, Copy, Args)]
pub struct ColorArgs {
    /// Colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        value_enum,
        default_value_t = Color::Auto,
        value_name = "auto|always|never",
        hide_possible_values = true
    )]
    pub color: Color,
}
