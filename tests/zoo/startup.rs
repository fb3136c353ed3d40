//! Start-up files that change what sessions can do.

use super::accounts::{ME, ME_BRIEFLY, shell};
use super::setups;
use crate::lab::{Lab, Server};

/// An account with bash that reads these lines first.
fn bashrc(lab: &Lab, lines: &str) -> Server {
    let server = shell(lab, "/bin/bash", &[]);
    lab.at_server_home(".bashrc", &format!("{lines}\n"));
    server
}

const LONG: &str = "head -c 200000 /dev/zero | tr '\\0' m | fold -w 79";
const EXEC: [&str; 3] = ["exec", "sftp", "forward"];
const NO_SFTP: [&str; 2] = ["exec", "forward"];

setups! {
    path_unset: |lab| bashrc(lab, "unset PATH"), ME => "healthy", ["session-command-missing"], EXEC;
    path_empty: |lab| bashrc(lab, "PATH="), ME => "healthy", ["session-command-missing"], EXEC;
    path_elsewhere: |lab| bashrc(lab, "PATH=/nowhere"), ME => "healthy", ["session-command-missing"], EXEC;
    input_read_for_a_second: |lab| bashrc(lab, "read -r -t 1 line"), ME => "degraded", ["session-input-eaten"], NO_SFTP;
    input_taken_by_a_program: |lab| bashrc(lab, "timeout 1 cat >/dev/null"), ME
        => "degraded", ["session-input-eaten"], NO_SFTP;
    greeting_before_another_shell: |lab| bashrc(lab, "echo Welcome to db; exec sh"), ME
        => "broken", ["session-startup-exec"], ["forward"];
    greeting_before_an_interactive_shell: |lab| bashrc(lab, "echo Welcome to db; exec sh -i"), ME
        => "broken", ["session-startup-exec"], ["forward"];
    greeting_before_a_menu: |lab| bashrc(lab, "echo Welcome to db; echo '1) status  2) leave'; read -r x; exit"), ME
        => "healthy", ["session-restricted"], ["forward", "program"];
    greeting_before_tmux: |lab| bashrc(lab, "echo Welcome to db; exec tmux"), ME
        => "healthy", ["session-restricted"], ["forward", "program"];
    greeting_and_then_nothing: |lab| bashrc(lab, "echo Loading modules; sleep 120"), ME_BRIEFLY
        => "degraded", ["session-start-hangs"], ["forward"];
    greeting_and_slow_start: |lab| bashrc(lab, "echo Loading modules; sleep 14"), ME
        => "degraded", ["auth-slow", "session-rc-output"], NO_SFTP;
    inviting_greeting_and_slow_start: |lab| bashrc(lab, "echo 'Loading modules, please wait:'; sleep 14"), ME
        => "degraded", ["auth-slow", "session-rc-output"], NO_SFTP;
    question_of_a_start_up_file: |lab| bashrc(lab, "read -p 'Reason: ' reason"), ME_BRIEFLY
        => "degraded", ["session-start-hangs"], ["shell", "forward"];
    errors_without_end: |lab| bashrc(lab, "yes >&2"), ME => "degraded", ["session-start-hangs"], ["forward"];
    errors_every_second: |lab| bashrc(lab, "while :; do echo retrying mount >&2; sleep 1; done"), ["-l", "me", "--timeout", "5s"]
        => "degraded", ["session-start-hangs"], ["forward"];
    terms_to_accept: |lab| bashrc(lab, "echo Terms of use: be kind.; echo Press Enter to accept.; read -r x"), ME_BRIEFLY
        => "healthy", ["session-restricted"], ["forward", "program"];
    shell_in_front_of_commands: |lab| bashrc(lab, "bash --norc"), ME_BRIEFLY => "broken", ["session-startup-exec"], ["forward"];
    shell_that_ignores_hang_ups: |lab| bashrc(lab, "trap '' HUP; exec bash --norc"), ME_BRIEFLY
        => "degraded", ["session-startup-exec"], ["forward"];
    greeting_that_comes_late: |lab| bashrc(lab, "sleep 3; echo Loading; sleep 3"), ["-l", "me", "--timeout", "5s"]
        => "degraded", ["auth-slow", "session-rc-output"], ["exec"];
    output_elsewhere: |lab| bashrc(lab, "exec >/dev/null"), ME_BRIEFLY => "broken", ["session-output-lost"], ["forward"];
    greeting_of_200_kb: |lab| bashrc(lab, LONG), ME => "degraded", ["session-rc-output"], NO_SFTP;
}
