//! keyboard-interactive (RFC 4256): the server asks, a secret or a person answers.

use std::sync::Arc;
use std::time::Instant;

use russh::client::{KeyboardInteractiveAuthResponse as Response, Prompt as Asked};
use secrecy::{ExposeSecret, SecretString};

use super::clock::{Clock, Cut};
use super::outcome::CredentialOutcome;
use crate::base::ask::{Ask, Question};
use crate::base::elapsed::ms_since;
use crate::base::text::sanitize;
use crate::facts::auth::question::{self, PromptContext};
use crate::facts::auth::{KeyProblem, Prompt, Steps};
use crate::ssh::connection::Connection;

/// The most rounds of questions; two factors with a notice after each take six.
const ROUNDS: usize = 6;
/// The most questions in one round.
const QUESTIONS: usize = 16;
/// The party that answers.
pub(crate) struct Answerer {
    /// A password, for one question after a password that is answered without echo, once.
    pub(crate) secret: Option<SecretString>,
    /// A person, for everything else.
    pub(crate) person: Option<Arc<dyn Ask>>,
}

/// The way a conversation went.
pub(crate) struct Conversation {
    pub(crate) outcome: CredentialOutcome,
    /// The time was up, or the user ended it.
    pub(crate) cut: Option<Cut>,
    /// The server's prompts.
    pub(crate) prompts: Vec<Prompt>,
    /// The text that it said beside its questions, escaped.
    pub(crate) notices: Vec<String>,
    /// The time until its first question, and the longest wait for the answer to ours, milliseconds.
    pub(crate) steps: Steps,
    /// Something was sent that the server may count against us.
    pub(crate) answered: bool,
    /// The reason for which a question was left without an answer: the library can do nothing else on this connection.
    pub(crate) stuck: Option<KeyProblem>,
    /// The one answer that will be good again.
    pub(crate) again: Option<SecretString>,
}

/// Starts the method and answers what can be answered.
pub(crate) async fn converse(
    connection: &mut Connection,
    user: &str,
    host: &str,
    answerer: Answerer,
    clock: &mut Clock,
) -> Conversation {
    let outcome = CredentialOutcome::Broken("nobody could answer".into());
    let mut talk = Conversation {
        outcome,
        cut: None,
        prompts: Vec::new(),
        notices: Vec::new(),
        steps: Steps::default(),
        answered: false,
        stuck: None,
        again: None,
    };
    let mut answerer = answerer;
    let (mut asked, mut asking) = (Instant::now(), connection.watch().asking());
    let start = connection.handle().authenticate_keyboard_interactive_start(user, None::<String>);
    let mut response = clock.bound(start).await;
    for _ in 0..ROUNDS {
        talk.waited(ms_since(asked));
        let (context, questions) = match response {
            Err(cut) => {
                talk.cut = Some(cut);
                return talk;
            }
            Ok(Err(error)) => {
                talk.outcome = CredentialOutcome::Broken(error.to_string());
                return talk;
            }
            Ok(Ok(Response::Failure { remaining_methods, partial_success })) => {
                talk.outcome =
                    CredentialOutcome::failed(&remaining_methods, partial_success, &asking, connection).await;
                return talk;
            }
            Ok(Ok(_)) if !asking.may_be_answered() => {
                talk.outcome = CredentialOutcome::unasked();
                return talk;
            }
            Ok(Ok(Response::Success)) => {
                talk.outcome = CredentialOutcome::Success;
                return talk;
            }
            Ok(Ok(Response::InfoRequest { name, instructions, prompts })) => {
                (PromptContext { name, instructions }, prompts)
            }
        };
        if !context.instructions.trim().is_empty() {
            talk.notices.push(sanitize(context.instructions.trim()));
        }
        let kept = questions.iter().take(QUESTIONS);
        talk.prompts.extend(kept.map(|asked| Prompt { text: sanitize(&asked.prompt), echo: asked.echo }));
        if talk.answered && questions.iter().any(|asked| question::asks_for_new_password(&asked.prompt)) {
            talk.stuck = Some(KeyProblem::NewPassword);
            return talk;
        }
        let answers =
            match answerer.answers(&format!("{user}@{host}"), &context, &questions, clock, &mut talk.again).await {
                Ok(answers) => answers,
                Err(obstacle) => {
                    talk.stuck = Some(obstacle);
                    return talk;
                }
            };
        talk.answered |= !answers.is_empty();
        if talk.prompts.len() > 1 {
            // More than one question: at least one of the answers may be good only once.
            talk.again = None;
        }
        (asked, asking) = (Instant::now(), connection.watch().asking());
        let respond = connection.handle().authenticate_keyboard_interactive_respond(answers);
        response = clock.bound(respond).await;
    }
    talk.stuck = Some(KeyProblem::NobodyToAnswer);
    talk
}

impl Conversation {
    /// Notes how long the server took: until its first question, or over an answer.
    fn waited(&mut self, ms: f64) {
        if self.steps.query_ms.is_none() {
            self.steps.query_ms = Some(ms);
        } else {
            self.steps.decision_ms = Some(self.steps.decision_ms.map_or(ms, |longest| longest.max(ms)));
        }
    }
}

impl Answerer {
    /// An answer to each question, or why there is none to one of them.
    async fn answers(
        &mut self,
        who: &str,
        context: &PromptContext,
        questions: &[Asked],
        clock: &Clock,
        again: &mut Option<SecretString>,
    ) -> Result<Vec<String>, KeyProblem> {
        if questions.len() > QUESTIONS {
            return Err(KeyProblem::NobodyToAnswer);
        }
        // A password is no one-time code: sent as one it would be a failed login, and in the wrong hands of a module.
        if let [Asked { prompt, echo: false }] = questions
            && question::asks_for_password(prompt, context)
            && let Some(secret) = self.secret.take()
        {
            *again = Some(secret.clone());
            return Ok(vec![secret.expose_secret().to_owned()]);
        }
        let mut answers = Vec::new();
        for (at, asked) in questions.iter().enumerate() {
            let ask = self.person.clone().ok_or(KeyProblem::NobodyToAnswer)?;
            let instructions = &context.instructions;
            let notice = if at == 0 && !instructions.is_empty() { format!("{instructions}\n") } else { String::new() };
            // Whoever asks makes the words safe, and keeps their lines: a menu of factors has several.
            let question = Question::Server { who: who.to_owned(), words: format!("{notice}{}", asked.prompt) };
            if asked.echo {
                answers.push(clock.person(move || ask.line(&question)).await.ok_or(KeyProblem::Declined)?);
            } else {
                let secret = clock.person(move || ask.secret(&question)).await.ok_or(KeyProblem::Declined)?;
                answers.push(secret.expose_secret().to_owned());
                if question::asks_for_password(&asked.prompt, context) && question::is_password_itself(&asked.prompt) {
                    *again = Some(secret);
                }
            }
        }
        Ok(answers)
    }
}
