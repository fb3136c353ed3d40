//! The `ssh-doctor` command.

fn main() {}
