//! Real servers on the server's host of a lab.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use super::command::{eventually, must};
use super::{Lab, Namespace, skip};

const SSHD: &str = "/usr/sbin/sshd";
/// States of a TCP connection in /proc/net/tcp.
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";

/// A server that listens; it ends when it is dropped, and its sessions with the lab.
pub(crate) struct Server {
    daemon: Child,
    address: Ipv4Addr,
    port: u16,
    log: PathBuf,
}

impl Lab {
    /// OpenSSH's sshd with these lines of sshd_config, which win over the lab's own.
    pub(crate) fn sshd(&self, settings: &[&str]) -> Server {
        self.sshd_on(self.server_host(), self.server_address(), settings)
    }

    /// The same on the bastion at a hop.
    pub(crate) fn bastion(&self, hop: usize, settings: &[&str]) -> Server {
        self.sshd_on(self.router(hop), self.address(hop - 1, 2), settings)
    }

    fn sshd_on(&self, host: &Namespace, address: Ipv4Addr, settings: &[&str]) -> Server {
        // Compiled into Debian's sshd; the package's service makes it, and no service runs here.
        fs::create_dir_all("/run/sshd").expect("root may write /run");
        let port = next_port();
        let file = format!("sshd_config_{port}");
        let key = self.home.path("host_key");
        let ours = [
            format!("Port {port}\nListenAddress {address}\nHostKey {}", key.display()),
            "PidFile none\nAuthorizedKeysFile .ssh/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes"
                .to_owned(),
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n".to_owned(),
        ];
        self.home.write(&file, &format!("{}\n{}", settings.join("\n"), ours.join("\n")));
        self.home.know(&address.to_string(), port, &fs::read_to_string(self.home.path("host_key.pub")).expect("a key"));
        self.serve_on(host, address, port, SSHD, &["-D".into(), "-e".into(), "-f".into(), self.home.path(&file).into()])
    }

    /// Dropbear with these options; none where it is not installed.
    pub(crate) fn dropbear(&self, options: &[&str]) -> Option<Server> {
        if !Path::new("/usr/sbin/dropbear").exists() {
            return skip("dropbear is not installed; tests/run installs it");
        }
        let (port, key) = (next_port(), self.home.path("dropbear_key"));
        if !key.exists() {
            let said = must(Command::new("dropbearkey").args(["-t", "ed25519", "-f"]).arg(&key), "");
            let public = said.lines().find(|line| line.starts_with("ssh-ed25519 ")).expect("a public key");
            self.home.write("dropbear_key.pub", public);
        }
        self.know(port, "dropbear_key.pub");
        let at = format!("{}:{port}", self.server_address());
        let pid_file = self.home.path("dropbear.pid");
        let mut args: Vec<OsString> = ["-F", "-E", "-s", "-p", &at].map(Into::into).into();
        args.extend(["-r".into(), key.into(), "-P".into(), pid_file.into()]);
        args.extend(options.iter().map(Into::into));
        Some(self.serve(port, "/usr/sbin/dropbear", &args))
    }

    /// AsyncSSH's server; none where the module is not installed.
    pub(crate) fn asyncssh(&self) -> Option<Server> {
        let keys = self.home.path("server/.ssh/authorized_keys");
        self.python("asyncssh_server.py", &[keys.into()])
    }

    /// AsyncSSH's server with a login of this kind (tests/servers/asyncssh_logins.py).
    pub(crate) fn asyncssh_login(&self, kind: &str) -> Option<Server> {
        let keys = self.home.path("server/.ssh/authorized_keys");
        self.python("asyncssh_logins.py", &[keys.into(), kind.into()])
    }

    /// A script of tests/servers with the address, the port, the host key, and these arguments.
    fn python(&self, script: &str, more: &[OsString]) -> Option<Server> {
        let python = std::env::var("SSH_DOCTOR_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
        // An absolute path: the server's host has a bare environment.
        let found = Command::new(&python).args(["-c", "import asyncssh, sys; print(sys.executable)"]).output();
        let Some(found) = found.ok().filter(|found| found.status.success()) else {
            return skip("the Python module asyncssh is not installed; tests/run installs it");
        };
        let port = next_port();
        self.know(port, "host_key.pub");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(script);
        let mut args: Vec<OsString> =
            vec![script.into(), self.server_address().to_string().into(), port.to_string().into()];
        args.push(self.home.path("host_key").into());
        args.extend(more.iter().cloned());
        Some(self.serve(port, String::from_utf8_lossy(&found.stdout).trim(), &args))
    }

    fn serve(&self, port: u16, program: &str, args: &[OsString]) -> Server {
        self.serve_on(self.server_host(), self.server_address(), port, program, args)
    }

    fn serve_on(&self, host: &Namespace, address: Ipv4Addr, port: u16, program: &str, args: &[OsString]) -> Server {
        let log = self.home.path(&format!("log_{port}"));
        let file = File::create(&log).expect("our own folder");
        let mut command = host.command(program);
        command.args(args).env("HOME", self.home.path("server")).stdin(Stdio::null());
        command.stdout(file.try_clone().expect("a second handle")).stderr(file);
        let daemon = command.spawn().expect("ip netns exec");
        let mut server = Server { daemon, address, port, log };
        let deadline = Duration::from_secs(20);
        let listens = eventually(deadline, || server.has_ended() || server.sockets(LISTEN) > 0);
        assert!(listens && !server.has_ended(), "{program} does not listen: {}", server.log());
        server
    }

    fn know(&self, port: u16, public_key: &str) {
        let key = fs::read_to_string(self.home.path(public_key)).expect("a key");
        self.home.know(&self.server_address().to_string(), port, &key);
    }
}

impl Server {
    /// The server as a target of ssh and of the doctor.
    pub(crate) fn url(&self) -> String {
        format!("ssh://{}:{}", self.address, self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server as a hop of ssh's `-J`.
    pub(crate) fn hop(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    /// The process that listens.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// The command lines of whatever else runs on the server's host.
    pub(crate) fn sessions(&self, lab: &Lab) -> Vec<String> {
        let others = lab.server_host().processes().into_iter().filter(|pid| *pid != self.pid());
        let lines = others.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).ok());
        lines.map(|line| line.replace('\0', " ")).collect()
    }

    /// All that the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How many connections the server holds open.
    pub(crate) fn connections(&self) -> usize {
        self.sockets(ESTABLISHED)
    }

    fn sockets(&self, state: &str) -> usize {
        let table = fs::read_to_string(format!("/proc/{}/net/tcp", self.pid())).unwrap_or_default();
        // With the address: before the daemon has entered its host, this is the machine's own table.
        let local = format!("{:08X}:{:04X}", u32::from(self.address).swap_bytes(), self.port);
        let mut count = 0;
        for line in table.lines() {
            let mut words = line.split_whitespace().skip(1);
            count += usize::from(words.next().is_some_and(|at| at == local) && words.nth(1) == Some(state));
        }
        count
    }

    fn has_ended(&mut self) -> bool {
        self.daemon.try_wait().is_ok_and(|ended| ended.is_some())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A port that no other server of this process has.
fn next_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(2201);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
