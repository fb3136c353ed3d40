//! The doctor's library on a lab's client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::base::limits::Limits;
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::target::{Identity, Strictness, Target};
use ssh_doctor_checks::measure::context::Context;
use ssh_doctor_checks::measure::progress::Progress;
use ssh_doctor_checks::measure::{auth, dns, handshake, hostkey, tcp};
use ssh_doctor_checks::ssh::login::Login;

use super::Lab;

impl Lab {
    /// Logs in to a server, and leaves what it takes to do so again; to be run inside the client.
    pub(crate) async fn login(&self, server: SocketAddr) -> Login {
        let mut target = Target::bare(&server.ip().to_string(), server.port(), "root");
        let path = self.home.path("client/.ssh/id_ed25519");
        target.credentials.identities = vec![Identity { path, explicit: true }];
        target.host_keys.strictness = Strictness::AcceptNew;
        let limits = Limits { idle: Duration::ZERO, ..Limits::default() };
        let ctx = Context::new(target, limits, Progress::default(), Stop::never(), Arc::new(Nobody));
        let (dns, found) = dns::check(&ctx).await;
        let (tcp, link) = tcp::check(&ctx, &found.addresses, None).await;
        let (handshake, keyed) = handshake::check(&ctx, link).await;
        let (hostkey, identity) = hostkey::check(&ctx, keyed).await;
        let (auth, logged_in) = auth::check(&ctx, identity, &mut None).await;
        let login = logged_in.and_then(|logged_in| logged_in.login);
        login.unwrap_or_else(|| panic!("no login: {dns:?} {tcp:?} {handshake:?} {hostkey:?} {auth:?}"))
    }
}
