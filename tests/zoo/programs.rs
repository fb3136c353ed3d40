//! Accounts that run an interpreter, a relay, a recorder or a program for terminals: each does what it is there for.

use super::accounts::{ME, ME_BRIEFLY, forced, job, on_terminal, shell};
use super::setups;
use crate::lab::{Lab, Server};

/// A database's client: without a terminal it quotes the statement that it does not know, and ends; on one it has a prompt.
const CLIENT: &str = "if [ -t 0 ]; then while printf 'app=> ' && read -r line; do :; done; exit 0; fi\nread -r line\n\
    echo \"ERROR: syntax error at or near \\\"${line%% *}\\\"\" >&2\necho \"LINE 1: $line\" >&2\nexit 1";
/// Redis's client, which knows `echo`, and quotes what else it is sent.
const KNOWS_ECHO: &str = "while read -r word rest; do case $word in echo) echo \"$rest\" ;; \
    *) echo \"ERR unknown command '$word', with args beginning with: '$rest'\" ;; esac; done";
/// Fails without a terminal and without a word, and fills the screen of one, as `top` does without TERM.
const FULL_SCREEN: &str = "[ -t 0 ] || exit 1\nprintf '\\033[?25l\\033[H\\033[J 3 users, load average: 0.1'\nsleep 20";
const MENU_ON_TERMINAL: &str = "[ -t 0 ] || exit 1\necho '1) status'; echo '2) leave'; printf 'Choice? '; read x";
/// A shell that takes no commands, as a client of a database is one.
const WITHOUT_C: &str = "[ \"$1\" = -c ] && { echo 'client: Error: unknown option: -c' >&2; exit 1; }\nwhile printf 'db> ' && read -r line; do :; done";

/// An account whose shell is this script.
fn script_as_shell(lab: &Lab, lines: &str) -> Server {
    let program = lab.program("shell", lines);
    shell(lab, &program, &[])
}

/// An account whose commands run through these lines, and that may have terminals and forwarding.
fn wrapped(lab: &Lab, lines: &str) -> Server {
    lab.user("me", "/bin/sh");
    let wrapper = lab.program("wrapper", lines);
    lab.key_options(&format!("command=\"{wrapper}\""));
    lab.sshd(&[])
}

/// A wrapper that has a name for each thing that it does.
const VERBS: &str = "set -- $SSH_ORIGINAL_COMMAND\ncase $1 in status) uptime ;; \
    *) echo \"Verb '$1' is none of: status, restart\" >&2; exit 1 ;; esac";

setups! {
    wrapper_of_verbs: |lab| job(lab, VERBS), ME => "healthy", ["session-restricted"], ["program"];
    wrapper_of_scripts: |lab| job(lab, "set -- $SSH_ORIGINAL_COMMAND; exec /srv/verbs/$1"), ME
        => "healthy", ["session-restricted"], ["program"];
    wrapper_of_functions: |lab| job(lab, "set -- $SSH_ORIGINAL_COMMAND; do_$1"), ME
        => "healthy", ["session-restricted"], ["program"];
    wrapper_that_merges_output: |lab| wrapped(lab, "exec sh -c \"$SSH_ORIGINAL_COMMAND\" 2>&1"), ME
        => "degraded", ["session-subsystem-missing"], ["exec", "forward"];
    wrapper_that_holds_output: |lab| wrapped(lab, "sh -c \"$SSH_ORIGINAL_COMMAND\" | sed ''"), ME_BRIEFLY
        => "degraded", ["session-output-held"], ["exec", "forward"];
    interpreter: |lab| on_terminal(lab, &lab.program("psql", CLIENT)), ME
        => "healthy", ["session-restricted"], ["shell"];
    interpreter_without_terminals: |lab| job(lab, CLIENT), ME => "healthy", ["session-restricted"], ["program"];
    interpreter_that_knows_echo: |lab| job(lab, KNOWS_ECHO), ME => "healthy", ["session-restricted"], ["program"];
    #[ignore = "tests/run --zoo"]
    interpreter_python: |lab| on_terminal(lab, "python3 -q"), ME => "healthy", ["session-restricted"], ["shell"];
    #[ignore = "tests/run --zoo"]
    interpreter_node: |lab| on_terminal(lab, "node"), ME => "healthy", ["session-restricted"], ["shell"];
    shell_that_takes_no_commands: |lab| script_as_shell(lab, WITHOUT_C), ME
        => "healthy", ["session-restricted"], ["shell", "forward"];
    shell_that_shows_processes: |lab| shell(lab, "/bin/ps", &[]), ME
        => "healthy", ["session-restricted"], ["forward", "program"];
    full_screen_that_fails_in_silence: |lab| on_terminal(lab, &lab.program("top", FULL_SCREEN)), ME
        => "healthy", ["session-restricted"], ["program"];
    menu_that_fails_in_silence: |lab| on_terminal(lab, &lab.program("menu", MENU_ON_TERMINAL)), ME
        => "healthy", ["session-restricted"], ["program"];
    prompt_that_fails_in_silence: |lab| on_terminal(lab, &lab.program("sh1", "[ -t 0 ] || exit 1\nexec sh -i")), ME
        => "degraded", ["session-shell-exits"], ["shell"];
    top: |lab| on_terminal(lab, "top"), ME => "healthy", ["session-restricted"], ["program"];
    allow_list_that_denies: |lab| job(lab, "echo 'usage: uptime | df' >&2; exit 126"), ME
        => "degraded", ["session-shell-exits"], [];
    allow_list_in_silence: |lab| job(lab, "exit 1"), ME => "broken", ["session-shell-exits"], [];
    recorder_with_a_terminal: |lab| wrapped(lab, "SHELL=/bin/sh exec script -qefc \"$SSH_ORIGINAL_COMMAND\" /dev/null"), ME
        => "degraded", ["session-on-terminal"], ["exec", "forward"];
    key_for_forwarding: |lab| forced_options(lab, "restrict,port-forwarding"), ME
        => "healthy", ["session-pty-refused"], ["exec", "sftp", "forward"];
    key_without_terminals: |lab| forced_options(lab, "no-pty"), ME
        => "healthy", ["session-pty-refused"], ["exec", "sftp", "forward"];
    account_without_terminals: |lab| settings(lab, &["PermitTTY no"]), ME
        => "healthy", ["session-pty-refused"], ["exec", "sftp", "forward"];
    server_without_terminals: |lab| no_terminals(lab, "mount -t tmpfs none /dev/pts"), ME
        => "degraded", ["session-pty-refused"], ["exec", "sftp", "forward"];
    container_without_terminals: |lab| no_terminals(lab, DANGLING), ME
        => "degraded", ["session-pty-refused"], ["exec", "sftp", "forward"];
    wrapper_with_a_status_of_its_own: |lab| wrapped(lab, "sh -c \"$SSH_ORIGINAL_COMMAND\"; exit 0"), ME
        => "degraded", ["session-subsystem-missing", "exit-status-altered"], ["exec", "forward"];
    game_without_a_terminal: |lab| job(lab, "echo \"Can't get TERM.\"; exit 1"), ME
        => "healthy", ["session-restricted"], ["program"];
    relay_to_what_speaks_first: |lab| forced(lab, "printf 'SSH-2.0-x\\\\r\\\\n'; cat >/dev/null"), ME
        => "healthy", ["session-restricted"], ["program"];
}

/// An account of a server with these settings.
fn settings(lab: &Lab, settings: &[&str]) -> Server {
    shell(lab, "/bin/sh", settings)
}

/// Makes a `/dev` like that of a container, whose link to the device for terminals leads to a file that anybody could create.
const DANGLING: &str = "mount -t tmpfs -o mode=755 none /mnt; cp -a /dev/null /dev/zero /dev/random /dev/urandom /dev/tty /mnt; \
    mkdir -m 1777 /mnt/pts; ln -s pts/ptmx /mnt/ptmx; ln -s /proc/self/fd /mnt/fd; mount --rbind /mnt /dev";

/// A server without a file system of terminals.
fn no_terminals(lab: &Lab, before: &str) -> Server {
    lab.user("me", "/bin/sh");
    lab.sshd_after(before, &["Subsystem sftp /usr/lib/openssh/sftp-server"])
}

/// An account whose key has these options.
fn forced_options(lab: &Lab, options: &str) -> Server {
    lab.user("me", "/bin/sh");
    lab.key_options(options);
    lab.sshd(&["Subsystem sftp /usr/lib/openssh/sftp-server"])
}
