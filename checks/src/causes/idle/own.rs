//! The user's own settings, beside a timer that was proven.

use super::timer::{self, sharp};
use crate::base::text::sanitize;
use crate::causes::shared::KEEPALIVE;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::idle::Arm;

pub(super) const NO_KEEPALIVE: Cause = Cause {
    code: "idle-no-keepalive",
    stage: Check::Idle,
    title: "Your ssh settings do not keep idle sessions alive on this path",
    severity: Severity::Warning,
    explanation: "With ssh's current settings for this host, nothing is sent on an idle session before the measured idle \
        timeout. ssh sends keepalives only if ServerAliveInterval is set. TCPKeepAlive, on by default, starts after \
        two hours on most systems (tcp(7)), too late for most timeouts.",
    fixes: &[Fix { summary: "Set the proven interval", ..KEEPALIVE }],
    symptoms: &["client_loop: send disconnect: Broken pipe"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        let may_be_timers = |first: &&Arm| timer::may_be_timers(evidence, facts, first);
        facts.timeout().died_s.filter(|_| facts.deaths().first().is_none_or(may_be_timers))?;
        let keepalive = facts.keepalive();
        let (Some(interval), Some(count_max), Some(true)) =
            (keepalive.interval_s, keepalive.count_max, keepalive.verified)
        else {
            return None;
        };
        let own = &evidence.settings;
        let from = &own.server_alive_from;
        let value = match own.server_alive_interval_s {
            0 if facts.own_holds() != Some(true) => {
                format!("ServerAliveInterval is 0, so ssh sends no keepalives ({from})")
            }
            // One that is too long is a cause of its own.
            _ => return None,
        };
        Some(
            Match::new(sharp(facts), [value])
                .with("interval", interval.to_string())
                .with("count_max", count_max.to_string()),
        )
    },
    ..Cause::NEW
};

pub(super) const CLIENT_TIMEOUT: Cause = Cause {
    code: "idle-client-timeout",
    stage: Check::Idle,
    title: "Your own ssh closes idle sessions (ChannelTimeout in ssh_config)",
    severity: Severity::Warning,
    explanation: "Since OpenSSH 9.6, ChannelTimeout in ssh_config makes the client itself close a channel on which no \
        data passed for that time: session:shell, session:command, session:* or global. ssh prints nothing and exits \
        with status 255. No keepalive prevents it: only data of the session counts. This examination holds its \
        sessions without that setting, so they live longer than yours.",
    fixes: &[
        Fix {
            summary: "Turn it off for this host",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ChannelTimeout none"),
            caution: Some("if an administrator set it as a logout of idle users, ask first"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Find the file that sets it",
            snippet: Some(
                "grep -rni channeltimeout ~/.ssh/config /etc/ssh/ssh_config /etc/ssh/ssh_config.d 2>/dev/null",
            ),
            ..Fix::LOOK
        },
    ],
    symptoms: &["closing after <n> seconds of inactivity"],
    judge: |evidence| {
        let setting = evidence.config.facts()?.setting("ChannelTimeout")?;
        let value = setting.value.as_deref()?;
        // With OpenSSH 10.0, `session` alone ended no session, and each of these did.
        let is_for_sessions = |channels: &str| matches!(channels, "global" | "*") || channels.starts_with("session:");
        let ends_sessions = value
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .any(|(channels, interval)| is_for_sessions(channels) && interval.trim_end_matches('s') != "0");
        ends_sessions.then(|| {
            Match::new(
                Certainty::Likely,
                [format!("ssh -G says ChannelTimeout {} ({})", sanitize(value), sanitize(&setting.from))],
            )
        })
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::CLIENT_TIMEOUT;
    use crate::base::own_ssh::Setting;
    use crate::facts::{Evidence, Step, Timed, config};

    #[test]
    fn a_timeout_of_the_client_for_sessions_is_named_and_for_nothing_else() {
        let fires = |value: &str| {
            let setting = Setting {
                keyword: "ChannelTimeout".into(),
                value: Some(value.into()),
                from: "the command line".into(),
            };
            let facts = config::Facts { settings: vec![setting], ..config::Facts::default() };
            let config = Box::new(Timed { step: Step::Passed(facts), duration_ms: 1.0 });
            (CLIENT_TIMEOUT.judge)(&Evidence { config, ..Evidence::unexamined() }).is_some()
        };
        assert!(fires("session:*=300") && fires("direct-tcpip=60 global=10m") && fires("session:shell=5m"));
        assert!(!fires("none") && !fires("session:*=0") && !fires("session=300") && !fires("agent-connection=5m"));
    }
}
