//! The files that ssh reads, and the programs that it starts.

use std::collections::BTreeSet;
use std::env;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};

use crate::base::own_ssh::OwnSsh;
use crate::facts::config::{ConfigFile, OtherHome, ProxyProgram};

/// ssh's words for a file that others may write, in front of its name.
const PERMISSIONS: &str = "Bad owner or permissions on ";

/// The files that ssh read, and the one that it refused, each once.
pub(super) fn of(own: &OwnSsh) -> Vec<ConfigFile> {
    let words = own.refusal.iter().flat_map(|refusal| &refusal.words);
    let refused = words.filter_map(|line| line.strip_prefix(PERMISSIONS)).map(PathBuf::from);
    let mut known = BTreeSet::new();
    let files = own.files.iter().cloned().chain(refused).filter(|file| known.insert(file.clone()));
    files.map(|file| file_at(&file)).collect()
}

fn file_at(path: &Path) -> ConfigFile {
    let metadata = path.metadata().ok();
    let mode = metadata.as_ref().map(|metadata| metadata.permissions().mode() & 0o7777);
    ConfigFile {
        path: path.display().to_string(),
        mode: mode.map(|mode| format!("{mode:04o}")),
        owner: metadata.map(|metadata| metadata.uid()),
        writable_by_others: mode.is_some_and(|mode| mode & 0o022 != 0),
    }
}

/// The home folder of the environment, where it has settings that ssh does not read: ssh goes by the user database.
pub(super) fn other_home() -> Option<OtherHome> {
    let environment = PathBuf::from(env::var_os("HOME")?);
    let database = User::from_uid(Uid::current()).ok()??.dir;
    let is_other = environment != database && environment.canonicalize().ok() != database.canonicalize().ok();
    (is_other && environment.join(".ssh/config").exists())
        .then(|| OtherHome { environment: environment.display().to_string(), database: database.display().to_string() })
}

/// The program that a command begins with, and whether PATH has it; none where only a shell can tell.
pub(super) fn program(command: &str) -> Option<ProxyProgram> {
    let name = command.split_whitespace().find(|word| *word != "exec")?;
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-_./+".contains(c));
    if !is_plain {
        return None;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = if name.contains('/') {
        may_be_run(Path::new(name))
    } else {
        env::split_paths(&path).any(|folder| may_be_run(&folder.join(name)))
    };
    Some(ProxyProgram { name: name.to_owned(), found })
}

fn may_be_run(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn a_program_is_looked_for_where_the_shell_would_look() {
        let found = |command: &str| program(command).map(|program| (program.name, program.found));
        assert_eq!(found("sh -c true"), Some(("sh".into(), true)));
        assert_eq!(found("exec /bin/sh -c true"), Some(("/bin/sh".into(), true)));
        assert_eq!(found("no-such-program %h"), Some(("no-such-program".into(), false)));
        assert_eq!(found("/etc/passwd x"), Some(("/etc/passwd".into(), false)));
        for shell in ["$HOME/bin/x y", "(a; b)", "A=b nc x", "'my nc' x", ""] {
            assert_eq!(found(shell), None, "{shell}");
        }
    }
}
