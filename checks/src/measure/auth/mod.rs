//! Does the server let us in: `none` first, then everything that the user's own client would try, once each.

mod certificate;
mod identity;
mod offer;
mod repeat;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use super::examination::Examination;
use crate::base::text::sanitize;
use crate::facts::Step;
use crate::facts::auth::{AuthAnswer, Conclusion, Facts};
use crate::facts::connection::Manner;
use crate::ssh::login::Login;
use walk::LoginFlow;

/// How long saying goodbye may take after a refused login.
const GOODBYE: Duration = Duration::from_secs(1);

/// Logs in on the connection that the handshake left, if the host key check trusts its key.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    if exam.login_withheld {
        let why =
            "no login was tried: the host key contradicts known_hosts; ssh goes on without passwords (see hostkey)";
        return Step::Error(why.into());
    }
    let Some(trusted) = exam.trusted.clone() else {
        return Step::Skipped("no trusted host key: see hostkey".into());
    };
    let Some(connection) = exam.connection.take() else {
        return Step::Skipped("the handshake did not succeed".into());
    };
    let proven = connection.observations().read().server_key.as_ref().map(crate::ssh::observations::ServerKey::fingerprint);
    if proven.as_ref() != Some(&trusted.fingerprint) {
        return Step::Error("the connection is not the one whose host key was trusted".into());
    }
    let mut walk = LoginFlow::new(exam, connection, trusted.with_passwords);
    Box::pin(walk.go()).await;
    let LoginFlow { connection, mut facts, accepted, .. } = walk;
    let banner = connection.observations().read().banner.clone();
    facts.banner = (!banner.trim().is_empty()).then(|| sanitize(banner.trim()));
    if facts.conclusion == Conclusion::LoggedIn {
        exam.budget.note_login(true);
        if let Some(route) = exam.route {
            connection.apply_tos(exam.target.tos, route);
            let (target, budget) = (exam.target.clone(), exam.budget.clone());
            let via = exam.via.clone().map(Box::new);
            exam.login = Some(Login {
                target,
                route,
                host_key: trusted.fingerprint,
                accepted,
                budget,
                via,
                repeated: Arc::default(),
            });
        }
        exam.connection = Some(connection);
        return Step::Passed(facts);
    }
    if !facts.attempts.iter().all(|attempt| attempt.answer == AuthAnswer::Withheld) {
        exam.budget.note_login(false);
    }
    facts.repeatable = false;
    let interrupted = facts.conclusion == Conclusion::Interrupted;
    facts.end = connection.ending().map(|ending| escaped(ending.manner));
    let agreed = connection.observations().read().negotiated.clone();
    // Who says nothing hears no goodbye either.
    if let (Conclusion::Silent, Some(socket)) = (facts.conclusion, connection.socket()) {
        socket.abort();
    }
    connection.close(GOODBYE).await;
    if let (true, Some(agreed)) = (facts.never_understood(), agreed) {
        facts.repeats = repeat::again(exam, &agreed).await;
    }
    match facts.security_key().is_some() {
        _ if interrupted => Step::Skipped("interrupted".into()),
        // ssh itself would go on to ask for a touch.
        true => Step::Void(facts),
        false => Step::Failed(facts),
    }
}

/// The server's words made safe to show.
fn escaped(manner: Manner) -> Manner {
    match manner {
        Manner::Disconnect { code, text } => Manner::Disconnect { code, text: sanitize(&text) },
        other => other,
    }
}
