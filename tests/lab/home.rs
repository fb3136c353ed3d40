//! The accounts, keys and settings of a lab: nothing of the machine's own user takes part.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command::must;
use super::namespace::Namespace;

/// The folder of a lab: a home on each end, host keys and logs.
#[derive(Debug)]
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new(name: &str) -> Self {
        let dir = tempfile::Builder::new().prefix(name).tempdir().expect("a temporary folder");
        let home = Self { dir };
        for folder in ["client/.ssh", "server/.ssh"] {
            fs::create_dir_all(home.path(folder)).expect("our own folder");
            set_mode(&home.path(folder), 0o700);
        }
        // Users other than root log in too, and read their home.
        set_mode(home.dir.path(), 0o755);
        home.make_key("client/.ssh/id_ed25519");
        home.make_key("host_key");
        fs::copy(home.path("client/.ssh/id_ed25519.pub"), home.path("server/.ssh/authorized_keys")).expect("a key");
        home.write("client/.ssh/known_hosts", "");
        home.write("client/.ssh/config", &home.settings());
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("our own folder");
    }

    /// The ssh_config that the client uses.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("client/.ssh/config")
    }

    pub(crate) fn make_key(&self, name: &str) {
        must(
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]).arg(self.path(name)),
            "",
        );
    }

    /// The file of a key that the client has.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.path("client/.ssh").join(name)
    }

    /// Makes a key of the client with these options of ssh-keygen.
    pub(crate) fn keygen(&self, name: &str, options: &[&str]) {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-N", "", "-C", name]).args(options).arg("-f").arg(self.key(name));
        must(&mut command, "");
    }

    /// Takes the client's own key away.
    pub(crate) fn forget_keys(&self) {
        for file in ["id_ed25519", "id_ed25519.pub"] {
            fs::remove_file(self.key(file)).expect("our own file");
        }
    }

    /// Lets a key of the client log in.
    pub(crate) fn authorize(&self, name: &str) {
        let file = self.path("server/.ssh/authorized_keys");
        let public = fs::read_to_string(self.key(&format!("{name}.pub"))).expect("a key");
        let known = fs::read_to_string(&file).expect("our own file");
        fs::write(file, known + &public).expect("our own file");
    }

    /// Adds an authority to known_hosts.
    pub(crate) fn trust(&self, host: &str, port: u16, authority: &str) {
        let file = self.path("client/.ssh/known_hosts");
        let mut known = fs::read_to_string(&file).expect("our own file");
        writeln!(known, "@cert-authority [{host}]:{port} {}", authority.trim()).expect("a string");
        fs::write(file, known).expect("our own file");
    }

    /// Adds a line to known_hosts.
    pub(crate) fn know(&self, host: &str, port: u16, public_key: &str) {
        let file = self.path("client/.ssh/known_hosts");
        let mut known = fs::read_to_string(&file).expect("our own file");
        writeln!(known, "[{host}]:{port} {}", public_key.trim()).expect("a string");
        fs::write(file, known).expect("our own file");
    }

    /// Gives a host accounts of its own: root may log in there whatever the machine says of root.
    pub(crate) fn settle(&self, host: &Namespace, end: &str, shell: &str) {
        let home = self.path(end);
        host.etc("passwd", &format!(
            "root:x:0:0:root:{}:{shell}\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
            home.display()
        ));
        host.etc("shadow", "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\nnobody:*:19000::::::\n");
    }

    fn settings(&self) -> String {
        let ssh = self.path("client/.ssh");
        let ssh = ssh.display();
        format!(
            "Host *\n  User root\n  IdentityFile {ssh}/id_ed25519\n  IdentitiesOnly yes\n  UserKnownHostsFile {ssh}/known_hosts\n  \
             GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n"
        )
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("our own file");
}
