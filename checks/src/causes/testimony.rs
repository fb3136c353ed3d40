//! What the server's own words make of a cause that was found from outside.

use Word::{Confirms, Contradicts, Fits};

use super::Match;
use crate::facts::Evidence;
use crate::facts::certainty::Certainty;
use crate::facts::server::Answers;

/// One of the server's words on a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// It is so.
    Confirms(String),
    /// It fits, and proves nothing.
    Fits(String),
    /// It is not so, or not only.
    Contradicts(String),
}

/// A match, made surer or less sure by what the server said; as it was where the server was not asked or knows nothing of it.
#[must_use]
pub fn heard(code: &str, evidence: &Evidence, found: Match) -> Match {
    let words = evidence.server.as_ref().map(|answers| words(code, answers, evidence)).unwrap_or_default();
    words.into_iter().fold(found, |mut found, word| {
        let (certainty, line) = match &word {
            Confirms(line) => (Certainty::Certain, line),
            Fits(line) => (found.certainty, line),
            Contradicts(line) => (found.certainty.max(Certainty::Likely), line),
        };
        found.reason_open &= !matches!(word, Confirms(_));
        found.certainty = certainty;
        found.because.push(line.clone());
        found
    })
}

fn words(code: &str, server: &Answers, evidence: &Evidence) -> Vec<Word> {
    let word = match code {
        "channel-max-sessions" => sessions(server, evidence),
        "channel-forwarding-prohibited" => forwarding(server, &["no", "remote"], "permitopen"),
        "channel-remote-forward-failed" => forwarding(server, &["no", "local"], "permitlisten"),
        "session-pty-refused" => match server.setting("permittty") {
            Some("no") => Some(Confirms(says("PermitTTY no"))),
            Some(_) => Some(Fits(format!("{}: the option of the key, or the system, refuses", says("PermitTTY yes")))),
            None => None,
        },
        "session-subsystem-missing" => (server.has_settings() && server.setting("subsystem").is_none())
            .then(|| Confirms("sshd -T lists no subsystem".to_owned())),
        "idle-channel-timeout" => set(server, "channeltimeout", "ChannelTimeout"),
        "idle-unused-connection-timeout" => set(server, "unusedconnectiontimeout", "UnusedConnectionTimeout"),
        "idle-shell-timeout" => tmout(server, evidence),
        "exit-by-signal" | "transfer-truncated" | "session-wall-clock-cut" => killed(server),
        "idle-silent-drop" | "idle-one-way-drop" => given_up(server).or_else(|| reset_there(server)).map(Fits),
        "idle-reset" | "idle-closed" => given_up(server).map(Contradicts),
        _ => None,
    };
    let forgets =
        matches!(code, "idle-silent-drop" | "idle-one-way-drop" | "idle-reset").then(|| forgets(server, evidence));
    word.into_iter().chain(forgets.flatten()).collect()
}

fn says(setting: &str) -> String {
    format!("sshd -T on the server says {setting}")
}

fn set(server: &Answers, name: &str, shown: &str) -> Option<Word> {
    let value = server.setting(name).filter(|value| !["none", "0"].contains(value))?;
    Some(Confirms(says(&format!("{shown} {value}"))))
}

fn sessions(server: &Answers, evidence: &Evidence) -> Option<Word> {
    let value = server.setting("maxsessions")?;
    let open = evidence.channel.passed()?.capabilities.sessions_at_once.as_ref()?.open;
    let line = says(&format!("MaxSessions {value}"));
    Some(if value == open.to_string() {
        Confirms(line)
    } else {
        Contradicts(format!("{line}: its settings were changed since it was started, or something else refuses"))
    })
}

/// Which of the settings forbids one direction; where none does, it is the option in front of the key.
fn forwarding(server: &Answers, forbids: &[&str], permits: &str) -> Option<Word> {
    let allow = server.setting("allowtcpforwarding")?;
    if server.setting("disableforwarding") == Some("yes") {
        return Some(Confirms(says("DisableForwarding yes")));
    }
    if forbids.contains(&allow) {
        return Some(Confirms(says(&format!("AllowTcpForwarding {allow}"))));
    }
    let permitted = server.setting(permits).unwrap_or("any");
    let name = if permits == "permitopen" { "PermitOpen" } else { "PermitListen" };
    Some(if permitted == "any" {
        let line = says(&format!("AllowTcpForwarding {allow} and {name} any"));
        Fits(format!("{line}: so the option in front of the key forbids it (restrict, no-port-forwarding, permit...)"))
    } else {
        Confirms(says(&format!("{name} {permitted}")))
    })
}

/// The start-up file that sets just the limit which was met.
fn tmout(server: &Answers, evidence: &Evidence) -> Option<Word> {
    /// bash looks at its clock once a second, and the shell starts a moment after the session.
    const APART_S: f64 = 2.0;
    let shell = evidence.idle.failed()?.arms.iter().find(|arm| arm.is_left_by_shell())?;
    let near = |line: &&str| {
        let digits = line.rsplit_once("TMOUT=").map(|(_, value)| value.trim_start_matches('"'));
        let number = digits.map(|value| value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
        number.and_then(|number| number.parse::<f64>().ok()).is_some_and(|s| (s - shell.lasted_s).abs() < APART_S)
    };
    let line = server.lines("shell time-outs", false).find(near)?;
    Some(Confirms(format!("a start-up file on the server says {line}")))
}

/// sshd's own end of a client that it heard nothing of.
fn given_up(server: &Answers) -> Option<String> {
    let line = server.logged(&["client not responding"])?;
    let interval = server.setting("clientaliveinterval").filter(|seconds| *seconds != "0");
    let interval = interval.map(|seconds| format!(" (ClientAliveInterval {seconds})")).unwrap_or_default();
    Some(format!("the server ended a session itself{interval}, as its keepalives got no answer; it logged \"{line}\""))
}

/// A reset that only the server's end met.
fn reset_there(server: &Answers) -> Option<String> {
    let line = server.logged(&["Read error from remote host"]).filter(|line| line.contains("reset by peer"))?;
    Some(format!("the server's end met a reset that we never sent; it logged \"{line}\""))
}

fn killed(server: &Answers) -> Option<Word> {
    let kills = |line: &&str| ["out of memory", "oom-kill"].iter().any(|words| line.to_lowercase().contains(words));
    let line = server.lines("out-of-memory kills", false).filter(kills).last()?;
    Some(Fits(format!("the server's kernel has killed for want of memory: \"{line}\"")))
}

/// The server's own connection tracking, where its timer lies in the bracket.
fn forgets(server: &Answers, evidence: &Evidence) -> Option<Word> {
    let timeout = &evidence.idle.failed()?.timeout;
    let seconds = server.kernel("conntrack", "nf_conntrack_tcp_timeout_established")?;
    let (survived, died) = (timeout.survived_s.unwrap_or_default(), timeout.died_s?);
    (survived <= seconds && seconds <= died).then(|| {
        Fits(format!("the server's own connection tracking forgets after {seconds} s (nf_conntrack_tcp_timeout_established), which fits"))
    })
}

#[cfg(test)]
mod tests {
    use super::heard;
    use crate::causes::Match;
    use crate::facts::Evidence;
    use crate::facts::certainty::Certainty;
    use crate::facts::server::{Answer, Answers};

    fn said(about: &str, status: i32, lines: &[&str]) -> Evidence {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let answer = Answer { about: about.into(), source: "x".into(), lines, status: Some(status) };
        let server = Answers { answers: vec![answer], failure: None };
        Evidence { server: Some(server), ..Evidence::unexamined() }
    }

    fn made_of(code: &str, certainty: Certainty, evidence: &Evidence) -> (Certainty, usize) {
        let found = heard(code, evidence, Match::new(certainty, ["seen"]));
        (found.certainty, found.because.len())
    }

    #[test]
    fn a_setting_makes_certain_and_a_refusal_to_tell_it_changes_nothing() {
        let code = "channel-forwarding-prohibited";
        let settings = ["allowtcpforwarding no", "disableforwarding no"];
        assert_eq!(made_of(code, Certainty::Likely, &said("sshd settings", 0, &settings)), (Certainty::Certain, 2));
        assert_eq!(made_of(code, Certainty::Likely, &said("sshd settings", 1, &settings)), (Certainty::Likely, 1));
        assert_eq!(made_of(code, Certainty::Likely, &Evidence::unexamined()), (Certainty::Likely, 1));
        let allows = said("sshd settings", 0, &["allowtcpforwarding yes", "permitopen any"]);
        assert_eq!(made_of(code, Certainty::Likely, &allows), (Certainty::Likely, 2));
        assert_eq!(made_of("tcp-refused", Certainty::Likely, &allows), (Certainty::Likely, 1));
    }

    #[test]
    fn an_end_that_the_server_made_takes_a_resets_certainty_and_gives_none() {
        let log =
            said("log of our connections", 0, &["Timeout, client not responding from user root 192.0.2.1 port 9"]);
        assert_eq!(made_of("idle-reset", Certainty::Certain, &log), (Certainty::Likely, 2));
        assert_eq!(made_of("idle-reset", Certainty::Possible, &log), (Certainty::Possible, 2));
        assert_eq!(made_of("idle-one-way-drop", Certainty::Likely, &log), (Certainty::Likely, 2));
    }
}
