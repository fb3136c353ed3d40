//! A real Kerberos realm: a KDC on the server's host, the server's key table, and tickets on the client.

use std::process::Stdio;
use std::time::Duration;

use super::command::{Daemon, must};
use super::{Lab, has};

/// The realm, and the name of the server in it.
const REALM: &str = "LAB";
pub(crate) const SERVICE: &str = "srv.lab";
const PASSWORD: &str = "ticket";

impl Lab {
    /// A KDC that knows the server and these principals; the client keeps its tickets in the cache of this kind (`FILE`, `DIR`). None
    /// where MIT Kerberos is not installed.
    pub(crate) fn kdc(&self, principals: &[&str], cache: &str) -> Option<Daemon> {
        if !["krb5kdc", "kadmin.local", "kinit"].into_iter().all(has) {
            return None;
        }
        let (address, realm) = (self.server_address(), self.home().path("realm").display().to_string());
        std::fs::create_dir_all(&realm).expect("our own folder");
        let config = format!(
            "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n rdns = false\n \
             dns_canonicalize_hostname = false\n default_ccache_name = {cache}:{realm}/tickets\n[realms]\n {REALM} = {{\n  kdc = {address}\n  \
             database_name = {realm}/principal\n  key_stash_file = {realm}/stash\n  acl_file = {realm}/acl\n  kdc_listen = {address}\n  \
             kdc_tcp_listen = {address}\n }}\n[domain_realm]\n .lab = {REALM}\n"
        );
        for host in [self.client(), self.server_host()] {
            host.etc("krb5.conf", &config);
            host.etc("hosts", &format!("127.0.0.1 localhost\n{address} {SERVICE}\n"));
        }
        let service = format!("host/{SERVICE}");
        let passwords = principals.iter().map(|principal| format!("addprinc -pw {PASSWORD} {principal}"));
        let keys = [format!("addprinc -randkey {service}"), format!("ktadd -k /etc/krb5.keytab {service}")];
        let queries = keys.into_iter().chain(passwords).map(|query| format!("kadmin.local -r {REALM} -q '{query}'"));
        let commands = ["set -e".to_owned(), format!("kdb5_util create -s -r {REALM} -P master")];
        let script = commands.into_iter().chain(queries).collect::<Vec<_>>().join("\n");
        must(self.server_host().command("sh").args(["-c", &script]).env("KRB5_KDC_PROFILE", "/nonexistent"), "");
        let mut kdc = self.server_host().command("sh");
        kdc.args(["-c", &format!("krb5kdc -r {REALM} -P {realm}/pid && echo ready && exec sleep infinity")]);
        Some(Daemon::start(kdc.env("KRB5_KDC_PROFILE", "/nonexistent").stderr(Stdio::null())))
    }

    /// Gets the client a ticket of this principal.
    pub(crate) fn kinit(&self, principal: &str) {
        must(self.client().command("kinit").arg(principal).stdout(Stdio::null()), &format!("{PASSWORD}\n"));
    }

    /// Takes the client's tickets away.
    pub(crate) fn kdestroy(&self) {
        let run = self.run("kdestroy", &["-A"], Duration::from_secs(5));
        assert_eq!(run.status, Some(0), "{run:?}");
    }
}
