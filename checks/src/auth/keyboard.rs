//! keyboard-interactive (RFC 4256): the server asks, a secret or a person answers.

use std::sync::Arc;

use russh::client::{KeyboardInteractiveAuthResponse as Response, Prompt as Asked};
use secrecy::{ExposeSecret, SecretString};

use super::clock::{Clock, Cut};
use super::credential::Outcome;
use super::facts::Prompt;
use crate::connection::Connection;
use crate::examination::Ask;
use crate::text::shown;

/// The most rounds of questions; two factors with a notice after each take six.
const ROUNDS: usize = 16;
/// The most questions in one round.
const QUESTIONS: usize = 16;

/// Who answers.
pub(super) struct Answerer {
    /// A password, for one question that is answered without echo, once.
    pub(super) secret: Option<SecretString>,
    /// A person, for everything else.
    pub(super) person: Option<Arc<dyn Ask>>,
}

/// How a conversation went.
pub(super) struct Conversation {
    pub(super) outcome: Outcome,
    /// The time was up, or the user ended it.
    pub(super) cut: Option<Cut>,
    /// What the server asked.
    pub(super) prompts: Vec<Prompt>,
    /// Something was sent that the server may count against us.
    pub(super) answered: bool,
    /// A question was left without an answer: the library can do nothing else on this connection.
    pub(super) stuck: bool,
    /// The one answer that will be good again.
    pub(super) again: Option<SecretString>,
}

/// Starts the method and answers what can be answered.
pub(super) async fn converse(
    connection: &mut Connection,
    user: &str,
    answerer: Answerer,
    clock: &mut Clock,
) -> Conversation {
    let outcome = Outcome::Broken("nobody could answer".into());
    let mut talk = Conversation { outcome, cut: None, prompts: Vec::new(), answered: false, stuck: false, again: None };
    let mut answerer = answerer;
    let start = connection.handle().authenticate_keyboard_interactive_start(user, None::<String>);
    let mut response = clock.bound(start).await;
    for _ in 0..ROUNDS {
        let (instructions, questions) = match response {
            Err(cut) => {
                talk.cut = Some(cut);
                return talk;
            }
            Ok(Err(error)) => {
                talk.outcome = Outcome::Broken(error.to_string());
                return talk;
            }
            Ok(Ok(Response::Success)) => {
                talk.outcome = Outcome::Success;
                return talk;
            }
            Ok(Ok(Response::Failure { remaining_methods, partial_success })) => {
                talk.outcome = Outcome::failed(&remaining_methods, partial_success, connection).await;
                return talk;
            }
            Ok(Ok(Response::InfoRequest { instructions, prompts, .. })) => (instructions, prompts),
        };
        let kept = questions.iter().take(QUESTIONS);
        talk.prompts.extend(kept.map(|asked| Prompt { text: shown(&asked.prompt), echo: asked.echo }));
        let Some(answers) = answerer.answers(user, &instructions, &questions, clock, &mut talk.again).await else {
            talk.stuck = true;
            return talk;
        };
        talk.answered |= !answers.is_empty();
        if talk.prompts.len() > 1 {
            // More than one question: at least one of the answers may be good only once.
            talk.again = None;
        }
        let respond = connection.handle().authenticate_keyboard_interactive_respond(answers);
        response = clock.bound(respond).await;
    }
    talk.stuck = true;
    talk
}

impl Answerer {
    /// An answer to each question; none when one of them cannot be answered.
    async fn answers(
        &mut self,
        user: &str,
        instructions: &str,
        questions: &[Asked],
        clock: &Clock,
        again: &mut Option<SecretString>,
    ) -> Option<Vec<String>> {
        if questions.len() > QUESTIONS {
            return None;
        }
        if let ([Asked { echo: false, .. }], Some(_)) = (questions, &self.secret) {
            let secret = self.secret.take()?;
            *again = Some(secret.clone());
            return Some(vec![secret.expose_secret().to_owned()]);
        }
        let mut answers = Vec::new();
        for (at, question) in questions.iter().enumerate() {
            let ask = self.person.clone()?;
            let notice =
                if at == 0 && !instructions.is_empty() { format!("{}\n", shown(instructions)) } else { String::new() };
            let words = format!("{notice}({}) {}", shown(user), shown(&question.prompt));
            if question.echo {
                answers.push(clock.person(move || ask.line(&words)).await?);
            } else {
                let secret = clock.person(move || ask.secret(&words)).await?;
                answers.push(secret.expose_secret().to_owned());
                if question.prompt.to_lowercase().contains("password") {
                    *again = Some(secret);
                }
            }
        }
        Some(answers)
    }
}
