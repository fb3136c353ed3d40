//! The finding for a failed check that no cause explains: stated as such, never guessed.

use super::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::{Check, Facts, Step};

/// One for each check. The diagnosis keeps it only where nothing else explains the failure.
pub static CAUSES: &[Cause] = &[
    Cause {
        code: "config-unexplained",
        title: "ssh does not accept its settings, and no known cause fits",
        judge: |evidence| failure(&evidence.config),
        ..unexplained(Check::Config)
    },
    Cause {
        code: "dns-unexplained",
        title: "The name lookup fails, and no known cause fits",
        judge: |evidence| failure(&evidence.dns),
        ..unexplained(Check::Dns)
    },
    Cause {
        code: "tcp-unexplained",
        title: "The TCP connection fails, and no known cause fits",
        judge: |evidence| failure(&evidence.tcp),
        ..unexplained(Check::Tcp)
    },
    Cause {
        code: "handshake-unexplained",
        title: "The SSH handshake fails, and no known cause fits",
        judge: |evidence| failure(&evidence.handshake),
        ..unexplained(Check::Handshake)
    },
    Cause {
        code: "hostkey-unexplained",
        title: "The server's host key is not accepted, and no known cause fits",
        judge: |evidence| failure(&evidence.hostkey),
        ..unexplained(Check::Hostkey)
    },
    Cause {
        code: "auth-unexplained",
        title: "Authentication fails, and no known cause fits",
        judge: |evidence| failure(&evidence.auth),
        ..unexplained(Check::Auth)
    },
    Cause {
        code: "channel-unexplained",
        title: "No working session channel opens, and no known cause fits",
        judge: |evidence| failure(&evidence.channel),
        ..unexplained(Check::Channel)
    },
    Cause {
        code: "transfer-unexplained",
        title: "Moving data through the session fails, and no known cause fits",
        judge: |evidence| failure(&evidence.transfer),
        ..unexplained(Check::Transfer)
    },
    Cause {
        code: "idle-unexplained",
        title: "Idle sessions die, and no known cause fits",
        judge: |evidence| failure(&evidence.idle),
        ..unexplained(Check::Idle)
    },
    Cause {
        code: "exit-unexplained",
        title: "Sessions do not end cleanly, and no known cause fits",
        judge: |evidence| failure(&evidence.exit),
        ..unexplained(Check::Exit)
    },
];

/// True if a cause is one of these.
#[must_use]
pub fn is_unexplained(cause: &Cause) -> bool {
    CAUSES.iter().any(|unexplained| unexplained.code == cause.code)
}

const fn unexplained(stage: Check) -> Cause {
    Cause {
        code: "",
        stage,
        title: "",
        severity: Severity::Critical,
        explanation: "This check failed, and nothing in the catalogue of causes fits what was seen. Either the cause is one that \
             ssh-doctor does not know yet, or too little could be observed from the client to name it; nothing was guessed.\n\n\
             A recording keeps all that was observed, with names and addresses replaced, so that the cause can be \
             found later and the catalogue can learn it. The server's own log of the same minute is the other half of the story.",
        fixes: FIXES,
        symptoms: &[],
        hides: &[],
        judge: |_| None,
        ..Cause::NEW
    }
}

static FIXES: &[Fix] = &[
    Fix {
        side: Side::Client,
        summary: "Record the evidence, read it, and send it to the project with what you know of the server",
        snippet: Some("ssh-doctor check --record evidence.json {alias}"),
        ..Fix::LOOK
    },
    Fix {
        side: Side::Client,
        summary: "Show how far ssh itself gets",
        snippet: Some("ssh -vvv {alias} true"),
        ..Fix::LOOK
    },
    Fix {
        side: Side::Server,
        summary: "Read the server's log of this connection",
        snippet: Some("journalctl -u ssh -u sshd --since '10 minutes ago'"),
        ..Fix::LOOK
    },
];

fn failure<F: Facts>(step: &Step<F>) -> Option<Match> {
    let summary = step.failed()?.summary();
    let seen = if summary.is_empty() { "The check failed without a word".to_owned() } else { summary };
    Some(Match::new(Certainty::Possible, [seen]))
}
