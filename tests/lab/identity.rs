//! Servers with an identity of their own, and listeners that have none.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use super::command::must;
use super::server::next_port;
use super::{Lab, Server, has};

/// The key of a server that is not the lab's usual one.
const OTHER_KEY: &str = "other_host_key.pub";

impl Lab {
    /// OpenSSH's sshd with a host key made by these options of ssh-keygen.
    pub(crate) fn sshd_with_key(&self, options: &[&str]) -> Server {
        let path = self.home.path("other_host_key");
        must(Command::new("ssh-keygen").args(["-q", "-N", "", "-C", "lab", "-f"]).arg(path).args(options), "");
        let port = next_port();
        self.sshd_by(port, Some(OTHER_KEY), self.sshd_config(port, "other_host_key", &[]))
    }

    /// Has known_hosts take the key of [`sshd_with_key`](Self::sshd_with_key) for this server's.
    pub(crate) fn know_other_key(&self, server: &Server) {
        let key = fs::read_to_string(self.home.path(OTHER_KEY)).expect("a key");
        self.home.know(&self.server_address().to_string(), server.port(), &key);
    }

    /// OpenSSH's sshd with a host certificate by an authority; known_hosts trusts the one called `ca`, and knows no key.
    pub(crate) fn sshd_certified(&self, validity: &str, principal: &str, authority: &str) -> Server {
        let port = next_port();
        let key = format!("certified_{port}");
        for key in ["ca", "stranger", &key] {
            if !self.home.path(key).exists() {
                self.home.make_key(key);
            }
        }
        let address = self.server_address().to_string();
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-h", "-I", "lab", "-V", validity, "-n", &principal.replace("{address}", &address), "-s"]);
        must(sign.arg(self.home.path(authority)).arg(self.home.path(&format!("{key}.pub"))), "");
        let certificate = self.home.path(&format!("{key}-cert.pub"));
        self.home.trust(&address, port, &fs::read_to_string(self.home.path("ca.pub")).expect("a key"));
        let settings = [format!("HostCertificate {}", certificate.display())];
        self.sshd_by(port, None, self.sshd_config(port, &key, &[&settings[0]]))
    }

    /// Any program that listens, with a file for its configuration; `{address}`, `{port}`, `{config}` and
    /// `{certificate}`, a file with a TLS certificate and its key, are filled in. None where it is not installed.
    pub(crate) fn listener(&self, program: &str, args: &[&str], config: &str) -> Option<Server> {
        if !has(program) {
            return None;
        }
        let (port, address) = (next_port(), self.server_address().to_string());
        let name = format!("config_{port}");
        let file = self.home.path(&name).display().to_string();
        let certificate = self.certificate(args.iter().chain([&config]).any(|text| text.contains("{certificate}")))?;
        let filled = |text: &str| {
            let text = text.replace("{address}", &address).replace("{port}", &port.to_string());
            text.replace("{config}", &file).replace("{certificate}", &certificate)
        };
        self.home.write(&name, &filled(config));
        let args: Vec<OsString> = args.iter().map(|arg| filled(arg).into()).collect();
        Some(self.serve(port, None, program, &args))
    }

    /// The file with a TLS certificate and its key, made where it is wanted; none where that takes what is not installed.
    fn certificate(&self, wanted: bool) -> Option<String> {
        let [file, key] = ["tls.pem", "tls.key"].map(|name| self.home.path(name));
        if wanted && !file.exists() {
            if !has("openssl") {
                return None;
            }
            let options =
                ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lab", "-keyout"];
            let certificate = must(Command::new("openssl").args(options).arg(&key), "");
            let key = fs::read_to_string(&key).expect("openssl wrote it");
            self.home.write("tls.pem", &format!("{certificate}{key}"));
        }
        Some(file.display().to_string())
    }
}
