//! For whom and until when a certificate holds, of a host or of a user.

use jiff::Timestamp;

use super::{Fix, Side};

/// The fixes for a good certificate that looks bad.
pub(crate) const CHECK_CLOCK: Fix =
    Fix { side: Side::Client, summary: "Check this machine's clock", snippet: Some("timedatectl status"), ..Fix::LOOK };

/// For whom and until when it holds, as sentences.
pub(crate) fn validity(principals: &[String], until: Option<Timestamp>) -> impl Iterator<Item = String> {
    let names = (!principals.is_empty()).then(|| format!("it is for: {}", principals.join(", ")));
    names.into_iter().chain(until.map(|until| format!("it is valid until {until}")))
}
