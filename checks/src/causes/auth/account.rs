//! Credentials accepted, but the account may not log in.

use super::log::{DROPBEAR_LOG, OTHER_LOG, SSHD_LOG};
use crate::base::text::seconds;
use crate::causes::channel::spoilt::ends_after_login;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::{Attempt, AuthAnswer, Conclusion, Facts};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::{Check, channel};

/// Messages of servers about an account that may not log in: pam_unix, pam_nologin and systemd, pam_faillock, pam_sss.
const REFUSED: [&str; 8] = [
    "account has expired",
    "account is expired",
    "not permitted to log in",
    "account is locked",
    "account has been locked",
    "account locked",
    "account is disabled",
    "account has been disabled",
];
/// The time after a credential beyond which an end may be LoginGraceTime, whose least sensible value this is.
const AT_ONCE_MS: f64 = 20_000.0;

pub(super) const ACCOUNT_REFUSED: Cause = Cause {
    code: "auth-account-refused",
    stage: Check::Auth,
    title: "Credentials accepted, but the account may not log in",
    severity: Severity::Critical,
    explanation: "The key or password was accepted, and then the login was refused. Possible reasons:\n\
        - the account has expired or is locked\n\
        - logins are disabled (/etc/nologin, a server that is starting or stopping)\n\
        - a PAM rule excludes the account (pam_access, pam_faillock, pam_sss)\n\
        - root may only run forced commands (PermitRootLogin forced-commands-only)\n\n\
        The server's own words are quoted where it sent any. Otherwise it is inferred: a server that asks for a \
        signature knows the key, and sshd answers a wrong password with a refusal, not with a disconnect as it does \
        after PAM refused the account. A login process that crashes at that moment looks the same. So does a firewall \
        that resets packets with ssh's DSCP marking; there ssh works with -o IPQoS=none. AllowUsers and DenyUsers look \
        different: each key is refused when it is offered. An sshd that lets root run forced commands only may accept \
        the login and disconnect at once, and logs a failed login: no second attempt is made. The \
        server's log names the reason.",
    fixes: &[
        SSHD_LOG,
        DROPBEAR_LOG,
        OTHER_LOG,
        Fix {
            side: Side::Server,
            summary: "Check whether the account has expired or is locked, and whether logins are disabled",
            snippet: Some(
                "chage -l {user}; passwd -S {user}; faillock --user {user}; tail -n +1 /etc/nologin /run/nologin",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Show the sshd and PAM rules for the account",
            snippet: Some(
                "sshd -T -C user={user} | grep -iE '^(allow|deny)(users|groups) |^permitrootlogin '; grep -hE '^account' /etc/pam.d/sshd /etc/pam.d/common-account",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "pam_sss(sshd:account): Access denied for user",
        "received for user <user>: 6 (Permission denied)",
        "not allowed because not listed in AllowUsers",
        "not allowed because listed in DenyUsers",
        "not allowed because a group is listed in DenyGroups",
        "not allowed because none of user's groups are listed in AllowGroups",
        "not allowed because not in any group",
        "not allowed because account is locked",
        "not allowed because shell <shell> does not exist",
        "not allowed because shell <shell> is not executable",
        "Access denied for user <user> by PAM account configuration",
        "has expired (account expired)",
        "Your account has expired",
        "ROOT LOGIN REFUSED FROM",
        "administratively prohibited connection for",
        "access denied to <user> connecting to",
        "pam_access(sshd:account): access denied for user",
        "pam_sss(sshd:account): Access denied for user",
        "pam_winbind(sshd:account)",
        "pam_listfile(sshd",
        "pam_succeed_if(sshd:auth): requirement \"user",
        "pam_succeed_if(sshd:auth): requirement \"group",
        "pam_succeed_if(sshd:auth): requirement \"login",
        "pam_succeed_if(sshd:auth): requirement \"shell",
        "pam_succeed_if(sshd:auth): requirement \"rhost",
        "pam_tally2(sshd:auth)",
        "pam_tally(sshd:auth)",
        "pam_time(sshd:account)",
        "The account is locked due to",
        "Account locked due to",
        "account temporarily locked",
        "User account has expired for",
        "is not allowed to log in as",
    ],
    hides: &["auth-disconnected", "auth-password-rejected", "auth-key-rejected"],
    judge: |evidence| {
        let taken_back = |facts| was_taken_back(facts) && !ends_after_login(evidence, facts);
        if evidence.channel.failed().is_some_and(taken_back) {
            let seen = "the server accepted the login, and ended the connection before a channel was open";
            return Some(Match::new(Certainty::Possible, [seen]));
        }
        let facts = evidence.auth.failed()?;
        let at_end = matches!(facts.conclusion, Conclusion::Refused | Conclusion::Ended);
        let proof = facts.attempts.iter().find_map(|attempt| refused_proof(facts, attempt));
        let words = facts.said().find(|text| says_refused(text));
        let certainty = match (words, &proof) {
            _ if !at_end => return None,
            (Some(_), _) => Certainty::Certain,
            (None, Some(_)) => Certainty::Likely,
            (None, None) => return None,
        };
        let said = facts.said().map(|text| format!("the server said \"{text}\""));
        Some(Match::new(certainty, proof.into_iter().chain(said)))
    },
    ..Cause::NEW
};

/// Describes the valid credential that did not help: a signature that the server had asked for, or a password after
/// which it hung up.
fn refused_proof(facts: &Facts, attempt: &Attempt) -> Option<String> {
    let took = seconds(attempt.ms / 1000.0);
    let without_a_word = facts.end == Some(Manner::Fin) && attempt.ms < AT_ONCE_MS;
    match (&attempt.key, attempt.answer) {
        (Some(key), AuthAnswer::Refused) if attempt.steps.signing_ms.is_some() => {
            Some(format!("the server asked for the signature of {}, and refused it", key.words()))
        }
        (Some(key), AuthAnswer::Ended) if attempt.steps.signing_ms.is_some() && without_a_word => {
            Some(format!("the server asked for the signature of {}, and then ended the connection", key.words()))
        }
        (None, AuthAnswer::Ended) if without_a_word => {
            Some(format!("the connection ended {took} after the {}, without a refusal", attempt.method))
        }
        _ => None,
    }
}

/// True if sshd's two processes disagree on a login: one accepts it, the other ends both.
fn was_taken_back(facts: &channel::Facts) -> bool {
    // What we had sent by then makes its close a reset.
    facts.ended_before_any_channel() && matches!(facts.ending, Some(Manner::Fin | Manner::Reset))
}

fn says_refused(text: &str) -> bool {
    let text = text.to_lowercase();
    REFUSED.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use crate::causes::auth::samples::{Sample, attempt, key, secret};
    use crate::facts::auth::{Attempt, AuthAnswer, Conclusion, Steps};
    use crate::facts::certainty::Certainty;
    use crate::facts::connection::{Manner, Ran};
    use crate::facts::{Evidence, Step, Timed, channel};

    const CODE: &str = "auth-account-refused";

    fn signed(answer: AuthAnswer) -> Attempt {
        let steps = Steps { query_ms: Some(1.0), signing_ms: Some(1.0), decision_ms: Some(1.0) };
        Attempt { steps, ..attempt(key("a"), answer) }
    }

    fn ended(last: Attempt, manner: Manner) -> Sample {
        let mut sample = Sample::refused(["publickey", "password"]).with(last);
        sample.0.conclusion = Conclusion::Ended;
        sample.0.end = Some(manner);
        sample
    }

    #[test]
    fn the_end_after_a_signature_that_was_asked_for_is_likely_the_account() {
        let sample = ended(signed(AuthAnswer::Ended), Manner::Fin);
        assert_eq!(sample.fired(), ["auth-disconnected", CODE]);
        assert_eq!(sample.certainty(CODE), Certainty::Likely);
        assert_eq!(ended(secret("password", AuthAnswer::Ended), Manner::Fin).certainty(CODE), Certainty::Likely);
    }

    #[test]
    fn the_servers_own_words_make_it_certain() {
        let mut sample = ended(signed(AuthAnswer::Ended), Manner::Fin);
        sample.0.banner = Some("Your account has expired; please contact your system administrator.".into());
        assert_eq!(sample.certainty(CODE), Certainty::Certain);
        let mut asked = secret("keyboard-interactive", AuthAnswer::Refused).asked("Password: ");
        asked.notices = vec!["System is going down. Unprivileged users are not permitted to log in anymore.".into()];
        let sample = Sample::refused(["keyboard-interactive"]).with(asked);
        assert_eq!(sample.certainty(CODE), Certainty::Certain);
    }

    #[test]
    fn a_signature_that_was_refused_is_no_rejected_key() {
        assert_eq!(Sample::refused(["publickey"]).with(signed(AuthAnswer::Refused)).fired(), [CODE]);
    }

    #[test]
    fn an_end_between_login_and_channel_is_possibly_the_account() {
        let mut evidence = Evidence::unexamined();
        let judged = |ending: Option<Manner>, evidence: &mut Evidence| {
            let ran = Ran { connection_lost: ending.is_some(), ..Ran::default() };
            let facts = channel::Facts { ran, ending, ..channel::Facts::default() };
            evidence.channel = Timed { step: Step::Failed(facts), duration_ms: 1.0 };
            (super::ACCOUNT_REFUSED.judge)(evidence).map(|found| found.certainty)
        };
        assert_eq!(judged(Some(Manner::Fin), &mut evidence), Some(Certainty::Possible));
        assert_eq!(judged(Some(Manner::Reset), &mut evidence), Some(Certainty::Possible));
        let disconnect = Manner::Disconnect { code: 2, text: "Too many sessions".into() };
        assert_eq!(judged(Some(disconnect), &mut evidence), None);
        assert_eq!(judged(None, &mut evidence), None);
    }

    #[test]
    fn other_ends_are_not_blamed_on_the_account() {
        for sample in [
            ended(attempt(key("a"), AuthAnswer::Ended), Manner::Fin),
            ended(signed(AuthAnswer::Ended), Manner::Reset),
            ended(Attempt { ms: 120_000.0, ..signed(AuthAnswer::Ended) }, Manner::Fin),
        ] {
            assert_eq!(sample.fired(), ["auth-disconnected"]);
        }
        let mut banner = Sample::refused(["publickey"]).with(attempt(key("a"), AuthAnswer::Refused));
        banner.0.banner = Some("Authorized uses only".into());
        assert_eq!(banner.fired(), ["auth-key-rejected"]);
    }
}
