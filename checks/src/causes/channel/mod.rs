//! The causes that show when a channel is opened and a command is run in it.

mod hangs;
mod input;
mod limits;
mod missing;
mod restricted;
mod served;
mod shared;
pub(crate) mod spoilt;

use super::software::says_nologin;
use super::{Cause, Fix, Match, Severity, Side};
use crate::base::text::{sanitize, status};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::channel::{Account, Facts, OURS};
use restricted::{forwarding, requests};
use shared::{SEE_FORCED, TRY_SFTP};

/// The causes that show when a channel is opened and a command is run in it.
pub static CAUSES: &[Cause] = &[
    OPEN_REFUSED,
    EXEC_FAILED,
    NOLOGIN,
    limits::PAM_REFUSED,
    limits::PROCESS_LIMIT,
    limits::SESSION_LIMIT,
    hangs::START_HANGS,
    hangs::STARTUP_EXEC,
    missing::COMMAND_MISSING,
    missing::OUTPUT_LOST,
    missing::OUTPUT_HELD,
    FORCED_COMMAND,
    spoilt::CLOSED_EARLY,
    spoilt::CHROOT_FAILED,
    SHELL_EXITS,
    served::RESTRICTED,
    input::INPUT_LOST,
    input::INPUT_EATEN,
    input::ON_TERMINAL,
    spoilt::RC_OUTPUT,
    spoilt::MAX_SESSIONS,
    forwarding::FORWARDING_PROHIBITED,
    forwarding::REMOTE_FORWARD_FAILED,
    requests::PTY_REFUSED,
    requests::SUBSYSTEM_MISSING,
];

const SERVER_LOG: Fix = Fix {
    side: Side::Server,
    summary: "Read what sshd logged about this session",
    snippet: Some("journalctl -u ssh -u sshd --since -10min | grep -wF -e '{user}'"),
    ..Fix::LOOK
};

/// The text that sshd says to a command where internal-sftp is forced (do_child in its session.c).
const INTERNAL_SFTP: &str = "This service allows sftp connections only.";

const OPEN_REFUSED: Cause = Cause {
    code: "channel-open-refused",
    stage: Check::Channel,
    title: "Login succeeds, but the server refuses to open a session channel",
    severity: Severity::Critical,
    explanation: "The server answered the request for a session channel with SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254 section \
        5.1). OpenSSH does so when MaxSessions is 0 or reached, with reason 2 and the text \"open failed\". Bastions \
        refuse sessions by policy, usually with reason 1 and a text of their own: where connections through the \
        server are seen to be allowed, it is called a jump host, and not this.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show how many sessions a connection may have",
            snippet: Some("sshd -T -C user={user},host=localhost,addr=127.0.0.1 | grep -i maxsessions"),
            ..Fix::LOOK
        },
        SERVER_LOG,
    ],
    symptoms: &[
        "Server refused to open main channel",
        "open failed: unknown channel type",
        "Failed to create session: ssh: rejected",
        "Unable to open channel",
        "Couldn't open initial channel",
        "JSchException: channel is not opened",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.channel.facts()?;
        let (code, text) = facts.ran.refused.as_ref()?;
        let refused = format!("the session channel was refused with reason {code}, \"{}\"", sanitize(text));
        if evidence.channel.failed().is_some() {
            return Some(Match::new(Certainty::Certain, [refused]));
        }
        let may_forward = facts.account() == Account::Unclear && evidence.expected.is_empty();
        let untold = "whether connections through the server are allowed, its answer does not say";
        may_forward.then(|| Match::new(Certainty::Possible, [refused, untold.to_owned()]).at(Severity::Warning))
    },
    ..Cause::NEW
};

const EXEC_FAILED: Cause = Cause {
    code: "session-exec-failed",
    stage: Check::Channel,
    title: "The server opens a session but refuses to run a command",
    severity: Severity::Critical,
    explanation: "The channel was opened, but the request to run a command was answered with SSH_MSG_CHANNEL_FAILURE (RFC 4254 \
        section 6.5). Servers for file transfer only or interactive use only do this on purpose. OpenSSH does it when \
        it cannot start a process.",
    fixes: &[
        SERVER_LOG,
        Fix {
            side: Side::Client,
            summary: "Check whether an interactive session or file transfer is what this server is for",
            snippet: Some("ssh -tt {alias}; sftp {alias}"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "exec request failed on channel",
        "shell request failed on channel",
        "Unable to exec",
        "Server refused to start a shell/command",
        "Channel request exec failed",
        "Channel request shell failed",
        "could not start shell",
        "Unable to open shell: <why>",
        "ssh: command <text> failed",
    ],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.channel.facts().filter(|facts| facts.ran.accepted == Some(false) && !facts.mark_seen)?;
        let refused = "the request to run a command was answered with a failure".to_owned();
        if facts.has_silent_shell() && facts.account() == Account::Unclear {
            let shell = "the request for a shell was accepted, and it printed nothing";
            return Some(Match::new(Certainty::Possible, [refused, shell.to_owned()]).at(Severity::Warning));
        }
        evidence.channel.failed().map(|_| Match::new(Certainty::Certain, [refused]))
    },
    ..Cause::NEW
};

const NOLOGIN: Cause = Cause {
    code: "session-nologin",
    stage: Check::Channel,
    title: "The account can authenticate but not log in",
    severity: Severity::Critical,
    explanation: "Instead of running the command, the server printed the message of nologin(8) and ended the session. Either the \
        account's shell is nologin or false, or /etc/nologin exists while the machine starts, stops or is under \
        maintenance.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show the account's shell, and whether logins are disabled",
            snippet: Some("getent passwd {user}; ls -l /etc/nologin /run/nologin"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Give the account a shell, if it should log in",
            snippet: Some("sudo usermod -s /bin/sh {user}"),
            caution: Some("service accounts have nologin on purpose"),
            ..Fix::CHANGE
        },
        JUDGE_AS_JUMP_HOST,
    ],
    symptoms: &[
        "This account is currently not available",
        "/usr/sbin/nologin:",
        "/sbin/nologin:",
        "Attempted login by <user> on",
    ],
    hides: &["session-shell-exits", "session-forced-command"],
    judge: |evidence| {
        let facts = evidence.channel.failed()?;
        let said = [&facts.other_output, &facts.stderr].into_iter().flatten().find(|text| says_nologin(text))?;
        let found = || Match::new(Certainty::Certain, [format!("instead of our command's output came \"{said}\"")]);
        (!facts.mark_seen).then(|| forwards(facts, found()))
    },
    ..Cause::NEW
};

const FORCED_COMMAND: Cause = Cause {
    code: "session-forced-command",
    stage: Check::Channel,
    title: "A forced command runs instead of the requested one",
    severity: Severity::Critical,
    explanation: "The server accepted the command but ran a program of its own: it echoed our command without running it, or \
        printed something else and exited with success. command= in authorized_keys and ForceCommand in sshd_config do \
        this, usually on purpose: for backups, Git, a bastion's menu, or file transfer only (internal-sftp).\n\n\
        A login shell that ignores its arguments looks the same, and so does the command line of a network device.",
    fixes: &[SEE_FORCED, TRY_SFTP],
    symptoms: &["fatal: unrecognized command", "FATAL: unknown git/gitolite command"],
    hides: &["session-shell-exits"],
    judge: |evidence| {
        let facts = evidence.channel.failed().filter(|facts| ran_without_mark(facts))?;
        let said = [&facts.other_output, &facts.stderr].into_iter().flatten();
        if facts.quoted_back {
            let text = said.clone().find(|text| text.contains(OURS)).or(said.clone().next())?;
            let because = [format!("our own command was quoted back and not run: \"{text}\"")];
            return Some(Match::new(Certainty::Certain, because));
        }
        let goes_on = facts.ran.gave_up.is_some();
        let output = facts.other_output.as_ref().filter(|_| facts.ran.status == Some(0) || goes_on);
        let output = output.or(facts.stderr.as_ref().filter(|_| goes_on));
        let internal = said.clone().find(|text| text.contains(INTERNAL_SFTP));
        let certainty = if internal.is_some() { Certainty::Certain } else { Certainty::Likely };
        let because = [format!("instead of our command's output came \"{}\"", internal.or(output)?)];
        Some(Match::new(certainty, because))
    },
    ..Cause::NEW
};

const SHELL_EXITS: Cause = Cause {
    code: "session-shell-exits",
    stage: Check::Channel,
    title: "The session ends at once, without running the command",
    severity: Severity::Critical,
    explanation: "The server accepted the command, but the session ended without its output. Possible reasons:\n\
        - the account's shell does not exist, or is one such as /bin/false\n\
        - a start-up file exits\n\
        - a forced command (ForceCommand, command=) runs instead and refuses, or does its work\n\n\
        The client cannot distinguish them. sshd's log can: at LogLevel VERBOSE it has \"Starting session: \
        forced-command\". If forwarding is allowed, the account still works as a jump host: `--expect forward` judges \
        it as one.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Show the account's shell and try it as that user",
            snippet: Some("getent passwd {user}; sudo -u {user} -i true; echo status $?"),
            ..Fix::LOOK
        },
        SEE_FORCED,
        SERVER_LOG,
        JUDGE_AS_JUMP_HOST,
    ],
    symptoms: &["/bin/false", "Shell not found"],
    hides: &[],
    judge: |evidence| {
        let facts = evidence.channel.facts().filter(|facts| !facts.mark_seen && !facts.quoted_back)?;
        let is_unclear = evidence.channel.passed().is_some();
        if is_unclear && facts.account() != Account::Unclear {
            return None;
        }
        let read = facts.on_input.as_ref().filter(|seen| seen.closed);
        let is_cut_off = facts.does_not_reach_its_service();
        let closed = facts.ran.closed || is_unclear && (read.is_some() || is_cut_off);
        // A program that is known by its words, and does not serve what they promise.
        let printed_and_succeeded = facts.other_output.is_some() && facts.ran.status == Some(0) && !is_unclear;
        if !facts.was_started() || !closed || printed_and_succeeded {
            return None;
        }
        let (status_seen, signal) = (facts.ran.status.or(read.and_then(|seen| seen.status)), &facts.ran.signal);
        let end = match (status_seen, signal) {
            _ if !facts.ran.closed && read.is_none() => "what ran in place of our command did not end".to_owned(),
            (Some(code), _) => format!("without our command's output the session ended with {}", status(code)),
            (None, Some(signal)) => format!("the session was ended by signal {signal}, without our command's output"),
            (None, None) => "the channel was closed without a status and without our command's output".to_owned(),
        };
        let words = facts.words().map(|text| format!("instead of our command's output came \"{text}\""));
        // A shell that cannot be started or used does not call it a success.
        let certainty = if is_unclear || status_seen == Some(0) { Certainty::Possible } else { Certainty::Likely };
        let found = forwards(facts, Match::new(certainty, std::iter::once(end).chain(words)));
        let found = if facts.fails_at_next_host() {
            found.titled("The forced command's own ssh does not get to the next host".to_owned())
        } else if is_unclear && is_cut_off {
            found.titled("What runs in place of commands does not reach what it connects to".to_owned())
        } else if is_unclear && facts.is_imitation() {
            found.titled(
                "What reads commands does not know exec: an imitation of a shell, or a program of its own".to_owned(),
            )
        } else {
            found
        };
        Some(if is_unclear { found.at(Severity::Warning) } else { found })
    },
    ..Cause::NEW
};

/// The fix for an account on which only forwarding works.
const JUDGE_AS_JUMP_HOST: Fix = Fix {
    side: Side::Client,
    summary: "If the account is for forwarding ({forwards}), judge it as a jump host",
    snippet: Some("ssh-doctor check --expect forward {alias}"),
    ..Fix::LOOK
};

/// The match with what [`JUDGE_AS_JUMP_HOST`] needs, where forwarding is allowed.
fn forwards(facts: &Facts, found: Match) -> Match {
    if facts.capabilities.direct_tcpip.is_allowed() { found.with("forwards", "it works as one") } else { found }
}

/// True if the command was accepted, and the session ended, or went on for too long, without its mark.
fn ran_without_mark(facts: &Facts) -> bool {
    let ran = &facts.ran;
    ran.accepted == Some(true) && (ran.closed || ran.gave_up.is_some()) && !facts.mark_seen
}

#[cfg(test)]
mod tests;
