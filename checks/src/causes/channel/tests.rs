use super::*;
use crate::facts::channel::{Capabilities, Capability, HungUp, LoginOfShell, OnInput, Sftp, Shell};
use crate::facts::connection::{GaveUp, Ran};
use crate::facts::{Evidence, Step, Timed};

fn fired(facts: Facts) -> Vec<&'static str> {
    let evidence =
        Evidence { channel: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
    CAUSES.iter().filter(|cause| (cause.judge)(&evidence).is_some()).map(|cause| cause.code).collect()
}

fn ended(status: u32) -> Facts {
    let ran = Ran { open_ms: Some(1.0), accepted: Some(true), closed: true, status: Some(status), ..Ran::default() };
    Facts { ran, ..Facts::default() }
}

#[test]
fn each_refusal_has_its_own_name() {
    let refused = Facts { ran: Ran { refused: Some((2, "open failed".into())), ..Ran::default() }, ..Facts::default() };
    assert_eq!(fired(refused), ["channel-open-refused"]);
    let no_exec = Facts { ran: Ran { accepted: Some(false), ..Ran::default() }, ..Facts::default() };
    assert_eq!(fired(no_exec), ["session-exec-failed"]);
    assert_eq!(fired(ended(1)), ["session-shell-exits"]);
    let other = Facts { other_output: Some("borg serve".into()), ..ended(0) };
    assert_eq!(fired(other), ["session-forced-command"]);
    let nologin = Facts { other_output: Some("This account is currently not available.".into()), ..ended(1) };
    assert_eq!(fired(nologin), ["session-nologin", "session-shell-exits"]);
}

#[test]
fn what_runs_instead_is_as_sure_as_it_shows() {
    let judged = |facts: Facts| {
        let step = Step::Failed(facts);
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        let found = CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?.certainty)));
        found.collect::<Vec<_>>()
    };
    let goes_on = |output: Option<&str>, stderr: Option<&str>| {
        let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
        Facts { ran, other_output: output.map(Into::into), stderr: stderr.map(Into::into), ..Facts::default() }
    };
    let forced = |certainty| vec![("session-forced-command", certainty)];
    let exits = |certainty| vec![("session-shell-exits", certainty)];
    assert_eq!(judged(goes_on(Some("Bastion"), None)), forced(Certainty::Likely));
    assert_eq!(judged(goes_on(None, Some("Bastion"))), forced(Certainty::Likely));
    assert_eq!(judged(goes_on(None, None)), vec![("session-start-hangs", Certainty::Possible)]);
    for (after_s, passed_on, certainty) in [
        (Some(0.1), false, Certainty::Certain),
        (Some(0.1), true, Certainty::Possible),
        (Some(1.5), false, Certainty::Possible),
        (None, false, Certainty::Possible),
    ] {
        let seen = OnInput {
            line_sent: true,
            own_mark: true,
            own_mark_after_s: after_s,
            line_passed_on: passed_on,
            closed: true,
            ..OnInput::default()
        };
        let facts = Facts { on_input: Some(Box::new(seen)), ..goes_on(None, None) };
        assert_eq!(facts.is_slow(), passed_on, "something else has read the line");
        assert_eq!(judged(facts), vec![("session-start-hangs", certainty)], "{after_s:?} {passed_on}");
    }
    let quoted = Facts { quoted_back: true, stderr: Some("no 'exec sh -c'".into()), ..ended(1) };
    assert_eq!(judged(quoted), forced(Certainty::Certain));
    assert_eq!(judged(ended(1)), exits(Certainty::Likely));
    assert_eq!(judged(ended(0)), exits(Certainty::Possible));
    let unanswered = Ran { accepted: None, ..goes_on(None, None).ran };
    assert!(judged(Facts { ran: unanswered, ..Facts::default() }).is_empty());
    let word = Facts { other_output: Some("unknown option --nologin".into()), ..ended(2) };
    assert_eq!(judged(word), exits(Certainty::Likely));
}

#[test]
fn a_shell_that_reads_commands_is_told_by_its_hang_up() {
    let judged = |hung_up, own_mark| {
        let seen = OnInput { line_sent: true, line_answered: true, hung_up, own_mark, ..OnInput::default() };
        let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
        let step = Step::Failed(Facts { ran, on_input: Some(Box::new(seen)), ..Facts::default() });
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        let found = CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?.title)));
        found.collect::<Vec<_>>()
    };
    let starts = || Some("A start-up file starts another shell, which reads the input of commands".to_owned());
    assert_eq!(judged(Some(HungUp::All), false), [("session-startup-exec", None)]);
    assert_eq!(judged(Some(HungUp::ShellAlone), false), [("session-startup-exec", starts())]);
    assert_eq!(judged(None, true), [("session-startup-exec", starts())]);
}

/// The account, and the certainty and severity of the finding, where a shell reads commands and these are its signal and its login.
fn shell_in_place(hung_up: Option<HungUp>, login: Option<LoginOfShell>) -> (Account, Option<(Certainty, Severity)>) {
    let seen = OnInput { line_sent: true, line_answered: true, hung_up, login, ..OnInput::default() };
    let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
    let facts = Facts { ran, on_input: Some(Box::new(seen)), ..Facts::default() };
    let account = facts.account();
    let step = if account == Account::Nothing { Step::Failed(facts) } else { Step::Passed(facts) };
    let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
    let found = (hangs::STARTUP_EXEC.judge)(&evidence);
    (account, found.map(|found| (found.certainty, found.severity.unwrap_or(hangs::STARTUP_EXEC.severity))))
}

#[test]
fn a_shell_is_told_by_its_login_where_no_signal_tells() {
    let unclear = (Account::Unclear, Some((Certainty::Possible, Severity::Warning)));
    // sshd before 7.9, dropbear, or root: another host's shell, or that of a start-up file.
    assert_eq!(shell_in_place(None, Some(LoginOfShell::Another)), unclear);
    assert_eq!(shell_in_place(None, Some(LoginOfShell::Unset)), unclear);
    let replaced = (Account::Nothing, Some((Certainty::Likely, Severity::Critical)));
    assert_eq!(shell_in_place(None, Some(LoginOfShell::Ours)), replaced);
    assert_eq!(shell_in_place(None, None), replaced);
    assert_eq!(shell_in_place(Some(HungUp::Nothing), Some(LoginOfShell::Another)), unclear);
    assert_eq!(shell_in_place(Some(HungUp::Nothing), Some(LoginOfShell::Ours)), unclear);
    let ended = (Account::Nothing, Some((Certainty::Certain, Severity::Critical)));
    assert_eq!(shell_in_place(Some(HungUp::All), Some(LoginOfShell::Another)), ended);
}

#[test]
fn a_question_before_commands_is_told_by_what_a_terminal_shows() {
    let found = |shell: Option<Shell>, pty| {
        let own_mark_after_s = Some(0.1);
        let seen = OnInput { line_sent: true, own_mark: true, own_mark_after_s, closed: true, ..OnInput::default() };
        let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
        let may = Capabilities { pty, shell: Capability::Allowed, ..Capabilities::default() };
        let (on_input, capabilities) = (Some(Box::new(seen)), Box::new(may));
        let facts = Facts { ran, on_input, capabilities, shell: shell.map(Box::new), ..Facts::default() };
        let account = facts.account();
        let step = if account == Account::Nothing { Step::Failed(facts) } else { Step::Passed(facts) };
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        let found = (hangs::START_HANGS.judge)(&evidence).unwrap();
        (account, found.certainty, found.severity)
    };
    let asks = Shell { stays: true, output: Some("Reason:".to_owned()), ..Shell::default() };
    let unclear = (Account::Unclear, Certainty::Possible, Some(Severity::Warning));
    assert_eq!(found(Some(asks), Capability::Allowed), unclear);
    let is_cause = (Account::Nothing, Certainty::Certain, None);
    let greets = Shell { stays: true, output: Some("Welcome to host\\n".to_owned()), ..Shell::default() };
    assert_eq!(found(Some(greets), Capability::Allowed), is_cause);
    assert_eq!(found(None, Capability::of(Some(false))), is_cause);
    let silent = Shell::default();
    assert_eq!(found(Some(silent), Capability::Allowed), is_cause);
}

#[test]
fn an_imitation_of_a_shell_misses_no_program() {
    let judged = |said: &str| {
        let facts = Facts { stderr: Some(said.to_owned()), ..ended(127) };
        let step = if facts.account() == Account::Nothing { Step::Failed(facts) } else { Step::Passed(facts) };
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        let found = CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?.certainty)));
        found.collect::<Vec<_>>()
    };
    assert_eq!(judged("bash: exec: command not found\\n"), [("session-shell-exits", Certainty::Possible)]);
    let missing = ("session-command-missing", Certainty::Certain);
    assert!(judged("bash: line 1: borg: command not found\\n").contains(&missing));
}

#[test]
fn a_program_that_does_not_reach_its_service_is_not_at_work() {
    let account = |said: Option<&str>, other_output: Option<&str>, answer: Option<&str>| {
        let seen = OnInput {
            line_sent: true,
            closed: true,
            status: Some(0),
            output: answer.map(Into::into),
            ..OnInput::default()
        };
        let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
        let (stderr, other_output) = (said.map(Into::into), other_output.map(Into::into));
        Facts { ran, stderr, other_output, on_input: Some(Box::new(seen)), ..Facts::default() }.account()
    };
    let said = "Could not connect to Redis at 127.0.0.1:6379: Connection refused\\n";
    assert_eq!(account(Some(said), None, None), Account::Unclear);
    assert_eq!(account(Some("reading records\\n"), None, None), Account::Restricted);
    // It does something all the same.
    assert_eq!(account(Some(said), Some("3 records\\n"), None), Account::Restricted);
    assert_eq!(account(Some(said), None, Some("stored\\n")), Account::Restricted);
}

#[test]
fn a_shell_that_no_hang_up_ends_is_possibly_forced() {
    let seen = OnInput { line_sent: true, line_answered: true, hung_up: Some(HungUp::Nothing), ..OnInput::default() };
    let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
    let facts = Facts { ran, on_input: Some(Box::new(seen)), ..Facts::default() };
    assert_eq!((facts.account(), facts.serves()), (Account::Unclear, vec![]));
    // Where commands were expected, the check failed.
    for (step, severity) in [(Step::Passed(facts.clone()), Some(Severity::Warning)), (Step::Failed(facts), None)] {
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        let found = CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?)));
        let found: Vec<_> = found.map(|(code, found)| (code, found.certainty, found.severity)).collect();
        assert_eq!(found, [("session-startup-exec", Certainty::Possible, severity)]);
    }
}

#[test]
fn a_command_that_ran_some_time_after_the_end_of_its_input_is_slow_or_waited_for_that() {
    for (line_sent, severity, account) in
        [(true, None, Account::Nothing), (false, Some(Severity::Warning), Account::Unclear)]
    {
        let seen =
            OnInput { line_sent, own_mark: true, own_mark_after_s: Some(1.5), closed: true, ..OnInput::default() };
        let ran = Ran { closed: false, status: None, gave_up: Some(GaveUp::Silence), ..ended(0).ran };
        let other_output = Some("Press Enter to accept.\\n".to_owned());
        let facts = Facts { ran, other_output, on_input: Some(Box::new(seen)), ..Facts::default() };
        assert_eq!(facts.account(), account);
        let step = if account == Account::Unclear { Step::Passed(facts) } else { Step::Failed(facts) };
        let evidence = Evidence { channel: Timed { step, duration_ms: 1.0 }, ..Evidence::unexamined() };
        let found = CAUSES.iter().filter_map(|cause| Some((cause.code, (cause.judge)(&evidence)?)));
        let found: Vec<_> = found.map(|(code, found)| (code, found.certainty, found.severity)).collect();
        // Others are hidden by it.
        assert_eq!(found[0], ("session-start-hangs", Certainty::Possible, severity));
    }
}

#[test]
fn the_end_of_a_session_without_pam_may_be_etc_nologin() {
    let judged = |user: &str| {
        let facts = Facts { stderr: Some("Maintenance until 10:00\\n".into()), ..ended(254) };
        let mut evidence =
            Evidence { channel: Timed { step: Step::Failed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
        evidence.target.user = user.to_owned();
        (limits::PAM_REFUSED.judge)(&evidence).map(|found| (found.certainty, found.title.is_some()))
    };
    assert_eq!(judged("me"), Some((Certainty::Possible, true)));
    assert_eq!(judged("root"), Some((Certainty::Likely, false)));
}

#[test]
fn a_shell_that_may_be_broken_leaves_the_purpose_of_an_account_open() {
    let judged_end = |status: Option<u32>, stderr: Option<&str>| {
        let sftp = Sftp { version: Some(3), ..Sftp::default() };
        let capabilities =
            Box::new(Capabilities { sftp: Capability::Allowed, sftp_said: Some(sftp), ..Capabilities::default() });
        let end = ended(status.unwrap_or_default());
        let signal = status.is_none().then(|| "SEGV".to_owned());
        let ran = Ran { status, signal, ..end.ran.clone() };
        let facts = Facts { ran, stderr: stderr.map(Into::into), capabilities, ..end };
        let evidence =
            Evidence { channel: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
        (served::RESTRICTED.judge)(&evidence).map(|found| found.certainty)
    };
    let judged = |status, stderr: Option<&str>| judged_end(Some(status), stderr);
    assert_eq!(judged_end(None, None), Some(Certainty::Possible));
    for (status, said) in [
        (127, "/opt/shell: 2: exec: /opt/missing: not found\\n"),
        (1, "Traceback (most recent call last):\\nModuleNotFoundError: No module named 'wrapper'\\n"),
        (1, "wrapper: cannot read /etc/wrapper.conf\\n"),
    ] {
        assert_eq!(judged(status, Some(said)), Some(Certainty::Possible), "{said}");
    }
    for status in [3, 126, 127] {
        assert_eq!(judged(status, None), Some(Certainty::Possible), "{status}");
    }
    assert_eq!(
        judged(1, Some("/opt/shell: Zeile 2: exec: /opt/missing: Nicht gefunden\\n")),
        Some(Certainty::Possible)
    );
    // As false(1) and nologin(8) end, and sshd without them.
    let missing = "Could not chdir to home directory /home/me: No such file or directory\\n";
    assert_eq!(judged(1, Some(missing)), Some(Certainty::Certain));
    assert_eq!(judged(1, Some("/bin/false: No such file or directory\\n")), Some(Certainty::Certain));
    let both = format!("{missing}/bin/false: No such file or directory\\n");
    assert_eq!(judged(1, Some(&both)), Some(Certainty::Certain));
    // Words that only may be a refusal.
    assert_eq!(judged(1, Some("Denied\\n")), Some(Certainty::Likely));
    assert_eq!(judged(1, None), Some(Certainty::Certain));
    assert_eq!(judged(1, Some("This account is currently not available.\\n")), Some(Certainty::Certain));
    assert_eq!(judged(1, Some("This service allows sftp connections only.\\n")), Some(Certainty::Certain));
}

#[test]
fn a_lost_connection_is_none_of_these() {
    assert!(fired(Facts { ran: Ran { connection_lost: true, ..Ran::default() }, ..Facts::default() }).is_empty());
}
