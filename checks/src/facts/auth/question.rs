//! The kind of a keyboard-interactive prompt: a password, which can be used again, or something else.

/// Words that a password answers; PAM asks in the server's language.
const PASSWORD: [&str; 9] =
    ["passw", "passphrase", "kennwort", "mot de passe", "contraseña", "senha", "wachtwoord", "пароль", "密码"];
/// A question for a password and for nothing else.
const PASSWORD_ITSELF: [&str; 9] =
    ["password", "passwort", "kennwort", "mot de passe", "contraseña", "senha", "wachtwoord", "пароль", "密码"];
/// Words for something that is good only once, in a question or beside it.
const ONCE: [&str; 11] = [
    "one-time",
    "one time",
    "s/key",
    "einmal",
    "usage unique",
    "un solo uso",
    "uso único",
    "eenmalig",
    "одноразов",
    "一次性",
    "动态",
];
/// Whole words for the same: RFC 2289, RFC 4226, RFC 6238.
const ONCE_BY_NAME: [&str; 7] = ["otp", "hotp", "totp", "oath", "onetime", "skey", "opie"];
/// Whole words in a question for a second factor, which is no password although it may be called one.
const SECOND_FACTOR: [&str; 14] = [
    "token",
    "code",
    "passcode",
    "pin",
    "verification",
    "authenticator",
    "challenge",
    "response",
    "securid",
    "yubikey",
    "duo",
    "factor",
    "2fa",
    "mfa",
];
/// Words that begin the change of a password: pam_unix, pam_sss, pam_winbind.
const NEW_PASSWORD: [&str; 5] =
    ["new password", "current password", "(current)", "change your password", "password has expired"];

/// The text that the server says beside its questions.
pub(crate) struct PromptContext {
    pub(crate) name: String,
    pub(crate) instructions: String,
}

/// True if a question is for a password, and not for what is good only once.
pub(crate) fn asks_for_password(question: &str, context: &PromptContext) -> bool {
    let is_once = |text: &str| has(text, &ONCE) || has_word(text, &ONCE_BY_NAME);
    let once = [question, &context.name, &context.instructions].into_iter().any(is_once);
    has(question, &PASSWORD) && !once && !has_word(question, &SECOND_FACTOR)
}

/// True if a question is just that: `Password:`, or `user@host's password:`.
pub(crate) fn is_password_itself(question: &str) -> bool {
    let question = question.trim().trim_end_matches([':', '：', ' ', '\u{a0}']).to_lowercase();
    let of_user = |owner: &str| owner.contains('@') && !owner.contains(char::is_whitespace);
    PASSWORD_ITSELF.contains(&question.as_str()) || question.strip_suffix("'s password").is_some_and(of_user)
}

/// True if a question begins the change of a password.
pub(crate) fn asks_for_new_password(question: &str) -> bool {
    has(question, &NEW_PASSWORD)
}

fn has(text: &str, parts: &[&str]) -> bool {
    let text = text.to_lowercase();
    parts.iter().any(|part| text.contains(part))
}

fn has_word(text: &str, words: &[&str]) -> bool {
    text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::{PromptContext, asks_for_new_password, asks_for_password, is_password_itself};

    fn context(instructions: &str) -> PromptContext {
        PromptContext { name: String::new(), instructions: instructions.into() }
    }

    #[test]
    fn a_code_is_not_asked_for_like_a_password() {
        let itself = ["Password: ", "user@host's password:", "Passwort:", "Mot de passe : "];
        for question in itself.iter().chain(&["Password for me@shopping: ", "LDAP Password: "]) {
            assert!(asks_for_password(question, &context("")), "{question}");
            assert_eq!(is_password_itself(question), itself.contains(question), "{question}");
        }
        for question in [
            "Verification code: ",
            "Passcode or option (1-3): ",
            "One-time PIN:",
            "Enter PASSCODE:",
            "One-time password (OATH) for `me': ",
            "OTP password:",
            "otp-md5 499 ke1234 ext\nPassword: ",
            "S/Key Password: ",
            "Password + token: ",
            "Password or PIN:",
            "Einmalpasswort:",
        ] {
            assert!(!asks_for_password(question, &context("")), "{question}");
        }
    }

    #[test]
    fn what_is_said_beside_a_question_may_tell_that_its_password_is_good_once() {
        assert!(!asks_for_password("Password: ", &context("otp-md5 499 ke1234 ext")));
        for said in ["You agree to the code of conduct.", "All copies leave a footprint."] {
            assert!(asks_for_password("Password: ", &context(said)), "{said}");
        }
    }

    #[test]
    fn a_change_of_the_password_is_told_by_its_questions() {
        for question in ["Current password: ", "(current) UNIX password: ", "New password: ", "Enter new password:"] {
            assert!(asks_for_new_password(question), "{question}");
        }
        assert!(!asks_for_new_password("Password: "));
    }
}
