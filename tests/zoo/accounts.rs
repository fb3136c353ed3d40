//! Accounts on sshd that run a program of their own, or nothing: jobs, menus, bastions.

use super::setups;
use crate::lab::{Lab, Server};

/// An account whose key runs these lines of the shell and nothing else.
pub(super) fn job(lab: &Lab, lines: &str) -> Server {
    let program = lab.program("job", lines);
    forced(lab, &program)
}

pub(super) fn forced(lab: &Lab, command: &str) -> Server {
    lab.user("me", "/bin/sh");
    lab.key_options(&format!("restrict,command=\"{command}\""));
    lab.sshd(&[])
}

/// An account that may have terminals too.
pub(super) fn on_terminal(lab: &Lab, command: &str) -> Server {
    lab.user("me", "/bin/sh");
    lab.key_options(&format!("command=\"{command}\",no-port-forwarding"));
    lab.sshd(&[])
}

/// An account with this shell.
pub(super) fn shell(lab: &Lab, shell: &str, settings: &[&str]) -> Server {
    lab.user("me", shell);
    lab.sshd(&[settings, &["Subsystem sftp /usr/lib/openssh/sftp-server"]].concat())
}

/// An account whose shell prints these words and ends.
fn message(lab: &Lab, lines: &str) -> Server {
    let program = lab.program("message", lines);
    shell(lab, &program, &[])
}

/// A chroot with the programs of the system, and without /dev.
fn without_devices(lab: &Lab) -> Server {
    lab.user("me", "/bin/sh");
    let folders =
        "mkdir -p /srv/jail; cd /srv/jail; for it in bin lib lib64 usr; do mkdir $it; mount --bind /$it $it; done";
    let home = "mkdir -p ./$HOME";
    lab.sshd_after(
        &format!("mount -t tmpfs -o mode=755 none /srv; {folders}; {home}; cd /"),
        &["Match User me\nChrootDirectory /srv/jail\nMatch all"],
    )
}

/// A chroot with a shell and nothing that a shell starts.
fn shell_alone(lab: &Lab) -> Server {
    lab.user("me", "/bin/sh");
    let folders = "mkdir -p /srv/jail/bin /srv/jail/$HOME; cp /bin/sh /srv/jail/bin/sh; cd /srv/jail; for it in lib lib64; do mkdir $it; mount --bind /$it $it; done";
    lab.sshd_after(
        &format!("mount -t tmpfs -o mode=755 none /srv; {folders}; cd /"),
        &["Match User me\nChrootDirectory /srv/jail\nMatch all"],
    )
}

/// A shell with the environment of another login, as of one on the host behind this one.
const NEXT_LOGIN: &str = "exec env -u SSH_ORIGINAL_COMMAND SSH_CONNECTION='192.0.2.1 40000 192.0.2.2 22' sh";
/// Asks for a reason, and shows that on terminals alone, as the `read -p` of bash does.
const QUESTION: &str = "[ -t 0 ] && printf 'Reason for access: '\nread -r reason\nexec sh -c \"$SSH_ORIGINAL_COMMAND\"";

/// The words of ssh about a host behind this one that does not let it in.
const NEXT_HOST: &str = "echo 'Pseudo-terminal will not be allocated because stdin is not a terminal.' >&2\n\
    echo 'me@inner: Permission denied (publickey).' >&2; exit 255";

pub(super) const ME: [&str; 2] = ["-l", "me"];
pub(super) const ME_BRIEFLY: [&str; 4] = ["-l", "me", "--timeout", "3s"];
const FORWARD: [&str; 4] = ["-l", "me", "--expect", "forward"];
const TO_JUMP: &str = "echo 'This is a jump host: use ssh -J.'; exit 0";
const NOLOGIN: &str = "/usr/sbin/nologin";

setups! {
    job_that_prints: |lab| job(lab, "echo 'backup of db finished, 12 files'"), ME
        => "healthy", ["session-restricted"], ["program"];
    job_in_silence: |lab| job(lab, "exit 0"), ME => "degraded", ["session-shell-exits"], [];
    job_that_fails: |lab| job(lab, "echo 'no such database: db' >&2; exit 3"), ME
        => "degraded", ["session-shell-exits"], [];
    job_that_quotes: |lab| job(lab, "echo \"not allowed: $SSH_ORIGINAL_COMMAND\" >&2; exit 2"), ME
        => "healthy", ["session-restricted"], ["program"];
    #[ignore = "tests/run --zoo"]
    backup_rrsync: |lab| forced(lab, "/usr/bin/rrsync -ro /srv"), ME => "healthy", ["session-restricted"], ["program"];
    #[ignore = "tests/run --zoo"]
    backup_borg: |lab| forced(lab, "/usr/bin/borg serve --restrict-to-path /srv"), ME
        => "healthy", ["session-restricted"], ["program"];
    reader_of_its_input: |lab| job(lab, "exec cat >/dev/null"), ME => "healthy", ["session-restricted"], ["program"];
    menu: |lab| on_terminal(lab, "echo '1) status  2) leave'; printf 'Choice: '; read x"), ME
        => "healthy", ["session-restricted"], ["program"];
    #[ignore = "tests/run --zoo"]
    tmux_forced: |lab| on_terminal(lab, "tmux new-session -A -s main"), ME
        => "healthy", ["session-restricted"], ["program"];
    #[ignore = "tests/run --zoo"]
    screen_forced: |lab| on_terminal(lab, "screen -xRR"), ME => "healthy", ["session-restricted"], ["program"];
    menu_with_a_prompt: |lab| on_terminal(lab, "echo '1) restart'; echo '2) leave'; printf '> '; read x"), ME
        => "healthy", ["session-restricted"], ["program"];
    sftp_server_forced: |lab| forced(lab, "/usr/lib/openssh/sftp-server"), ME
        => "healthy", ["session-restricted"], ["sftp"];
    rsync_daemon_forced: |lab| forced(lab, "rsync --server --daemon ."), ME
        => "healthy", ["session-restricted"], ["program"];
    shell_that_is_forced: |lab| job(lab, "exec sh"), ME => "healthy", ["session-restricted"], ["program"];
    program_that_needs_a_terminal: |lab| job(lab, "echo 'TERM environment variable needs set.' >&2; exit 1"), ME
        => "healthy", ["session-restricted"], ["program"];
    wrapper_that_denies: |lab| job(lab, "echo 'Access denied'; exit 1"), ME
        => "healthy", ["session-restricted"], ["program"];
    wrapper_that_runs_commands: |lab| job(lab, "exec sh -c \"$SSH_ORIGINAL_COMMAND\""), ME
        => "healthy", ["session-pty-refused"], ["exec"];
    restricted_key: |lab| { lab.user("me", "/bin/sh"); lab.key_options("restrict"); lab.sshd(&[]) }, ME
        => "healthy", [], ["exec", "sftp"];
    bastion_false: |lab| shell(lab, "/bin/false", &[]), ME => "broken", ["session-shell-exits"], ["forward"];
    bastion_nologin: |lab| shell(lab, NOLOGIN, &[]), ME => "broken", ["session-nologin"], ["forward"];
    bastion_false_as_one: |lab| shell(lab, "/bin/false", &[]), FORWARD => "healthy", ["session-restricted"], ["forward"];
    bastion_nologin_as_one: |lab| shell(lab, NOLOGIN, &[]), FORWARD => "healthy", ["session-restricted"], ["forward"];
    bastion_message: |lab| message(lab, TO_JUMP), ME => "healthy", ["session-restricted"], ["forward", "program"];
    bastion_message_error: |lab| message(lab, "echo 'Only ProxyJump is allowed on this bastion.' >&2; exit 1"), ME
        => "healthy", ["session-restricted"], ["forward", "program"];
    no_sessions: |lab| lab.sshd(&["MaxSessions 0"]), [] => "healthy", ["session-restricted"], ["forward"];
    no_sessions_as_one: |lab| lab.sshd(&["MaxSessions 0"]), ["--expect", "forward"]
        => "healthy", ["session-restricted"], ["forward"];
    no_sessions_and_few_destinations: |lab| lab.sshd(&["MaxSessions 0", "PermitOpen 192.0.2.1:22"]), []
        => "healthy", ["session-restricted"], ["forward"];
    no_sessions_and_no_forwarding: |lab| lab.sshd(&["MaxSessions 0", "AllowTcpForwarding no"]), []
        => "broken", ["channel-open-refused"], [];
    relay_to_a_silent_service: |lab| job(lab, "exec sleep 120"), ME_BRIEFLY
        => "degraded", ["session-start-hangs"], [];
    relay_to_a_service_that_greets: |lab| job(lab, "echo '220 mail ESMTP'; exec sleep 120"), ME_BRIEFLY
        => "healthy", ["session-restricted"], ["program"];
    greeting_before_a_forced_shell: |lab| job(lab, "echo \"You are $USER\"; exec sh"), ME
        => "healthy", ["session-restricted"], ["program"];
    menu_with_letters: |lab| job(lab, "echo 'a) status'; echo 'q) leave'; read x; [ \"$x\" = q ]"), ME
        => "healthy", ["session-restricted"], ["program"];
    reader_of_an_archive: |lab| job(lab, "exec tar xzf - -C /tmp"), ME
        => "healthy", ["session-restricted"], ["program"];
    shell_that_shows_the_date: |lab| shell(lab, "/bin/date", &[]), ME
        => "healthy", ["session-restricted"], ["forward", "program"];
    relay_to_a_service_that_echoes: |lab| job(lab, "cat; sleep 60"), ME
        => "healthy", ["session-restricted"], ["program"];
    chroot_without_devices: without_devices, ME => "healthy", [], ["exec", "sftp", "forward"];
    chroot_with_a_shell_alone: shell_alone, ME => "healthy", ["session-command-missing"], ["exec", "sftp", "forward"];
    // A start-up file that runs `exec sudo -i` looks alike.
    shell_of_the_next_host: |lab| forced(lab, &format!("exec {}", lab.program("job", "unset SSH_ORIGINAL_COMMAND; exec sh"))), ME
        => "degraded", ["session-startup-exec"], [];
    shell_of_the_next_host_by_ssh: |lab| forced(lab, &format!("exec {}", lab.program("job", NEXT_LOGIN))), ME
        => "degraded", ["session-startup-exec"], [];
    service_that_is_not_reached: |lab| job(lab, "echo 'Could not connect to Redis at 192.0.2.9:6379: Connection refused' >&2; exec cat >/dev/null"), ME
        => "degraded", ["session-shell-exits"], [];
    question_before_commands: |lab| on_terminal(lab, &lab.program("ask", QUESTION)), ME
        => "degraded", ["session-start-hangs"], ["shell"];
    question_that_no_terminal_shows: |lab| job(lab, QUESTION), ME => "broken", ["session-start-hangs"], [];
    next_host_refuses: |lab| job(lab, NEXT_HOST), ME => "degraded", ["session-shell-exits"], [];
    error_of_the_system_in_spanish: |lab| job(lab, "echo \"timeout: fallo al ejecutar la orden '/opt/borg': Permiso denegado\" >&2; exit 1"), ME
        => "degraded", ["session-shell-exits"], [];
    legal_notice_before_an_error: |lab| job(lab, "echo 'All commands are logged. Unauthorized access is prohibited.'; echo 'bash: /opt/env.sh: No space left on device' >&2; exit 1"), ME
        => "degraded", ["session-shell-exits"], [];
    job_that_misses_a_program: |lab| job(lab, "echo 'ERROR: Command not found: borg' >&2; exit 1"), ME
        => "degraded", ["session-shell-exits"], [];
    job_without_its_passphrase: |lab| job(lab, "echo 'gpg: decryption failed: Inappropriate ioctl for device' >&2; exit 2"), ME
        => "degraded", ["session-shell-exits"], [];
    // Root's shell with an environment of its own, as of a forced `sudo -i`.
    shell_of_root_that_is_forced: |lab| job(lab, "env -u SSH_ORIGINAL_COMMAND sh; exit"), ME
        => "healthy", ["session-restricted"], ["program"];
    wrapper_that_says_one_word: |lab| job(lab, "echo denied >&2; exit 1"), ME
        => "healthy", ["session-restricted"], ["program"];
    filter_that_quotes: |lab| job(lab, "echo \"ERROR: ssh command rejected: disallowed command: $SSH_ORIGINAL_COMMAND\" >&2; exit 255"), ME
        => "healthy", ["session-restricted"], ["program"];
    reader_that_fails_in_silence: |lab| job(lab, "cat >/dev/null; exit 7"), ME => "degraded", ["session-shell-exits"], [];
    job_that_is_told_how_many_sessions: |lab| job(lab, "echo 'This server only allows 2 sessions per user.'; exit 1"), ME
        => "degraded", ["session-shell-exits"], [];
    reader_of_data_of_its_own: |lab| job(lab, "cat >/dev/null; echo 'bad magic number' >&2; exit 1"), ME
        => "healthy", ["session-restricted"], ["program"];
    nothing_at_all: |lab| shell(lab, NOLOGIN, &["AllowTcpForwarding no"]), ME => "broken", ["session-nologin"], [];
}
