//! The server's own answers, requested only on the user's wish: one command that reads and writes nothing.

mod questions;

use std::time::Duration;

use super::context::Context;
use super::handles::LoggedIn;
use crate::base::limits::Patience;
use crate::base::nonce::nonce;
use crate::base::text::{sanitize, sanitize_bytes};
use crate::facts::channel::Lead;
use crate::facts::connection::{NotLoggedIn, Ran};
use crate::facts::server::{ServerAnswer, ServerAnswers};
use crate::ssh::connection::Connection;
use questions::{QUESTIONS, command};

/// All that is kept of the answers, bytes.
const KEPT: usize = 128 * 1024;
/// The most lines that are kept of one answer.
const LINES: usize = 60;
/// Each question is given 3 s on the server; most take none.
const PATIENCE: Patience = Patience { silence: Duration::from_secs(10), total: Duration::from_secs(40) };

/// Asks the questions on the connection that auth left, or on a new one where that is gone.
pub(crate) async fn ask(ctx: &Context, logged_in: Option<&LoggedIn>) -> Option<ServerAnswers> {
    if !ctx.limits.ask_server || ctx.stop.asked() {
        return None;
    }
    let failed = |why: &str| Some(ServerAnswers { failure: Some(why.to_owned()), ..ServerAnswers::default() });
    let Some(LoggedIn { connection, login: Some(login), runs_commands, .. }) = logged_in else {
        return failed("there is no login: see auth and channel");
    };
    let lead = match *runs_commands {
        Ok(lead) => lead,
        Err(why) => return failed(why),
    };
    let asked = async {
        if let Some(connection) = connection.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(answers(connection, lead).await);
        }
        let connection = login.open(ctx.limits.connect).await?;
        let answers = answers(&connection, lead).await;
        connection.close(Duration::from_secs(1)).await;
        Ok::<_, NotLoggedIn>(answers)
    };
    match ctx.stop.race(asked).await? {
        Ok(answers) => Some(answers),
        Err(error) => failed(&error.to_string()),
    }
}

pub(crate) async fn answers(connection: &Connection, lead: Lead) -> ServerAnswers {
    let mark = nonce();
    let ran = connection.run(&command(lead, &mark), KEPT, PATIENCE).await;
    ServerAnswers { answers: read(&String::from_utf8_lossy(&ran.stdout), &mark), failure: failure(&ran) }
}

pub(crate) fn failure(ran: &Ran) -> Option<String> {
    if let Some((code, text)) = &ran.refused {
        return Some(format!("the channel was refused: {} (reason {code})", sanitize(text)));
    }
    match ran {
        Ran { accepted: Some(false), .. } => Some("the server runs no command".to_owned()),
        Ran { gave_up: Some(_), .. } => Some("the server took too long".to_owned()),
        Ran { connection_lost: true, .. } => Some("the connection ended".to_owned()),
        Ran { status: Some(0), .. } => None,
        Ran { stderr, .. } => Some(format!("the server has no POSIX shell: {}", sanitize_bytes(stderr))),
    }
}

/// Takes the answers apart: each begins with the mark and its number, and ends with the mark and a status.
fn read(output: &str, mark: &str) -> Vec<ServerAnswer> {
    let begin = format!("{mark} begin ");
    let end = format!("{mark} end ");
    let mut answers: Vec<ServerAnswer> = Vec::new();
    let mut open = false;
    for line in output.lines() {
        if let Some(question) = line.strip_prefix(&begin).and_then(|at| QUESTIONS.get(at.parse::<usize>().ok()?)) {
            let (about, source) = (question.about.to_owned(), question.source.to_owned());
            answers.push(ServerAnswer { about, source, lines: Vec::new(), status: None });
            open = true;
        } else if let (Some(status), Some(answer)) = (line.strip_prefix(&end), answers.last_mut()) {
            answer.status = status.trim().parse().ok();
            open = false;
        } else if let (true, Some(answer)) = (open && !line.trim().is_empty(), answers.last_mut())
            && answer.lines.len() < LINES
        {
            answer.lines.push(sanitize(line.trim_end()));
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::questions::{QUESTIONS, command};
    use super::read;
    use crate::facts::channel::Lead;
    use std::process::Command;

    #[test]
    fn every_question_is_answered_by_this_machine_in_order() {
        let ran = Command::new("sh").arg("-c").arg(command(Lead::ExecSh, "m4rk")).output().unwrap();
        let answers = read(&String::from_utf8_lossy(&ran.stdout), "m4rk");
        let about: Vec<_> = answers.iter().map(|answer| answer.about.as_str()).collect();
        assert_eq!(about, QUESTIONS.iter().map(|question| question.about).collect::<Vec<_>>());
        assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
        let uptime = answers.iter().find(|answer| answer.about == "uptime").unwrap();
        assert_eq!((uptime.status, uptime.lines.len()), (Some(0), 1), "{uptime:?}");
    }

    #[test]
    fn what_a_server_prints_cannot_pass_for_an_answer_or_harm_a_terminal() {
        let output = "motd\nm begin 0\n\u{1b}[31mred\nother begin 1\nm end 0\nstray\nm begin 999\nm begin 1\nhalf";
        let answers = read(output, "m");
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0].lines, ["\\u{1b}[31mred", "other begin 1"]);
        assert_eq!((answers[0].status, answers[1].status), (Some(0), None));
        let endless = format!("m begin 0\n{}", "line\n".repeat(500));
        assert_eq!(read(&endless, "m")[0].lines.len(), super::LINES);
    }
}
