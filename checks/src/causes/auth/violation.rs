//! Messages that no server may send during a login.

use crate::base::text::{bytes, sanitize};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Violation;

pub(super) const PROTOCOL_VIOLATION: Cause = Cause {
    code: "auth-protocol-violation",
    stage: Check::Auth,
    title: "The server violates the SSH protocol during authentication",
    severity: Severity::Critical,
    explanation: "After the key exchange the server sent what no server may send: answers to requests that it had not received, \
        far more data than a login needs, or an unreadable message. Its implementation is broken or made to attack \
        clients. ssh-doctor closed the connection. What the server said about keys and passwords before that means \
        nothing.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Upgrade the SSH server; if it is not yours, do not log in before its owner has checked it",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Compare with ssh itself",
            snippet: Some("ssh -vvv {alias} true 2>&1 | tail -n 30"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["input_userauth_error: bad message during authentication", "Packet integrity error"],
    hides: &[
        "auth-disconnected",
        "auth-key-rejected",
        "auth-password-rejected",
        "auth-no-credentials",
        "auth-method-unavailable",
        "handshake-mac-mismatch",
    ],
    judge: |evidence| {
        let (certainty, what) = match evidence.auth.failed()?.violation.as_ref()? {
            Violation::UnaskedAnswer => {
                (Certainty::Certain, "an answer was there before its request can have reached the server".to_owned())
            }
            Violation::TooMuch { bytes: count } => {
                (Certainty::Certain, format!("it had sent {} before the login was over", bytes(*count as f64)))
            }
            // What only the library refused may be the library's fault.
            Violation::Malformed { error } => {
                (Certainty::Likely, format!("our SSH library could not read a message: \"{}\"", sanitize(error)))
            }
        };
        Some(Match::new(certainty, [what]))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, key};
    use crate::facts::auth::{AuthAnswer, Conclusion};
    use crate::facts::connection::{Manner, Violation};

    #[test]
    fn it_stands_for_whatever_the_server_said_before() {
        for violation in [
            Violation::UnaskedAnswer,
            Violation::TooMuch { bytes: 1 << 20 },
            Violation::Malformed { error: "SshEncoding: length invalid".into() },
        ] {
            let mut sample = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Refused));
            sample.0.violation = Some(violation);
            sample.0.conclusion = Conclusion::Ended;
            sample.0.end = Some(Manner::Protocol { error: "x".into() });
            assert!(sample.fired().contains(&"auth-protocol-violation"));
        }
    }
}
