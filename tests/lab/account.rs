//! Accounts with a password, and PAM, on the server's host alone: in a namespace, the machine's own are not touched.

use std::fs;
use std::os::unix::fs::chown;

use super::{Lab, Server};

/// The password of every account here.
pub(crate) const PASSWORD: &str = "correct horse";
/// Its hash: SHA-512 of crypt(5).
const HASH: &str = "$6$doctor$7qFv.vpyHnDciZLsIDImrmdB/1p98OCnUkPZTaekLMQBQPv4t2j8SndKkOveoC.b5ydL.xKg1YdJ8F8DaV3WC.";

/// The number of the account of [`Lab::user`].
const USER: u32 = 3001;

impl Lab {
    /// OpenSSH's sshd with PAM and one account more, `joe`, whom the client's key and [`PASSWORD`] let in; `shadow` is what stands
    /// behind the hash in shadow(5), `pam` are lines before those of pam_unix in its service, `settings` lines of sshd_config.
    pub(crate) fn sshd_with_joe(&self, shadow: &str, pam: &[&str], settings: &[&str]) -> Server {
        let host = self.server_host();
        let home = self.home().path("server").display().to_string();
        host.etc(
            "passwd",
            &format!(
                "root:x:0:0::/root:/bin/sh\njoe:x:3001:3001::{home}:/bin/sh\nsshd:x:102:65534::/run/sshd:/bin/false\n"
            ),
        );
        host.etc("shadow", &format!("root:*:19000:0:99999:7:::\njoe:{HASH}:{shadow}\nsshd:!:19000::::::\n"));
        let unix = ["auth", "account", "password", "session"].map(|kind| format!("{kind} required pam_unix.so"));
        host.etc("pam.d/sshd", &format!("{}\n{}\n", pam.join("\n"), unix.join("\n")));
        let keys = self.home().path("joes_keys");
        fs::copy(self.home().key("id_ed25519.pub"), &keys).expect("a key");
        let keys = format!("AuthorizedKeysFile {}", keys.display());
        self.sshd(&[settings, &["UsePAM yes", &keys]].concat())
    }

    /// Gives the server's host an account beside root's, with root's home and this shell: the client's key lets in to it.
    pub(crate) fn user(&self, name: &str, shell: &str) {
        let home = self.home().path("server");
        let lines = [
            format!("root:x:0:0::{}:/bin/sh", home.display()),
            "sshd:x:102:65534::/run/sshd:/usr/sbin/nologin".to_owned(),
            format!("{name}:x:{USER}:{USER}::{}:{shell}", home.display()),
        ];
        self.server_host().etc("passwd", &(lines.join("\n") + "\n"));
        self.server_host().etc("shadow", &format!("root:*:19000::::::\nsshd:!:19000::::::\n{name}:*:19000::::::\n"));
        for file in [home.clone(), home.join(".ssh"), home.join(".ssh/authorized_keys")] {
            chown(file, Some(USER), Some(USER)).expect("root may");
        }
    }

    /// A program of the server's host that does nothing for so many seconds.
    pub(crate) fn sleeper(&self, seconds: u32) -> String {
        self.program(&format!("sleep_{seconds}"), &format!("sleep {seconds}"))
    }

    /// A program of the server's host: these lines of the shell.
    pub(crate) fn program(&self, name: &str, lines: &str) -> String {
        let path = self.home().path(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("our own folder");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("our own file");
        path.display().to_string()
    }
}
