//! Login shells: each runs commands, and nothing is wrong with any of them.

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

const ME: [&str; 2] = ["-l", "me"];
const ALL: [&str; 3] = ["exec", "sftp", "forward"];

setups! {
    shell_sh: |lab| shell(lab, "sh"), ME => "healthy", [], ALL;
    shell_bash: |lab| shell(lab, "bash"), ME => "healthy", [], ALL;
    shell_dash: |lab| shell(lab, "dash"), ME => "healthy", [], ALL;
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
