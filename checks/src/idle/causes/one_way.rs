//! What the server says first after a silence is lost; what the client says gets through and mends it.

use super::timer::KEEPALIVE;
use crate::cause::{Cause, Certainty, Fix, Match, Severity, Side};
use crate::evidence::Check;
use crate::idle::{Arm, End, Moves, Sign, Speaker};
use crate::text::seconds;

pub(super) const DROP: Cause = Cause {
    code: "idle-one-way-drop",
    stage: Check::Idle,
    title: "After a silence the path loses what the server says, until the client speaks",
    severity: Severity::Critical,
    explanation: "Something near the client forgets idle connections, and takes them up again when the client sends. As long as you type first, nothing seems wrong; but what the server \
        sends after a silence (the next line of tail -f, a finished build, a forwarded connection) does not arrive until you do, and the server gives the session up when that takes \
        too long. A Linux router does this with nf_conntrack_tcp_loose on, its default.\n\n\
        We let the server speak first on some of the silent sessions, and spoke first on the others: only the server's words were lost.",
    fixes: &[
        KEEPALIVE,
        Fix {
            side: Side::Network,
            summary: "Raise the idle timeout for established TCP connections on the device that forgets; on a Linux router this is",
            snippet: Some("sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=7440"),
            caution: Some("RFC 5382 asks for at least 2 h 4 min (7440 s)"),
            ..Fix::NEW
        },
    ],
    symptoms: &["output appears only after a key is pressed", "client_loop: send disconnect: Broken pipe"],
    hides: &["idle-reset", "idle-silent-drop", "idle-closed"],
    judge: |evidence| {
        let facts = evidence.idle.facts()?;
        let lost: Vec<&Arm> = facts.arms.iter().filter(|arm| lost(arm)).collect();
        let shortest = lost.iter().map(|arm| arm.lasted_s).min_by(f64::total_cmp)?;
        let alive = |speaker: Speaker| {
            let arms = facts.arms.iter().filter(move |arm| arm.speaks_first == speaker && arm.moves == Moves::Nothing);
            arms.filter(|arm| matches!(arm.end, End::Alive { .. })).map(|arm| arm.lasted_s)
        };
        let heard_later = alive(Speaker::Server).any(|lasted| lasted > shortest);
        let spoke_later = alive(Speaker::Client).any(|lasted| lasted > shortest);
        // One late line is no loss; one that killed its session is.
        let enough = lost.len() > 1 || lost.iter().any(|arm| arm.death().is_some());
        if !enough || heard_later || !spoke_later {
            return None;
        }
        let times = if lost.len() == 1 { "once".to_owned() } else { format!("{} times", lost.len()) };
        let mut because = vec![format!(
            "{times} a line of the server did not arrive, after {} of silence and more",
            seconds(shortest)
        )];
        because.extend(
            alive(Speaker::Client)
                .max_by(f64::total_cmp)
                .map(|lasted| format!("where we spoke first, {} of silence were lived through", seconds(lasted))),
        );
        because.extend(
            alive(Speaker::Server)
                .max_by(f64::total_cmp)
                .map(|lasted| format!("after {} of silence a line of the server did arrive", seconds(lasted))),
        );
        because.extend(lost.iter().find_map(|arm| arm.death()).map(|(how, _)| {
            format!("a session on which the server had spoken in vain ended with {} when we spoke", how.words())
        }));
        let mut found = Match::new(Certainty::Likely, because);
        for (name, value) in [("interval", facts.keepalive.interval_s), ("count_max", facts.keepalive.count_max)] {
            found = value.into_iter().fold(found, |found, value| found.with(name, value.to_string()));
        }
        Some(found)
    },
};

/// Whether what the server said first was lost: nothing of it came, and our own word was answered or killed the session.
fn lost(arm: &Arm) -> bool {
    match &arm.end {
        End::Unheard { .. } => true,
        End::Died { sign: Sign::AfterProbe, .. } => arm.speaks_first == Speaker::Server,
        _ => false,
    }
}
