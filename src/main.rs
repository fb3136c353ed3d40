//! The `ssh-doctor` command: arguments become a plan, the plan an examination, the examination a report and an exit status.

use std::process::ExitCode;

use ssh_doctor::cli::{Cli, asks_for_nagios};
use ssh_doctor::{run, terminal};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let nagios = asks_for_nagios(&args);
    let asked = match Cli::read(args) {
        Ok(asked) => asked,
        Err(unread) => return unread.tell(nagios),
    };
    match run::run(asked.command) {
        Ok(verdict) => ExitCode::from(verdict.exit_status()),
        Err(error) => terminal::misuse(&error, nagios),
    }
}
