//! What a connection may be used for, on real servers with each setting: told as it is, and nothing left behind.

use std::time::Duration;

use serde_json::Value;

use crate::lab::{Lab, Report, Server, eventually};

pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Examines all but idle survival.
pub(crate) fn examined(lab: &Lab, server: &Server, options: &[&str]) -> Report {
    let seen = lab.doctor(server, &[&["--idle", "0"], options].concat(), PATIENCE);
    let is_gone = || server.connections() == 0 && server.sessions(lab).is_empty();
    assert!(eventually(Duration::from_secs(5), is_gone), "left on the server: {:?}", server.sessions(lab));
    seen
}

fn may(seen: &Report) -> &Value {
    &seen.check("channel")["evidence"]["capabilities"]
}

/// The names of what was allowed, refused, and so on.
fn those(seen: &Report, outcome: &str) -> Vec<String> {
    let all = may(seen).as_object().unwrap_or_else(|| panic!("no capabilities: {}", seen.told()));
    all.iter().filter(|(_, told)| told["outcome"] == outcome).map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_default_openssh_allows_what_it_says_and_nothing_is_diagnosed() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    let allowed = ["agent_forwarding", "direct_tcpip", "exec", "pty", "remote_forward", "session", "sftp"];
    assert_eq!(those(&seen, "allowed"), allowed);
    assert_eq!(those(&seen, "refused"), ["env", "x11"]);
    assert_eq!(those(&seen, "untold"), ["streamlocal"]);
    assert_eq!(those(&seen, "not-tested"), ["shell"]);
    assert_eq!(seen.json["spent"]["connections"], 1);
}

#[test]
fn a_default_openssh_is_healthy_in_depth() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = examined(&lab, &server, &["--deep"]);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    assert_eq!(those(&seen, "not-tested"), Vec::<String>::new());
    assert_eq!(may(&seen)["sftp_said"]["version"], 3, "{}", may(&seen));
    assert_eq!(may(&seen)["sessions_at_once"]["open"], 10, "{}", may(&seen));
}

#[test]
fn other_servers_are_healthy_in_depth() {
    let Some(lab) = Lab::healthy() else { return };
    let starts: [fn(&Lab) -> Option<Server>; 3] = [|lab| lab.dropbear(&[]), |lab| lab.asyncssh(&[]), Lab::paramiko];
    for server in starts {
        let Some(server) = server(&lab) else { continue };
        let seen = examined(&lab, &server, &["--deep"]);
        assert_eq!(seen.codes(), Vec::<&str>::new(), "{}\n{:#}", seen.told(), may(&seen));
        let allowed = those(&seen, "allowed");
        assert!(
            ["exec", "pty", "session", "shell"].iter().all(|name| allowed.iter().any(|a| a == name)),
            "{allowed:?}"
        );
    }
}

#[test]
fn a_server_that_knows_no_global_requests_is_healthy_in_depth() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh(&["0", "no-global-requests"]) else { return };
    let seen = examined(&lab, &server, &["--deep"]);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}\n{:#}", seen.told(), seen.json["timeline"]);
    assert!(seen.json["timeline"]["events"].as_array().is_some_and(Vec::is_empty), "{:#}", seen.json["timeline"]);
    assert_eq!(may(&seen)["remote_forward"]["outcome"], "not-tested", "{:#}", may(&seen));
}

#[test]
fn each_prohibition_of_sshd_has_its_own_name() {
    let Some(lab) = Lab::healthy() else { return };
    for (settings, codes, words) in [
        (&["AllowTcpForwarding no"][..], &["channel-forwarding-prohibited"][..], "AllowTcpForwarding no"),
        (&["DisableForwarding yes"], &["channel-forwarding-prohibited"], "DisableForwarding yes"),
        (&["PermitOpen 192.0.2.1:80"], &["channel-forwarding-prohibited"], "PermitOpen"),
        (&["AllowTcpForwarding remote"], &["channel-forwarding-prohibited"], "AllowTcpForwarding remote"),
        (&["AllowTcpForwarding local"], &["channel-remote-forward-failed"], "refused"),
        (&["PermitListen 8080"], &["channel-remote-forward-failed"], "refused"),
        (&["PermitTTY no"], &["session-pty-refused"], "PermitTTY no"),
        (&["MaxSessions 1"], &["channel-max-sessions"], "with 1 open"),
        (&["MaxSessions 2"], &["channel-max-sessions"], "with 2 open"),
        (&["# no Subsystem sftp"], &["session-subsystem-missing"], "was refused"),
    ] {
        let seen = examined(&lab, &lab.sshd(settings), &[]);
        assert_eq!(seen.codes(), codes, "{settings:?} {}\n{:#}", seen.told(), may(&seen));
        let because = &seen.json["diagnoses"][0]["because"];
        assert!(because.to_string().contains(words), "{settings:?}: {because}");
    }
}

#[test]
fn dropbears_prohibitions_are_told_by_its_own_options() {
    let Some(lab) = Lab::healthy() else { return };
    for (option, code) in [("-j", "channel-forwarding-prohibited"), ("-k", "channel-remote-forward-failed")] {
        let Some(server) = lab.dropbear(&[option]) else { return };
        let seen = examined(&lab, &server, &[]);
        assert_eq!(seen.codes(), [code], "{}", seen.told());
        let fixes = seen.json["diagnoses"][0]["fixes"].to_string();
        assert!(fixes.contains("DROPBEAR_EXTRA_ARGS") && fixes.contains(option) && !fixes.contains("sshd"), "{fixes}");
    }
}

#[test]
fn an_old_dropbear_that_opens_no_port_of_its_own_choice_is_not_said_to_refuse_remote_forwarding() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.odd_version("old-dropbear") else { return };
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    assert_eq!(may(&seen)["direct_tcpip"]["outcome"], "allowed", "{}", may(&seen));
    assert_eq!(may(&seen)["remote_forward"]["outcome"], "not-tested", "{}", may(&seen));
}

#[test]
fn what_each_setting_gives_or_takes_is_told_without_a_diagnosis() {
    let Some(lab) = Lab::healthy() else { return };
    let xauth: &[&str] = &["X11Forwarding yes", "XAuthLocation /bin/true"];
    for (settings, name, outcome) in [
        (&["AllowAgentForwarding no"][..], "agent_forwarding", "refused"),
        (&["AcceptEnv LANG"], "env", "allowed"),
        (xauth, "x11", "allowed"),
        (&["AllowStreamLocalForwarding no"], "streamlocal", "untold"),
    ] {
        let seen = examined(&lab, &lab.sshd(settings), &[]);
        assert_eq!(seen.codes(), Vec::<&str>::new(), "{settings:?} {}", seen.told());
        assert_eq!(may(&seen)[name]["outcome"], outcome, "{settings:?} {}", may(&seen));
    }
}

#[test]
fn the_matrix_is_told_in_lines_that_fit_a_terminal() {
    let Some(lab) = Lab::healthy() else { return };
    let unstartable = "Subsystem sftp /nonexistent/sftp-server";
    let restricted: &[&str] = &["AllowTcpForwarding no", "MaxSessions 2"];
    for (settings, option, told) in [
        (
            restricted,
            "--quiet",
            &[
                "Allowed: session; exec; pty; sftp (version 3); agent for ssh -A.",
                "direct-tcpip for ssh -L, -D, -J (reason 1, \"open failed\")",
                "Sessions at once: 2, one more is refused (reason 2, \"open failed\").",
            ][..],
        ),
        (&[unstartable], "--quiet", &["Accepted, but not working: sftp (status 127"]),
        (&[], "--deep", &["sftp (version 3)"]),
    ] {
        let (config, server) = (lab.home().config().display().to_string(), lab.sshd(settings));
        let args = ["check", "-v", "--idle", "0", option, "-F", &config, &server.url()];
        let text = lab.run(env!("CARGO_BIN_EXE_ssh-doctor"), &args, PATIENCE).stdout;
        for words in told {
            assert!(text.replace("\n  ", " ").contains(words), "{words}\n{text}");
        }
        let from = text.find("Allowed:").expect("the matrix");
        assert!(text[from..].lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn a_restricted_key_is_told_from_a_server_without_forwarding() {
    let Some(lab) = Lab::healthy() else { return };
    lab.key_options("restrict");
    let seen = examined(&lab, &lab.sshd(&[]), &[]);
    assert_eq!(seen.codes(), ["session-pty-refused", "channel-forwarding-prohibited"], "{}", seen.told());
    assert_eq!(seen.json["verdict"], "healthy", "a key made for commands only is no fault");
    assert!(seen.json["diagnoses"][0]["because"].to_string().contains("restrict"), "{}", seen.told());
}

#[test]
fn the_number_of_sessions_is_found_in_depth() {
    let Some(lab) = Lab::healthy() else { return };
    for limit in [2, 5] {
        let seen = examined(&lab, &lab.sshd(&[&format!("MaxSessions {limit}")]), &["--deep"]);
        assert_eq!(seen.codes(), ["channel-max-sessions"], "{}\n{:#}", seen.told(), may(&seen));
        assert_eq!(may(&seen)["sessions_at_once"]["open"], limit);
        assert_eq!(may(&seen)["sessions_at_once"]["refused"][1], "open failed");
    }
}

#[test]
fn a_missing_sftp_is_found_and_so_is_a_missing_sftp_server() {
    let Some(lab) = Lab::healthy() else { return };
    let missing: &[(&str, &str, &[&str])] = &[
        ("# no Subsystem sftp", "", &["session-subsystem-missing"]),
        ("# no Subsystem sftp", "--deep", &["session-subsystem-missing"]),
        ("Subsystem sftp /nonexistent/sftp-server", "", &["session-subsystem-missing"]),
        ("Subsystem sftp /nonexistent/sftp-server", "--deep", &["session-subsystem-missing"]),
    ];
    for (setting, option, codes) in missing {
        let options: Vec<_> = Some(*option).filter(|option| !option.is_empty()).into_iter().collect();
        let seen = examined(&lab, &lab.sshd(&[setting]), &options);
        assert_eq!(seen.codes(), *codes, "{setting} {option}: {}\n{:#}", seen.told(), may(&seen));
    }
}

#[test]
fn what_is_forced_on_the_account_is_not_run_for_sftp_once_more() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ForceCommand echo no; echo ran >>$HOME/ran"]);
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), ["session-restricted"], "{}", seen.told());
    let ran = std::fs::read_to_string(lab.home().path("server/ran")).expect("it ran");
    assert_eq!(ran.lines().count(), 1, "in place of our command");
    assert!(
        may(&seen)["sftp"]["why"].as_str().is_some_and(|why| why.contains("would run once more")),
        "{}",
        seen.told()
    );
}

#[test]
fn an_account_for_sftp_only_is_named_by_the_servers_words() {
    let Some(lab) = Lab::healthy() else { return };
    let seen = examined(&lab, &lab.sshd(&["ForceCommand internal-sftp"]), &[]);
    assert_eq!(seen.codes(), ["session-restricted"], "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][0]["certainty"], "certain", "{}", seen.told());
    assert!(
        seen.fixes().any(|fix| fix["snippet"].as_str().is_some_and(|it| it.contains("--expect sftp"))),
        "{}",
        seen.told()
    );
}

#[test]
fn start_up_files_that_print_are_found_and_their_number_is_decoded() {
    let Some(lab) = Lab::healthy() else { return };
    lab.server_shell("/bin/bash");
    lab.at_server_home(".bashrc", "echo Welcome to the database\n");
    let server = lab.sshd(&["Subsystem sftp /usr/lib/openssh/sftp-server"]);
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), ["session-rc-output"], "{}", seen.told());
    let seen = examined(&lab, &server, &["--deep"]);
    assert_eq!(seen.codes(), ["session-rc-output"], "{}", seen.told());
    let because = seen.json["diagnoses"][0]["because"].to_string();
    assert!(because.contains("Received message too long 1466264675"), "{because}");
    lab.at_server_home(".bashrc", "case $- in *i*) ;; *) return ;; esac\necho Welcome to the database\n");
    let seen = examined(&lab, &server, &["--deep"]);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "the fix mends it: {}", seen.told());
}

#[test]
fn a_root_directory_without_a_shell_is_told_from_a_shell_that_exits() {
    let Some(lab) = Lab::healthy() else { return };
    let seen = examined(&lab, &lab.sshd(&["ChrootDirectory /var/empty-of-shells", "ChrootDirectory none"]), &[]);
    assert_eq!(seen.check("channel")["status"], "fail", "the folder does not exist: {}", seen.told());
    let external = "Subsystem sftp /usr/lib/openssh/sftp-server";
    let seen = examined(&lab, &lab.sshd(&["ChrootDirectory /usr/share", external]), &[]);
    assert_eq!(seen.codes(), ["session-chroot-failed"], "{:#}", seen.check("channel"));
}

/// Embedded servers and examples of libraries leave requests unanswered; commands work on all of these.
#[test]
fn requests_that_a_server_leaves_unanswered_tell_nothing_of_the_users_sessions() {
    let Some(lab) = Lab::healthy() else { return };
    for kinds in [&["replies"][..], &["subsystems"], &["turns", "later-opens"]] {
        let Some(server) = lab.quiet(kinds) else { return };
        let seen = lab.doctor(&server, &["--idle", "0"], PATIENCE);
        assert_eq!((seen.codes(), &seen.json["verdict"]), (vec![], &"healthy".into()), "{kinds:?} {}", seen.told());
        assert!(seen.run.took < Duration::from_secs(40), "{kinds:?} took {:?}", seen.run.took);
    }
}

#[test]
fn a_command_that_prints_before_its_request_is_answered_is_allowed() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.quiet(&["late"]) else { return };
    let seen = examined(&lab, &server, &[]);
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    assert_eq!(may(&seen)["exec"]["outcome"], "allowed", "{:#}", may(&seen));
}

/// Servers that record what is done to them, and examples of libraries, confirm every connection that they are asked for.
#[test]
fn a_connection_that_is_confirmed_to_a_closed_port_is_no_forwarding() {
    let Some(lab) = Lab::healthy() else { return };
    for kinds in [&["hollow"][..], &["hollow", "held"]] {
        let Some(server) = lab.quiet(kinds) else { return };
        let seen = examined(&lab, &server, &[]);
        assert_eq!((seen.codes(), &seen.json["verdict"]), (vec![], &"healthy".into()), "{kinds:?} {}", seen.told());
        assert_eq!(seen.json["serves"], serde_json::json!(["exec"]), "{kinds:?}");
        assert_eq!(may(&seen)["direct_tcpip"]["outcome"], "unproven", "{:#}", may(&seen));
    }
    let Some(server) = lab.quiet(&["hollow", "tunnels"]) else { return };
    let seen = examined(&lab, &server, &[]);
    assert_eq!(
        (seen.codes(), &seen.json["verdict"]),
        (vec!["channel-open-refused"], &"degraded".into()),
        "{}",
        seen.told()
    );
}

#[test]
fn a_program_on_a_server_of_one_connection_and_one_channel_is_no_stalled_server() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.quiet(&["turns", "later-opens", "echo"]) else { return };
    let seen = lab.doctor(&server, &["--idle", "0"], PATIENCE);
    assert_eq!(seen.codes(), ["session-restricted"], "{}", seen.told());
}
