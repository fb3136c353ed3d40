//! Timers of the server itself: what resets them differs, and most heed no keepalive.

use super::{
    CLOSED, RESET, SSH_KEEPALIVE, WAIT, assert_bracket, assert_codes, assert_died, assert_healthy,
    assert_keepalive_proven, assert_lived, assert_manner, assert_no_hop, assert_nothing_proven, assert_tidy, examine,
    s, side_by_side,
};
use crate::lab::{Lab, Report};

/// How often OpenSSH 9.2 asks with `ClientAliveInterval 2`: before 9.5 a quiet connection is asked half as often as set.
pub(super) const CLIENT_ALIVE_2: f64 = 4.0;

/// The server was heard about every so many seconds.
#[track_caller]
pub(super) fn assert_speaks_every(seen: &Report, seconds: f64) {
    let every = seen.idle()["server_speaks_every_s"].as_f64();
    assert!(every.is_some_and(|every| (every - seconds).abs() < 0.5), "{every:?} {}", seen.idle());
}

#[test]
fn a_channel_timeout_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ChannelTimeout session:*=7s"]);
    let seen = examine(&lab, &server, 20);
    assert_codes(&seen, &["idle-channel-timeout"]);
    assert_manner(&seen, "channel-close");
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert_tidy(&lab, &server);
}

const UNUSED: &str = "UnusedConnectionTimeout 6s";

#[test]
fn a_connection_without_a_channel_is_closed_keepalives_or_not() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[UNUSED]);
    std::thread::scope(|scope| {
        let used = scope.spawn(|| lab.ssh(&server, &[], WAIT, s(20)));
        let kept = scope.spawn(|| lab.ssh_without_channel(&server, &SSH_KEEPALIVE, s(20)));
        for run in [lab.ssh_without_channel(&server, &[], s(20)), kept.join().expect("a run")] {
            // A keepalive on its way at that moment meets a reset.
            assert_died(&run, 5..12, &[CLOSED, RESET].concat());
        }
        assert_lived(&used.join().expect("a run"));
    });
    assert!(server.log().contains("terminating inactive connection"), "{}", server.log());
}

#[test]
fn an_unused_connection_timeout_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[UNUSED]);
    let seen = examine(&lab, &server, 18);
    assert_codes(&seen, &["idle-unused-connection-timeout"]);
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert_tidy(&lab, &server);
}

/// An account whose login shell ends after 7 s at its prompt.
fn shell_that_logs_out(file: &str) -> Option<Lab> {
    let lab = Lab::healthy()?;
    lab.account("/bin/bash", file, "TMOUT=7\n");
    Some(lab)
}

#[test]
fn a_shell_at_its_prompt_logs_out_and_a_command_does_not() {
    let Some(lab) = shell_that_logs_out(".profile") else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let command = scope.spawn(|| lab.ssh(&server, &[], WAIT, s(20)));
        let run = lab.ssh_shell(&server, &SSH_KEEPALIVE, s(20));
        assert!(run.status == Some(0) && (s(6)..s(11)).contains(&run.took), "{run:?}");
        assert!(run.stdout.contains("timed out waiting for input"), "{run:?}");
        assert_lived(&command.join().expect("a run"));
    });
}

fn is_named(lab: &Lab) {
    let server = lab.sshd(&[]);
    let seen = examine(lab, &server, 20);
    assert_codes(&seen, &["idle-shell-timeout"]);
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert_tidy(lab, &server);
}

#[test]
fn a_shell_timeout_in_the_profile_is_named() {
    let Some(lab) = shell_that_logs_out(".profile") else { return };
    is_named(&lab);
}

#[test]
fn a_shell_timeout_in_bashrc_is_named() {
    let Some(lab) = shell_that_logs_out(".bashrc") else { return };
    // A login shell does not read .bashrc by itself; the usual account has it read there.
    lab.account("/bin/bash", ".bash_profile", ". ~/.bashrc\n");
    is_named(&lab);
}

/// An account whose sessions on a terminal are ended 7 s after nothing is typed, as systemd-logind does it: by their processes.
fn terminal_that_is_ended() -> Option<Lab> {
    let lab = Lab::healthy()?;
    lab.account("/bin/bash", ".profile", "if [ -t 0 ]; then (sleep 7; kill $PPID) >/dev/null 2>&1 </dev/null & fi\n");
    Some(lab)
}

#[test]
fn a_terminal_is_ended_keepalives_or_not_and_a_command_is_not() {
    let Some(lab) = terminal_that_is_ended() else { return };
    let server = lab.sshd(&[]);
    std::thread::scope(|scope| {
        let command = scope.spawn(|| lab.ssh(&server, &[], WAIT, s(20)));
        let run = lab.ssh_shell(&server, &SSH_KEEPALIVE, s(20));
        assert!(run.status == Some(255) && (s(6)..s(11)).contains(&run.took), "{run:?}");
        assert_lived(&command.join().expect("a run"));
    });
}

#[test]
fn a_terminal_that_is_ended_is_named() {
    let Some(lab) = terminal_that_is_ended() else { return };
    let server = lab.sshd(&[]);
    let seen = examine(&lab, &server, 20);
    assert_codes(&seen, &["idle-terminal-timeout"]);
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn a_server_that_asks_whether_we_live_is_healthy_and_its_interval_is_read() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ClientAliveInterval 2", "ClientAliveCountMax 3"]);
    let seen = examine(&lab, &server, 12);
    assert_healthy(&seen);
    assert_speaks_every(&seen, CLIENT_ALIVE_2);
    assert_tidy(&lab, &server);
}

/// A line each second.
const TALK: &str = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1; echo $i; done";

#[test]
fn dropbear_counts_only_what_moves_in_a_channel() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.dropbear(&["-I", "7"]) else { return };
    std::thread::scope(|scope| {
        let talking = scope.spawn(|| lab.ssh(&server, &[], TALK, s(20)));
        for run in side_by_side(&lab, &server, [&[], &SSH_KEEPALIVE], WAIT) {
            assert_died(&run, 6..11, CLOSED);
        }
        let talking = talking.join().expect("a run");
        assert!(talking.status == Some(0) && talking.stdout.ends_with("12\n"), "{talking:?}");
    });
    assert!(server.log().contains("Idle timeout"), "{}", server.log());
}

#[test]
fn dropbears_idle_timeout_is_named() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.dropbear(&["-I", "7"]) else { return };
    let seen = examine(&lab, &server, 20);
    assert_codes(&seen, &["idle-server-inactivity"]);
    assert_manner(&seen, "fin");
    assert_nothing_proven(&seen);
    assert_no_hop(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn dropbears_keepalive_is_healthy() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.dropbear(&["-K", "2"]) else { return };
    let seen = examine(&lab, &server, 12);
    assert_healthy(&seen);
    assert_speaks_every(&seen, 2.0);
    assert_tidy(&lab, &server);
}

#[test]
fn a_server_says_goodbye_to_the_silent() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(&["7"]) else { return };
    let [silent, kept] = side_by_side(&lab, &server, [&[], &SSH_KEEPALIVE], WAIT);
    assert_died(&silent, 6..11, &["11: idle for too long"]);
    assert_lived(&kept);
}

#[test]
fn a_server_that_closes_channels_before_its_goodbye_leaves_ssh_without_a_word() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(&["7", "channels-first"]) else { return };
    let [silent, kept] = side_by_side(&lab, &server, [&[], &SSH_KEEPALIVE], WAIT);
    assert_died(&silent, 6..11, &[""]);
    assert_lived(&kept);
    assert!(server.log().contains("Sending disconnect: idle for too long (11)"), "{}", server.log());
}

fn a_goodbye_is_named(options: &[&str]) {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(options) else { return };
    let seen = examine(&lab, &server, 20);
    assert_codes(&seen, &["idle-server-disconnect", "idle-no-keepalive"]);
    assert_manner(&seen, "disconnect");
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("idle for too long") && because.contains("11"), "{}", seen.told());
    assert_bracket(&seen, 7.0);
    assert_keepalive_proven(&seen);
    assert_no_hop(&seen);
    assert_tidy(&lab, &server);
}

#[test]
fn a_goodbye_is_named_with_its_words() {
    a_goodbye_is_named(&["7"]);
}

#[test]
fn a_goodbye_after_the_channels_were_closed_is_named_with_its_words() {
    a_goodbye_is_named(&["7", "channels-first"]);
}
