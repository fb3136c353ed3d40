//! The control master.

use super::shared::facts;
use crate::base::text::{sanitize, seconds};
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::certainty::Certainty;
use crate::facts::config::{Control, ControlSocket, Facts, MasterSession};
use crate::facts::{Check, Evidence};

/// A name that fits wherever the home folder is, in a folder that is the user's alone: `%C` is 40 characters long.
const SHORT_PATH: Fix = Fix {
    summary: "Use a short socket path in an existing folder",
    file: Some("~/.ssh/config"),
    snippet: Some("Host {alias}\n    ControlPath /run/user/%i/ssh-%C"),
    caution: Some(
        "replace the existing ControlPath; without /run/user, use ~/.ssh/%C; never use a folder that others can write",
    ),
    ..Fix::CHANGE
};

const OWN_CONNECTION: Fix =
    Fix { summary: "Until then, connect without the master", snippet: Some("ssh -S none {alias}"), ..Fix::CHANGE };

pub(super) const MASTER_DEAD: Cause = Cause {
    code: "config-master-dead",
    stage: Check::Config,
    title: "ssh hangs: the control master no longer answers",
    severity: Severity::Critical,
    explanation: "ControlPath is set, so ssh does not connect itself: it hands the session to the control master behind that \
        socket and waits without a limit. The master process hangs, or its connection is dead and it has not noticed, \
        as after a network change or suspend. New sessions hang although the server is fine.\n\n\
        A master that answers on its socket but runs no command in time was distinguished from one that does not \
        answer at all. A server that is very slow to start commands looks like the former.",
    fixes: &[
        Fix {
            summary: "Stop the master; the next ssh opens a new connection",
            when: answers,
            snippet: Some("ssh -O exit {alias}"),
            caution: Some("it ends all sessions and forwardings that share its connection"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Remove its socket, so that the next ssh opens a new connection",
            when: |evidence| !answers(evidence),
            snippet: Some("rm '{control_path}'"),
            caution: Some("sessions on the old connection continue; end the old process by hand"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Let masters detect a dead connection and exit",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}\n    ServerAliveInterval 15\n    ServerAliveCountMax 3"),
            ..Fix::CHANGE
        },
        OWN_CONNECTION,
        Fix {
            summary: "Show which process holds the socket",
            snippet: Some("ss -xlp | grep -F '{control_path}'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "muxclient: master hello exchange failed",
        "mux_client_hello_exchange",
        "mux_client_request_session: read from master failed",
        "ssh hangs without a word",
    ],
    judge: |evidence| {
        let control = control(evidence).filter(|control| control.hangs())?;
        let (certainty, seen) = match (&control.socket, &control.session) {
            (ControlSocket::Silent { waited_s }, _) => (
                Certainty::Certain,
                format!("something takes connections there and does not answer within {}", seconds(*waited_s)),
            ),
            (socket, session) => {
                let waited = seconds(session.as_ref().map_or(0.0, |session| session.ms / 1000.0));
                let pid = match socket {
                    ControlSocket::Alive { pid: Some(pid) } => format!(" (process {pid})"),
                    _ => String::new(),
                };
                (
                    Certainty::Likely,
                    format!("the master there{pid} answers, and a command through it did not end within {waited}"),
                )
            }
        };
        let because = [seen, format!("ssh goes through the socket {}", sanitize(&control.path))];
        Some(Match::new(certainty, because).with("control_path", control.path.clone()))
    },
    ..Cause::NEW
};

pub(super) const CONTROL_PATH: Cause = Cause {
    code: "config-control-path",
    stage: Check::Config,
    title: "ssh cannot use its ControlPath: too long, no folder, or Windows",
    severity: Severity::Critical,
    explanation: "The path of a Unix socket is limited to 107 bytes on Linux and 103 elsewhere (unix(7)). ssh exits with status \
        255 if ControlPath is longer, or 17 bytes less than that when it creates the socket, because it uses a longer \
        temporary name. It also exits if the socket's folder does not exist. Long host names and deep home folders \
        cause this; %C stands for a hash of fixed length.\n\n\
        The ssh of Windows has no control masters at all: with ControlPath or ControlMaster set, it ends with \
        \"getsockname failed\" or a similar line.",
    fixes: &[
        SHORT_PATH,
        Fix {
            summary: "On Windows, use no control master",
            when: |evidence| control(evidence).is_none(),
            file: Some("~/.ssh/config"),
            snippet: Some("Host *\n    ControlMaster no\n    ControlPath none"),
            caution: Some("the first value that ssh reads counts: remove those that stand before"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Create the folder",
            when: |evidence| control(evidence).is_some_and(|control| !control.folder && !control.is_too_long()),
            snippet: Some("mkdir -p -m 700 '{control_folder}'"),
            caution: Some("nobody else may write there: whoever can replace the socket sees the sessions"),
            ..Fix::CHANGE
        },
        OWN_CONNECTION,
        Fix {
            summary: "Show the expanded ControlPath",
            snippet: Some("ssh -G {alias} | grep -i '^control'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "bytes) for Unix domain socket",
        "ControlPath too long",
        "too long for Unix domain socket",
        "unix_listener: cannot bind to path",
        "muxserver_listen bind(): <why>",
        "muxserver_listen: link mux listener",
        "getsockname failed: Not a socket",
        "getsockname failed: Bad file descriptor",
        "muxclient socket(): Unknown error",
    ],
    judge: |evidence| {
        let control = control(evidence).filter(|control| control.is_too_long() || control.has_no_folder())?;
        let path = sanitize(&control.path);
        let seen = if control.is_too_long() {
            format!("ControlPath comes to {path}: {} bytes, and {} are too many", control.bytes, control.limit)
        } else {
            format!("ControlPath comes to {path}, and its folder does not exist")
        };
        let makes = control.becomes_master.then(|| "ControlMaster has ssh make the socket itself".to_owned());
        let folder = control.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        Some(Match::new(Certainty::Certain, std::iter::once(seen).chain(makes)).with("control_folder", folder))
    },
    ..Cause::NEW
};

pub(super) const MASTER_SHARED: Cause = Cause {
    code: "config-master-shared",
    stage: Check::Config,
    title: "ssh shares the connection of a running control master",
    severity: Severity::Info,
    explanation: "A control master is running for this host, and ssh opens its sessions in the master's connection: they end \
        with it and count against MaxSessions. This examination made connections of its own, and ran one command \
        through the master as well. If the two differ, something changed after the master connected: the server, the \
        account or the network.",
    fixes: &[
        Fix {
            summary: "Test a session through the master by hand",
            snippet: Some("ssh -O check {alias}; ssh {alias} true"),
            ..Fix::LOOK
        },
        Fix {
            summary: "Stop the master once its sessions have ended",
            snippet: Some("ssh -O stop {alias}"),
            caution: Some("forwardings of the master end with its last session"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["already exists, disabling multiplexing"],
    judge: |evidence| {
        let control = control(evidence)?;
        let MasterSession { ms, status, said } = control.session.as_ref().filter(|session| session.status.is_some())?;
        let mut because = vec![format!("a master is running at {}", sanitize(&control.path))];
        because.push(match (status, said) {
            (Some(0), _) => format!("a command through it ended well, after {}", seconds(ms / 1000.0)),
            (_, Some(said)) => format!("a command through it failed: {said}"),
            (status, None) => format!("a command through it ended with status {}", status.unwrap_or_default()),
        });
        let fails = evidence.checks().iter().any(|view| matches!(view.step, crate::facts::Step::Failed(())));
        let found = Match::new(Certainty::Certain, because);
        // What a new connection meets, the next session will meet once the master is gone.
        Some(if fails && facts(evidence).is_some_and(Facts::shares_a_connection) {
            found.at(Severity::Warning)
        } else {
            found
        })
    },
    ..Cause::NEW
};

fn control(evidence: &Evidence) -> Option<&Control> {
    facts(evidence)?.control.as_ref()
}

fn answers(evidence: &Evidence) -> bool {
    control(evidence).is_some_and(|control| matches!(control.socket, ControlSocket::Alive { .. }))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{codes, fired};
    use crate::facts::certainty::Certainty;
    use crate::facts::config::{Control, ControlSocket, Facts, MasterSession};

    fn with(change: impl FnOnce(&mut Control)) -> Facts {
        let mut control = Control {
            path: "/tmp/m".into(),
            bytes: 6,
            limit: 108,
            becomes_master: true,
            folder: true,
            socket: ControlSocket::Absent,
            session: None,
        };
        change(&mut control);
        Facts { control: Some(control), ..Facts::default() }
    }

    fn alive(status: Option<i32>) -> Facts {
        with(|control| {
            control.socket = ControlSocket::Alive { pid: Some(7) };
            control.session = Some(MasterSession { ms: 10_000.0, status, said: None });
        })
    }

    #[test]
    fn what_ssh_can_work_with_is_not_worth_a_word() {
        assert!(codes(with(|_| {})).is_empty());
        assert!(codes(with(|control| control.socket = ControlSocket::Stale { error: "refused".into() })).is_empty());
        let no_folder =
            |becomes_master| with(|control| (control.folder, control.becomes_master) = (false, becomes_master));
        assert!(codes(no_folder(false)).is_empty());
        assert_eq!(codes(no_folder(true)), ["config-control-path"]);
    }

    #[test]
    fn a_master_that_does_not_answer_is_told_from_one_whose_connection_is_dead() {
        let certainty =
            |facts| fired(facts).into_iter().map(|(code, found)| (code, found.certainty)).collect::<Vec<_>>();
        let silent = with(|control| control.socket = ControlSocket::Silent { waited_s: 3.0 });
        assert_eq!(certainty(silent), [("config-master-dead", Certainty::Certain)]);
        assert_eq!(certainty(alive(None)), [("config-master-dead", Certainty::Likely)]);
        assert_eq!(certainty(alive(Some(0))), [("config-master-shared", Certainty::Certain)]);
        assert_eq!(codes(alive(Some(255))), ["config-master-shared"]);
    }

    #[test]
    fn a_name_is_too_long_sooner_where_ssh_makes_the_socket() {
        let of =
            |bytes, becomes_master| with(|control| (control.bytes, control.becomes_master) = (bytes, becomes_master));
        assert_eq!(codes(of(91, true)), ["config-control-path"]);
        assert!(codes(of(91, false)).is_empty());
        assert_eq!(codes(of(108, false)), ["config-control-path"]);
    }
}
