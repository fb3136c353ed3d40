//! A network namespace stands for a host.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use nix::sched::{CloneFlags, setns};

use super::command::must;

/// Namespaces, folders and files of ours begin with this, then the process and the lab that they belong to.
const PREFIX: &str = "sshdoctor-";
const NAMESPACES: &str = "/run/netns";
/// The folder of the folders that hosts have for their /etc.
const FOLDERS: &str = "/run";
/// Puts a host's own /etc over the machine's. `ip netns exec` would mount single files of /etc/netns, and such a mount is gone as soon
/// as the machine replaces the file below it (useradd does); nobody replaces /etc itself.
const MOUNT_ETC: &str = r#"mount --bind /etc "$0/machine" && mount --bind "$0/etc" /etc && exec "$@""#;

/// A host of a lab; it and every process in it end when it is dropped.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// A new host, with loopback up.
    pub(crate) fn new(lab: u32, role: &str) -> Self {
        let host = Self { name: format!("{}-{role}", unique(lab)) };
        must(Command::new("ip").args(["netns", "add", &host.name]), "");
        host.ip("link set lo up");
        host.link_etc().expect("root may write /run");
        host
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A command that will run on this host, with a bare environment.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "sh", "-c", MOUNT_ETC]).arg(self.folder()).arg(program.as_ref());
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs a future on this host: in a thread of its own, for the network of a thread can be changed.
    pub(crate) fn inside<T: Send>(&self, run: impl AsyncFnOnce() -> T + Send) -> T {
        let network = fs::File::open(Path::new(NAMESPACES).join(&self.name)).expect("our own namespace");
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(network, CloneFlags::CLONE_NEWNET).expect("root may enter it");
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(run())
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Lines of `ip -batch`.
    pub(crate) fn ip(&self, lines: &str) {
        must(Command::new("ip").args(["-n", &self.name, "-batch", "-"]), lines);
    }

    /// Lines of `nft -f`.
    pub(crate) fn nft(&self, lines: &str) {
        must(self.command("nft").args(["-f", "-"]), lines);
    }

    /// Lines of sysctl.conf.
    pub(crate) fn sysctl(&self, lines: &str) {
        must(self.command("sysctl").args(["-q", "-p", "-"]), lines);
    }

    /// Gives this host a file of its own in /etc; of a folder it then sees this file alone.
    pub(crate) fn etc(&self, name: &str, text: &str) {
        let etc = self.folder().join("etc");
        let file = etc.join(name);
        let first = etc.join(Path::new(name).components().next().expect("a name"));
        let write = || {
            if first.is_symlink() {
                fs::remove_file(&first)?;
            }
            fs::create_dir_all(file.parent().expect("a folder"))?;
            fs::write(&file, text)
        };
        write().expect("root may write /run");
    }

    /// The processes on this host.
    pub(crate) fn processes(&self) -> BTreeSet<u32> {
        let listed = must(Command::new("ip").args(["netns", "pids", &self.name]), "");
        listed.lines().filter_map(|line| line.trim().parse().ok()).collect()
    }

    /// The command lines of what runs on this host.
    pub(crate) fn command_lines(&self) -> impl Iterator<Item = String> {
        self.processes().into_iter().filter_map(command_line)
    }

    /// An /etc in which everything is a link to the machine's own, as the host sees that.
    fn link_etc(&self) -> std::io::Result<()> {
        let [etc, machine] = ["etc", "machine"].map(|folder| self.folder().join(folder));
        fs::create_dir_all(&etc)?;
        fs::create_dir_all(&machine)?;
        for entry in fs::read_dir("/etc")? {
            let name = entry?.file_name();
            symlink(machine.join(&name), etc.join(&name))?;
        }
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        Path::new(FOLDERS).join(&self.name)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// The name of this process's lab of this number.
pub(crate) fn unique(lab: u32) -> String {
    format!("{PREFIX}{}-{lab}", process::id())
}

/// The names in a folder that belong to labs, of this process or of another one.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.starts_with(PREFIX)).collect()
}

/// The command line of a process, with spaces between its words; none where it has ended.
pub(super) fn command_line(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).ok().map(|line| line.replace('\0', " "))
}

/// Everything this machine has of a lab: namespaces, their folders, and its temporary folder.
pub(crate) fn remains(lab: &str) -> Vec<String> {
    let places = [Path::new(NAMESPACES), Path::new(FOLDERS), &std::env::temp_dir()].map(names);
    places
        .into_iter()
        .flatten()
        .filter(|name| name.strip_prefix(lab).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit())))
        .collect()
}

/// Removes what killed test runs have left behind.
pub(crate) fn sweep() {
    for name in names(Path::new(NAMESPACES)).iter().chain(&names(Path::new(FOLDERS))).filter(|name| is_orphan(name)) {
        remove(name);
    }
    let temporary = std::env::temp_dir();
    for name in names(&temporary).iter().filter(|name| is_orphan(name)) {
        let _ = fs::remove_dir_all(temporary.join(name));
    }
}

fn is_orphan(name: &str) -> bool {
    let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
    owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

/// Ends the processes of a namespace and removes it; never panics, for it runs while a test unwinds.
fn remove(name: &str) {
    if let Ok(listed) = Command::new("ip").args(["netns", "pids", name]).output() {
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let _ = Command::new("kill").arg("-9").args(listed.split_whitespace()).output();
    }
    let _ = Command::new("ip").args(["netns", "del", name]).output();
    let _ = fs::remove_dir_all(Path::new(FOLDERS).join(name));
}
