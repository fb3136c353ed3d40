//! Not written yet.

mod causes;

use serde::{Deserialize, Serialize};

use crate::evidence::{self, Step};
use crate::examination::Examination;

pub use causes::CAUSES;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Facts {}

impl evidence::Facts for Facts {
    fn summary(&self) -> String {
        String::new()
    }
}

/// Not written yet.
pub async fn check(_exam: &mut Examination) -> Step<Facts> {
    Step::Skipped("not written yet".into())
}
