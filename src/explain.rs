//! Placeholder until the catalogue is merged.

use crate::report::Style;

/// One cause.
#[must_use]
pub fn cause(code: &str, _style: &Style) -> Option<String> {
    ssh_doctor_checks::causes().find(|cause| cause.code == code).map(|cause| format!("{}\n", cause.title))
}

/// All causes.
#[must_use]
pub fn list(_style: &Style) -> String {
    ssh_doctor_checks::causes().flat_map(|cause| [cause.code, "\n"]).collect()
}

/// The known code that is most like this one.
#[must_use]
pub fn suggest(_code: &str) -> Option<&'static str> {
    None
}
