//! The doctor's library on a lab's client.

use std::net::SocketAddr;
use std::sync::Arc;

use ssh_doctor_checks::examination::{Examination, Nobody, Stop};
use ssh_doctor_checks::login::Login;
use ssh_doctor_checks::progress::Progress;
use ssh_doctor_checks::target::{Identity, Limits, Strictness, Target};
use ssh_doctor_checks::{auth, dns, handshake, hostkey, tcp};

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
