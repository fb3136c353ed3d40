//! Does the server let us in: `none` first, then everything that the user's own client would try, once each.

mod agent;
mod causes;
mod certificate;
mod clock;
mod credential;
mod facts;
mod identity;
mod keyboard;
mod link;
mod obstacle;
mod offer;
mod question;
mod repeat;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, HashAlg};

use crate::connection::{Connection, Manner};
use crate::evidence::Step;
use crate::examination::Examination;
use crate::login::Login;
use crate::text::shown;
use walk::Walk;

pub use causes::CAUSES;
pub use certificate::{Certificate, Objection};
pub use credential::{Credential, Key as CredentialKey, Outcome};
pub use facts::{Agent, Answer, Attempt, Conclusion, Facts, Key, KeyFile, Prompt, Steps};
pub use obstacle::Obstacle;
pub use offer::Public;
pub use repeat::Repeat;

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
    let proven = connection.notes().read().server_key.as_ref().map(crate::connection::ServerKey::fingerprint);
    if proven.as_ref() != Some(&trusted.fingerprint) {
        return Step::Error("the connection is not the one whose host key was trusted".into());
    }
    let mut walk = Walk::new(exam, connection, trusted.with_passwords);
    Box::pin(walk.go()).await;
    let Walk { connection, mut facts, accepted, .. } = walk;
    let banner = connection.notes().read().banner.clone();
    facts.banner = (!banner.trim().is_empty()).then(|| shown(banner.trim()));
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
    if !facts.attempts.iter().all(|attempt| attempt.answer == Answer::Withheld) {
        exam.budget.note_login(false);
    }
    facts.repeatable = false;
    let interrupted = facts.conclusion == Conclusion::Interrupted;
    facts.end = connection.ending().map(|ending| escaped(ending.manner));
    let agreed = connection.notes().read().negotiated.clone();
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

/// The hash to sign an RSA key with, none for SHA-1 and for other keys; an obstacle where ssh would not sign with this key.
///
/// Without `server-sig-algs` (RFC 8308) ssh signs RSA with SHA-1 or not at all, and since OpenSSH 8.8 not at all.
async fn hash_of(
    public: &Public,
    accepted: &[String],
    connection: &mut Connection,
) -> Result<Option<HashAlg>, Obstacle> {
    let accepts = |algorithm: &Algorithm| accepted.iter().any(|name| *name == public.named(algorithm));
    if !matches!(public.algorithm(), Algorithm::Rsa { .. }) {
        let used = accepted.is_empty() || accepts(&public.algorithm());
        return if used { Ok(None) } else { Err(Obstacle::NotAccepted) };
    }
    let ours = [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None].map(|hash| (hash, Algorithm::Rsa { hash }));
    let usual = |hash: Option<HashAlg>| accepted.is_empty() && hash.is_some();
    let ours = ours.into_iter().filter(|(hash, algorithm)| usual(*hash) || accepts(algorithm)).map(|(hash, _)| hash);
    let ours: Vec<_> = ours.collect();
    if ours.is_empty() {
        return Err(Obstacle::NotAccepted);
    }
    let (theirs, lacking): (&[_], _) = match connection.handle().best_supported_rsa_hash().await {
        // A server that has SHA-512 has SHA-256 too (RFC 8332 defines them together).
        Ok(Some(Some(HashAlg::Sha512))) => (&[Some(HashAlg::Sha512), Some(HashAlg::Sha256)], Obstacle::NotAccepted),
        Ok(Some(Some(_))) => (&[Some(HashAlg::Sha256)], Obstacle::NotAccepted),
        Ok(Some(None)) => (&[None], Obstacle::OnlySha1),
        Ok(None) | Err(_) => (&[None], Obstacle::NoSha2),
    };
    ours.into_iter().find(|hash| theirs.contains(hash)).ok_or(lacking)
}

/// The server's words made safe to show.
fn escaped(manner: Manner) -> Manner {
    match manner {
        Manner::Disconnect { code, text } => Manner::Disconnect { code, text: shown(&text) },
        other => other,
    }
}
