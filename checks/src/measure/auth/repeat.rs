//! The first encrypted packet made no sense: does it again, and with other algorithms?

use std::sync::Arc;
use std::time::Duration;

use crate::base::target::{Route, Target};
use crate::facts::auth::Repeat;
use crate::facts::handshake::Negotiated;
use crate::measure::context::Context;
use crate::os::pause::{timeout, timeout_at};
use crate::ssh::connection::Connection;
use crate::ssh::credential::{Credential, CredentialOutcome};
use crate::ssh::{connect, dial};

/// The time that each may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Tries once more as before, and once without the cipher or MAC that was agreed on, and not beyond [`Context::until`].
pub(super) async fn again(ctx: &Context, route: Route, first: &Negotiated) -> Vec<Repeat> {
    let mut repeats = Vec::new();
    if !matches!(route, Route::Direct(_)) {
        return repeats;
    }
    for target in [Some(ctx.target.clone()), without(&ctx.target, first)].into_iter().flatten() {
        let asking = timeout(PATIENCE, ask(ctx, &target, route));
        let Ok(Ok(repeat)) = timeout_at(ctx.until(), asking).await else { break };
        repeats.extend(repeat);
    }
    repeats
}

async fn ask(ctx: &Context, target: &Target, route: Route) -> Option<Repeat> {
    let transport = dial::open(&ctx.budget, target, route, PATIENCE).await.ok()?;
    let (_, connected) = connect::connect(transport, target, PATIENCE).await;
    let mut connection: Connection = connected.ok()?;
    let agreed = connection.observations().read().negotiated.clone()?;
    let outcome = Credential::None.present(&mut connection, &target.user).await;
    connection.close(Duration::from_millis(200)).await;
    Some(Repeat { agreed, answered: !matches!(outcome, CredentialOutcome::Broken(_)) })
}

/// The target with an offer that leaves out what protected the packets.
fn without(target: &Arc<Target>, agreed: &Negotiated) -> Option<Arc<Target>> {
    let mut other = Target::clone(target);
    let protects_itself = agreed.cipher.contains("gcm") || agreed.cipher.contains("poly1305");
    let (names, name) = if protects_itself {
        (&mut other.algorithms.cipher, &agreed.cipher)
    } else {
        (&mut other.algorithms.mac, &agreed.mac)
    };
    names.retain(|offered| offered != name);
    (!names.is_empty()).then(|| Arc::new(other))
}
