//! The doctor's library on a lab's client.

use std::net::SocketAddr;
use std::sync::Arc;

use ssh_doctor_checks::base::ask::Nobody;
use ssh_doctor_checks::base::limits::Limits;
use ssh_doctor_checks::base::stop::Stop;
use ssh_doctor_checks::base::target::{Identity, Strictness, Target};
use ssh_doctor_checks::measure::examination::Examination;
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
        let limits = Limits::default();
        let mut exam = Examination::new(target, limits, Progress::default(), Stop::never(), Arc::new(Nobody));
        let exam = &mut exam;
        let steps = [
            format!("{:?}", dns::check(exam).await),
            format!("{:?}", tcp::check(exam).await),
            format!("{:?}", handshake::check(exam).await),
            format!("{:?}", hostkey::check(exam).await),
            format!("{:?}", auth::check(exam).await),
        ];
        exam.login.clone().unwrap_or_else(|| panic!("no login: {steps:?}"))
    }
}
