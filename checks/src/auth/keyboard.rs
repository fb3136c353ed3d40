//! keyboard-interactive (RFC 4256): the server asks, a secret or a person answers.

use std::sync::Arc;
use std::time::Instant;

use russh::client::{KeyboardInteractiveAuthResponse as Response, Prompt as Asked};
use secrecy::{ExposeSecret, SecretString};

use super::clock::{Clock, Cut};
use super::credential::Outcome;
use super::facts::{Prompt, Steps};
use crate::connection::Connection;
use crate::examination::Ask;
use crate::text::shown;

/// The most rounds of questions; two factors with a notice after each take six.
const ROUNDS: usize = 16;
/// The most questions in one round.
const QUESTIONS: usize = 16;
/// Words in a question that a password answers; PAM asks in the server's language.
const PASSWORD: [&str; 9] =
    ["passw", "passphrase", "kennwort", "mot de passe", "contraseña", "senha", "wachtwoord", "пароль", "密码"];
/// Words in a question that begins the change of a password: pam_unix, pam_sss, pam_winbind.
const NEW_PASSWORD: [&str; 5] =
    ["new password", "current password", "(current)", "change your password", "password has expired"];

/// Who answers.
pub(super) struct Answerer {
    /// A password, for one question after a password that is answered without echo, once.
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
    /// What it said beside its questions, escaped.
    pub(super) notices: Vec<String>,
    /// Until its first question, and the longest wait for the answer to ours, milliseconds.
    pub(super) steps: Steps,
    /// The server wants a new password, which is not for us to choose.
    pub(super) new_password: bool,
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
    let mut talk = Conversation {
        outcome,
        cut: None,
        prompts: Vec::new(),
        notices: Vec::new(),
        steps: Steps::default(),
        new_password: false,
        answered: false,
        stuck: false,
        again: None,
    };
    let mut answerer = answerer;
    let mut asked = Instant::now();
    let start = connection.handle().authenticate_keyboard_interactive_start(user, None::<String>);
    let mut response = clock.bound(start).await;
    for _ in 0..ROUNDS {
        talk.waited(asked.elapsed().as_secs_f64() * 1000.0);
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
        if !instructions.trim().is_empty() {
            talk.notices.push(shown(instructions.trim()));
        }
        let kept = questions.iter().take(QUESTIONS);
        talk.prompts.extend(kept.map(|asked| Prompt { text: shown(&asked.prompt), echo: asked.echo }));
        if talk.answered && questions.iter().any(|asked| has_words(&asked.prompt, &NEW_PASSWORD)) {
            talk.new_password = true;
            talk.stuck = true;
            return talk;
        }
        let Some(answers) = answerer.answers(user, &instructions, &questions, clock, &mut talk.again).await else {
            talk.stuck = true;
            return talk;
        };
        talk.answered |= !answers.is_empty();
        if talk.prompts.len() > 1 {
            // More than one question: at least one of the answers may be good only once.
            talk.again = None;
        }
        asked = Instant::now();
        let respond = connection.handle().authenticate_keyboard_interactive_respond(answers);
        response = clock.bound(respond).await;
    }
    talk.stuck = true;
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

/// Whether a question holds one of these words, whatever their case.
fn has_words(question: &str, words: &[&str]) -> bool {
    let question = question.to_lowercase();
    words.iter().any(|word| question.contains(word))
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
        // A password is no one-time code: sent as one it would be a failed login, and in the wrong hands of a module.
        if let [Asked { prompt, echo: false }] = questions
            && has_words(prompt, &PASSWORD)
            && let Some(secret) = self.secret.take()
        {
            *again = Some(secret.clone());
            return Some(vec![secret.expose_secret().to_owned()]);
        }
        let mut answers = Vec::new();
        for (at, question) in questions.iter().enumerate() {
            let ask = self.person.clone()?;
            let notice = if at == 0 && !instructions.is_empty() { format!("{instructions}\n") } else { String::new() };
            // Whoever asks makes the words safe, and keeps their lines: a menu of factors has several.
            let words = format!("{notice}({}) {}", shown(user), question.prompt);
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

#[cfg(test)]
mod tests {
    use super::{NEW_PASSWORD, PASSWORD, has_words};

    #[test]
    fn a_code_is_not_asked_for_like_a_password() {
        for question in ["Password: ", "user@host's password:", "Passwort:", "Mot de passe : "] {
            assert!(has_words(question, &PASSWORD), "{question}");
        }
        for question in ["Verification code: ", "Passcode or option (1-3): ", "One-time PIN:", "Enter PASSCODE:"] {
            assert!(!has_words(question, &PASSWORD), "{question}");
        }
    }

    #[test]
    fn a_change_of_the_password_is_told_by_its_questions() {
        for question in ["Current password: ", "(current) UNIX password: ", "New password: ", "Enter new password:"] {
            assert!(has_words(question, &NEW_PASSWORD), "{question}");
        }
        assert!(!has_words("Password: ", &NEW_PASSWORD));
    }
}
