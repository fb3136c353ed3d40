//! A server that ended everything and came back.

use super::shared::{Place, counted};
use crate::base::text::{sanitize, seconds};
use crate::causes::shared::{AUTOSSH_AFTER_CLOSE, MOSH, TMUX};
use crate::causes::{Cause, Fix, Match, Severity, Side, sessions};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::timeline::MassEnd;

pub(super) const SERVER_RESTARTED: Cause = Cause {
    code: "server-restarted",
    stage: Check::Idle,
    title: "The server ended all sessions at once and was back a little later",
    severity: Severity::Critical,
    explanation: "All sessions, busy ones too, ended at one moment. New connections were refused or got no answer at \
        first, and worked a little later. The end came from the server, or from a proxy in front of it: it was \
        restarted, upgraded or rebooted.\n\n\
        Sessions survive a restart of sshd alone, as long as only the daemon is restarted (KillMode=process in its \
        unit); they do not survive a reboot, nor a restart of a container or of a proxy.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find what was restarted at that minute, and by whom",
            snippet: Some(
                "uptime; last -x reboot shutdown | head -n 5; journalctl --since -1h -u ssh -u sshd | tail -n 30",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Check whether a restart of the service ends its sessions: it must say process",
            snippet: Some("systemctl show -p KillMode ssh sshd"),
            ..Fix::LOOK
        },
        TMUX,
        MOSH,
        AUTOSSH_AFTER_CLOSE,
    ],
    symptoms: &[
        "Connection to closed by remote host.",
        "client_loop: send disconnect: Broken pipe",
        "ssh: connect to host port: Connection refused",
    ],
    hides: &["session-wall-clock-cut", "tcp-source-banned", "idle-unused-connection-timeout"],
    strikes_anywhere: true,
    judge: |evidence| {
        let end = evidence.undisturbed_timeline().mass_end()?;
        let another_key = || {
            evidence
                .idle
                .facts()
                .is_some_and(|facts| facts.not_opened.iter().any(|why| why.contains("another host key")))
        };
        // Sessions that end without a pause, at a server that stays the same, have another name.
        if !(end.is_restart() || another_key() && end.new_after_s.is_some()) {
            return None;
        }
        let sure = end.refused > 0 || end.versions.is_some();
        let place = Place::of(evidence, end.leg);
        let found = Match::new(if sure { Certainty::Certain } else { Certainty::Likely }, because(&end, &place));
        Some(match place {
            Place::At(_) => found
                .titled("The jump host ended all sessions at once and was back a little later".into())
                .at_hop(end.leg),
            Place::Behind(_) | Place::Direct => found,
        })
    },
    judge_sessions: sessions::restarted,
    ..Cause::NEW
};

fn because(end: &MassEnd, place: &Place) -> Vec<String> {
    let mut because = vec![format!(
        "{} into the run {} ended at once by {}, before we sent anything",
        seconds(end.at_s),
        if end.ended == 1 { "1 session was".to_owned() } else { format!("{} sessions were", end.ended) },
        end.manner.words()
    )];
    because.extend(match place {
        Place::Direct => None,
        Place::At(hop) => Some(format!("the connections to {hop} ended, and what went through them with these")),
        Place::Behind(hop) => Some(format!("the connections to {hop} went on: it happened behind {hop}")),
    });
    if end.refused > 0 {
        because
            .push(format!("{} refused afterwards", counted(end.refused, "new connection was", "new connections were")));
    }
    because.extend(end.new_after_s.map(|after| format!("a new connection was answered {} later", seconds(after))));
    because.extend(end.versions.as_ref().map(|(before, after)| {
        format!("the server named itself {} before, and {} afterwards", sanitize(before), sanitize(after))
    }));
    because
}
