//! A session that cannot be opened: whether the path went down at that moment, or only new sessions are kept out.

use super::control::{self, Finding};
use super::session::Test;
use crate::facts::connection::NotLoggedIn;

/// What follows from a session that could not be opened.
pub(super) enum Next {
    /// It may be tried again.
    Again,
    /// It may not; why there is none.
    Never(String),
}

/// Finds out why a session could not be opened.
pub(super) async fn failed(test: &Test, error: &NotLoggedIn) -> Next {
    if control::is_refusal(error) {
        return Next::Never(error.to_string());
    }
    let finding = tokio::select! {
        finding = test.control.settle_opening() => finding,
        () = test.board.finished() => return Next::Never(error.to_string()),
    };
    match finding {
        Finding::Fine { .. } => Next::Again,
        Finding::Refused(why) => Next::Never(why),
        finding @ (Finding::Disturbed { .. } | Finding::NoPath { .. }) => {
            // The session has no stretch that this could be the end of.
            test.board.doubtful(finding);
            Next::Again
        }
    }
}
