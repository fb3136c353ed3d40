//! The way sessions end, on real servers.

use std::time::Duration;

use crate::channels::{PATIENCE, examined};
use crate::lab::{Lab, eventually};
use crate::transfers::facts;

#[test]
fn output_that_a_wrapper_loses_at_the_end_is_found_over_repeated_runs() {
    let Some(lab) = Lab::healthy() else { return };
    // It ends what passes the output on as soon as the command has ended, and not when all is passed on.
    let wrapper = lab.home().path("server/wrapper");
    let script = "exec 3>&1\ncoproc dd bs=16 2>/dev/null >&3\nbash -c \"$SSH_ORIGINAL_COMMAND\" >&${COPROC[1]}\n\
                  status=$?\nkill $COPROC_PID\nexit $status\n";
    lab.at_server_home("wrapper", script);
    let forced = format!("ForceCommand bash {}", wrapper.display());
    let server = lab.sshd(&["Subsystem sftp /usr/lib/openssh/sftp-server", &forced]);
    let seen = examined(&lab, &server, &["--deep"]);
    assert_eq!(seen.codes(), ["exit-output-lost"], "{}", seen.told());
}

#[test]
fn a_process_that_holds_the_output_holds_the_session_and_the_redirect_mends_it() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/bash");
    let server = lab.sshd(&[]);
    lab.at_server_home(".bashrc", "sleep 40 &\n");
    let seen = lab.doctor(&server, &["--idle", "0"], PATIENCE);
    assert_eq!(seen.codes(), ["exit-hangs"], "{}", seen.told());
    lab.at_server_home(".bashrc", "nohup sleep 40 </dev/null >/dev/null 2>&1 &\n");
    let seen = lab.doctor(&server, &["--idle", "0"], PATIENCE);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
}

#[test]
fn a_complaint_of_a_start_up_file_hides_no_fault_of_the_end() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/bash");
    let server = lab.sshd(&[]);
    lab.at_server_home(".bashrc", "cat ~/.greeting\nsleep 40 &\n");
    for options in [["--idle", "0"], ["--idle", "6s"]] {
        let seen = lab.doctor(&server, &options, PATIENCE);
        assert_eq!(seen.codes(), ["exit-hangs"], "{}", seen.told());
    }
}

#[test]
fn the_redirect_that_is_printed_mends_it_for_plain_ssh_too() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/bash");
    let server = lab.sshd(&[]);
    lab.at_server_home(".bashrc", "sleep 40 &\n");
    let seen = lab.doctor(&server, &["--idle", "0"], PATIENCE);
    lab.at_server_home(".bashrc", "");
    let printed = seen.fixes().find_map(|fix| fix["snippet"].as_str().filter(|snippet| snippet.contains("nohup")));
    let mended = printed.unwrap_or_else(|| panic!("no redirect: {}", seen.told())).replace("COMMAND", "sleep 6");
    let [held, mended] = ["sleep 6 &", &mended].map(|command| lab.ssh(&server, &[], command, PATIENCE));
    assert!(held.status == Some(0) && held.took > Duration::from_secs(5), "{held:?}");
    assert!(mended.status == Some(0) && mended.took < Duration::from_secs(4), "{mended:?}");
}

#[test]
fn a_status_that_a_wrapper_alters_is_told_in_words() {
    let Some(lab) = Lab::healthy() else { return };
    for (status, words) in [
        (0, "status 0"),
        (126, "found, and not to be executed"),
        (127, "no such command"),
        (137, "signal KILL, 128 + 9"),
        (255, "ssh's own for any failure"),
    ] {
        let forced = format!("ForceCommand sh -c \"$SSH_ORIGINAL_COMMAND\"; exit {status}");
        let seen = examined(&lab, &lab.sshd(&[&forced]), &[]);
        assert_eq!(seen.codes(), ["session-subsystem-missing", "exit-status-altered"], "{}", seen.told());
        assert_eq!(seen.json["verdict"], "degraded", "commands run: {}", seen.told());
        let because = seen.json["diagnoses"][1]["because"].to_string();
        assert!(because.contains("ended with status 83") && because.contains(words), "{because}");
    }
}

#[test]
fn a_command_that_is_killed_shows_its_signal() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ForceCommand sh -c \"$SSH_ORIGINAL_COMMAND\"; kill -9 $$"]);
    let plain = lab.ssh(&server, &[], "true", PATIENCE);
    assert_eq!((plain.status, plain.stderr.contains("signal")), (Some(255), false), "ssh tells nothing: {plain:?}");
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), ["exit-by-signal"], "{}", seen.told());
    assert_eq!(facts(&seen, "exit")["ran"]["signal"], "KILL");
    assert_eq!(seen.json["verdict"], "degraded", "commands run: {}", seen.told());
}

#[test]
fn start_up_files_may_print_more_than_is_kept_of_an_output() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/bash");
    let server = lab.sshd(&[]);
    lab.at_server_home(".bashrc", "head -c 200000 /dev/zero | tr '\\0' m | fold\necho 7 up\n");
    for options in [["--idle", "0", "--deep"].as_slice(), &["--idle", "6s"]] {
        let seen = lab.doctor(&server, options, PATIENCE);
        assert_eq!(seen.codes(), ["session-rc-output"], "{}", seen.told());
        assert!(eventually(PATIENCE, || server.sessions(&lab).is_empty()), "{:?}", server.sessions(&lab));
    }
}
