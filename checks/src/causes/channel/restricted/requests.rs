//! Requests that the server refuses to a working session: a terminal, and sftp.

use super::shared::{DROPBEAR, EFFECTIVE, pattern};
use crate::base::text;
use crate::causes::channel::shared::{SLOW_MS, commands};
use crate::causes::software::{Software, is_openssh, software};
use crate::causes::{Cause, Fix, Match, Severity, Side, testimony};
use crate::facts::certainty::Certainty;
use crate::facts::channel::{Capabilities, Capability, Facts, Sftp};
use crate::facts::{Check, Evidence};

pub(in super::super) const PTY_REFUSED: Cause = Cause {
    code: "session-pty-refused",
    stage: Check::Channel,
    title: "Commands run, but the server refuses a terminal (PTY)",
    severity: Severity::Warning,
    explanation: "The request for a pseudo-terminal was answered with SSH_MSG_CHANNEL_FAILURE (RFC 4254 section 6.2). Commands \
        and transfers work, but an interactive session has no prompt, no line editing and no Ctrl-C. PermitTTY no, and \
        restrict or no-pty on the key, do this on purpose, for backup and job accounts. A server without free pseudo-terminals (kernel.pty.max, a \
        container without devpts) refuses everyone.",
    fixes: &[
        EFFECTIVE,
        DROPBEAR,
        Fix {
            side: Side::Server,
            when: |evidence| !may_open_terminals(evidence),
            summary: "Check whether terminals are used up or missing",
            snippet: Some("sysctl kernel.pty.max kernel.pty.nr; ls -ld /dev/ptmx /dev/pts; findmnt -t devpts"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "PTY allocation request failed",
        "session_pty_req: session <n> alloc failed",
        "error: openpty: <why>",
        "Unable to request a pseudo-terminal",
        "ssh: pty-req failed",
        "Server refused to allocate pty",
        "No pty was allocated",
        "Unable to allocate a pty",
    ],
    hides: &[],
    corroborated_by: &[testimony::permit_tty],
    judge: |evidence| {
        let may = &commands(evidence)?.capabilities;
        may.pty.is_refused().then(|| {
            let has_terminals = may.has_terminals == Some(true);
            let free = "where commands run, one can open a terminal: they are neither used up nor missing there, so a setting probably refuses this account";
            let because = ["the request for a terminal was refused".to_owned(), pattern(may, software(evidence))];
            let because = because.into_iter().chain(has_terminals.then(|| free.to_owned()));
            let is_refused_by_key = may.agent_forwarding.is_refused();
            // A command may run on another machine than the server.
            let is_likely = has_terminals && !is_refused_by_key && software(evidence) != Software::Other;
            let certainty = if is_likely { Certainty::Likely } else { Certainty::Certain };
            let found = Match::new(certainty, because).with("dropbear_forbids", "restrict and no-pty");
            // `restrict` refuses the agent as well, which a server without free terminals does not; a key that may forward only has it with
            // port-forwarding behind it. Servers inside other programs have no terminals.
            let is_meant = has_terminals || is_refused_by_key || software(evidence) == Software::Other;
            if !is_meant {
                return found;
            }
            let found = found.at(Severity::Info);
            if is_likely { found.titled("The account may not use a terminal (PTY)".to_owned()) } else { found }
        })
    },
    ..Cause::NEW
};

/// True if a command could open a terminal.
fn may_open_terminals(evidence: &Evidence) -> bool {
    evidence.channel.facts().is_some_and(|facts| facts.capabilities.has_terminals == Some(true))
}

pub(in super::super) const SUBSYSTEM_MISSING: Cause = Cause {
    code: "session-subsystem-missing",
    stage: Check::Channel,
    title: "Commands run, but sftp does not work",
    severity: Severity::Warning,
    explanation: "The sftp subsystem was refused, or it was accepted and its program exited without any SFTP data, or never answers. sftp, sshfs \
        and scp since OpenSSH 9.0 need it. sshd refuses a subsystem that its configuration does not name. If the \
        configured program does not exist, the session ends with status 127.\n\n\
        With a forced command, sshd passes the subsystem's command line to it in SSH_ORIGINAL_COMMAND. `internal-sftp` is no program: \
        a wrapper that runs what it is given does not find it.",
    fixes: &[
        Fix {
            side: Side::Server,
            when: may_ask_for_internal,
            summary: "If a wrapper runs commands (ForceCommand, command=), name the external sftp server, which it can start",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Subsystem sftp /usr/lib/openssh/sftp-server"),
            caution: Some("replace the existing line; the path differs between distributions"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            when: |evidence| !asks_for_internal(evidence),
            summary: "Use sshd's built-in sftp server",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("Subsystem sftp internal-sftp"),
            caution: Some("sshd accepts one line per subsystem: replace the existing one"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Until then, copy FILE with the old scp protocol",
            snippet: Some("scp -O FILE {alias}:"),
            ..Fix::CHANGE
        },
        EFFECTIVE,
    ],
    symptoms: &[
        "subsystem request failed",
        "Unable to start subsystem",
        "subsystem not found",
        "failed, execution failed",
        "Unable to request SFTP subsystem",
        "sftp-server: not found",
        "sftp-server: No such file",
        "Unable to startup channel",
        "unable to initialise SFTP",
        "failed to send channel request",
        "Unable to send channel request",
    ],
    hides: &[],
    corroborated_by: &[testimony::no_subsystem],
    judge: |evidence| {
        // Others come without an sftp server more often than with one.
        let facts = commands(evidence).filter(|facts| is_openssh(evidence) && !facts.is_imitation())?;
        let may = &facts.capabilities;
        // A key that may do nothing but run commands was made for that.
        let found = |because: Vec<String>, is_meant: bool| {
            let found = Match::new(Certainty::Certain, because);
            if is_meant || is_all_refused(may) { found.at(Severity::Info) } else { found }
        };
        // A reason code belongs to a session that was refused.
        if matches!(may.sftp, Capability::Refused { code: None, .. }) {
            return Some(found(vec!["the subsystem sftp was refused".to_owned()], false));
        }
        let said = may.sftp_said.as_ref()?;
        // Slow start-up files may keep the server from starting in time.
        if said.is_silent && evidence.channel.facts().is_some_and(|facts| facts.ran.duration_ms < SLOW_MS) {
            let silent = "the subsystem sftp was accepted, and its program neither answered nor ended";
            return Some(Match::new(Certainty::Likely, [silent]));
        }
        if let Some(text) = said.not_found() {
            let because = [
                "the subsystem sftp was accepted, and its program was not found".to_owned(),
                format!("in place of its first packet came \"{text}\""),
            ];
            return Some(found(because.to_vec(), false));
        }
        let status = said.status.filter(|_| said.version.is_none() && !said.is_preceded())?;
        let mut because = vec![format!(
            "the subsystem sftp was accepted, and without a word of the protocol it ended with {}",
            text::status(status)
        )];
        because.extend(said.stderr.as_ref().map(|text| format!("standard error said \"{text}\"")));
        // So was a shell that may not start a program by its path; it has no part in a refusal.
        Some(found(because, evidence.channel.facts().is_some_and(Facts::has_restricted_shell)))
    },
    ..Cause::NEW
};

/// True if a shell may have been asked for `internal-sftp`: it ended as one that does not find a program, or with 0, which is a wrapper's, since an
/// sftp server answers. The standard error of a subsystem is not passed on by sshd.
fn may_ask_for_internal(evidence: &Evidence) -> bool {
    const OF_A_WRAPPER: [u32; 2] = [0, 127];
    let said = evidence.channel.facts().and_then(|facts| facts.capabilities.sftp_said.as_ref());
    let ended_so =
        |said: &Sftp| said.version.is_none() && said.status.is_some_and(|status| OF_A_WRAPPER.contains(&status));
    asks_for_internal(evidence) || said.is_some_and(|said| ended_so(said) && said.not_found().is_none())
}

/// True if a shell was asked for `internal-sftp`, which only sshd itself knows: a forced command runs what it is given.
fn asks_for_internal(evidence: &Evidence) -> bool {
    let said = evidence.channel.facts().and_then(|facts| facts.capabilities.sftp_said.as_ref());
    said.and_then(Sftp::not_found).is_some_and(|text| text.contains("internal-sftp"))
}

fn is_all_refused(may: &Capabilities) -> bool {
    [&may.pty, &may.direct_tcpip, &may.remote_forward, &may.agent_forwarding, &may.x11]
        .into_iter()
        .all(Capability::is_refused)
}
