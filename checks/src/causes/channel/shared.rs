//! What the causes of a session channel share.

use crate::causes::{Fix, Side};

pub(super) const TRY_SFTP: Fix = Fix {
    side: Side::Client,
    summary: "See whether file transfer is what this account is for",
    snippet: Some("sftp {alias}"),
    ..Fix::LOOK
};
