//! The test of a program that was accepted in place of our command, and neither printed our mark nor ended: it may wait
//! for input.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::base::elapsed::ms_since;
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::base::text::sanitize_bytes;
use crate::facts::channel::words::{invites_input, is_asking};
use crate::facts::channel::{AT_ONCE_S, LoginOfShell, OnInput};
use crate::facts::connection::{GaveUp, Ran};
use crate::ssh::run::Running;

use super::command::{KEPT, LONG, awaited, is_printed};

/// The time that a program may take to answer a line, and then to end at the end of its input.
const ANSWER: Patience = Patience { silence: Duration::from_secs(2), total: Duration::from_secs(4) };

/// The line that a shell answers with our command where the server put the shell in its place.
const ASK_WHETHER_FORCED: &str = "printenv SSH_ORIGINAL_COMMAND\n";
/// The longest wait for our command behind a greeting that asks for input: that may be a menu, which never gets to it.
const BEHIND_A_GREETING: Duration = Duration::from_secs(15);
/// The line for a shell of root's that was given a new environment, as by a forced `sudo -i`: the process that started that shell still has the
/// variable. An inner `sh` looks for it, since csh knows neither `$PPID` nor `2>`.
const ASK_PARENT: &str = "sh -c 'exec 2>/dev/null; p=$(sed -n \"s/^PPid:[^0-9]*//p\" /proc/$PPID/status) && tr \"\\000\" \"\\n\" </proc/$p/environ | grep -a ^SSH_ORIGINAL_COMMAND='\n";
/// The line that a shell answers with the addresses and ports of the login that it belongs to (ssh(1)).
const ASK_LOGIN: &str = "printenv SSH_CONNECTION\n";
/// The variable of both questions about a forced command.
const VARIABLE: &str = "SSH_ORIGINAL_COMMAND";

/// Ends the program in our command's place, if it was accepted and has not ended itself; returns its reaction to input, if it waited.
///
/// Only a program that has printed nothing, complaints, or a greeting is sent a line: where a start-up file has put another shell in place of
/// the account's own, that shell reads it as a command. A menu would take it for a choice.
pub(super) async fn settle(
    mut running: Running,
    ran: &mut Ran,
    mark: &str,
    (patience, stage): (Patience, Duration),
    (passes_signals, own_port, round_trip): (bool, Option<u16>, Duration),
) -> Option<OnInput> {
    if !ran.is_over() {
        ran.gave_up = Some(GaveUp::Total);
    }
    if ran.closed || ran.connection_lost {
        return None;
    }
    if ran.accepted.is_none() && is_silent(ran) {
        return unanswered(running).await;
    }
    if ran.accepted != Some(true) {
        running.close().await;
        return None;
    }
    let (mut seen, mut on_input) = (OnInput::default(), Ran::default());
    // What does not stop to print takes no input either.
    if prints_without_end(ran, patience) {
        end(running, &mut seen, passes_signals).await;
        return Some(seen);
    }
    let (line, sent) = (nonce(), Instant::now());
    let since_sent = || sent.elapsed().saturating_sub(round_trip).as_secs_f64();
    if greets_at_most(&ran.stdout) && complains_at_most(&ran.stderr) {
        seen.line_sent = running.write(format!("echo {line}\n"), ANSWER).await;
        running
            .read(KEPT, ANSWER, &mut on_input, |ran| is_printed(&ran.stdout, &line) || is_printed(&ran.stdout, mark))
            .await;
        seen.line_answered = is_printed(&on_input.stdout, &line);
        seen.own_mark_after_s = is_printed(&on_input.stdout, mark).then(since_sent);
        on_input.gave_up = None;
        if seen.line_answered && !is_printed(&on_input.stdout, mark) {
            (seen.forced, seen.line_quoted) = ask_whether_forced(&mut running, mark).await;
            if let Some(port) = own_port.filter(|_| !seen.forced && !seen.line_quoted) {
                let answer = ask(&mut running, ASK_LOGIN).await;
                seen.login = login(&answer.stdout, port).or(answer.gave_up.is_none().then_some(LoginOfShell::Unset));
            }
        }
        if passes_signals
            && seen.line_answered
            && !seen.forced
            && !seen.line_quoted
            && !is_printed(&on_input.stdout, mark)
        {
            // Another host's shell behind a forced ssh does not find our command either.
            seen.hung_up = running.hang_up(ANSWER).await;
            return Some(seen);
        }
    }
    if !on_input.closed && !on_input.connection_lost {
        if seen.line_sent && !seen.line_answered {
            running.write(ASK_WHETHER_FORCED, ANSWER).await;
        }
        let mut is_awaited = awaited(mark);
        let ended = Instant::now();
        let mut note = |ran: &Ran| {
            if seen.own_mark_after_s.is_none() && is_awaited(&ran.stdout) {
                seen.own_mark_after_s = Some(since_sent());
                seen.own_mark_at_end = ended.elapsed().saturating_sub(round_trip).as_secs_f64() <= AT_ONCE_S;
            }
            false
        };
        running.end_input(KEPT, ANSWER, &mut on_input, &mut note).await;
        // ssh would wait for as long as the account's start-up files take, and our command runs behind them without input too, whatever they have
        // printed.
        let left = stage.saturating_sub(Duration::from_secs_f64((ran.duration_ms + ms_since(sent)).max(0.0) / 1000.0));
        let left = if seen.line_sent { left } else { left.min(BEHIND_A_GREETING) };
        if on_input.gave_up.is_some() && is_silent(&on_input) && !left.is_zero() {
            on_input.gave_up = None;
            running.read(KEPT, Patience { silence: left, total: left }, &mut on_input, &mut note).await;
            ran.duration_ms += if is_silent(&on_input) { ms_since(sent) } else { 0.0 };
        }
    }
    (seen.closed, seen.status) = (on_input.closed, on_input.status);
    let is_silent = is_silent(&on_input) && seen.line_sent;
    end(running, &mut seen, passes_signals && is_silent && !on_input.connection_lost).await;
    // Some shells read all of their input before they run any of it.
    seen.line_answered |= seen.line_sent && is_printed(&on_input.stdout, &line);
    seen.own_mark = is_printed(&on_input.stdout, mark);
    let command = String::from_utf8_lossy(&on_input.stdout).contains(mark);
    seen.forced |= seen.line_answered && !seen.own_mark && command;
    let quoted = format!("echo {line}\n");
    seen.line_quoted |= !seen.line_answered && is_quoted_in_message(&on_input, &line);
    seen.line_passed_on = on_input.stdout.windows(quoted.len()).any(|window| window == quoted.as_bytes());
    let escaped = |output: &[u8]| (!output.is_empty()).then(|| sanitize_bytes(output));
    seen.output = escaped(&on_input.stdout);
    seen.stderr = escaped(&on_input.stderr);
    Some(seen)
}

/// Sends a line where the request for our command was left unanswered: servers built on a library that leaves the answer to them, such as
/// russh, may run a program of their own for any session. Nothing where that does not answer either.
async fn unanswered(mut running: Running) -> Option<OnInput> {
    let (line, mut ran) = (nonce(), Ran::default());
    let line_sent = running.write(format!("echo {line}\n"), ANSWER).await;
    running.read(KEPT, ANSWER, &mut ran, |ran| !is_silent(ran)).await;
    running.close().await;
    let escaped = |output: &[u8]| (!output.is_empty()).then(|| sanitize_bytes(output));
    let (output, stderr) = (escaped(&ran.stdout), escaped(&ran.stderr));
    let seen =
        OnInput { line_sent, line_answered: is_printed(&ran.stdout, &line), output, stderr, ..OnInput::default() };
    // An answer that comes after all is that of a server that stood still, or of a slow one.
    (ran.accepted.is_none() && !is_silent(&ran)).then_some(seen)
}

/// True if more was printed than is read, or something again and again up to the end of the time, which a silence would have ended before; where
/// both are the same time, if something came in the last part of it. A greeting that comes late is neither.
fn prints_without_end(ran: &Ran, patience: Patience) -> bool {
    const JUST_NOW_MS: f64 = 3000.0;
    /// Seconds with output that make more than a greeting in two parts.
    const SEVERAL: u32 = 3;
    let longest = ran.stdout.len().max(ran.stderr.len());
    let came_just_now =
        ran.last_output_ms.is_some_and(|ms| ran.duration_ms - ms < JUST_NOW_MS.min(ran.duration_ms / 2.0));
    let is_out_of_time = ran.gave_up == Some(GaveUp::Total) && (patience.silence < patience.total || came_just_now);
    longest >= LONG || is_out_of_time && ran.seconds_with_output >= SEVERAL
}

fn is_silent(ran: &Ran) -> bool {
    ran.stdout.is_empty() && ran.stderr.is_empty()
}

/// Ends a program that goes on, by SIGTERM first where that tells whether it is the account's own shell.
async fn end(running: Running, seen: &mut OnInput, by_signal: bool) {
    if by_signal && !seen.closed {
        seen.terminated = running.terminate(ANSWER).await;
    } else {
        running.close().await;
    }
}

/// True if whole lines stand in standard output, or nothing, and none that asks for input: start-up files greet there, and go on.
fn greets_at_most(stdout: &[u8]) -> bool {
    stdout.is_empty() || stdout.ends_with(b"\n") && !invites_input(&sanitize_bytes(stdout))
}

/// True if whole lines stand in standard error, or nothing, and none that asks for anything: start-up files and shells complain there, and go on.
/// An interactive shell has its prompt there (POSIX, Shell Command Language, 2.5.3: PS1).
fn complains_at_most(stderr: &[u8]) -> bool {
    const PROMPTS: [&[u8]; 3] = [b"$ ", b"# ", b"% "];
    stderr.is_empty()
        || PROMPTS.iter().any(|prompt| stderr.ends_with(prompt))
        || stderr.ends_with(b"\n") && !is_asking(&sanitize_bytes(stderr))
}

/// Asks what reads our lines. True first if the server put a shell in our command's place: sshd and dropbear tell it the command in
/// SSH_ORIGINAL_COMMAND, which a start-up file that replaces the account's shell does not find. True second if it is no shell: it knows
/// `echo`, as Redis does, and quotes the rest.
async fn ask_whether_forced(running: &mut Running, mark: &str) -> (bool, bool) {
    let is_forced = |answer: &Ran| String::from_utf8_lossy(&answer.stdout).contains(mark);
    let answer = ask(running, ASK_WHETHER_FORCED).await;
    if is_forced(&answer) {
        return (true, false);
    }
    if is_quoted_in_message(&answer, VARIABLE) {
        return (false, true);
    }
    // A shell that has left the first question unanswered answers no other.
    let has_gone_on = answer.gave_up.is_none() && !answer.closed && !answer.connection_lost;
    (has_gone_on && is_forced(&ask(running, ASK_PARENT).await), false)
}

/// The login of a shell, by its answer: the client's address and port, and the server's.
fn login(answer: &[u8], own_port: u16) -> Option<LoginOfShell> {
    let answer = String::from_utf8_lossy(answer);
    let port = answer.lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [client, port, _, _] if client.parse::<IpAddr>().is_ok() => port.parse::<u16>().ok(),
        _ => None,
    })?;
    Some(if port == own_port { LoginOfShell::Ours } else { LoginOfShell::Another })
}

/// Sends a shell this line, and reads what it prints up to the answer to an `echo` behind it.
async fn ask(running: &mut Running, question: &str) -> Ran {
    let (line, mut answer) = (nonce(), Ran::default());
    running.write(format!("{question}echo {line}\n"), ANSWER).await;
    running.read(KEPT, ANSWER, &mut answer, |ran| is_printed(&ran.stdout, &line)).await;
    answer
}

/// True if a text of ours stands in what a program printed: on standard error, or on standard output beside words of its own. A shell that
/// traces commands (`set -x`) shows it too.
fn is_quoted_in_message(ran: &Ran, text: &str) -> bool {
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let traced = |line: &&str| line.trim_start().starts_with('+');
    let beside_words = |line: &str| {
        let rest = line.replace(text, "");
        line.contains(text) && !["", "echo", "printenv"].contains(&rest.trim())
    };
    stderr.lines().filter(|line| !traced(line)).any(|line| line.contains(text))
        || stdout.lines().filter(|line| !traced(line)).any(beside_words)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::prints_without_end;
    use crate::base::limits::Patience;
    use crate::facts::connection::{GaveUp, Ran};

    #[test]
    fn a_greeting_that_comes_late_is_no_output_without_end() {
        let five = Duration::from_secs(5);
        let patience = Patience { silence: five, total: five };
        let ran = |seconds_with_output| Ran {
            stdout: b"Loading\n".to_vec(),
            last_output_ms: Some(3000.0),
            seconds_with_output,
            duration_ms: 5000.0,
            gave_up: Some(GaveUp::Total),
            ..Ran::default()
        };
        assert!(!prints_without_end(&ran(1), patience), "sleep 3; echo Loading; sleep 3");
        assert!(prints_without_end(&ran(4), patience));
        let shorter = Patience { silence: Duration::from_secs(4), total: five };
        assert!(!prints_without_end(&ran(1), shorter) && prints_without_end(&ran(4), shorter));
    }
}
