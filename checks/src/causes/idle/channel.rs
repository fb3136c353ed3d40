//! The server closes an idle channel and leaves the connection: no keepalive helps.

use super::timer::outlived;
use crate::base::text::seconds;
use crate::causes::shared::TMUX;
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions, testimony};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::handshake::Limit;
use crate::facts::idle::Holds;

pub(super) const CHANNEL_TIMEOUT: Cause = Cause {
    code: "idle-channel-timeout",
    stage: Check::Idle,
    title: "The server closes idle session channels; keepalives do not help",
    severity: Severity::Critical,
    explanation: "The server closed the channel of an idle session while its connection stayed up and answered. OpenSSH 9.2 and \
        later do this if ChannelTimeout is set: only data in the channel resets its timer, and keepalives of either \
        side are not data. ssh then exits with status 255 and prints nothing.\n\n\
        It is a setting of the server and often a policy: its owner decides. Run work that must survive in tmux or \
        screen.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show the setting",
            snippet: Some("sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i channeltimeout"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Allow idle sessions for a working day",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("ChannelTimeout session:*=12h"),
            caution: Some("in OpenSSH 9.2 a pattern without :* never fires; check with sshd -t, then reload sshd"),
            ..Fix::CHANGE
        },
        TMUX,
    ],
    symptoms: &["closing after <n> seconds of inactivity"],
    hides: &[],
    corroborated_by: &[testimony::channel_timeout],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        let dead = facts.deaths();
        let first = *dead.first()?;
        if !matches!(first.death(), Some((Manner::ChannelClose, _))) || !outlived(first) || first.holds == Holds::Prompt
        {
            return None;
        }
        let mut because = vec![format!(
            "the server closed a session channel after {} without data in it; the connection stayed up",
            seconds(first.quiet_s())
        )];
        let kept = facts.kept().find(|arm| matches!(arm.death(), Some((Manner::ChannelClose, _))));
        because.extend(kept.and_then(|arm| arm.interval_s).map(|interval| {
            format!("a session with a keepalive every {} was closed just the same", seconds(f64::from(interval)))
        }));
        // A close by something else than ChannelTimeout looks the same: a wrapper or a bastion may have such a limit too.
        let possible = evidence.handshake.facts().and_then(|facts| facts.can_have(Limit::ChannelTimeout));
        if possible == Some(false) {
            because.push(
                "the server names itself as software that has no ChannelTimeout: the limit is another one of its own"
                    .to_owned(),
            );
        }
        let is_plain = kept.is_some() && possible != Some(false);
        Some(Match::new(if is_plain { Certainty::Certain } else { Certainty::Likely }, because))
    },
    judge_sessions: sessions::channel_timeout,
    ..Cause::NEW
};
