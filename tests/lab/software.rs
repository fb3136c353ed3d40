//! Servers of other software than OpenSSH, dropbear, AsyncSSH and Paramiko; what `tests/run --zoo` installs or builds for them.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use super::command::must;
use super::server::{HOST_KEY, next_port};
use super::{Lab, Server, has, skip};

/// The raw public key that tinysshd-makekey writes, and the same as ssh writes it.
const TINYSSH_KEYS: &str = "tinyssh_keys";
const TINYSSH_PUBLIC: &str = "tinyssh_keys.pub";

impl Lab {
    /// A network device of this kind (tests/servers/device.py).
    pub(crate) fn device(&self, options: &[&str]) -> Option<Server> {
        self.python_server("asyncssh", "device.py", options)
    }

    /// AsyncSSH's server with a version of this kind (tests/servers/odd_version.py).
    pub(crate) fn odd_version(&self, kind: &str) -> Option<Server> {
        self.python_server("asyncssh", "odd_version.py", &[kind])
    }

    /// Twisted Conch with its UNIX realm.
    pub(crate) fn conch(&self) -> Option<Server> {
        self.python_server("twisted.conch", "conch_server.py", &[])
    }

    /// tinysshd behind tcpserver.
    pub(crate) fn tinyssh(&self) -> Option<Server> {
        if !(has("tinysshd") && has("tcpserver")) {
            return None;
        }
        let keys = self.home().path(TINYSSH_KEYS);
        if !keys.exists() {
            must(Command::new("tinysshd-makekey").arg("-q").arg(&keys), "");
            let raw = fs::read(keys.join("ed25519.pk")).expect("a public key");
            self.home().write(TINYSSH_PUBLIC, &ed25519(&raw));
        }
        let (port, home) = (next_port(), self.home().path("server"));
        // It lets nobody in whose home lies in a folder that others may write, as /tmp is.
        self.server_host().etc("passwd", "root:x:0:0::/srv:/bin/sh\n");
        let line = format!(
            "mount --bind {} /srv && exec tcpserver -HRDl0 {} {port} tinysshd -v {}",
            home.display(),
            self.server_address(),
            keys.display()
        );
        Some(self.serve(port, Some(TINYSSH_PUBLIC), "sh", &["-c".into(), line.into()]))
    }

    /// sshesame, a honeypot that imitates a shell and lets everybody in.
    pub(crate) fn sshesame(&self) -> Option<Server> {
        if !has("sshesame") {
            return None;
        }
        let (port, key) = (next_port(), self.home().path(HOST_KEY));
        let config = self.home().path(&format!("sshesame_{port}.yaml"));
        let text = format!(
            "server:\n  listen_address: {}:{port}\n  host_keys: [{}]\nauth:\n  public_key_auth:\n    enabled: true\n    accepted: true\n",
            self.server_address(),
            key.display().to_string().trim_end_matches(".pub"),
        );
        fs::write(&config, text).expect("our own folder");
        Some(self.serve(port, Some(HOST_KEY), "sshesame", &["-config".into(), config.into()]))
    }

    /// ProFTPD's mod_sftp for the account `me`, with these lines more.
    pub(crate) fn proftpd(&self, settings: &[&str]) -> Option<Server> {
        if !has("proftpd") {
            return None;
        }
        self.user("me", "/bin/sh");
        let port = next_port();
        let keys = self.home().path("rfc4716_keys");
        let authorized = self.home().path("server/.ssh/authorized_keys");
        let rfc4716 = must(Command::new("ssh-keygen").args(["-e", "-f"]).arg(authorized), "");
        fs::write(&keys, rfc4716).expect("our own folder");
        let config = self.home().path(&format!("proftpd_{port}.conf"));
        let text = format!(
            "LoadModule mod_sftp.c\nServerType standalone\nUseIPv6 off\nDefaultAddress {}\nPort {port}\nUser root\nGroup root\n\
             RequireValidShell off\nWtmpLog off\nPidFile {}\nScoreboardFile none\nAuthOrder mod_auth_unix.c\nUseReverseDNS off\n\
             SFTPEngine on\nSFTPHostKey {}\nSFTPAuthorizedUserKeys file:{}\nSFTPAuthMethods publickey\n{}\n",
            self.server_address(),
            self.home().path(&format!("proftpd_{port}.pid")).display(),
            self.home().path("host_key").display(),
            keys.display(),
            settings.join("\n")
        );
        fs::write(&config, text).expect("our own folder");
        let args = ["-n".into(), "-c".into(), config.into_os_string()];
        Some(self.serve(port, Some(HOST_KEY), "proftpd", &args))
    }

    /// Erlang's ssh daemon.
    pub(crate) fn erlang(&self) -> Option<Server> {
        if !has("escript") {
            return None;
        }
        let port = next_port();
        let system = self.home().path("erlang");
        fs::create_dir_all(&system).expect("our own folder");
        for (file, name) in [("host_key", "ssh_host_ed25519_key"), ("host_key.pub", "ssh_host_ed25519_key.pub")] {
            let _ = symlink(self.home().path(file), system.join(name));
        }
        let args = [
            script("erlang_server.escript"),
            self.server_address().to_string().into(),
            port.to_string().into(),
            system.into(),
            self.home().path("server/.ssh").into(),
        ];
        Some(self.serve(port, Some(HOST_KEY), "escript", &args))
    }

    /// A server on Go's x/crypto with these options.
    pub(crate) fn go(&self, options: &[&str]) -> Option<Server> {
        self.built("go_server", options)
    }

    /// A server on gliderlabs' package for Go, of this kind.
    pub(crate) fn gliderlabs(&self, kind: &str) -> Option<Server> {
        self.built("gliderlabs_server", &[kind])
    }

    /// libssh's own example of a server.
    pub(crate) fn libssh(&self) -> Option<Server> {
        let program = built("libssh_server")?;
        let (port, address) = (next_port(), self.server_address().to_string());
        let mut args: Vec<OsString> = vec!["--no-default-keys".into(), "-p".into(), port.to_string().into()];
        args.extend(["-k".into(), self.home().path("host_key").into()]);
        args.extend(["-a".into(), self.home().path("server/.ssh/authorized_keys").into(), address.into()]);
        Some(self.serve(port, Some(HOST_KEY), &program, &args))
    }

    /// The server of node's package ssh2, of this kind.
    pub(crate) fn node(&self, kind: &str) -> Option<Server> {
        let modules = built("node_modules")?;
        let script = script("node_server.js");
        // Where node looks for packages is told by the environment alone.
        let args = [format!("NODE_PATH={modules}").into(), "node".into(), script];
        Some(self.with_keys("env", &args, &[kind]))
    }

    /// Apache MINA's server, of this kind.
    pub(crate) fn mina(&self, kind: &str) -> Option<Server> {
        let classes = built("mina")?;
        let args = [
            "-Djava.net.preferIPv4Stack=true".into(),
            "-cp".into(),
            format!("{classes}:{classes}/*").into(),
            "Mina".into(),
        ];
        Some(self.with_keys("java", &args, &[kind]))
    }

    /// The sshd of Debian 13, in a file system of its own, with these lines of sshd_config; the account is that file system's root.
    pub(crate) fn newer_sshd(&self, settings: &[&str]) -> Option<Server> {
        let root = built("trixie")?;
        let port = next_port();
        let config = self.sshd_config(port, "host_key", settings);
        let (config, folder) = (config.display(), self.home().path("").display().to_string());
        let mounts = format!(
            "set -e; mount --rbind {folder} {root}/mnt; mount --rbind /dev {root}/dev; mkdir -p {root}/run/sshd; \
             mount --bind {folder}/server {root}/root; sed 's#{folder}#/mnt/#g' {config} >{root}/mnt/newer_{port}; \
             exec chroot {root} /usr/sbin/sshd -D -e -f /mnt/newer_{port}"
        );
        Some(self.serve(port, Some(HOST_KEY), "sh", &["-c".into(), mounts.into()]))
    }

    /// sslh in front of a server, told from other protocols by what the client says first.
    pub(crate) fn behind_sslh(&self, server: &Server) -> Option<Server> {
        if !has("sslh") {
            return None;
        }
        let port = next_port();
        let from = format!("{}:{port}", self.server_address());
        let to = format!("{}:{}", server.address(), server.port());
        let args = ["-f", "-n", "-p", &from, "--ssh", &to, "--tls", "127.0.0.1:443"].map(Into::into);
        Some(self.serve(port, server.key(), "sslh", &args))
    }

    fn built(&self, program: &str, options: &[&str]) -> Option<Server> {
        Some(self.with_keys(&built(program)?, &[], options))
    }

    /// A program that takes, behind these arguments, its address, port, host key, authorized keys, and its own options.
    fn with_keys(&self, program: &str, before: &[OsString], options: &[&str]) -> Server {
        let port = next_port();
        let mut args = before.to_vec();
        args.extend([self.server_address().to_string().into(), port.to_string().into()]);
        args.extend(["host_key", "server/.ssh/authorized_keys"].map(|file| self.home().path(file).into()));
        args.extend(options.iter().map(Into::into));
        self.serve(port, Some(HOST_KEY), program, &args)
    }
}

fn script(name: &str) -> OsString {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers")).join(name).into()
}

/// The path of what `tests/run --zoo` has built; says loudly where it has not.
fn built(name: &str) -> Option<String> {
    let folder = std::env::var("SSH_DOCTOR_TEST_ZOO").unwrap_or_else(|_| "target/test-zoo".into());
    match fs::canonicalize(&folder).map(|folder| folder.join(name)) {
        Ok(path) if path.exists() => Some(path.display().to_string()),
        _ => skip(&format!("{name} is not built; tests/run --zoo builds it")),
    }
}

/// The line of a raw Ed25519 public key.
fn ed25519(raw: &[u8]) -> String {
    let name = "ssh-ed25519";
    let part = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("a short key").to_be_bytes();
        [&length, bytes].concat()
    };
    let blob = [part(name.as_bytes()), part(raw)].concat();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), blob).expect("our own file");
    format!("{name} {}", must(Command::new("base64").arg("-w0").arg(file.path()), ""))
}
