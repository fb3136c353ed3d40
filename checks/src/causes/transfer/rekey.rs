//! New keys that are not agreed on, or after which data stops.

use crate::base::text::{bytes, seconds};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::transfer::{Facts, Rekey};

pub(super) const FAILED: Cause = Cause {
    code: "rekey-failed",
    stage: Check::Transfer,
    title: "The connection does not survive rekeying",
    severity: Severity::Critical,
    explanation: "Both sides negotiate new keys after an amount of data or time (RFC 4253 section 9 recommends a gigabyte or an \
        hour; RekeyLimit in ssh). A rekey on the working connection did not finish in time or ended it. No other \
        message may pass meanwhile, so sessions freeze or die at the first rekey: during a large copy, or after the time \
        that RekeyLimit or the server sets. Servers and bastions other than OpenSSH, and their libraries, are known for it.\n\n\
        Some servers fail only while much data moves both ways. A bastion that terminates SSH itself cannot be distinguished from the server behind it.",
    fixes: &[
        Fix { side: Side::Server, summary: "Upgrade the SSH server or bastion", ..Fix::CHANGE },
        Fix {
            side: Side::Server,
            summary: "Read its log of the key exchange",
            snippet: Some("journalctl -u ssh -u sshd --since -10min | grep -iE 'kex|rekey'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Until then, let ssh rekey as late as possible",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    RekeyLimit 4G none"),
            caution: Some("the server may start a rekey itself, and a limit above the cipher's is lowered"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "rekeying not supported by peer",
        "Timeout waiting for key exchange",
        "ssh_dispatch_run_fatal: rekeying",
        "Host key was different in repeat key exchange",
        "timeout in waiting for rekeying process",
        "does not support re-keying",
    ],
    hides: &["transfer-stalled", "transfer-truncated", "exit-hangs", "exit-output-lost"],
    judge: |evidence| {
        let facts = evidence.transfer.facts()?;
        let (rekey, certainty) = failed_rekey(facts)?;
        let is_early = evidence.config.facts().and_then(|config| config.setting("rekeylimit"));
        let when = if rekey.under_load { "in the middle of a transfer" } else { "on the quiet connection" };
        let what = match (&rekey.ending, rekey.ms) {
            (Some(manner), _) => format!("ended the connection with {}", manner.words()),
            (None, None) => format!("was not done after {}", seconds(rekey.deadline_ms / 1000.0)),
            (None, Some(_)) => "was done, and then nothing more came".to_owned(),
        };
        let mut because = vec![format!("the exchange of new keys that we asked for {when} {what}")];
        if facts.without_rekey == Some(true) {
            because.push(format!(
                "{} passed both ways on another connection without it, and new keys on a quiet connection",
                bytes(facts.sent_bytes as f64)
            ));
        }
        if facts.with_rekey == Some(false) {
            because.push("on a third connection, with new keys in its middle, it did not pass either".to_owned());
        }
        because.push(match is_early {
            Some(limit) => format!(
                "RekeyLimit {} makes ssh ask for them sooner than it would by itself",
                limit.value.as_deref().unwrap_or_default()
            ),
            None => {
                "ssh asks for them after 1 GB or more, for no RekeyLimit is set; the server may ask before".to_owned()
            }
        });
        let found = Match::new(certainty, because);
        Some(match is_early {
            // Every long session meets it.
            Some(_) => found,
            None if !rekey.under_load => found,
            // Only both ways at once, at the moment of new keys.
            None if facts.without_rekey == Some(true) => found.at(Severity::Info),
            None => found.at(Severity::Warning),
        })
    },
    ..Cause::NEW
};

/// The exchange of new keys that failed, or after which data stopped, and how sure it is that nothing else is to blame.
fn failed_rekey(facts: &Facts) -> Option<(&Rekey, Certainty)> {
    if facts.with_rekey == Some(true) {
        return None;
    }
    let rekey = match facts.without_rekey {
        Some(_) => facts.rekeys.iter().find(|rekey| rekey.under_load)?,
        None => facts.rekeys.iter().find(|rekey| rekey.ms.is_none())?,
    };
    let certainty = if rekey.under_load { Certainty::Likely } else { Certainty::Certain };
    facts.fails_by_rekey().then_some((rekey, certainty))
}
