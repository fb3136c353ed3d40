//! Settings that are thought to keep a session alive, or to end one, and do not.

use super::shared::facts;
use crate::base::text::{sanitize, seconds};
use crate::causes::shared::{KEEPALIVE, RELOAD};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::handshake::Software;
use crate::facts::idle::own::OwnEnd;
use crate::facts::idle::{self, OwnKeepalive, StretchEnd};
use crate::facts::{Check, Evidence};

/// The channel type that OpenSSH knows for a moment only: once a session runs something it is `session:command`, `session:shell` or
/// `session:subsystem:…` (sshd_config(5), ChannelTimeout).
const UNTYPED: &str = "session=";

pub(super) const INEFFECTIVE: Cause = Cause {
    code: "config-keepalive-ineffective",
    stage: Check::Config,
    title: "Your own keepalive does not keep idle sessions alive on this path",
    severity: Severity::Warning,
    explanation: "The settings for this host send something on an idle session, and a session that was held with \
        exactly these settings did not outlive the idle timeout that was measured. Either it comes too late \
        (ServerAliveInterval above the timeout), or ssh gives up too early (a low ServerAliveCountMax on a slow or \
        lossy path), or only the kernel sends (TCPKeepAlive), which a proxy in the path answers itself.",
    fixes: &[Fix { summary: "Set an interval that kept sessions alive in this test", ..KEEPALIVE }],
    symptoms: &["client_loop: send disconnect: Broken pipe"],
    hides: &["idle-no-keepalive"],
    judge: ineffective,
    ..Cause::NEW
};

pub(super) const NO_PATIENCE: Cause = Cause {
    code: "config-keepalive-count-zero",
    stage: Check::Config,
    title: "ServerAliveCountMax 0 ends every session that is idle for one interval",
    severity: Severity::Warning,
    explanation: "ssh counts a keepalive as lost before it sends it. With ServerAliveCountMax 0 the first one is one \
        too many: after one ServerAliveInterval in which the server sends nothing, ssh prints \"Timeout, server not \
        responding\" and ends the session, on a healthy path.",
    fixes: &[Fix {
        summary: "Let ssh miss some answers before it gives up",
        file: Some("~/.ssh/config"),
        snippet: Some("Host {alias}\n    ServerAliveCountMax 3"),
        ..Fix::CHANGE
    }],
    symptoms: &[],
    judge: |evidence| {
        let own = &evidence.settings;
        let gives_up = own.server_alive_interval_s > 0 && own.server_alive_count_max == 0;
        let interval = own.server_alive_interval_s;
        gives_up.then(|| {
            Match::new(
                Certainty::Certain,
                [format!("ServerAliveInterval is {interval} ({}), ServerAliveCountMax is 0", own.server_alive_from)],
            )
        })
    },
    ..Cause::NEW
};

pub(super) const TCP_ONLY: Cause = Cause {
    code: "config-keepalive-tcp-only",
    stage: Check::Config,
    title: "TCPKeepAlive is set, which does not keep a session alive",
    severity: Severity::Info,
    explanation: "TCPKeepAlive is on by default and lets the kernel ask whether the other end is still there. The \
        first time is after two hours on most systems (net.ipv4.tcp_keepalive_time), far later than the idle timeouts \
        of firewalls and NATs, and a proxy in the path answers in the server's place. What keeps a session alive is \
        ServerAliveInterval, which is not set.",
    fixes: &[Fix {
        summary: "Let ssh send its own keepalives",
        file: Some("~/.ssh/config"),
        snippet: Some("Host {alias}\n    ServerAliveInterval 60\n    ServerAliveCountMax 3"),
        ..Fix::CHANGE
    }],
    symptoms: &["client_loop: send disconnect: Broken pipe"],
    hides: &[],
    judge: |evidence| {
        let from = facts(evidence)?.tcp_keepalive_from.as_deref()?;
        let own = &evidence.settings;
        (own.tcp_keepalive && own.server_alive_interval_s == 0).then(|| {
            let set = format!("TCPKeepAlive is set to yes ({}), ServerAliveInterval is 0", sanitize(from));
            Match::new(Certainty::Certain, [set])
        })
    },
    ..Cause::NEW
};

pub(super) const SERVER_COUNT: Cause = Cause {
    code: "config-keepalive-server-count",
    stage: Check::Config,
    title: "ClientAliveCountMax 0 disables the server's client check",
    severity: Severity::Info,
    explanation: "Hardening guides used to set ClientAliveInterval with ClientAliveCountMax 0 to end idle sessions. \
        Since OpenSSH 8.2 sshd takes a count of 0 as never: idle and even dead sessions stay. The keepalives are sent \
        all the same, and keep firewalls from dropping the connection.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "To end idle sessions, let sshd end their channels (OpenSSH 9.2 or later)",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("ChannelTimeout session:*=30m\nUnusedConnectionTimeout 5m"),
            caution: Some(RELOAD),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "To detect dead clients, count unanswered keepalives",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("ClientAliveCountMax 3"),
            caution: Some(RELOAD),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["idle sessions are not logged out"],
    judge: |evidence| {
        let server = evidence.server.as_ref()?;
        let (interval, count) = (server.setting("clientaliveinterval")?, server.setting("clientalivecountmax")?);
        let version = Software::of(evidence.handshake.facts()?.version.as_ref()?)?.openssh();
        let counts_zero_as_never = version.is_some_and(|version| version >= (8, 2));
        (interval != "0" && count == "0" && counts_zero_as_never).then(|| {
            let set = format!("sshd -T says ClientAliveInterval {} and ClientAliveCountMax 0", sanitize(interval));
            Match::new(Certainty::Certain, [set])
        })
    },
    ..Cause::NEW
};

pub(super) const UNTYPED_TIMEOUT: Cause = Cause {
    code: "config-keepalive-channel-timeout",
    stage: Check::Config,
    title: "ChannelTimeout names the channel type \"session\", which ends no session",
    severity: Severity::Info,
    explanation: "A session is of the type session only until it runs something; then it is session:shell, session:command or \
        session:subsystem:NAME, in sshd_config and in ssh_config. A timeout for session alone ends none of these.",
    fixes: &[Fix {
        side: Side::Server,
        summary: "Name the intended types, in sshd_config or ssh_config, wherever it is set",
        file: Some("/etc/ssh/sshd_config"),
        snippet: Some("ChannelTimeout session:*=30m"),
        caution: Some("it ends idle sessions: that is its purpose"),
        ..Fix::CHANGE
    }],
    symptoms: &["idle sessions are not logged out"],
    judge: |evidence| {
        let clients = facts(evidence).and_then(|facts| facts.setting("ChannelTimeout")?.value.clone());
        let servers = evidence.server.as_ref().and_then(|server| server.setting("channeltimeout").map(Into::into));
        let untyped = |value: &String| value.split_whitespace().any(|one| one.starts_with(UNTYPED));
        let said = |whose: &str, value: Option<String>| {
            value.filter(untyped).map(|value| format!("{whose} says ChannelTimeout {}", sanitize(&value)))
        };
        let because: Vec<_> = said("ssh -G", clients).into_iter().chain(said("sshd -T", servers)).collect();
        (!because.is_empty()).then(|| Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

fn ineffective(evidence: &Evidence) -> Option<Match> {
    let facts = evidence.idle.facts()?;
    let died = facts.timeout().died_s?;
    let mut because = vec![too_late(evidence, died).or_else(|| {
        let own = facts.own.as_ref().filter(|own| facts.own_holds() == Some(false) && !own.gives_up_at_once())?;
        not_enough(evidence, own)
    })?];
    because.push(format!("sessions that were idle for {} died", seconds(died)));
    let keepalive = facts.keepalive();
    let found = Match::new(Certainty::Certain, because);
    Some(match (keepalive.interval_s, keepalive.count_max, keepalive.verified) {
        (Some(interval), Some(count_max), Some(true)) => {
            found.with("interval", interval.to_string()).with("count_max", count_max.to_string())
        }
        _ => found,
    })
}

/// An interval that is no shorter than the silence that kills.
fn too_late(evidence: &Evidence, died: f64) -> Option<String> {
    let own = &evidence.settings;
    let (interval, from) = (own.server_alive_interval_s, sanitize(&own.server_alive_from));
    (interval > 0 && interval as f64 >= died && !evidence.idle.facts().is_some_and(all_ended_themselves))
        .then(|| format!("ServerAliveInterval is {interval} ({from}), above the idle timeout"))
}

/// True if whatever died was a command or a shell that ended with a status of its own, which no keepalive prevents.
fn all_ended_themselves(facts: &idle::Facts) -> bool {
    let mut ends = facts.arms.iter().filter_map(|arm| match &arm.end {
        StretchEnd::Died { manner, .. } => Some(manner),
        _ => None,
    });
    let first = ends.next();
    first.is_some() && first.into_iter().chain(ends).all(|manner| matches!(manner, Manner::ExitStatus { .. }))
}

/// The outcome of the session that was held by a keepalive that came in time; `None` where nothing is set, or nothing is known.
fn not_enough(evidence: &Evidence, own: &OwnKeepalive) -> Option<String> {
    let from = sanitize(&evidence.settings.server_alive_from);
    let session = own.session.as_ref()?;
    let lasted = seconds(session.lasted_s);
    let interval = own.interval_s;
    Some(match (&session.end, interval, own.tcp_idle_s) {
        (OwnEnd::Late, ..) => format!(
            "an answer to a keepalive took {}: ssh gives up after {} (ServerAliveInterval {interval}, ServerAliveCountMax {})",
            seconds(session.slowest_s),
            seconds(own.patience_s()),
            own.count_max
        ),
        (end, 0, Some(idle)) => format!(
            "a session with the kernel's TCP keepalives alone, the first after {idle} s, {} after {lasted}: whatever ends it does not count them",
            ended(end)
        ),
        (end, ..) => format!(
            "a session with your keepalive, every {interval} s ({from}), {} after {lasted} and {} answers",
            ended(end),
            session.answered
        ),
    })
}

fn ended(end: &OwnEnd) -> String {
    match end {
        OwnEnd::Ended { manner } => format!("was ended by {}", manner.words()),
        _ => "no longer answered".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::causes::Severity;
    use crate::causes::config::samples::{codes, evidence};
    use crate::facts::config::Facts;
    use crate::facts::connection::Manner;
    use crate::facts::idle::own::{OwnEnd, OwnSession};
    use crate::facts::idle::{self, Arm, Moves, OwnKeepalive, Sign, StretchEnd};
    use crate::facts::server::{ServerAnswer, ServerAnswers};
    use crate::facts::{Evidence, Step, Timed};

    fn timer(interval_s: u64, count_max: u64, end: Option<OwnEnd>) -> Evidence {
        let died = StretchEnd::Died { manner: Manner::Silent, sign: Sign::AfterProbe, others_alive: true, tcp: None };
        let session = end.map(|end| OwnSession { lasted_s: 25.0, answered: 3, slowest_s: 9.0, end });
        let facts = idle::Facts {
            arms: vec![Arm::sample(Moves::Nothing, 20.0, died)],
            own: Some(OwnKeepalive { interval_s, count_max, tcp_idle_s: Some(7200), session }),
            ..idle::Facts::default()
        };
        let mut evidence = evidence(Facts::default());
        evidence.settings.server_alive_interval_s = interval_s;
        evidence.settings.server_alive_count_max = count_max;
        evidence.idle = Timed { step: Step::Failed(facts), duration_ms: 1.0 };
        evidence
    }

    #[test]
    fn what_ends_with_a_status_of_its_own_is_not_held_by_any_keepalive() {
        let exit = Manner::ExitStatus { status: 0 };
        let end = StretchEnd::Died { manner: exit, sign: Sign::BeforeProbe, others_alive: true, tcp: None };
        let mut evidence = timer(300, 3, None);
        let Step::Failed(facts) = &mut evidence.idle.step else { unreachable!() };
        facts.arms = vec![Arm::sample(Moves::Nothing, 5.0, end)];
        assert_eq!(because(&evidence), None);
    }

    fn because(evidence: &Evidence) -> Option<String> {
        Some((super::INEFFECTIVE.judge)(evidence)?.because.remove(0))
    }

    #[test]
    fn a_keepalive_that_does_not_hold_is_named_with_the_reason() {
        assert!(because(&timer(20, 3, None)).is_some_and(|words| words.contains("above")));
        assert!(because(&timer(5, 1, Some(OwnEnd::Late))).is_some_and(|words| words.contains("gives up after 5 s")));
        assert!(
            because(&timer(5, 3, Some(OwnEnd::Unanswered))).is_some_and(|words| words.contains("no longer answered"))
        );
        for (interval, end) in [(5, Some(OwnEnd::Alive)), (0, None), (5, None)] {
            assert_eq!(because(&timer(interval, 3, end)), None);
        }
    }

    #[test]
    fn a_count_of_zero_is_named_whatever_the_path() {
        let found = |evidence: &Evidence| (super::NO_PATIENCE.judge)(evidence).is_some();
        assert!(found(&timer(5, 0, None)));
        assert!(!found(&timer(0, 0, None)) && !found(&timer(5, 1, None)));
        assert_eq!(because(&timer(5, 0, None)), None);
    }

    #[test]
    fn tcp_keepalives_that_somebody_asked_for_are_worth_a_word() {
        let set = Facts { tcp_keepalive_from: Some("~/.ssh/config line 2".into()), ..Facts::default() };
        let mut evidence = evidence(set);
        evidence.settings.tcp_keepalive = true;
        assert!((super::TCP_ONLY.judge)(&evidence).is_some());
        evidence.settings.server_alive_interval_s = 30;
        assert!((super::TCP_ONLY.judge)(&evidence).is_none());
        assert!(codes(Facts::default()).is_empty());
    }

    #[test]
    fn a_timeout_for_sessions_without_their_kind_ends_none() {
        let set = |value: &str| {
            let mut evidence = Evidence::unexamined();
            let lines = vec![format!("channeltimeout {value}")];
            let answer =
                ServerAnswer { about: "sshd settings".into(), source: "sshd -T".into(), lines, status: Some(0) };
            evidence.server = Some(ServerAnswers { answers: vec![answer], failure: None });
            (super::UNTYPED_TIMEOUT.judge)(&evidence).is_some()
        };
        assert!(set("session=300"));
        assert!(!set("session:*=300") && !set("none"));
    }

    #[test]
    fn a_count_of_zero_on_the_server_logs_nobody_out() {
        let asked = |count: &str, version: &str| {
            let mut evidence = Evidence::unexamined();
            let lines = ["clientaliveinterval 300".to_owned(), format!("clientalivecountmax {count}")].to_vec();
            let answer =
                ServerAnswer { about: "sshd settings".into(), source: "sshd -T".into(), lines, status: Some(0) };
            evidence.server = Some(ServerAnswers { answers: vec![answer], failure: None });
            let shown = crate::facts::handshake::Facts { version: Some(version.into()), ..Default::default() };
            evidence.handshake = Timed { step: Step::Passed(shown), duration_ms: 1.0 };
            (super::SERVER_COUNT.judge)(&evidence).map(|found| found.severity.unwrap_or(Severity::Info))
        };
        assert_eq!(asked("0", "SSH-2.0-OpenSSH_9.2p1"), Some(Severity::Info));
        assert_eq!(asked("3", "SSH-2.0-OpenSSH_9.2p1"), None);
        assert_eq!(asked("0", "SSH-2.0-OpenSSH_7.9"), None, "there it ends the session");
    }
}
