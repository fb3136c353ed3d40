//! Files that the user names: opening one never blocks for ever, whatever its type.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// The time that a named pipe may be without a writer. That of a process substitution has one from the start.
const WRITER: Duration = Duration::from_secs(5);
/// The time that its writer may take to write all of a secret: it may ask a person to unlock a store of them.
const SECRET: Duration = Duration::from_mins(1);

/// Opens a file to be read.
///
/// # Errors
/// Errors of open(2); of kind `TimedOut` for a named pipe without a writer.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !is_pipe(path) {
        return File::open(path);
    }
    let path = path.to_owned();
    // A thread that waits on in open(2) ends with the process.
    within(WRITER, "nothing writes to this pipe", move || File::open(path))
}

/// The bytes of a plain file of at most `largest` bytes.
///
/// # Errors
/// Errors of open(2) and read(2); of kind `InvalidInput` where it is something else, or larger.
pub(crate) fn whole(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let refused = |why| io::Error::new(ErrorKind::InvalidInput, why);
    if !path.metadata()?.is_file() {
        return Err(refused("it is not a plain file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest { Err(refused("it is too large")) } else { Ok(bytes) }
}

/// The text of a file of at most `longest` bytes; one byte more tells that there are more.
///
/// # Errors
/// As [`open`], and those of read(2); of kind `InvalidData` where it is not UTF-8.
pub(crate) fn secret(path: &Path, longest: u64) -> io::Result<String> {
    let file = open(path)?;
    let read = move || {
        let mut text = String::new();
        file.take(longest + 1).read_to_string(&mut text).map(|_| text)
    };
    if is_pipe(path) { within(SECRET, "whoever writes to this pipe does not come to an end", read) } else { read() }
}

fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
}

fn within<T: Send + 'static>(
    limit: Duration,
    late: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = channel();
    thread::Builder::new().name("file".to_owned()).spawn(move || {
        // Nobody may be left to hear it.
        let _ = done.send(work());
    })?;
    match result.recv_timeout(limit) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(io::Error::new(ErrorKind::TimedOut, late)),
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the thread that reads it ended")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write as _};
    use std::thread;
    use std::time::Instant;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::{WRITER, open, secret};

    #[test]
    fn a_pipe_that_nobody_writes_to_is_waited_for_and_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let began = Instant::now();
        assert_eq!(open(&pipe).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() >= WRITER);
        // The one before is still being opened, by a thread that nobody waits for.
        let pipe = folder.path().join("another");
        mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let writer = pipe.clone();
        let writing = thread::spawn(move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(writer).unwrap();
            pipe.write_all(b"one\n").unwrap();
        });
        assert_eq!(secret(&pipe, 10).unwrap(), "one\n");
        writing.join().unwrap();
    }

    #[test]
    fn a_file_is_read_no_further_than_it_may_be() {
        assert_eq!(secret("/dev/zero".as_ref(), 10).unwrap().len(), 11);
        assert_eq!(open("/nonexistent".as_ref()).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
