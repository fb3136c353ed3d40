//! Network devices: a command line of their own, a shell only, few sessions.

use super::setups;

const BRIEFLY: [&str; 2] = ["--timeout", "3s"];

setups! {
    device_ios: |lab| lab.device(&["Ios"]), [] => "healthy", ["session-restricted"], ["exec", "shell"];
    device_invalid_input: |lab| lab.device(&["InvalidInput"]), [] => "healthy", ["session-restricted"], ["exec", "shell"];
    device_nxos: |lab| lab.device(&["Nxos"]), [] => "healthy", [], ["exec"];
    device_junos: |lab| lab.device(&["Junos"]), [] => "healthy", ["session-restricted"], ["exec", "shell"];
    device_routeros: |lab| lab.device(&["RouterOs"]), [] => "healthy", ["session-restricted"], ["exec", "shell"];
    device_unlisted: |lab| lab.device(&["Unlisted"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_shell_only: |lab| lab.device(&["ShellOnly"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_first_session_only: |lab| lab.device(&["FirstSessionOnly"]), []
        => "healthy", ["session-restricted"], ["shell"];
    sftp_in_the_first_session_only: |lab| lab.device(&["FirstSftpOnly"]), []
        => "healthy", ["session-restricted"], ["sftp"];
    sftp_answers_in_the_first_session_only: |lab| lab.device(&["FirstSftpAnswersOnly"]), []
        => "healthy", ["session-restricted"], ["sftp"];
    device_one_console: |lab| lab.device(&["OneConsole"]), [] => "healthy", ["session-restricted"], ["shell"];
    forwards_only: |lab| lab.device(&["ForwardsOnly"]), [] => "degraded", ["channel-open-refused"], [];
    device_closes_commands: |lab| lab.device(&["ClosesCommands"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_denies: |lab| lab.device(&["Denies"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_slow_shell: |lab| lab.device(&["SlowShell"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_early_prompt: |lab| lab.device(&["EarlyPrompt"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_silent_shell: |lab| lab.device(&["SilentShell"]), [] => "degraded", ["session-exec-failed"], [];
    device_shell_without_terminal: |lab| lab.device(&["ShellWithoutTerminal"]), []
        => "healthy", ["session-restricted"], ["shell"];
    device_ignores_command: |lab| lab.device(&["IgnoresCommand"]), [] => "healthy", ["session-restricted"], ["shell"];
    device_menu: |lab| lab.device(&["Menu"]), [] => "healthy", ["session-restricted"], ["program"];
    device_full: |lab| lab.device(&["Full"]), [] => "broken", ["session-limit"], [];
    requests_unanswered: |lab| lab.device(&["Unanswered"]), BRIEFLY => "healthy", ["session-restricted"], ["program"];
    requests_but_sftp_unanswered: |lab| lab.device(&["UnansweredButSftp"]), BRIEFLY
        => "healthy", ["session-restricted"], ["sftp"];
    program_that_ends_before_the_answer: |lab| lab.device(&["EndsBeforeItAnswers"]), []
        => "healthy", ["session-restricted"], ["program"];
    program_whose_server_crashes_after_it: |lab| lab.device(&["CrashesAfterIt"]), []
        => "healthy", ["session-restricted"], ["program"];
    program_without_a_status: |lab| lab.device(&["WithoutStatus"]), []
        => "healthy", ["session-restricted"], ["program"];
    device_all_lines: |lab| lab.device(&["AllLines"]), [] => "broken", ["session-limit"], [];
    one_posix_session: |lab| lab.device(&["OnePosixSession"]), [] => "healthy", [], ["exec"];
    drops_second_session: |lab| lab.device(&["DropsSecond"]), [] => "healthy", [], ["exec"];
    ignores_global_requests: |lab| lab.device(&["IgnoresGlobalRequests"]), [] => "healthy", [], ["exec"];
}
