//! Testimony of the server's own settings, logs and kernel on causes that were found from outside.

use super::Testimony;
use super::Testimony::{Confirms, Contradicts, Fits};
use crate::facts::Evidence;
use crate::facts::server::ServerAnswers;

/// MaxSessions, held against the sessions that could be opened.
pub(crate) fn max_sessions(server: &ServerAnswers, evidence: &Evidence) -> Option<Testimony> {
    let value = server.setting("maxsessions")?;
    let open = evidence.channel.passed()?.capabilities.sessions_at_once.as_ref()?.open;
    let line = says(&format!("MaxSessions {value}"));
    Some(if value == open.to_string() {
        Confirms(line)
    } else {
        Contradicts(format!("{line}: its settings were changed since it was started, or something else refuses"))
    })
}

/// The settings that forbid connections to the server's side.
pub(crate) fn forwarding_there(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    forwarding(server, &["no", "remote"], "PermitOpen")
}

/// The settings that forbid ports that lead back.
pub(crate) fn forwarding_back(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    forwarding(server, &["no", "local"], "PermitListen")
}

/// The settings that forbid one direction; where none does, it is the option in front of the key.
fn forwarding(server: &ServerAnswers, forbids: &[&str], permits: &str) -> Option<Testimony> {
    let allow = server.setting("allowtcpforwarding")?;
    if server.setting("disableforwarding") == Some("yes") {
        return Some(Confirms(says("DisableForwarding yes")));
    }
    if forbids.contains(&allow) {
        return Some(Confirms(says(&format!("AllowTcpForwarding {allow}"))));
    }
    let permitted = server.setting(permits).unwrap_or("any");
    Some(if permitted == "any" {
        let line = says(&format!("AllowTcpForwarding {allow} and {permits} any"));
        Fits(format!("{line}: so the option in front of the key forbids it (restrict, no-port-forwarding, permit...)"))
    } else {
        Confirms(says(&format!("{permits} {permitted}")))
    })
}

/// PermitTTY.
pub(crate) fn permit_tty(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    Some(match server.setting("permittty")? {
        "no" => Confirms(says("PermitTTY no")),
        _ => Fits(format!("{}: the option of the key, or the system, refuses", says("PermitTTY yes"))),
    })
}

/// The list of subsystems, where it is empty.
pub(crate) fn no_subsystem(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    let none = server.has_settings() && server.setting("subsystem").is_none();
    none.then(|| Confirms("sshd -T lists no subsystem".to_owned()))
}

/// ChannelTimeout.
pub(crate) fn channel_timeout(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    set(server, "ChannelTimeout")
}

/// UnusedConnectionTimeout.
pub(crate) fn unused_connection_timeout(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    set(server, "UnusedConnectionTimeout")
}

fn set(server: &ServerAnswers, name: &str) -> Option<Testimony> {
    let value = server.setting(name).filter(|value| !["none", "0"].contains(value))?;
    Some(Confirms(says(&format!("{name} {value}"))))
}

fn says(setting: &str) -> String {
    format!("sshd -T on the server says {setting}")
}

/// The start-up file that sets just the limit which was met.
pub(crate) fn tmout(server: &ServerAnswers, evidence: &Evidence) -> Option<Testimony> {
    /// bash looks at its clock once a second, and the shell starts a moment after the session.
    const APART_S: f64 = 2.0;
    let shell = evidence.idle_deaths()?.arms.iter().find(|arm| arm.is_left_by_shell())?;
    let near = |line: &&str| {
        let digits = line.rsplit_once("TMOUT=").map(|(_, value)| value.trim_start_matches('"'));
        let number = digits.map(|value| value.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
        number.and_then(|number| number.parse::<f64>().ok()).is_some_and(|s| (s - shell.lasted_s).abs() < APART_S)
    };
    let line = server.lines("shell time-outs", false).find(near)?;
    Some(Confirms(format!("a start-up file on the server says {line}")))
}

/// sshd's own end of a client that no longer answered, which fits a connection that is dropped in silence.
pub(crate) fn dropped_there_too(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    given_up(server).or_else(|| reset_there(server)).map(Fits)
}

/// sshd's own end of a client that no longer answered, where the client saw the server's side end it.
pub(crate) fn ended_by_sshd(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    given_up(server).map(Contradicts)
}

fn given_up(server: &ServerAnswers) -> Option<String> {
    let line = server.logged(&["client not responding"])?;
    let interval = server.setting("clientaliveinterval").filter(|seconds| *seconds != "0");
    let interval = interval.map(|seconds| format!(" (ClientAliveInterval {seconds})")).unwrap_or_default();
    Some(format!("the server ended a session itself{interval}, as its keepalives got no answer; it logged \"{line}\""))
}

/// A reset that only the server's end received.
fn reset_there(server: &ServerAnswers) -> Option<String> {
    let line = server.logged(&["Read error from remote host"]).filter(|line| line.contains("reset by peer"))?;
    Some(format!("the server's end met a reset that we never sent; it logged \"{line}\""))
}

/// The kernel's out-of-memory killer.
pub(crate) fn out_of_memory(server: &ServerAnswers, _: &Evidence) -> Option<Testimony> {
    let kills = |line: &&str| ["out of memory", "oom-kill"].iter().any(|words| line.to_lowercase().contains(words));
    let line = server.lines("out-of-memory kills", false).filter(kills).last()?;
    Some(Fits(format!("the server's kernel has killed for want of memory: \"{line}\"")))
}

/// The server's own connection tracking, where its timer lies in the bracket.
pub(crate) fn connection_tracking(server: &ServerAnswers, evidence: &Evidence) -> Option<Testimony> {
    let timeout = evidence.idle_deaths()?.timeout();
    let seconds = server.kernel("conntrack", "nf_conntrack_tcp_timeout_established")?;
    let (survived, died) = (timeout.survived_s.unwrap_or_default(), timeout.died_s?);
    (survived <= seconds && seconds <= died).then(|| {
        Fits(format!("the server's own connection tracking drops idle connections after {seconds} s (nf_conntrack_tcp_timeout_established), which fits"))
    })
}

#[cfg(test)]
mod tests {
    use super::{dropped_there_too, ended_by_sshd, forwarding_there};
    use crate::causes::Testimony::{Confirms, Contradicts, Fits};
    use crate::facts::Evidence;
    use crate::facts::server::{ServerAnswer, ServerAnswers};

    fn said(about: &str, status: i32, lines: &[&str]) -> ServerAnswers {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let answer = ServerAnswer { about: about.into(), source: "x".into(), lines, status: Some(status) };
        ServerAnswers { answers: vec![answer], failure: None }
    }

    #[test]
    fn a_setting_confirms_and_one_that_could_not_be_read_is_no_testimony() {
        let heard = |server: &ServerAnswers| forwarding_there(server, &Evidence::unexamined());
        let settings = ["allowtcpforwarding no", "disableforwarding no"];
        let confirms = Confirms("sshd -T on the server says AllowTcpForwarding no".to_owned());
        assert_eq!(heard(&said("sshd settings", 0, &settings)), Some(confirms));
        assert_eq!(heard(&said("sshd settings", 1, &settings)), None);
        let allows = said("sshd settings", 0, &["allowtcpforwarding yes", "permitopen any"]);
        assert!(matches!(heard(&allows), Some(Fits(_))));
    }

    #[test]
    fn an_end_that_the_server_made_fits_a_silent_drop_and_contradicts_a_reset() {
        let log =
            said("log of our connections", 0, &["Timeout, client not responding from user root 192.0.2.1 port 9"]);
        assert!(matches!(ended_by_sshd(&log, &Evidence::unexamined()), Some(Contradicts(_))));
        assert!(matches!(dropped_there_too(&log, &Evidence::unexamined()), Some(Fits(_))));
    }
}
