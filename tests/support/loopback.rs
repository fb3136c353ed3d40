//! A real sshd on every address of loopback, and a proxy before it with an idle timeout.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::lab::{eventually, has, skip};

const SSHD: &str = "/usr/sbin/sshd";

/// The server; it ends when it is dropped.
pub(crate) struct LoopbackSshd {
    child: Child,
    pub(crate) port: u16,
    folder: TempDir,
}

impl LoopbackSshd {
    /// Starts one with sftp; none where this is not possible, which is reported.
    pub(crate) fn start() -> Option<Self> {
        Self::with("Subsystem sftp internal-sftp\n")
    }

    /// Starts one with this in its configuration.
    pub(crate) fn with(more: &str) -> Option<Self> {
        if fs::metadata("/proc/self").map(|us| us.uid()).ok() != Some(0) {
            return skip("sshd needs root");
        }
        if !has("sshd") || !has("ssh-keygen") {
            return None;
        }
        // Compiled into Debian's sshd.
        fs::create_dir_all("/run/sshd").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["host_key", "id"] {
            let made =
                Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path(name)).status();
            assert!(made.unwrap().success());
        }
        let port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let key = fs::read_to_string(path("host_key.pub")).unwrap();
        fs::write(path("known_hosts"), format!("127.*,[127.*]:* {key}")).unwrap();
        let config = format!(
            "SetEnv HOME={}\nListenAddress 0.0.0.0\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PermitRootLogin yes\nMaxStartups 500\n{more}",
            // Not with the start-up files of this machine's root.
            folder.path().display(),
            path("host_key").display(),
            path("id.pub").display()
        );
        fs::write(path("sshd_config"), config).unwrap();
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(path("sshd_config")).stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        assert!(eventually(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok()));
        Some(Self { child, port, folder })
    }

    /// The settings of a module that logs in there, indented by four blanks.
    pub(crate) fn module(&self) -> String {
        format!(
            "    user: root\n    identities: [{0}/id]\n    ssh_config: none\n    options: {{UserKnownHostsFile: {0}/known_hosts, StrictHostKeyChecking: \"yes\"}}\n",
            self.folder.path().display()
        )
    }

    /// The private key that logs in there.
    pub(crate) fn identity(&self) -> PathBuf {
        self.folder.path().join("id")
    }

    /// The lines of ssh_config that log in there, with its port.
    pub(crate) fn ssh_config(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "User root\nPort {}\nIdentityFile {folder}/id\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known_hosts\nGlobalKnownHostsFile none\nStrictHostKeyChecking yes\n",
            self.port
        )
    }

    /// Starts a proxy that closes connections without data for so long, and returns its port.
    pub(crate) fn behind_idle_proxy(&self, idle: Duration) -> u16 {
        self.behind_proxy(Duration::ZERO, idle)
    }

    /// Starts a proxy that lets each connection wait for so long before it goes on to the server, and returns its port.
    pub(crate) fn behind_slow_proxy(&self, wait: Duration) -> u16 {
        self.behind_proxy(wait, Duration::from_hours(1))
    }

    fn behind_proxy(&self, wait: Duration, idle: Duration) -> u16 {
        let (listener, to) = (TcpListener::bind("0.0.0.0:0").unwrap(), self.port);
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                thread::spawn(move || {
                    thread::sleep(wait);
                    let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], to))).unwrap();
                    let (began, last) = (Instant::now(), Arc::new(AtomicU64::new(0)));
                    for (from, to) in [(&client, &server), (&server, &client)] {
                        let (from, to, last) = (from.try_clone().unwrap(), to.try_clone().unwrap(), last.clone());
                        thread::spawn(move || relay(from, to, idle, began, &last));
                    }
                });
            }
        });
        port
    }
}

impl Drop for LoopbackSshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies until one side closes or neither has sent anything for the idle time; `last` is the time of the last data, in milliseconds.
fn relay(mut from: TcpStream, mut to: TcpStream, idle: Duration, began: Instant, last: &AtomicU64) {
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap();
    from.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut buffer = vec![0; 65536];
    loop {
        match from.read(&mut buffer) {
            Ok(length) if length > 0 && to.write_all(&buffer[..length]).is_ok() => last.store(now(), Ordering::Relaxed),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
                    && u128::from(now() - last.load(Ordering::Relaxed)) < idle.as_millis() => {}
            _ => break,
        }
    }
    let _ = (from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both));
}
