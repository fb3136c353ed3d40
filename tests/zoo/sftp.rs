//! Accounts that are for file transfer only.

use super::setups;
use crate::lab::{Lab, Server};

/// A root directory that sshd accepts, made where this server alone sees it.
const JAIL: &str = "mount -t tmpfs -o mode=755 none /srv && mkdir -p /srv/jail/files && chown 3001 /srv/jail/files";
/// What guides to such accounts set beside it.
const LOCKED: [&str; 3] = ["AllowTcpForwarding no", "X11Forwarding no", "PermitTTY no"];

fn me(lab: &Lab, shell: &str, settings: &[&str]) -> Server {
    lab.user("me", shell);
    lab.sshd(settings)
}

fn jailed(lab: &Lab, shell: &str, settings: &[&str]) -> Server {
    lab.user("me", shell);
    lab.sshd_after(JAIL, &[settings, &["ChrootDirectory /srv/jail"]].concat())
}

/// A shell of its own that lets the sftp server through, as rssh and scponly do.
fn restricted_shell(lab: &Lab) -> Server {
    let shell = lab.program(
        "rssh",
        "case \"$2\" in *sftp-server) exec /usr/lib/openssh/sftp-server;; esac\n\
         printf '\\nThis account is restricted by rssh.\\nAllowed commands: sftp \\n\\nIf you believe this is in error, please contact your system administrator.\\n\\n' >&2\nexit 1",
    );
    me(lab, &shell, &["Subsystem sftp /usr/lib/openssh/sftp-server"])
}

/// A program that says what sshd says for sftp, also where sftp is asked for.
fn promised(lab: &Lab) -> Server {
    let program = lab.program("promised", "echo 'This service allows sftp connections only.'");
    lab.key_options(&format!("restrict,command=\"{program}\""));
    me(lab, "/bin/sh", &[])
}

const ME: [&str; 2] = ["-l", "me"];
const FORCED: &str = "ForceCommand internal-sftp";
const NOLOGIN: &str = "/usr/sbin/nologin";

setups! {
    sftp_forced: |lab| me(lab, "/bin/sh", &[FORCED]), ME => "healthy", ["session-restricted"], ["sftp", "forward"];
    sftp_forced_and_locked: |lab| me(lab, "/bin/sh", &[&[FORCED], &LOCKED[..]].concat()), ME
        => "healthy", ["session-restricted"], ["sftp"];
    sftp_forced_in_chroot: |lab| jailed(lab, "/bin/sh", &[&[FORCED], &LOCKED[..]].concat()), ME
        => "healthy", ["session-restricted"], ["sftp"];
    sftp_forced_in_chroot_nologin: |lab| jailed(lab, NOLOGIN, &[&[FORCED], &LOCKED[..]].concat()), ME
        => "healthy", ["session-restricted"], ["sftp"];
    sftp_in_chroot_without_a_shell: |lab| jailed(lab, "/bin/sh", &[]), ME
        => "healthy", ["session-restricted"], ["sftp", "forward"];
    sftp_beside_nologin: |lab| me(lab, NOLOGIN, &[]), ME => "healthy", ["session-restricted"], ["sftp", "forward"];
    sftp_beside_false: |lab| me(lab, "/bin/false", &["AllowTcpForwarding no"]), ME
        => "healthy", ["session-restricted"], ["sftp"];
    sftp_forced_by_key: |lab| { lab.key_options("restrict,command=\"internal-sftp\""); me(lab, "/bin/sh", &[]) }, ME
        => "healthy", ["session-restricted"], ["sftp"];
    sftp_that_is_promised_only: promised, ME => "degraded", ["session-shell-exits"], [];
    sftp_behind_a_restricted_shell: restricted_shell, ME => "healthy", ["session-restricted"], ["sftp", "forward"];
}
