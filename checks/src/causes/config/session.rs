//! Settings that decide on what a session runs, and settings that ssh does not read.

use super::shared::facts;
use crate::base::text::sanitize;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

pub(super) const TTY_FORCED: Cause = Cause {
    code: "config-tty-forced",
    stage: Check::Config,
    title: "RemoteCommand or RequestTTY breaks scp, rsync, git and scripts",
    severity: Severity::Warning,
    explanation: "The settings for this host fix what every session runs. With RemoteCommand, ssh refuses a command on its \
        command line (\"Cannot execute command-line and remote command\"), so scp, rsync, git and scripts fail. \
        RequestTTY force adds a terminal between programs, which alters their data. SessionType none runs nothing at \
        all. An interactive ssh to the host works.",
    fixes: &[
        Fix {
            summary: "Move the setting to a separate alias for interactive use",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {alias}-shell\n    HostName {host}\n    RequestTTY yes\n    RemoteCommand COMMAND"),
            caution: Some(
                "replace COMMAND by the one that is there, and remove the lines that apply to {alias} itself",
            ),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Until then, override the settings for one COMMAND",
            snippet: Some("ssh -T -o RemoteCommand=none -o SessionType=default {alias} COMMAND"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Show what is set, and by which file",
            snippet: Some("ssh -G {alias} | grep -iE '^(remotecommand|requesttty|sessiontype) '"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "Cannot execute command-line and remote command.",
        "protocol error: mtime.sec not present",
        "Received message too long",
    ],
    judge: |evidence| {
        let facts = facts(evidence)?;
        let session = &facts.session;
        let from =
            |keyword: &str| facts.setting(keyword).map(|set| format!(" ({})", sanitize(&set.from))).unwrap_or_default();
        let mut because = Vec::new();
        if session.remote_command {
            because.push(format!("RemoteCommand is set{}", from("RemoteCommand")));
        }
        // With yes, a program's pipe still gets no terminal.
        if session.request_tty.as_deref() == Some("force") {
            because.push(format!("RequestTTY is force{}", from("RequestTTY")));
        }
        if let Some(session_type) = &session.session_type {
            because.push(format!("SessionType is {}{}", sanitize(session_type), from("SessionType")));
        }
        let is_tunnel = session.session_type.as_deref() == Some("none") && facts.forwardings.is_some();
        let found = Match::new(Certainty::Certain, because);
        match found.because.len() {
            0 => None,
            // A host for forwardings alone is meant so.
            1 if is_tunnel => Some(found.at(Severity::Info)),
            _ => Some(found),
        }
    },
    ..Cause::NEW
};

pub(super) const HOME_IGNORED: Cause = Cause {
    code: "config-home-ignored",
    stage: Check::Config,
    title: "$HOME/.ssh/config is not the file that ssh reads",
    severity: Severity::Info,
    explanation: "ssh looks for ~/.ssh in the home folder that the user database has for its user ID, and ignores HOME. Here \
        HOME is another folder with an .ssh/config of its own, which has no effect. This happens in containers, under \
        sudo, and in CI jobs and services.",
    fixes: &[
        Fix { summary: "Name the intended file", snippet: Some("ssh -F '{home}/.ssh/config' {alias}"), ..Fix::CHANGE },
        Fix { summary: "See both folders", snippet: Some("getent passwd \"$(id -u)\"; echo \"$HOME\""), ..Fix::LOOK },
    ],
    symptoms: &["Could not create directory '<file>'", "Identity file not accessible"],
    judge: |evidence| {
        let home = facts(evidence)?.other_home.as_ref()?;
        let because =
            format!("HOME is {}, the user database says {}", sanitize(&home.environment), sanitize(&home.database));
        Some(Match::new(Certainty::Certain, [because]).with("home", home.environment.clone()))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::super::samples::{codes, fired};
    use super::Severity;
    use crate::base::own_ssh::SessionSettings;
    use crate::facts::config::{Facts, Forwardings, OtherHome};

    #[test]
    fn only_what_reaches_commands_breaks_them() {
        let of = |session| codes(Facts { session, ..Facts::default() });
        let tty = |value: &str| SessionSettings { request_tty: Some(value.into()), ..SessionSettings::default() };
        assert!(of(SessionSettings::default()).is_empty() && of(tty("yes")).is_empty());
        assert_eq!(of(tty("force")), ["config-tty-forced"]);
        let nothing = || SessionSettings { session_type: Some("none".into()), ..SessionSettings::default() };
        let severity = |forwardings| fired(Facts { session: nothing(), forwardings, ..Facts::default() })[0].1.severity;
        assert_eq!((severity(None), severity(Some(Forwardings::default()))), (None, Some(Severity::Info)));
        assert_eq!(of(SessionSettings { remote_command: true, ..SessionSettings::default() }), ["config-tty-forced"]);
    }

    #[test]
    fn a_home_that_ssh_does_not_use_is_named() {
        let home = OtherHome { environment: "/home/ci".into(), database: "/root".into() };
        assert_eq!(codes(Facts { other_home: Some(home), ..Facts::default() }), ["config-home-ignored"]);
    }
}
