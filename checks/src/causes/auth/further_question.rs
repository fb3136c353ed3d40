//! A question that comes after an answer.

use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::auth::{AuthAnswer, KeyProblem};
use crate::facts::certainty::Certainty;

pub(super) const QUESTION_UNANSWERED: Cause = Cause {
    code: "auth-question-unanswered",
    stage: Check::Auth,
    title: "The server asks a further question that nobody could answer",
    severity: Severity::Critical,
    explanation: "With keyboard-interactive the server asked a question, received an answer, and asked a further one, such as a \
        one-time code. There was no answer to it: only one password was given, and nobody could be asked or nothing \
        was typed. Whether the first answer was right is not known; many servers ask for the second factor after a \
        wrong password too.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Run the check at a terminal, where you can answer",
            snippet: Some("ssh-doctor check {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Exempt unattended accounts from the second factor",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Match User {user}\n    AuthenticationMethods publickey"),
            caution: Some("the account is then protected by its key alone"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["Verification code:", "Permission denied (keyboard-interactive)"],
    hides: &["auth-method-unavailable", "auth-no-credentials", "auth-key-rejected"],
    judge: |evidence| {
        let facts = evidence.auth.failed()?;
        let unanswered =
            |obstacle: &Option<KeyProblem>| matches!(obstacle, Some(KeyProblem::NobodyToAnswer | KeyProblem::Declined));
        let attempt =
            facts.answered(AuthAnswer::Unfinished).find(|attempt| attempt.sent && unanswered(&attempt.obstacle))?;
        let asked = attempt.prompts.iter().map(|prompt| format!("the server asked \"{}\"", prompt.text.trim()));
        let because = asked.chain(["the last of these had no answer".to_owned()]);
        Some(Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, secret};
    use crate::facts::auth::{AuthAnswer, KeyProblem, Prompt};

    fn talk(sent: bool) -> Vec<&'static str> {
        let mut attempt = secret("keyboard-interactive", AuthAnswer::Unfinished);
        attempt.sent = sent;
        attempt.obstacle = Some(KeyProblem::NobodyToAnswer);
        attempt.prompts =
            ["Password: ", "Code: "].map(|text| Prompt { text: text.into(), echo: false }).into_iter().collect();
        Sample::refused(["keyboard-interactive"]).with(attempt).fired()
    }

    #[test]
    fn only_a_question_after_an_answer_is_a_further_one() {
        assert!(talk(true).contains(&"auth-question-unanswered"));
        assert!(!talk(true).contains(&"auth-method-unavailable"));
        assert_eq!(talk(false), ["auth-method-unavailable"]);
    }
}
