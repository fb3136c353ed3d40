//! Limits of the server itself that keepalives do not defeat.

use super::timer::outlived;
use crate::base::text::seconds;
use crate::causes::shared::TMUX;
use crate::causes::{Cause, Fix, Match, Severity, Side, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::connection::Manner;
use crate::facts::handshake::Limit;
use crate::facts::idle::bracket::data_alone_lives;
use crate::facts::idle::{Arm, Holds, Sign, StretchEnd};
use crate::facts::{Check, Evidence};

pub(super) const INACTIVITY: Cause = Cause {
    code: "idle-server-inactivity",
    stage: Check::Idle,
    title: "The server ends sessions without data; keepalives do not help",
    severity: Severity::Critical,
    explanation: "The server closed idle connections, including those with SSH keepalives; only the session with data in its \
        channel survived. So it counts data in channels and nothing else. Dropbear's -I does this, bastions with a \
        policy on idle users, and network devices, which count what is typed.\n\n\
        It is a setting of the server and often a policy: its owner decides. Run work that must survive in tmux or \
        screen.",
    fixes: &[
        Fix {
            side: Side::Server,
            when: |evidence| holds(evidence, Holds::Sftp),
            summary: "Raise the sftp server's limit on sessions that transfer nothing: TimeoutNoTransfer and TimeoutIdle in ProFTPD, idle_timeout in SFTPGo",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            when: |evidence| holds(evidence, Holds::Prompt),
            summary: "Raise the device's idle limit: exec-timeout under line vty (Cisco), idle-timeout of the login class (Juniper) or under user-interface vty (Huawei), admintimeout (Fortinet)",
            caution: Some(
                "often a policy: its owner decides; on Cisco, exec-timeout 0 0 would leave dead sessions on their lines",
            ),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            when: holds_commands,
            summary: "For dropbear: start it without -I, or with a longer time (DROPBEAR_EXTRA_ARGS in /etc/default/dropbear, option IdleTimeout in OpenWrt)",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            when: holds_commands,
            summary: "For dropbear: show how it was started",
            snippet: Some("ps -o args= -C dropbear"),
            ..Fix::LOOK
        },
        Fix { when: holds_commands, ..TMUX },
    ],
    symptoms: &["Idle timeout"],
    // What had not been read when the server closed makes a reset of the close (RFC 2525 section 2.17).
    hides: &[
        "idle-closed",
        "idle-reset",
        "idle-closed-by-proxy",
        "idle-server-disconnect",
        "idle-unused-connection-timeout",
    ],
    judge: |evidence| {
        let facts = evidence.idle_deaths()?;
        let first = *facts.deaths().first()?;
        // Who counts data ends the session himself; a table that forgets does not.
        let is_ended = |how: &Manner| how.is_of_connection() || first.holds == Holds::Prompt;
        let (how, _) = first.death().filter(|(how, sign)| is_ended(how) && *sign == Sign::BeforeProbe)?;
        let in_vain: Vec<&Arm> = facts.kept_in_vain().filter(|arm| arm.holds != Holds::Nothing).collect();
        let kept = *in_vain.first().filter(|_| data_alone_lives(&facts.arms))?;
        let busy =
            facts.busy().find(|arm| matches!(arm.end, StretchEnd::Alive { .. }) && arm.lasted_s > first.quiet_s())?;
        let quiet = first.channel_quiet_s.unwrap_or(first.lasted_s);
        let of_the_server = facts.server_data_held().map(|held| {
            let counts = if held { "lived too" } else { "was ended too: what counts comes from the client" };
            format!("one on which only the server sent data {counts}")
        });
        // One may have been ended by hand.
        let certainty = if in_vain.len() > 1 { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(
            certainty,
            [
                format!("a session without channel data for {} was ended by {}", seconds(quiet), how.words()),
                format!(
                    "one with a keepalive every {} was ended too",
                    seconds(f64::from(kept.interval_s.unwrap_or_default()))
                ),
                format!("one with data every {} lived", seconds(f64::from(busy.interval_s.unwrap_or_default()))),
            ]
            .into_iter()
            .chain(of_the_server),
        ))
    },
    ..Cause::NEW
};

/// True if the idle sessions were those of an account for this alone.
fn holds(evidence: &Evidence, what: Holds) -> bool {
    evidence.idle.facts().is_some_and(|facts| facts.arms.iter().any(|arm| arm.holds == what))
}

fn holds_commands(evidence: &Evidence) -> bool {
    !holds(evidence, Holds::Sftp) && !holds(evidence, Holds::Prompt)
}

pub(super) const UNUSED_CONNECTION: Cause = Cause {
    code: "idle-unused-connection-timeout",
    stage: Check::Idle,
    title: "The server closes connections without an open channel",
    severity: Severity::Critical,
    explanation: "The server closed a connection without a channel although it had keepalives, while sessions with a channel \
        survived. OpenSSH 9.2 and later do this if UnusedConnectionTimeout is set. It affects the master of shared \
        connections (ControlPersist), and ssh -N with forwardings that are not in use.\n\n\
        One such connection was observed; a process ended by hand at that moment looks the same.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show the setting",
            snippet: Some("sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i unusedconnectiontimeout"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Keep a session open beside the FORWARDING",
            snippet: Some("ssh {alias} -L FORWARDING cat"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["terminating inactive connection"],
    hides: &[],
    corroborated_by: &[testimony::unused_connection_timeout],
    judge: |evidence| {
        let facts = evidence.idle.facts()?;
        let server = evidence.handshake.facts();
        if server.and_then(|server| server.can_have(Limit::ChannelTimeout)) == Some(false) {
            return None;
        }
        let main = facts.kept().find(|arm| arm.holds == Holds::Nothing && arm.death().is_some())?;
        let (how, sign) = main.death()?;
        let closed = matches!(how, Manner::Fin | Manner::Disconnect { .. }) && sign == Sign::BeforeProbe;
        // A server that closes with a keepalive still unread resets the connection (RFC 9293, 3.6.1), as a device on the path may.
        let crossed = matches!(how, Manner::Reset) && main.interval_s.is_some();
        let older = |arm: &&Arm| arm.age_s > main.age_s + 1.0;
        let others = facts.kept_with_channel().chain(facts.busy()).filter(older).count();
        // Whoever held nothing either and became as old refutes it.
        let is_refuted = facts.arms.iter().any(|arm| {
            let lived = matches!(arm.end, StretchEnd::Alive { .. } | StretchEnd::Open);
            arm.session != main.session && arm.holds == Holds::Nothing && lived && arm.age_s >= main.age_s
        });
        let their_deaths = facts.kept_with_channel().chain(facts.busy()).any(|arm| arm.death().is_some());
        // Of other software it is known that some ends a connection with its last session, which is in order.
        let has_setting = server.and_then(|server| server.can_have(Limit::ChannelTimeout)).is_some();
        ((closed || crossed) && outlived(main) && others > 0 && !their_deaths && !is_refuted).then(|| {
            let found = Match::new(
                if closed { Certainty::Likely } else { Certainty::Possible },
                [
                    format!(
                        "a connection without a channel was ended at the age of {} by {}",
                        seconds(main.age_s),
                        how.words()
                    ),
                    format!("{others} sessions with a channel became older"),
                ],
            );
            if has_setting || crossed { found } else { found.at(Severity::Info) }
        })
    },
    ..Cause::NEW
};
