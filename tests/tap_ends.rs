//! The end of a session that `ssh-doctor tap` carried, where both sides end within a moment.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// A tap whose client is this test, and the server's end of its connection.
fn carried(state: &std::path::Path) -> (Child, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut tap = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"));
    tap.args(["tap", "127.0.0.1", &port]).env("XDG_STATE_HOME", state);
    let tap = tap.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut server = listener.accept().unwrap().0;
    server.write_all(b"SSH-2.0-lab\r\n").unwrap();
    (tap, server)
}

fn say(tap: &mut Child, server: &mut TcpStream, words: &[u8]) {
    tap.stdin.as_mut().unwrap().write_all(words).unwrap();
    server.read_exact(&mut vec![0; words.len()]).unwrap();
}

fn close(server: TcpStream, reset: bool) {
    if reset {
        socket2::SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(server);
}

fn ended(tap: Child) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = tap.wait_with_output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_server_that_answers_a_farewell_before_the_client_is_gone_did_not_end_the_session() {
    let state = tempfile::tempdir().unwrap();
    for reset in [false, true] {
        let (mut tap, mut server) = carried(state.path());
        say(&mut tap, &mut server, b"SSH-2.0-client\r\n");
        say(&mut tap, &mut server, b"farewell");
        close(server, reset);
        // ssh is about to exit, and does not get the processor.
        sleep(Duration::from_millis(300));
        drop(tap.stdin.take());
        assert_eq!(ended(tap), (Some(0), String::new()), "reset: {reset}");
    }
}

#[test]
fn a_server_that_closes_on_a_client_that_stays_ended_the_session() {
    let state = tempfile::tempdir().unwrap();
    for (reset, silence, word) in
        [(false, 0, "closed by the other side"), (false, 2, "closed by the other side"), (true, 2, "reset")]
    {
        let (mut tap, mut server) = carried(state.path());
        say(&mut tap, &mut server, b"SSH-2.0-client\r\n");
        sleep(Duration::from_secs(silence));
        close(server, reset);
        // The client leaves as it hears of the end.
        let mut heard = Vec::new();
        tap.stdout.take().unwrap().read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"SSH-2.0-lab\r\n");
        drop(tap.stdin.take());
        let (status, said) = ended(tap);
        assert!(status == Some(2) && said.contains(word), "{status:?} {said}");
    }
}
