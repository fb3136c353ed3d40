//! What stands in front of a server.

use super::setups;
use crate::lab::{Lab, Proxy, Server};

/// The front, while the server behind it lives.
fn behind(lab: &Lab, front: impl Fn(&Server) -> Option<Server>) -> Option<Server> {
    let server = lab.sshd(&[]);
    front(&server).map(|front| front.and(server))
}

setups! {
    #[ignore = "tests/run --zoo"]
    sslh: |lab| behind(lab, |server| lab.behind_sslh(server)), [] => "healthy", [], ["exec", "sftp", "forward"];
    haproxy: |lab| behind(lab, |server| lab.behind(Proxy::Haproxy, 600, server)), []
        => "healthy", [], ["exec", "sftp", "forward"];
    haproxy_with_a_header: |lab| behind(lab, |server| lab.behind(Proxy::HaproxySends, 600, server)), []
        => "broken", ["handshake-proxy-header"], [];
}
