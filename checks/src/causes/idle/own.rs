//! The user's own settings, beside a timer that was proven.

use super::timer::{self, sharp};
use crate::causes::shared::KEEPALIVE;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::Check;

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
        facts.timeout().died_s.filter(|_| facts.deaths().first().is_none_or(|first| timer::outlived(first)))?;
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
