//! The login works, and takes its time.

use crate::base::text::seconds;
use crate::causes::shared::RELOAD;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::auth::{Attempt, AuthAnswer, Facts};
use crate::facts::certainty::Certainty;
use crate::facts::{Check, Evidence};

/// The time that a step may take beyond its round trips before a person calls the login slow, milliseconds. A lost packet costs
/// 0.2 to 1 s (RFC 6298), and a small server's shell less than that.
const PATIENCE_MS: f64 = 2000.0;

pub(super) const SLOW: Cause = Cause {
    code: "auth-slow",
    stage: Check::Auth,
    title: "The login works, but one login step is slow",
    severity: Severity::Warning,
    explanation: "One login step took at least two seconds beyond its round trips. Each step points to another culprit:\n\
        - before the first answer: a user directory, or a DNS lookup of the client (UseDNS)\n\
        - before the answer to a key: authorized_keys on a file server, or AuthorizedKeysCommand\n\
        - before the verdict: a PAM module\n\
        - before the session channel: PAM session modules (logind, the message of the day)\n\
        - before the first output: the shell's start-up files\n\n\
        The step is measured; what the server does in it is not visible from here, but its log has times. A directory \
        or name server that does not answer costs 5 s or a multiple of it. AuthorizedKeysCommand runs again for the \
        signature. An ssh that tries Kerberos (GSSAPIAuthentication), which this examination does not, can lose more \
        time before all this.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "{first_answer} before the first answer: disable DNS lookups of clients in sshd",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("UseDNS no"),
            caution: Some(RELOAD),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "{first_answer} before the first answer: time the lookups of the account and of the client's name",
            snippet: Some("time getent passwd {user}; time getent hosts $(echo $SSH_CLIENT | cut -d' ' -f1)"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "{key_lookup} before the answer to the key: time what sshd runs or reads to find the keys",
            snippet: Some(
                "sshd -T -C user={user} | grep -iE '^authorizedkeys(file|command) '; time ls -l ~{user}/.ssh/authorized_keys",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "{decision} before the verdict: find the PAM module that waits, often for a directory server",
            snippet: Some(
                "journalctl -u ssh -u sshd --since '-10 min' -o short-precise; grep -vE '^(#|$)' /etc/pam.d/sshd",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "{channel_open} between login and channel: check logind and the PAM session modules",
            snippet: Some(
                "systemctl status systemd-logind dbus; ls /etc/update-motd.d; grep -E '^session' /etc/pam.d/sshd",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "{command_start} before the command: check what sshd runs before the shell (xauth, ~/.ssh/rc)",
            snippet: Some(
                "ls -l ~{user}/.ssh/rc /etc/ssh/sshrc; journalctl -u ssh -u sshd --since '-10 min' -o short-precise",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "{first_output} before the first output: trace the shell's start-up files with times",
            snippet: Some("ssh {alias} 'PS4=\"+ \\$(date +%T.%N) \" bash -xc \". ~/.bashrc\"'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Failed to start session scope",
        "reverse mapping checking getaddrinfo",
        "POSSIBLE BREAK-IN ATTEMPT",
        "pam_systemd(sshd:session): Failed to create session: Connection timed out",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.auth.passed()?;
        let round_trip = round_trip(evidence)?;
        let own = |step: &Step| evidence.lag_ms(if step.is_of_channel() { Check::Channel } else { Check::Auth });
        let is_slow = |step: &Step| step.beyond(round_trip) - own(step) > PATIENCE_MS;
        let slow: Vec<Step> = steps(facts, evidence).into_iter().filter(is_slow).collect();
        if slow.is_empty() {
            return None;
        }
        let because = slow.iter().map(|step| format!("{}: {}", step.words, seconds(step.ms / 1000.0)));
        let because = because.chain([format!("a round trip takes at most {}", seconds(round_trip / 1000.0))]);
        let found = Match::new(Certainty::Likely, because).headline(headline(&slow, evidence));
        // A slow start-up file is no fault of the login.
        let found = if slow.iter().all(Step::is_of_channel) { found.shows_at(Check::Channel) } else { found };
        Some(slow.iter().fold(found, |found, step| found.with(step.name, seconds(step.ms / 1000.0))))
    },
    ..Cause::NEW
};

/// One step of a login.
struct Step {
    /// The placeholder of its fix.
    name: &'static str,
    words: &'static str,
    ms: f64,
    round_trips: f64,
}

impl Step {
    /// True if the step comes after the login.
    fn is_of_channel(&self) -> bool {
        matches!(self.name, "channel_open" | "command_start" | "first_output")
    }

    /// Returns the time that the step took beyond its round trips, with one more allowed for jitter.
    fn beyond(&self, round_trip: f64) -> f64 {
        self.ms - (self.round_trips + 1.0) * round_trip
    }
}

/// The time until a command's first output, and the slowest step of it.
fn headline(slow: &[Step], evidence: &Evidence) -> String {
    let ran = evidence.channel.passed().map_or(0.0, |channel| channel.ran.duration_ms);
    let slowest = slow.iter().max_by(|a, b| a.ms.total_cmp(&b.ms));
    let step = slowest.map_or_else(String::new, |step| {
        let before = match step.name {
            "first_answer" => "before the server's first answer",
            "key_lookup" => "before the answer to the key",
            "decision" => "before the verdict on the credential",
            "channel_open" => "before the session channel opens",
            "command_start" => "before the command starts",
            _ => "before the command's first output",
        };
        format!(": {} pass {before}", seconds(step.ms / 1000.0))
    });
    // The time of the session is in that of its command.
    let longest = slow.iter().filter(|step| !step.is_of_channel()).map(|step| step.ms).fold(0.0, f64::max);
    format!("login takes {}{step}", seconds((evidence.auth.duration_ms.max(longest) + ran) / 1000.0))
}

/// The longest that a round trip may take here, milliseconds: by the kernel's word or, behind a proxy that answers for the
/// server, by the key exchange, which takes one and some computing.
fn round_trip(evidence: &Evidence) -> Option<f64> {
    let handshake = evidence.handshake.passed()?;
    let kernel = handshake.tcp.map(|tcp| f64::from(tcp.rtt_us) / 1000.0);
    let exchange = handshake.done_ms? - handshake.version_ms?;
    Some(exchange.max(kernel.unwrap_or_default()))
}

/// A refused password is answered late on purpose (pam_faildelay): only what was accepted counts.
fn accepted(attempt: &Attempt) -> bool {
    matches!(attempt.answer, AuthAnswer::Accepted | AuthAnswer::Partial)
}

fn steps(facts: &Facts, evidence: &Evidence) -> Vec<Step> {
    let longest = |of: fn(&Attempt) -> Option<f64>| facts.attempts.iter().filter_map(of).fold(0.0, f64::max);
    let query = longest(|attempt| attempt.key.as_ref().and(attempt.steps.query_ms));
    // sshd looks a key up once more to check the signature.
    let decision = longest(|attempt| {
        let key_lookup = attempt.key.as_ref().and(attempt.steps.query_ms).unwrap_or_default();
        accepted(attempt).then_some(attempt.steps.decision_ms? - key_lookup)
    });
    let question = longest(|attempt| (accepted(attempt) && attempt.key.is_none()).then_some(attempt.steps.query_ms?));
    let ran = evidence.channel.passed().map(|channel| &channel.ran);
    let open = ran.and_then(|ran| ran.open_ms).unwrap_or_default();
    let answered = ran.and_then(|ran| ran.answered_ms);
    // A program in place of our command may print late, or wait for ever.
    let output = evidence
        .channel
        .passed()
        .filter(|channel| channel.mark_seen && !channel.output_held)
        .map(|channel| channel.ran.duration_ms);
    let step = |name, words, ms, round_trips| Step { name, words, ms, round_trips };
    vec![
        // The service request and the empty login, one after the other.
        step("first_answer", "from the request to log in to the server's first answer", facts.first_answer_ms, 2.0),
        step("key_lookup", "from the offer of a key to the server's answer", query, 1.0),
        step("decision", "from the start of keyboard-interactive to its first question", question, 1.0),
        step(
            "decision",
            "from the signature, password or answer to the verdict, less the lookup of the key",
            decision,
            1.0,
        ),
        step("channel_open", "from the login to the open session channel", open, 1.0),
        step(
            "command_start",
            "from the open channel to the command's start",
            answered.map_or(0.0, |at| at - open),
            1.0,
        ),
        step(
            "first_output",
            "from the command's start to its first output",
            answered.zip(output).map_or(0.0, |(at, output)| output - at),
            1.0,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::SLOW;
    use crate::causes::auth::samples::{attempt, key, secret};
    use crate::facts::auth::{AuthAnswer, Conclusion, Facts, Steps};
    use crate::facts::connection::Ran;
    use crate::facts::{Evidence, Step, Timed, channel, handshake};

    fn timed<F>(facts: F) -> Timed<F> {
        Timed { step: Step::Passed(facts), duration_ms: 1.0 }
    }

    /// A login over a path of this round-trip time, milliseconds, in which these steps take so much longer.
    fn login(round_trip: f64, first: f64, query: f64, decision: f64, session: [f64; 3]) -> Evidence {
        let steps = Steps {
            query_ms: Some(round_trip + query),
            signing_ms: Some(1.0),
            decision_ms: Some(round_trip + decision),
        };
        let mut accepted = attempt(key("a"), AuthAnswer::Accepted);
        accepted.steps = steps;
        let auth = Facts {
            conclusion: Conclusion::LoggedIn,
            first_answer_ms: 2.0 * round_trip + first,
            attempts: vec![accepted],
            ..Facts::default()
        };
        let [open, answered, output] = session;
        let open_ms = round_trip + open;
        let answered_ms = open_ms + round_trip + answered;
        let ran = Ran {
            open_ms: Some(open_ms),
            answered_ms: Some(answered_ms),
            duration_ms: answered_ms + output,
            ..Ran::default()
        };
        let (version_ms, done_ms) = (Some(round_trip), Some(2.2 * round_trip + 5.0));
        Evidence {
            handshake: timed(handshake::Facts { version_ms, done_ms, ..handshake::Facts::default() }),
            auth: timed(auth),
            channel: timed(channel::Facts { ran, mark_seen: true, ..channel::Facts::default() }),
            ..Evidence::unexamined()
        }
    }

    fn blamed(evidence: &Evidence) -> Vec<&'static str> {
        (SLOW.judge)(evidence).into_iter().flat_map(|found| found.values).map(|(name, _)| name).collect()
    }

    #[test]
    fn no_step_is_counted_twice_in_the_time_of_a_login() {
        let headline = |evidence| (SLOW.judge)(&evidence).and_then(|found| found.headline).unwrap();
        let slow_start = headline(login(1.0, 0.0, 0.0, 0.0, [0.0, 0.0, 14_000.0]));
        assert_eq!(slow_start, "login takes 14 s: 14 s pass before the command's first output");
        let slow_verdict = headline(login(1.0, 0.0, 0.0, 14_000.0, [0.0; 3]));
        assert_eq!(slow_verdict, "login takes 14 s: 14 s pass before the verdict on the credential");
    }

    #[test]
    fn a_slow_path_is_not_a_slow_login() {
        for round_trip in [0.1, 50.0, 600.0, 3000.0] {
            assert!(blamed(&login(round_trip, 0.0, 0.0, 0.0, [0.0; 3])).is_empty(), "{round_trip}");
            assert!(blamed(&login(round_trip, 900.0, 900.0, 900.0, [900.0; 3])).is_empty(), "{round_trip}");
        }
    }

    #[test]
    fn each_step_is_blamed_by_itself() {
        let none = [0.0; 3];
        for round_trip in [0.1, 200.0, 600.0] {
            let blamed = |first, query, decision, session| blamed(&login(round_trip, first, query, decision, session));
            assert_eq!(blamed(5000.0, 0.0, 0.0, none), ["first_answer"]);
            assert_eq!(blamed(0.0, 5000.0, 5000.0, none), ["key_lookup"]);
            assert_eq!(blamed(0.0, 0.0, 5000.0, none), ["decision"]);
            assert_eq!(blamed(0.0, 0.0, 0.0, [5000.0, 0.0, 0.0]), ["channel_open"]);
            assert_eq!(blamed(0.0, 0.0, 0.0, [0.0, 5000.0, 0.0]), ["command_start"]);
            assert_eq!(blamed(0.0, 0.0, 0.0, [0.0, 0.0, 5000.0]), ["first_output"]);
        }
    }

    #[test]
    fn a_question_that_comes_late_is_the_work_of_pam_and_not_a_look_up_of_keys() {
        let mut evidence = login(1.0, 0.0, 0.0, 0.0, [0.0; 3]);
        let Step::Passed(facts) = &mut evidence.auth.step else { panic!("it passed") };
        let mut asked = secret("keyboard-interactive", AuthAnswer::Accepted);
        asked.steps = Steps { query_ms: Some(4000.0), signing_ms: None, decision_ms: Some(2.0) };
        facts.attempts.push(asked);
        assert_eq!(blamed(&evidence), ["decision"]);
    }

    #[test]
    fn a_slow_look_up_of_one_factor_hides_no_slow_verdict_of_another() {
        let mut evidence = login(1.0, 0.0, 5000.0, 5000.0, [0.0; 3]);
        let Step::Passed(facts) = &mut evidence.auth.step else { panic!("it passed") };
        let mut password = secret("password", AuthAnswer::Accepted);
        password.steps.decision_ms = Some(4000.0);
        facts.attempts.push(password);
        assert_eq!(blamed(&evidence), ["key_lookup", "decision"]);
    }

    #[test]
    fn a_refused_password_is_late_on_purpose() {
        let mut evidence = login(1.0, 0.0, 0.0, 0.0, [0.0; 3]);
        let Step::Passed(facts) = &mut evidence.auth.step else { panic!("it passed") };
        let mut refused = secret("password", AuthAnswer::Refused);
        refused.steps.decision_ms = Some(4000.0);
        facts.attempts.insert(0, refused);
        assert!(blamed(&evidence).is_empty());
    }
}
