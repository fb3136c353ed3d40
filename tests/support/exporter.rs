//! The exporter as a process, and requests to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait for the exporter.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An exporter with a configuration of its own.
pub(crate) struct Exporter {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
}

impl Exporter {
    /// Starts one; `allow` and `modules` are YAML, and so is what else the configuration says.
    pub(crate) fn start(folder: &Path, yaml: &str, options: &[&str]) -> Self {
        fs::write(folder.join("serve.yml"), yaml).unwrap();
        Self::again(folder, options)
    }

    /// Starts one with the configuration that is there.
    pub(crate) fn again(folder: &Path, options: &[&str]) -> Self {
        Self::listening(folder, "127.0.0.1:0", options)
    }

    /// Asks at an address.
    pub(crate) fn listening(folder: &Path, address: &str, options: &[&str]) -> Self {
        let mut child = serve(folder).args(["--listen", address]).args(options).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, address) = mpsc::channel();
        let log = folder.join("log");
        thread::spawn(move || {
            let mut log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
            while let Some(Ok(line)) = lines.next() {
                if let Some(address) = line.strip_prefix("ssh-doctor serve: listening on ") {
                    let _ = sender.send(address.parse().unwrap());
                }
                writeln!(log, "{line}").unwrap();
            }
        });
        let address = address.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{}", read(&folder.join("log"))));
        Self { child, address, folder: folder.to_owned() }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = self.child.wait().unwrap();
        (status.code(), began.elapsed())
    }

    pub(crate) fn log(&self) -> String {
        read(&self.folder.join("log"))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    /// Requests a page as Prometheus does, with a scrape timeout in seconds.
    pub(crate) fn scrape(&self, path: &str, timeout: f64) -> Answer {
        let header = format!("X-Prometheus-Scrape-Timeout-Seconds: {timeout}");
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\nConnection: close\r\n\r\n"))
    }

    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        // A connection that is cut off has said what it has said.
        let _ = stream.read_to_string(&mut text);
        Answer(text)
    }

    /// The value of a series of its own metrics.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        self.get("/metrics").value(series)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer as it came.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{:?}", self.0))
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.body().lines().any(|known| known == line)
    }

    pub(crate) fn value(&self, series: &str) -> f64 {
        let value = self.body().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{series} in {}", self.0)).parse().unwrap()
    }
}

pub(crate) fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    command.arg("serve").arg("--config").arg(folder.join("serve.yml")).stdin(Stdio::null()).stdout(Stdio::null());
    command.env_remove("SSH_DOCTOR_PASSWORD").env_remove("SSH_AUTH_SOCK").env_remove("STATE_DIRECTORY");
    command
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// Loopback may be probed, as far as the handshake.
pub(crate) const HANDSHAKE: &str =
    "allow:\n  networks: [127.0.0.0/8]\nmodules:\n  handshake:\n    only: [handshake]\n    ssh_config: none\n";

/// A port of loopback that accepts, and a count of the connections; what it sends is nothing.
pub(crate) fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = count.clone();
    thread::spawn(move || {
        let mut held = Vec::new();
        for connection in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            held.push(connection);
        }
    });
    (address, count)
}

pub(crate) fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
