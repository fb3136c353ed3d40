//! Placeholder until the demo is merged.

use ssh_doctor_checks::target::{Limits, Target};

use crate::report::Style;

/// A sick server, alive while this is held.
#[derive(Debug)]
pub struct Stage {
    /// Whom to examine.
    pub target: Target,
    /// Within which limits.
    pub limits: Limits,
    /// What is going to happen.
    pub intro: String,
}

/// The cases.
#[must_use]
pub fn list(_style: &Style) -> String {
    String::new()
}

/// Starts a case.
pub async fn start(_case: Option<&str>) -> anyhow::Result<Stage> {
    std::future::ready(()).await;
    anyhow::bail!("the demo is not merged yet")
}
