//! Sessions that are accepted and come to nothing.

use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::channel::{Facts, HungUp};
use crate::facts::{Check, Evidence};

const START_UP_FILES: Fix = Fix {
    side: Side::Server,
    summary: "Look for the command in the start-up files that the shell reads without a terminal too",
    snippet: Some(
        "grep -nE '(^|[;&[:space:]])(exec|read|select) ' ~{user}/.bashrc ~{user}/.zshenv ~{user}/.cshrc ~{user}/.ssh/rc /etc/bash.bashrc /etc/zsh/zshenv",
    ),
    ..Fix::LOOK
};

pub(super) const ONLY_INTERACTIVE: Fix = Fix {
    side: Side::Server,
    summary: "Let it run in interactive shells only: put this first in ~/.bashrc",
    file: Some("~/.bashrc"),
    snippet: Some("case $- in *i*) ;; *) return ;; esac"),
    caution: Some("what commands over ssh need of that file, such as PATH, must stand above it"),
    ..Fix::CHANGE
};

pub(super) const START_HANGS: Cause = Cause {
    code: "session-start-hangs",
    stage: Check::Channel,
    title: "A session opens but nothing runs in it",
    severity: Severity::Critical,
    explanation: "The server accepted the command, and neither output nor an end followed. sshd changes to the home \
        directory and starts the shell, which reads its start-up files, before it runs the command. A home directory \
        on a file server that does not answer, a start-up file that waits for a network service or for input, and a \
        hanging mount in the PATH stop it there.\n\n\
        A forced command that waits for ever, or carries data to a service that waits for the client's first word \
        (`nc HOST PORT`), can look the same. Accounts that only forward connections are sometimes set up this way \
        (`command=\"sleep infinity\"`): for those, use `--expect forward`. Where the account's shell is a program that \
        prints and goes on, nothing is wrong either.\n\n\
        A wrapper or a start-up file that asks for a reason, a ticket or the acceptance of terms waits for a line. People \
        answer it; scp, rsync, Git and jobs send no answer.",
    fixes: &[
        Fix {
            side: Side::Client,
            when: asks,
            summary: "See the question, and answer it",
            snippet: Some("ssh -t {alias}"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "While a session hangs, see what runs in it and what it waits for (state D: a file system)",
            snippet: Some("ps -u {user} -o pid,ppid,etime,stat,wchan:20,args --forest"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Check whether the home directory is on a file server that does not answer",
            snippet: Some("findmnt -T ~{user}; timeout 5 ls -d ~{user}; echo status $?"),
            ..Fix::LOOK
        },
        START_UP_FILES,
        Fix {
            when: asks,
            summary: "If a start-up file asks, and no forced command: let it ask in interactive shells only",
            ..ONLY_INTERACTIVE
        },
        Fix { when: |evidence| !asks(evidence), ..ONLY_INTERACTIVE },
    ],
    symptoms: &[],
    hides: &["session-forced-command", "session-shell-exits", "session-restricted"],
    judge: |evidence| {
        let facts = evidence.channel.facts().filter(|facts| !facts.reads_lines_first())?;
        let goes_on = facts.goes_on_after_output();
        if !facts.hangs() && !goes_on {
            return None;
        }
        let may_be_meant = facts.hangs_unclearly() || goes_on;
        if evidence.channel.passed().is_some() && (!may_be_meant || !evidence.expected.is_empty()) {
            return None;
        }
        let waited = seconds(facts.ran.duration_ms / 1000.0);
        let nothing = format!("the command was accepted, and {} came within {waited}", came(facts));
        if goes_on {
            let end = if facts.prints_without_end() {
                "its output did not end"
            } else {
                "it did not end at the end of its input"
            };
            let own = "SIGTERM ended it, which sshd passes on to the account's own shell and not to a forced command";
            return Some(
                Match::new(Certainty::Possible, [nothing, end.to_owned(), own.to_owned()]).at(Severity::Warning),
            );
        }
        let Some(seen) = &facts.on_input else { return Some(Match::new(Certainty::Possible, [nothing])) };
        let asked = facts.shell.as_deref().and_then(|shell| shell.output.as_deref());
        if let Some(asked) = asked.filter(|_| facts.asks_on_terminal()) {
            let asks = format!("on a terminal it asks \"{asked}\", and waits");
            let read = "the command ran as soon as a line was sent on standard input";
            let found =
                milder_where_unclear(evidence, Match::new(Certainty::Possible, [asks, read.to_owned(), nothing]));
            return Some(found.titled("A question comes before commands, and waits for an answer".to_owned()));
        }
        if seen.ran_later() {
            let later = format!(
                "it ran {} after {} on standard input: it was slow, or waited for that",
                seconds(seen.own_mark_after_s.unwrap_or_default()),
                if seen.line_sent { "a line was sent" } else { "the end was sent" }
            );
            let found = Match::new(Certainty::Possible, [nothing, later]);
            return Some(if may_be_meant { found.at(Severity::Warning) } else { found });
        }
        if seen.own_mark {
            let read =
                "as soon as a line was sent on standard input, the command ran: a start-up file or a wrapper reads it";
            return Some(Match::new(Certainty::Certain, [nothing, read.to_owned()]));
        }
        let end = "it did not end at the end of its input either";
        if may_be_meant {
            return Some(Match::new(Certainty::Possible, [nothing, end.to_owned()]).at(Severity::Warning));
        }
        if seen.terminated == Some(true) {
            let term = "SIGTERM ended it, which sshd does not pass on to a forced command";
            return Some(Match::new(Certainty::Likely, [nothing, end.to_owned(), term.to_owned()]));
        }
        Some(Match::new(Certainty::Possible, [nothing, end.to_owned()]))
    },
    ..Cause::NEW
};

/// A warning where the account may be meant so; what was expected of it is missing otherwise.
fn milder_where_unclear(evidence: &Evidence, found: Match) -> Match {
    if evidence.channel.passed().is_some() { found.at(Severity::Warning) } else { found }
}

/// True if a question comes before commands.
fn asks(evidence: &Evidence) -> bool {
    evidence.channel.facts().is_some_and(Facts::asks_on_terminal)
}

pub(super) const STARTUP_EXEC: Cause = Cause {
    code: "session-startup-exec",
    stage: Check::Channel,
    title: "A start-up file replaces the shell, so that commands do not run",
    severity: Severity::Critical,
    explanation: "The command was accepted and did not run; a line sent on its standard input was executed as a \
        command. The account's shell was started with the command, and a start-up file of it replaced it with another \
        shell (`exec zsh`, `exec fish`), which reads commands from standard input, or started one before it went on \
        (`bash`, `sudo -i`, `newgrp`). Interactive logins work; `ssh host \
        command`, scp, rsync, Git and Ansible hang. A login shell that prints a greeting and ignores its arguments does \
        this on purpose, for people only.",
    fixes: &[
        START_UP_FILES,
        ONLY_INTERACTIVE,
        Fix {
            side: Side::Server,
            summary: "Make the other shell the account's login shell",
            snippet: Some("sudo usermod -s SHELL {user}"),
            caution: Some("use the full path of a shell that /etc/shells lists"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["scp: Connection closed"],
    hides: &["session-start-hangs", "session-forced-command", "session-shell-exits", "session-restricted"],
    judge: |evidence| {
        let facts = evidence.channel.facts().filter(|facts| facts.reads_lines_first())?;
        let may_be_forced = facts.may_be_forced_shell();
        if evidence.channel.passed().is_some() && (!may_be_forced || !evidence.expected.is_empty()) {
            return None;
        }
        let waited = seconds(facts.ran.duration_ms / 1000.0);
        // A login shell that greets and ignores its arguments is one for people. Where no signal told, a forced command may have taken the variable
        // from the shell that has it as well.
        let is_told = facts.is_settled_by_signal() || !facts.only_reads_lines();
        let certainty = if facts.other_output.is_some() || !is_told { Certainty::Likely } else { Certainty::Certain };
        let came = format!("the command was accepted, and {} came within {waited}", came(facts));
        if may_be_forced {
            let read = "a line on standard input was executed as a command, and ours was not";
            let signal = if facts.is_settled_by_signal() {
                "SIGHUP ended nothing: the shell is forced, ignores the signal, or belongs to another user"
            } else {
                "the shell is not seen to belong to our own login (SSH_CONNECTION): it may be forced, on another host or for another account"
            };
            let found = Match::new(Certainty::Possible, [came, read.to_owned(), signal.to_owned()]);
            let found = milder_where_unclear(evidence, found);
            return Some(found.titled("A shell reads the input of commands, and they do not run".to_owned()));
        }
        let hung_up = facts.on_input.as_ref().and_then(|seen| seen.hung_up);
        let seen = match (hung_up, facts.only_reads_lines()) {
            (Some(HungUp::ShellAlone), _) => {
                "a line on standard input was executed as a command, and what did so outlived the account's own shell"
            }
            (_, false) => "a line on standard input was executed as a command, and ours ran when the input had ended",
            (_, true) => {
                let other = "a line on standard input was executed as a command, and ours was not";
                return Some(Match::new(certainty, [came, other.to_owned()]));
            }
        };
        let found = Match::new(certainty, [came, seen.to_owned()]);
        Some(found.titled("A start-up file starts another shell, which reads the input of commands".to_owned()))
    },
    ..Cause::NEW
};

/// The output that came, in words.
fn came(facts: &Facts) -> String {
    /// Characters of it that are quoted.
    const QUOTED: usize = 60;
    let only = |(said, stream): (&String, &str)| {
        let said = said.trim_end_matches("\\n");
        let quoted: String = said.chars().take(QUOTED).collect();
        let more = if quoted.len() < said.len() { "…" } else { "" };
        format!("only \"{quoted}{more}\" on standard {stream}")
    };
    let output = facts.other_output.as_ref().map(|said| (said, "output"));
    output.or(facts.stderr.as_ref().map(|said| (said, "error"))).map_or_else(|| "nothing".to_owned(), only)
}
