//! Sessions that fail for a reason of the server's own: each is named, and nothing else is.

use std::os::unix::fs::chown;

use super::setups;
use crate::lab::{Lab, Server, must};

/// What stands behind the hash in shadow(5) for an account that is in order.
const SOUND: &str = "19000:0:99999:7:::";
const JOE: [&str; 2] = ["-l", "joe"];
const ME: [&str; 2] = ["-l", "me"];
/// A shorter wait than the usual one: what hangs here hangs for ever.
const ME_BRIEFLY: [&str; 4] = ["-l", "me", "--timeout", "3s"];
const BASH: &str = "/bin/bash";
/// A complaint of a start-up file that goes on.
const COMPLAINS: &str = "echo 'mesg: ttyname failed: Inappropriate ioctl for device' >&2";

/// An account whose sessions PAM treats by these lines.
fn pam(lab: &Lab, lines: &[&str]) -> Server {
    lab.sshd_with_joe(SOUND, lines, &[])
}

fn pam_limits(lab: &Lab, limit: &str) -> Server {
    let file = lab.home().path("limits.conf");
    std::fs::write(&file, format!("joe - {limit}\n")).expect("our own folder");
    pam(lab, &[&format!("session required pam_limits.so conf={}", file.display())])
}

/// An account with bash, which reads this file for a command of sshd too.
fn bashrc(lab: &Lab, lines: &str) -> Server {
    lab.user("me", BASH);
    lab.at_server_home(".bashrc", &format!("{lines}\n"));
    lab.sshd(&[])
}

fn forced(lab: &Lab, command: &str) -> Server {
    lab.user("me", "/bin/sh");
    lab.key_options(&format!("restrict,command=\"{command}\""));
    lab.sshd(&[])
}

/// A root directory that does not belong to root.
fn chroot_of_the_user(lab: &Lab) -> Server {
    lab.user("me", "/bin/sh");
    let jail = lab.home().path("jail");
    std::fs::create_dir_all(&jail).expect("our own folder");
    chown(&jail, Some(3001), Some(3001)).expect("root may");
    lab.sshd(&[&format!("ChrootDirectory {}", jail.display())])
}

/// Keys that are looked up by a program that waits for a file server.
fn key_lookup_hangs(lab: &Lab) -> Server {
    let program = lab.sleeper(60);
    // sshd runs only what nobody else may write, in folders of the same kind.
    let script = format!("mount -t tmpfs -o mode=755 none /srv && cp {program} /srv/keys");
    lab.sshd_after(
        &script,
        &[
            "AuthorizedKeysCommand /srv/keys",
            "AuthorizedKeysCommandUser root",
            "AuthorizedKeysFile none",
            "LoginGraceTime 6",
        ],
    )
}

/// A file that is read, and that nobody writes.
fn fifo(lab: &Lab) -> String {
    let path = lab.home().path("server/wait").display().to_string();
    let _ = std::fs::remove_file(&path);
    must(std::process::Command::new("mkfifo").args(["-m", "666", &path]), "");
    path
}

setups! {
    pam_denies: |lab| pam(lab, &["session required pam_deny.so"]), JOE => "broken", ["session-pam-refused"], [];
    pam_counts_logins: |lab| pam_limits(lab, "maxlogins 0"), JOE => "broken", ["session-pam-refused"], [];
    start_up_waits: |lab| { let wait = fifo(lab); bashrc(lab, &format!("cat {wait}")) }, ME_BRIEFLY
        => "broken", ["session-start-hangs"], ["sftp", "forward"];
    start_up_is_slow: |lab| bashrc(lab, "sleep 11"), ME => "degraded", ["auth-slow"], ["exec", "sftp", "forward"];
    start_up_asks: |lab| bashrc(lab, "read answer"), ME_BRIEFLY => "broken", ["session-start-hangs"], ["sftp", "forward"];
    start_up_replaces: |lab| bashrc(lab, "exec /bin/dash"), ME_BRIEFLY => "broken", ["session-startup-exec"], ["forward"];
    start_up_complains_and_replaces: |lab| bashrc(lab, &format!("{COMPLAINS}; exec /bin/dash")), ME_BRIEFLY
        => "broken", ["session-startup-exec"], ["forward"];
    start_up_complains_and_waits: |lab| { let wait = fifo(lab); bashrc(lab, &format!("{COMPLAINS}; cat {wait}")) }, ME_BRIEFLY
        => "broken", ["session-start-hangs"], ["sftp", "forward"];
    start_up_complains_and_is_slow: |lab| bashrc(lab, &format!("{COMPLAINS}; sleep 11")), ME
        => "degraded", ["auth-slow"], ["exec", "sftp", "forward"];
    start_up_complains: |lab| bashrc(lab, COMPLAINS), ME => "healthy", [], ["exec", "sftp", "forward"];
    shell_that_is_forced_and_complains: |lab| forced(lab, &lab.program("sh1", &format!("{COMPLAINS}\nexec sh"))), ME
        => "healthy", ["session-restricted"], ["program"];
    sftp_server_that_complains: |lab| forced(lab, &lab.program("sftp", &format!("{COMPLAINS}\nexec /usr/lib/openssh/sftp-server"))), ME
        => "healthy", ["session-restricted"], ["sftp"];
    menu_on_standard_error: |lab| forced(lab, &lab.program("menu", "printf '1) reboot\n2) leave\n' >&2; read x; [ \"$x\" ] && echo chosen: $x")), ME
        => "healthy", ["session-restricted"], ["program"];
    #[ignore = "tests/run --zoo"]
    // Two that make its folder at once complain of each other.
    start_up_replaces_by_fish: |lab| bashrc(lab, "XDG_DATA_HOME=$HOME/$$ exec fish"), ME_BRIEFLY
        => "broken", ["session-startup-exec"], ["forward"];
    start_up_prints_much: |lab| bashrc(lab, "head -c 200000 /dev/zero | tr '\\0' m | fold"), ME
        => "degraded", ["session-rc-output"], ["exec", "sftp", "forward"];
    start_up_loses_path: |lab| bashrc(lab, "PATH=/nowhere"), ME
        => "healthy", ["session-command-missing"], ["exec", "sftp", "forward"];
    process_limit: |lab| bashrc(lab, "ulimit -u 1"), ME => "broken", ["session-process-limit"], ["exec", "sftp", "forward"];
    forced_and_missing: |lab| forced(lab, "/usr/local/bin/rsync-backup --server"), ME
        => "broken", ["session-command-missing"], [];
    chroot_of_user: chroot_of_the_user, ME => "broken", ["session-chroot-failed"], [];
    chroot_of_root: chroot_of_the_user, [] => "broken", ["session-chroot-failed"], ["forward"];
    keys_are_looked_up_for_ever: key_lookup_hangs, ["--timeout", "8s"] => "broken", ["auth-key-lookup-hangs"], [];
}
