//! The `ssh-doctor` command: arguments become a plan, the plan an examination, the examination a report and an exit status.

use std::process::ExitCode;

use ssh_doctor::cli::Cli;
use ssh_doctor::{run, terminal};

fn main() -> ExitCode {
    let asked = match Cli::read(std::env::args_os()) {
        Ok(asked) => asked,
        Err(unread) => return unread.tell(),
    };
    match run::run(asked.command) {
        Ok(verdict) => ExitCode::from(verdict.exit_status()),
        Err(error) => terminal::misuse(&error),
    }
}
