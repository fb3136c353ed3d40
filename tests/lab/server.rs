//! Real servers on the server's host of a lab.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use super::command::{eventually, must};
use super::namespace::{Namespace, command_line};
use super::{Lab, has, python};

const SSHD: &str = "/usr/sbin/sshd";
/// The key of every server that can read it.
pub(super) const HOST_KEY: &str = "host_key.pub";
/// States of a TCP connection in /proc/net/tcp.
const ESTABLISHED: &str = "01";
const LISTEN: &str = "0A";

/// A server that listens; it ends when it is dropped, and its sessions with the lab.
pub(crate) struct Server {
    daemon: Child,
    address: Ipv4Addr,
    port: u16,
    /// The file with the public host key that known_hosts has for it.
    key: Option<&'static str>,
    log: PathBuf,
    /// The server that this one is in front of.
    behind: Option<Box<Server>>,
}

impl Lab {
    /// OpenSSH's sshd with these lines of sshd_config, which win over the lab's own.
    pub(crate) fn sshd(&self, settings: &[&str]) -> Server {
        let port = next_port();
        let config = self.sshd_config(port, "host_key", settings);
        self.sshd_by(port, Some(HOST_KEY), config)
    }

    /// Starts sshd on a port that was another's before.
    pub(crate) fn sshd_at(&self, port: u16, settings: &[&str]) -> Server {
        let config = self.sshd_config(port, "host_key", settings);
        self.sshd_by(port, Some(HOST_KEY), config)
    }

    /// Starts sshd after these commands of the shell, in file systems of its own: what they mount, no other server sees.
    pub(crate) fn sshd_after(&self, commands: &str, settings: &[&str]) -> Server {
        let port = next_port();
        let config = self.sshd_config(port, "host_key", settings);
        let script = format!("set -e; {commands}; exec {SSHD} -D $LOG -f {}", config.display());
        let script = if script.contains("LOG=") { script } else { script.replace("$LOG", "-e") };
        self.serve(port, Some(HOST_KEY), "sh", &["-c".into(), script.into()])
    }

    /// OpenSSH's sshd with this configuration.
    pub(super) fn sshd_by(&self, port: u16, key: Option<&'static str>, config: PathBuf) -> Server {
        self.serve(port, key, SSHD, &["-D".into(), "-e".into(), "-f".into(), config.into()])
    }

    /// An sshd for each connection, as from inetd, that is told to end so many seconds after it began.
    pub(crate) fn sshd_of_age(&self, seconds: u32) -> Option<Server> {
        if !has("socat") {
            return None;
        }
        let port = next_port();
        let config = self.sshd_config(port, "host_key", &[]);
        let listen = format!("TCP-LISTEN:{port},bind={},fork,reuseaddr", self.server_address());
        // Without `nofork` sshd would have a pipe in place of the connection.
        let session = format!("EXEC:timeout {seconds} {SSHD} -i -e -f {},nofork", config.display());
        Some(self.serve(port, Some(HOST_KEY), "socat", &[listen.into(), session.into()]))
    }

    /// An sshd for one connection at a time; the others wait in a short queue.
    pub(crate) fn sshd_one_at_a_time(&self) -> Option<Server> {
        let python = python("socket")?;
        let port = next_port();
        let config = self.sshd_config(port, "host_key", &["Subsystem sftp internal-sftp"]);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/one_at_a_time.py");
        let address = self.server_address().to_string();
        let args = [script.into(), address.into(), port.to_string().into(), SSHD.into(), config.into()];
        Some(self.serve(port, Some(HOST_KEY), &python, &args))
    }

    pub(super) fn sshd_config(&self, port: u16, key: &str, settings: &[&str]) -> PathBuf {
        self.sshd_config_at(self.server_address(), port, key, settings)
    }

    /// Starts sshd on the bastion at a hop.
    pub(crate) fn bastion(&self, hop: usize, settings: &[&str]) -> Server {
        self.bastion_at(hop, next_port(), settings)
    }

    /// The same on a port that was another's before.
    pub(super) fn bastion_at(&self, hop: usize, port: u16, settings: &[&str]) -> Server {
        let address = self.router_address(hop);
        let config = self.sshd_config_at(address, port, "host_key", settings);
        let args = ["-D".into(), "-e".into(), "-f".into(), config.into()];
        self.listen(self.router(hop), address, port, Some(HOST_KEY), SSHD, &args)
    }

    fn sshd_config_at(&self, address: Ipv4Addr, port: u16, key: &str, settings: &[&str]) -> PathBuf {
        // Compiled into Debian's sshd; the package's service makes it, and no service runs here.
        fs::create_dir_all("/run/sshd").expect("root may write /run");
        let file = format!("sshd_config_{port}");
        let key = self.home.path(key);
        let ours = [
            format!("Port {port}\nListenAddress {address}\nHostKey {}", key.display()),
            "PidFile none\nAuthorizedKeysFile .ssh/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes"
                .to_owned(),
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel VERBOSE\n".to_owned(),
        ];
        let own = settings.join("\n");
        // As every distribution has it; sshd takes one line for a subsystem.
        let sftp = if own.contains("Subsystem") { "" } else { "Subsystem sftp internal-sftp\n" };
        self.home.write(&file, &format!("{own}\n{sftp}{}", ours.join("\n")));
        self.home.path(&file)
    }

    /// Dropbear with these options; none where it is not installed.
    pub(crate) fn dropbear(&self, options: &[&str]) -> Option<Server> {
        if !has("dropbear") {
            return None;
        }
        let (port, key) = (next_port(), self.home.path("dropbear_key"));
        if !key.exists() {
            let said = must(Command::new("dropbearkey").args(["-t", "ed25519", "-f"]).arg(&key), "");
            let public = said.lines().find(|line| line.starts_with("ssh-ed25519 ")).expect("a public key");
            self.home.write("dropbear_key.pub", public);
        }
        let at = format!("{}:{port}", self.server_address());
        let pid_file = self.home.path("dropbear.pid");
        let mut args: Vec<OsString> = ["-F", "-E", "-s", "-p", &at].map(Into::into).into();
        args.extend(["-r".into(), key.into(), "-P".into(), pid_file.into()]);
        args.extend(options.iter().map(Into::into));
        Some(self.serve(port, Some("dropbear_key.pub"), "dropbear", &args))
    }

    /// AsyncSSH's server with these options; none where the module is not installed.
    pub(crate) fn asyncssh(&self, options: &[&str]) -> Option<Server> {
        self.python_server("asyncssh", "asyncssh_server.py", options)
    }

    /// AsyncSSH's server with a login of this kind (tests/servers/asyncssh_logins.py).
    pub(crate) fn asyncssh_login(&self, kind: &str) -> Option<Server> {
        self.python_server("asyncssh", "asyncssh_logins.py", &[kind])
    }

    /// Paramiko's server; none where the module is not installed.
    pub(crate) fn paramiko(&self) -> Option<Server> {
        self.python_server("paramiko", "paramiko_server.py", &[])
    }

    /// Paramiko's server as one that leaves these unanswered (tests/servers/quiet_server.py).
    pub(crate) fn quiet(&self, kinds: &[&str]) -> Option<Server> {
        self.python_server("paramiko", "quiet_server.py", kinds)
    }

    /// Paramiko's server with a login of a password and then a code (tests/servers/paramiko_logins.py).
    pub(crate) fn paramiko_of_two_factors(&self) -> Option<Server> {
        self.python_server("paramiko", "paramiko_logins.py", &[])
    }

    pub(super) fn python_server(&self, module: &str, script: &str, options: &[&str]) -> Option<Server> {
        let python = python(module)?;
        let port = next_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers").join(script);
        let mut args: Vec<OsString> =
            vec![script.into(), self.server_address().to_string().into(), port.to_string().into()];
        args.extend(["host_key", "server/.ssh/authorized_keys"].map(|file| self.home.path(file).into()));
        args.extend(options.iter().map(Into::into));
        Some(self.serve(port, Some(HOST_KEY), &python, &args))
    }

    pub(super) fn serve(&self, port: u16, key: Option<&'static str>, program: &str, args: &[OsString]) -> Server {
        self.listen(self.server_host(), self.server_address(), port, key, program, args)
    }

    /// Starts what listens on a host at this address, and lets the client know its key, if it is to know one.
    pub(super) fn listen(
        &self,
        host: &Namespace,
        address: Ipv4Addr,
        port: u16,
        key: Option<&'static str>,
        program: &str,
        args: &[OsString],
    ) -> Server {
        if let Some(key) = key {
            let public = fs::read_to_string(self.home.path(key)).expect("a key");
            self.home.know(&address.to_string(), port, &public);
        }
        let log = self.home.path(&format!("log_{port}"));
        let file = File::create(&log).expect("our own folder");
        let mut command = host.command(program);
        command.args(args).env("HOME", self.home.path("server")).stdin(Stdio::null());
        command.stdout(file.try_clone().expect("a second handle")).stderr(file);
        let daemon = command.spawn().expect("ip netns exec");
        let mut server = Server { daemon, address, port, key, log, behind: None };
        let deadline = Duration::from_secs(20);
        let listens = eventually(deadline, || server.has_ended() || server.sockets(LISTEN) > 0);
        assert!(listens && !server.has_ended(), "{program} does not listen: {}", server.log());
        server
    }
}

impl Server {
    /// The server as a target of ssh and of the doctor.
    pub(crate) fn url(&self) -> String {
        format!("ssh://{}:{}", self.address, self.port)
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server as a hop of ssh's `-J`.
    pub(crate) fn hop(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    /// The file with its public host key.
    pub(super) fn key(&self) -> Option<&'static str> {
        self.key
    }

    /// Adds another server that is to live as long.
    pub(crate) fn and(mut self, behind: Server) -> Self {
        self.behind = Some(Box::new(behind));
        self
    }

    /// The process that listens.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    /// The command lines of whatever else runs on the server's host.
    pub(crate) fn sessions(&self, lab: &Lab) -> Vec<String> {
        self.others(lab.server_host()).filter_map(command_line).collect()
    }

    /// Ends every session on its host at once, and not the server.
    pub(crate) fn end_sessions(&self, host: &Namespace) {
        let pids = self.others(host).map(|pid| pid.to_string());
        // One that has ended meanwhile makes `kill` complain, and is what was wanted.
        let _ = Command::new("kill").args(["-9", "--"]).args(pids).output();
    }

    fn others(&self, host: &Namespace) -> impl Iterator<Item = u32> {
        host.processes().into_iter().filter(|pid| *pid != self.pid())
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
        let at = |address: u32| format!("{:08X}:{:04X}", address.swap_bytes(), self.port);
        let (local, any) = (at(u32::from(self.address)), at(0));
        let mut count = 0;
        for line in table.lines() {
            let mut words = line.split_whitespace().skip(1);
            count +=
                usize::from(words.next().is_some_and(|at| at == local || at == any) && words.nth(1) == Some(state));
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
pub(super) fn next_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(2201);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
