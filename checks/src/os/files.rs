//! Files that the user's settings name.

use std::fs::{File, metadata};
use std::io;
use std::path::Path;

/// Opens a plain file to be read; none for /dev/null, the usual way to say "no file".
///
/// # Errors
/// Fails if it is no plain file: a pipe without a writer never opens, and a device may never end.
pub(crate) fn open(file: &Path) -> io::Result<Option<File>> {
    if metadata(file)?.is_file() {
        return File::open(file).map(Some);
    }
    if file == Path::new("/dev/null") { Ok(None) } else { Err(io::Error::other("not a regular file")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_never_opens_or_never_ends_is_refused_at_once() {
        let pipe = std::env::temp_dir().join(format!("ssh-doctor-pipe-{}", std::process::id()));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let told = open(&pipe).map(drop);
        std::fs::remove_file(&pipe).unwrap();
        assert_eq!(told.unwrap_err().to_string(), "not a regular file");
        assert!(open(Path::new("/dev/zero")).is_err());
        assert!(open(Path::new("/dev/null")).unwrap().is_none());
        assert!(open(Path::new("/nonexistent")).is_err_and(|error| error.kind() == io::ErrorKind::NotFound));
    }
}
