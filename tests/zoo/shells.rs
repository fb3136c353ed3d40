//! Login shells: each runs commands, and nothing is wrong with any of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::setups;
use crate::lab::{Lab, Server, installed};

/// sshd with an ordinary account that has this shell; none where it is not installed.
fn shell(lab: &Lab, shell: &str) -> Option<Server> {
    let path = installed(shell)?;
    lab.user("me", &path);
    Some(lab.sshd(&[]))
}

/// busybox is a shell by the name of its link.
fn busybox(lab: &Lab) -> Option<Server> {
    let busybox = installed("busybox")?;
    let link = lab.home().path("ash");
    let _ = std::os::unix::fs::symlink(busybox, &link);
    lab.user("me", &link.display().to_string());
    Some(lab.sshd(&[]))
}

/// An account whose shells may have ten files open, where dash does not put standard error aside.
fn few_files(lab: &Lab) -> Server {
    lab.user("me", "/bin/bash");
    lab.at_server_home(".bashrc", "ulimit -n 10\n");
    lab.sshd(&[])
}

/// An imitation that does not know any of the doctor's words.
fn imitation_of_little(lab: &Lab) -> Server {
    let script = lab.program("imitation", "echo \"bash: ${2%% *}: command not found\" >&2; exit 127");
    lab.user("me", &script);
    lab.sshd(&["Subsystem sftp /usr/lib/openssh/sftp-server"])
}

/// An imitation of a shell, as honeypots and appliances have: it knows some commands itself, and its `sh` reads lines whatever the
/// arguments are.
fn imitation(lab: &Lab) -> Server {
    let script = "#!/bin/sh\ncase $2 in\n'sh '*) exec sh ;;\n'echo '* | 'cat '*) exec sh -c \"$2\" ;;\n*) echo \"${2%% *}: command not found\" >&2; exit 127 ;;\nesac\n";
    let path = lab.home().path("imitation");
    lab.home().write("imitation", script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
    lab.user("me", &path.display().to_string());
    lab.sshd(&[])
}

const ME: [&str; 2] = ["-l", "me"];
const ALL: [&str; 3] = ["exec", "sftp", "forward"];

setups! {
    shell_sh: |lab| shell(lab, "sh"), ME => "healthy", [], ALL;
    shell_bash: |lab| shell(lab, "bash"), ME => "healthy", [], ALL;
    shell_dash: |lab| shell(lab, "dash"), ME => "healthy", [], ALL;
    shell_rbash: |lab| shell(lab, "rbash"), ME => "healthy", [], ALL;
    shell_rbash_beside_sftp_by_path: |lab| { lab.user("me", "/bin/rbash"); lab.sshd(&["Subsystem sftp /usr/lib/openssh/sftp-server"]) }, ME
        => "healthy", ["session-subsystem-missing"], ["exec", "forward"];
    shell_that_may_open_few_files: few_files, ME => "healthy", [], ALL;
    shell_imitated: imitation, ME => "healthy", [], ALL;
    shell_imitated_that_knows_nothing: imitation_of_little, ME => "degraded", ["session-shell-exits"], ["forward"];
    #[ignore = "tests/run --zoo"]
    shell_zsh: |lab| shell(lab, "zsh"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_fish: |lab| shell(lab, "fish"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_tcsh: |lab| shell(lab, "tcsh"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_csh: |lab| shell(lab, "bsd-csh"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_ksh: |lab| shell(lab, "ksh93"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_mksh: |lab| shell(lab, "mksh"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_busybox: busybox, ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_yash: |lab| shell(lab, "yash"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_rc: |lab| shell(lab, "rc"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_xonsh: |lab| shell(lab, "xonsh"), ME => "healthy", [], ALL;
    #[ignore = "tests/run --zoo"]
    shell_elvish: |lab| shell(lab, "elvish"), ME => "healthy", [], ALL;
}
