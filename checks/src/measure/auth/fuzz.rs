//! The reader of certificates, for the fuzz targets.

use jiff::Timestamp;
use russh::keys::Certificate;

use super::certificate::read;
use crate::measure::hostkey::certificate::objection;

/// Reads a certificate as it stands in a file: the part kept is bounded, and a report shows it escaped.
pub fn certificate(text: &str) {
    let Ok(certificate) = Certificate::from_openssh(text) else { return };
    let kept = read(&certificate, "me", Timestamp::UNIX_EPOCH);
    assert!(kept.principals.iter().chain([&kept.key_id]).all(|text| !text.contains(char::is_control)));
    assert!(kept.principals.len() <= 32);
    let objection = objection(&certificate, "db.example", Timestamp::UNIX_EPOCH, &[]);
    assert!(objection.is_none_or(|words| !words.contains(char::is_control)));
}
