//! Sessions that the server's own limits and rules keep from starting.

use crate::base::text::status;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::channel::account::PAM_STATUS;
use crate::facts::channel::programs::Purpose;
use crate::facts::channel::words::is_process_limit;
use crate::facts::channel::{Capability, Facts};
use crate::facts::{Check, Evidence};

pub(super) const PAM_REFUSED: Cause = Cause {
    code: "session-pam-refused",
    stage: Check::Channel,
    title: "PAM refuses the session after the login",
    severity: Severity::Critical,
    explanation: "The login was accepted, and a session module of PAM then refused the session. sshd ends such a \
        session with status 254 and prints what the module said. pam_limits counts logins (maxlogins, maxsyslogins) \
        and sets limits that the system may refuse, pam_loginuid fails in containers, as sshd's own audit does in one without AUDIT_WRITE, pam_namespace and pam_mkhomedir \
        fail where a directory cannot be made, and pam_deny refuses everybody. Forwarding fails with the session.\n\n\
        Where sshd runs without PAM, it ends the sessions of everybody but root with the same status while /etc/nologin \
        exists, and prints what that file says.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Read which module refused, and why",
            snippet: Some("journalctl -u ssh -u sshd --since -10min | grep -iE 'pam|session'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Show the session modules and the limits of the account",
            snippet: Some(
                "grep -hE '^session' /etc/pam.d/sshd /etc/pam.d/common-session; grep -rvhE '^(#|$)' /etc/security/limits.conf /etc/security/limits.d",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Check whether logins are switched off for a time",
            snippet: Some("ls -l /etc/nologin /run/nologin; cat /etc/nologin"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "If logins are limited, show the open sessions",
            snippet: Some("ps -u {user} -o pid,etime,args"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "In a container, make pam_loginuid optional",
            file: Some("/etc/pam.d/sshd"),
            snippet: Some("session    optional     pam_loginuid.so"),
            caution: Some("replace the line with pam_loginuid required; audit records lose the login's user"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "PAM: Module is unknown for",
        "PAM: pam_setcred()",
        "PAM: pam_open_session()",
        "Too many logins for",
        "There were too many logins for",
        "PAM: pam_open_session(): Permission denied",
        "pam_loginuid(sshd:session): set_loginuid failed",
        "Cannot make/remove an entry for the specified session",
    ],
    hides: &["session-shell-exits", "session-forced-command"],
    judge: |evidence| {
        let facts = evidence.channel.failed()?;
        let ran = &facts.ran;
        let said = facts.words().next().map(|words| format!("the server said \"{words}\""));
        let counts = facts.program().is_some_and(|program| program.name == "pam_limits");
        // Without PAM, sshd ends a session so where /etc/nologin exists, and prints that file (do_nologin in its session.c).
        let may_be_nologin = !counts && evidence.target.user != "root";
        let certainty = match (counts, ran.status == Some(PAM_STATUS) && ran.closed) {
            (true, _) => Certainty::Certain,
            (false, true) if facts.quoted_back => return None,
            (false, true) if may_be_nologin => Certainty::Possible,
            (false, true) => Certainty::Likely,
            _ => return None,
        };
        let end =
            ran.status.map(|code| format!("the session ended with {}, without our command's output", status(code)));
        let found = Match::new(certainty, said.into_iter().chain(end));
        if may_be_nologin {
            return Some(found.titled("PAM or /etc/nologin refuses the session after the login".to_owned()));
        }
        Some(found)
    },
    ..Cause::NEW
};

pub(super) const PROCESS_LIMIT: Cause = Cause {
    code: "session-process-limit",
    stage: Check::Channel,
    title: "The account cannot start any more processes",
    severity: Severity::Critical,
    explanation: "The shell, or sshd itself, could not start a process: the kernel answered EAGAIN or ENOMEM. A limit \
        of the account is reached (nproc in limits.conf, `ulimit -u`), a limit of its control group (TasksMax, a \
        container's pids limit), a limit of the whole system (kernel.pid_max, kernel.threads-max), or memory is used \
        up.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Count the account's processes, and see its limits",
            snippet: Some(
                "ps -L -u {user} --no-headers | wc -l; sudo -u {user} sh -c 'ulimit -u'; systemctl show user-$(id -u {user}).slice -p TasksMax -p TasksCurrent",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Show the limits of the system, and whether memory is used up",
            snippet: Some(
                "sysctl kernel.pid_max kernel.threads-max; cat /proc/loadavg; grep -E '^(MemAvailable|SwapFree)' /proc/meminfo; journalctl -k --since -1h | grep -iE 'fork rejected|out of memory'",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Raise the account's limit",
            file: Some("/etc/security/limits.d/nproc.conf"),
            snippet: Some("{user} - nproc 4096"),
            caution: Some("first find what started so many processes"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "Cannot fork",
        "fork: retry: Resource temporarily unavailable",
        "fork: Resource temporarily unavailable",
        "fork: Cannot allocate memory",
        "fork of unprivileged child failed",
    ],
    hides: &[
        "session-shell-exits",
        "session-forced-command",
        "session-exec-failed",
        "transfer-truncated",
        "transfer-stalled",
        "exit-output-lost",
        "exit-status-altered",
        "session-subsystem-missing",
    ],
    judge: |evidence| {
        let said = texts(evidence).find(|text| is_process_limit(text))?;
        Some(Match::new(Certainty::Certain, [format!("standard error said \"{said}\"")]))
    },
    ..Cause::NEW
};

/// Returns the output of commands and transfers that did not work as they should.
fn texts(evidence: &Evidence) -> impl Iterator<Item = &str> {
    let channel = evidence.channel.facts();
    let of_channel = channel.into_iter().flat_map(|facts| [&facts.stderr, &facts.other_output]);
    let of_transfer = evidence.transfer.failed().map(|facts| &facts.stderr);
    of_channel.chain(of_transfer).flatten().map(String::as_str)
}

pub(super) const SESSION_LIMIT: Cause = Cause {
    code: "session-limit",
    stage: Check::Channel,
    title: "All sessions of the server are in use",
    severity: Severity::Critical,
    explanation: "The login was accepted, and the session was ended with a message that no session is free. Network \
        devices and management controllers have a few sessions for all users together (vty lines, CLI sessions). \
        Clients that lose the network, or exit without logging out, keep theirs until an idle timeout of the device \
        ends it.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "On the device, list the sessions and clear unused ones (Cisco: `show users`, `clear line vty NUMBER`; \
                Junos: `show system users`, `request system logout`)",
            caution: Some("ask who uses a session before you clear it"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Let the device end idle and dead sessions (Cisco: `exec-timeout 10 0`, `service tcp-keepalives-in`)",
            caution: Some("sessions at a prompt end after that time, too"),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Client,
            summary: "Show this machine's open connections to it",
            snippet: Some("ss -tno state established '( dport = :{port} )'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "CLI session limit reached",
        "maximum number of sessions are active",
        "All user interfaces are used, please try later!",
        "too many concurrent sessions",
    ],
    hides: &["session-forced-command", "session-shell-exits", "channel-open-refused", "session-exec-failed"],
    judge: |evidence| {
        let facts = evidence.channel.failed()?;
        if let Some(text) = refused_as_full(facts) {
            return Some(Match::new(Certainty::Certain, [format!("the session channel was refused: \"{text}\"")]));
        }
        let program = facts.program().filter(|program| program.purpose == Purpose::Full)?;
        let words = facts.words().next().map(|words| format!("instead of our command's output came \"{words}\""));
        let certainty = if program.is_sure { Certainty::Certain } else { Certainty::Likely };
        Some(Match::new(certainty, words))
    },
    ..Cause::NEW
};

/// The text of a refused channel that says that no session is free.
fn refused_as_full(facts: &Facts) -> Option<&str> {
    let Capability::Refused { text: Some(text), .. } = &facts.capabilities.session else { return None };
    let program = crate::facts::channel::programs::known(text)?;
    (program.purpose == Purpose::Full).then_some(text)
}
