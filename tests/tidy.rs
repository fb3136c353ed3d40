//! Nothing is left on the server: no file, no process, no port, no socket, however the examination ended.

use std::time::Duration;

use crate::lab::{Lab, Run, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What stands on a server that can be left behind: files with their times, listening ports, and sockets with a name. The server
/// itself writes its log; it makes and removes the agent's socket in /tmp, whose own time tells.
const TRACES: &str = "find ~ /tmp/* /var/tmp -not -name 'log_*' -printf '%p %s %C@\\n' | sort; \
                      grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 | cut -c1-40; grep ' [@/]' /proc/net/unix | sort";

/// A server with temporary folders that are its own.
fn server(lab: &Lab) -> Server {
    let home = lab.home().path("");
    let home = home.display();
    let own = format!(
        "mount --bind {home} /mnt; mount -t tmpfs own /tmp; mkdir -p {home}; mount --move /mnt {home}; mount -t tmpfs own /var/tmp"
    );
    lab.sshd_after(&own, &[])
}

fn traces(lab: &Lab, server: &Server) -> String {
    let run = lab.ssh(server, &[], TRACES, s(20));
    assert!(run.status == Some(0) && run.stdout.contains("/.ssh/authorized_keys "), "{run:?}");

    run.stdout
}

/// Does something to a server, and looks for what is left of it.
fn leaves_nothing(lab: &Lab, server: &Server, patience: Duration, examine: impl FnOnce() -> Run) -> Run {
    let before = traces(lab, server);
    let run = examine();
    let is_gone = || server.connections() == 0 && server.sessions(lab).is_empty();
    assert!(eventually(patience, is_gone), "processes are left: {:?}", server.sessions(lab));
    assert_eq!(traces(lab, server), before, "{run:?}");
    run
}

/// The doctor, which is interrupted after so many seconds, if any.
fn examined(lab: &Lab, server: &Server, options: &[&str], interrupted: Option<&str>) -> Run {
    let (config, url) = (lab.home().config().display().to_string(), server.url());
    let doctor = [env!("CARGO_BIN_EXE_ssh-doctor"), "check", "--format", "json", "-F", &config, &url];
    let early = interrupted.map(|after| ["timeout", "-s", "INT", after]);
    let all = [early.as_ref().map_or(&[][..], |early| &early[..]), &doctor, options].concat();
    lab.run(all[0], &all[1..], s(90))
}

#[test]
fn nothing_is_left_where_files_and_sockets_would_be_seen() {
    let Some(lab) = Lab::healthy() else { return };
    let server = server(&lab);
    let before = traces(&lab, &server);
    for leaves in ["touch ~/x; rm ~/x", "touch /tmp/x", "touch /var/tmp/x"] {
        assert_eq!(lab.ssh(&server, &[], leaves, s(10)).status, Some(0));
        assert_ne!(traces(&lab, &server), before, "{leaves}");
    }
}

#[test]
fn nothing_is_left_by_a_deep_look_that_asks_the_server_too() {
    let Some(lab) = Lab::healthy() else { return };
    let server = server(&lab);
    let options = ["--deep", "--server", "--idle", "4s"];
    let run = leaves_nothing(&lab, &server, s(5), || examined(&lab, &server, &options, None));
    assert!(run.stdout.contains("\"schema_version\""), "{run:?}");
}

#[test]
fn nothing_is_left_by_an_examination_that_is_interrupted() {
    let Some(lab) = Lab::healthy() else { return };
    let server = server(&lab);
    // In the middle of what is done in depth, and of the silence.
    for after in ["0.4", "1", "3"] {
        let options = ["--deep", "--server", "--idle", "30s"];
        let run = leaves_nothing(&lab, &server, s(5), || examined(&lab, &server, &options, Some(after)));
        assert!(run.took < s(12), "{run:?}");
    }
}

#[test]
fn nothing_is_left_of_channels_that_hung_once_the_server_goes_on() {
    let Some(lab) = Lab::healthy() else { return };
    // Longer than a slow start is waited for.
    lab.account("/bin/bash", ".bashrc", "sleep 45\n");
    let server = server(&lab);
    // The traces are looked for without a shell that hangs.
    lab.at_server_home(".bashrc", "");
    let before = traces(&lab, &server);
    lab.at_server_home(".bashrc", "sleep 45\n");
    let run = examined(&lab, &server, &["--idle", "0"], None);
    assert_eq!(run.status, Some(2), "{run:?}");
    let is_gone = || server.connections() == 0 && server.sessions(&lab).is_empty();
    assert!(eventually(s(60), is_gone), "processes are left: {:?}", server.sessions(&lab));
    lab.at_server_home(".bashrc", "");
    let names =
        |traces: &str| traces.lines().filter(|line| !line.contains("bashrc")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(&traces(&lab, &server)), names(&before));
}
