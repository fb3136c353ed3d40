//! A real sick network on this machine: namespaces for hosts, the kernel's NAT for the middlebox, real servers.
//!
//! Every lab has names and addresses of its own, so labs run side by side, and goes away with its value, also while a
//! test unwinds; what a killed run left behind is swept at the next start.

mod account;
mod agent;
mod command;
mod disturbance;
mod doctor;
mod held;
mod home;
mod identity;
mod kdc;
mod library;
mod middlebox;
mod name_server;
mod namespace;
mod proxy;
mod server;
mod software;
mod v6;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) use account::PASSWORD;
pub(crate) use command::{Daemon, Run, eventually, must};
pub(crate) use disturbance::{Times, now};
pub(crate) use doctor::Report;
pub(crate) use held::HeldSession;
pub(crate) use kdc::SERVICE;
pub(crate) use middlebox::{Heeded, Middlebox};
pub(crate) use namespace::{Namespace, remains};
pub(crate) use proxy::Proxy;
pub(crate) use server::Server;

use command::{run, run_at_prompt};
use home::Home;
use middlebox::{FAR, NEAR};

/// A client, routers in a row, and a server host; link `i` joins the `i`th host and the next one.
pub(crate) struct Lab {
    number: u32,
    hosts: Vec<Namespace>,
    home: Home,
}

impl Lab {
    /// A path whose routers do not meddle; none where this machine cannot have a lab.
    pub(crate) fn healthy() -> Option<Self> {
        Self::through(&[Middlebox::Plain])
    }

    /// A path through routers, the first one nearest to the client; none where this machine cannot have a lab.
    pub(crate) fn through(routers: &[Middlebox]) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        static POSSIBLE: OnceLock<Result<(), String>> = OnceLock::new();
        if let Err(lacking) = POSSIBLE.get_or_init(possible) {
            return skip(lacking);
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let home = Home::new(&format!("{}-", namespace::unique(number)));
        let roles = (1..=routers.len()).map(|hop| format!("r{hop}"));
        let roles = std::iter::once("client".to_owned()).chain(roles).chain(["server".to_owned()]);
        let hosts = roles.map(|role| Namespace::new(number, &role)).collect();
        let lab = Self { number, hosts, home };
        lab.connect();
        for (router, host) in routers.iter().zip(&lab.hosts[1..]) {
            router.install(host);
        }
        lab.home.settle(lab.client(), "client", "/bin/sh");
        lab.home.settle(lab.server_host(), "server", "/bin/sh");
        let bastions = routers.iter().zip(&lab.hosts[1..]).filter(|(router, _)| matches!(router, Middlebox::Bastion));
        bastions.for_each(|(_, host)| lab.home.settle(host, "server", "/bin/sh"));
        Some(lab)
    }

    /// Joins the router at a hop and the one after it by a second link, over which traffic to the server is spread; the address with
    /// which the further one answers there.
    pub(crate) fn second_link(&self, hop: usize) -> Ipv4Addr {
        let (near, far) = (self.router(hop), self.router(hop + 1));
        let line = format!("link add far2 netns {} type veth peer name near2 netns {}", near.name(), far.name());
        must(Command::new("ip").args(line.split(' ')), "");
        let (usual, [here, there]) = (self.address(hop, 2), [1, 2].map(|end| self.address(200 + hop, end)));
        near.ip(&format!("addr add {here}/24 dev far2\nlink set far2 up"));
        far.ip(&format!("addr add {there}/24 dev near2\nlink set near2 up"));
        // Each flow takes one route, told by its ports; a router answers from the side that it was asked on.
        near.sysctl("net.ipv4.fib_multipath_hash_policy = 1");
        far.sysctl("net.ipv4.icmp_errors_use_inbound_ifaddr = 1\nnet.ipv4.conf.all.rp_filter = 0");
        let server = self.address(self.hosts.len() - 2, 0);
        near.ip(&format!("route replace {server}/24 nexthop via {usual} dev {FAR} nexthop via {there} dev far2"));
        there
    }

    /// What every namespace and folder of this lab is called at its beginning.
    pub(crate) fn name(&self) -> String {
        namespace::unique(self.number)
    }

    /// Its accounts, keys and settings.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) fn client(&self) -> &Namespace {
        &self.hosts[0]
    }

    /// The router at a hop, counted from 1 at the client.
    pub(crate) fn router(&self, hop: usize) -> &Namespace {
        assert!((1..self.hosts.len() - 1).contains(&hop), "no router at hop {hop}");
        &self.hosts[hop]
    }

    pub(crate) fn server_host(&self) -> &Namespace {
        self.hosts.last().expect("a server")
    }

    pub(crate) fn server_address(&self) -> Ipv4Addr {
        self.address(self.hosts.len() - 2, 2)
    }

    /// An address on the client's own network; it has the first.
    pub(crate) fn client_address(&self, end: u8) -> Ipv4Addr {
        self.address(0, end)
    }

    /// Gives the client another address of its network in place of its own.
    pub(crate) fn move_client(&self, end: u8) {
        let (old, new, router) = (self.client_address(1), self.client_address(end), self.client_address(2));
        self.client().ip(&format!("addr del {old}/24 dev {FAR}\naddr add {new}/24 dev {FAR}"));
        let far = (1..self.hosts.len() - 1).map(|link| self.address(link, 0));
        far.for_each(|net| self.client().ip(&format!("route replace {net}/24 via {router}")));
    }

    /// The address with which the router at a hop answers the client.
    pub(crate) fn router_address(&self, hop: usize) -> Ipv4Addr {
        self.address(hop - 1, 2)
    }

    /// An address on the server's network that nobody has.
    pub(crate) fn nobody(&self) -> Ipv4Addr {
        self.address(self.hosts.len() - 2, 77)
    }

    /// Adds a rule of nftables to what the router next to the server does to forwarded packets.
    pub(crate) fn forward(&self, rule: &str) {
        middlebox::forward(self.router(self.hosts.len() - 2), rule);
    }

    /// Writes a file of the account's home on the server.
    pub(crate) fn at_server_home(&self, file: &str, text: &str) {
        self.home.write(&format!("server/{file}"), text);
    }

    /// Gives the account on the server another shell.
    pub(crate) fn server_shell(&self, shell: &str) {
        self.home.settle(self.server_host(), "server", shell);
    }

    /// Puts options in front of the key that may log in.
    pub(crate) fn key_options(&self, options: &str) {
        let key = std::fs::read_to_string(self.home.path("client/.ssh/id_ed25519.pub")).expect("a key");
        self.at_server_home(".ssh/authorized_keys", &format!("{options} {key}"));
    }

    /// Makes the first router reset both ends of a connection after so many seconds of silence; none without Python.
    pub(crate) fn resetting_firewall(&self, seconds: u32) -> Option<Daemon> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/resetting_firewall.py");
        let mut firewall = self.router(1).command(python("socket")?);
        firewall.args([script, NEAR, &seconds.to_string()]);
        Some(Daemon::start(&mut firewall))
    }

    /// Packets of more than 900 bytes vanish, and nothing says so.
    pub(crate) fn mtu_black_hole(&self) {
        self.vanish_above(900);
    }

    /// Packets of more than so many bytes vanish, and nothing says so.
    pub(crate) fn vanish_above(&self, bytes: u32) {
        // Otherwise the router sees several segments of a burst as one packet of their size together.
        self.client().ip(&format!("link set {FAR} gso_max_segs 1"));
        self.server_host().ip(&format!("link set {NEAR} gso_max_segs 1"));
        self.forward(&format!("ip length > {bytes} drop"));
    }

    /// Drops everything on the path from now on.
    pub(crate) fn cut(&self) {
        middlebox::cut(self.router(1));
    }

    /// Ends a [`cut`](Self::cut).
    pub(crate) fn restore(&self) {
        middlebox::restore(self.router(1));
    }

    /// Runs a command on the client.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, program: &str, args: &[S], deadline: Duration) -> Run {
        run(self.client().command(program).env("HOME", self.home.path("client")).args(args), deadline)
    }

    /// Runs a command on a server through plain `ssh` with these options.
    pub(crate) fn ssh(&self, server: &Server, options: &[&str], remote: &str, deadline: Duration) -> Run {
        self.run("ssh", &self.ssh_args(server, options, &[remote]), deadline)
    }

    /// Examines by a name of the server.
    pub(crate) fn ssh_at(&self, name: &str, server: &Server, remote: &str, deadline: Duration) -> Run {
        let alias = format!("HostKeyAlias=[{}]:{}", self.server_address(), server.port());
        let name = format!("HostName={name}");
        self.ssh(server, &["-o", &alias, "-o", &name], remote, deadline)
    }

    /// The hash of the key that [`sshd`](Self::sshd) has, by the number of the hash in SSHFP records.
    pub(crate) fn host_key_hash<const BYTES: usize>(&self, hash: u8) -> [u8; BYTES] {
        let records = must(Command::new("ssh-keygen").args(["-r", "x", "-f"]).arg(self.home.path("host_key.pub")), "");
        let begins = format!("SSHFP 4 {hash} ");
        let hex = records.lines().find_map(|line| line.split_once(&begins)).expect("an Ed25519 key").1;
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal"))
    }

    /// Logs in to a shell on a terminal through plain `ssh` with these options, and types nothing.
    pub(crate) fn ssh_shell(&self, server: &Server, options: &[&str], deadline: Duration) -> Run {
        let mut ssh = self.client().command("ssh");
        ssh.env("HOME", self.home.path("client")).env("TERM", "xterm");
        run_at_prompt(ssh.arg("-tt").args(self.ssh_args(server, options, &[])), deadline)
    }

    /// Holds a connection without any channel through plain `ssh` with these options.
    pub(crate) fn ssh_without_channel(&self, server: &Server, options: &[&str], deadline: Duration) -> Run {
        self.run("ssh", &self.ssh_args(server, &[&["-N"], options].concat(), &[]), deadline)
    }

    fn ssh_args(&self, server: &Server, options: &[&str], remote: &[&str]) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["-F".into(), self.home.config().into()];
        args.extend(options.iter().map(Into::into));
        args.push(server.url().into());
        args.extend(remote.iter().map(Into::into));
        args
    }

    /// What the client's kernel does with `TCPKeepAlive`, which ssh sets by default: a packet every so many seconds.
    pub(crate) fn tcp_keepalive(&self, seconds: u32) {
        self.client()
            .sysctl(&format!("net.ipv4.tcp_keepalive_time = {seconds}\nnet.ipv4.tcp_keepalive_intvl = {seconds}"));
    }

    /// Gives the account on the server a shell and a file that it reads when it starts.
    pub(crate) fn account(&self, shell: &str, file: &str, text: &str) {
        self.home.settle(self.server_host(), "server", shell);
        self.home.write(&format!("server/{file}"), text);
    }

    /// Lets the client send no faster than a slow line does, in kbit/s; none where the kernel has no token bucket.
    pub(crate) fn with_slow_uplink(self, rate: u32) -> Option<Self> {
        if shaped(self.client(), FAR, rate) { Some(self) } else { skip("the kernel's sch_tbf") }
    }

    /// Lets the ends of the first link send no faster than this many kbit/s, but for so many kB at once after a pause, as many shapers do; none
    /// where the kernel has no token bucket.
    pub(crate) fn with_deep_bucket(self, kbit: u32, burst: u32) -> Option<Self> {
        // A segment of 64 KiB would pass as one, seconds late.
        for (host, interface) in [(&self.hosts[0], FAR), (&self.hosts[1], NEAR)] {
            host.ip(&format!("link set {interface} gso_max_segs 1"));
        }
        let both = shaped_with(&self.hosts[0], FAR, kbit, burst) && shaped_with(&self.hosts[1], NEAR, kbit, burst);
        if both { Some(self) } else { skip("the kernel's sch_tbf") }
    }

    /// Lets the ends of a link, the client's being the first, send no faster than a slow line does, in kbit/s away from the client and towards
    /// it; none where the kernel has no token bucket.
    pub(crate) fn with_slow_link(self, link: usize, (away, towards): (u32, u32)) -> Option<Self> {
        let both = shaped(&self.hosts[link], FAR, away) && shaped(&self.hosts[link + 1], NEAR, towards);
        if both { Some(self) } else { skip("the kernel's sch_tbf") }
    }

    fn connect(&self) {
        let last = self.hosts.len() - 1;
        for link in 0..last {
            let [here, there] = [link, link + 1].map(|host| self.hosts[host].name());
            let line = format!("link add {FAR} netns {here} type veth peer name {NEAR} netns {there}");
            must(Command::new("ip").args(line.split(' ')), "");
        }
        for (at, host) in self.hosts.iter().enumerate() {
            if at > 0 {
                let from = self.address(at - 1, 2);
                host.ip(&format!("addr add {from}/24 dev {NEAR}\nlink set {NEAR} up"));
            }
            if at < last {
                let from = self.address(at, 1);
                host.ip(&format!("addr add {from}/24 dev {FAR}\nlink set {FAR} up"));
            }
        }
        // Routes to the lab only: whatever else somebody looks for, the network is unreachable at once.
        for (at, host) in self.hosts.iter().enumerate() {
            let back = (0..at.saturating_sub(1)).map(|link| (link, at - 1, 1));
            let on = (at + 1..last).map(|link| (link, at, 2));
            for (link, by, end) in back.chain(on) {
                host.ip(&format!("route add {}/24 via {}", self.address(link, 0), self.address(by, end)));
            }
        }
    }

    /// An address on a link; 1 is the end nearer to the client, 2 the other one.
    fn address(&self, link: usize, end: u8) -> Ipv4Addr {
        let lab = 1 + (std::process::id() + self.number) % 250;
        Ipv4Addr::new(10, u8::try_from(lab).expect("below 251"), u8::try_from(link).expect("a short path"), end)
    }
}

/// Lets a host send no faster than this by an interface; false where the kernel has no token bucket.
fn shaped(host: &Namespace, interface: &str, kbit: u32) -> bool {
    shaped_with(host, interface, kbit, 16)
}

/// Lets an interface of a host send so many kB at once after a pause.
fn shaped_with(host: &Namespace, interface: &str, kbit: u32, burst: u32) -> bool {
    let line = format!("qdisc add dev {interface} root tbf rate {kbit}kbit burst {burst}kb latency 400ms");
    let set = host.command("tc").args(line.split(' ')).output();
    set.is_ok_and(|set| set.status.success())
}

/// Says loudly that a test cannot run here; where nothing may be skipped, fails it.
pub(crate) fn skip<T>(lacking: &str) -> Option<T> {
    assert!(
        std::env::var_os("SSH_DOCTOR_REQUIRE_ALL").is_none_or(|all| all != "1"),
        "this test may not be skipped: {lacking}"
    );
    let thread = std::thread::current();
    // Not eprintln, which the test harness keeps for itself when a test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED {}: {lacking}", thread.name().unwrap_or("a test"));
    None
}

/// The path of a program; says loudly where it is not installed.
pub(crate) fn installed(program: &str) -> Option<String> {
    let found = Command::new("which").arg(program).output().ok().filter(|found| found.status.success());
    match found {
        Some(found) => Some(String::from_utf8_lossy(&found.stdout).trim().to_owned()),
        None => skip(&format!("{program} is not installed; tests/run installs it, what only the zoo needs with --zoo")),
    }
}

/// True if a program is there; says loudly where it is not.
pub(crate) fn has(program: &str) -> bool {
    is_installed(program) || skip::<()>(&format!("{program} is not installed; tests/run installs it")).is_some()
}

fn is_installed(program: &str) -> bool {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    Command::new("which").arg(program).env("PATH", path).output().is_ok_and(|found| found.status.success())
}

/// The absolute path of a Python that has this module, for hosts have a bare environment; none where there is none.
pub(crate) fn python(module: &str) -> Option<String> {
    let python = std::env::var("SSH_DOCTOR_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let ask = format!("import {module}, sys; print(sys.executable)");
    let found = Command::new(&python).args(["-c", &ask]).output().ok().filter(|found| found.status.success());
    match found {
        Some(found) => Some(String::from_utf8_lossy(&found.stdout).trim().to_owned()),
        None => skip(&format!("the Python module {module} is not installed; tests/run installs it")),
    }
}

/// True if this machine can have labs, after sweeping the remains of earlier ones.
fn possible() -> Result<(), String> {
    if std::fs::metadata("/proc/self").map(|us| us.uid()).ok() != Some(0) {
        return Err("network namespaces need root".into());
    }
    for program in ["ip", "nft", "sysctl", "ssh", "ssh-keygen", "kill", "mount", "/usr/sbin/sshd"] {
        if !is_installed(program) {
            return Err(format!("{program} is not installed; tests/run installs it"));
        }
    }
    namespace::sweep();
    // Some containers may make a namespace and not enter it.
    let name = namespace::unique(0);
    let tried = Command::new("ip").args(["netns", "add", &name]).output().map_err(|e| e.to_string())?;
    let entered = Command::new("ip").args(["netns", "exec", &name, "true"]).output().map_err(|e| e.to_string())?;
    let _ = Command::new("ip").args(["netns", "del", &name]).output();
    if entered.status.success() {
        return Ok(());
    }
    let said = [tried.stderr, entered.stderr].concat();
    Err(format!("no network namespaces here: {}", String::from_utf8_lossy(&said).trim()))
}
