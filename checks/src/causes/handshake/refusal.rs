//! sshd refuses the connection before its version, and says so.

use crate::base::text::seconds;
use crate::causes::retest::shared;
use crate::causes::shared::{ONE_CONNECTION, RELOAD};
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::handshake::refusal::{EXCEEDED_MAX_STARTUPS, NOT_ALLOWED};
use crate::facts::handshake::{Facts, Limit, Software};

pub(super) const MAX_STARTUPS: Cause = Cause {
    code: "handshake-max-startups",
    stage: Check::Handshake,
    title: "The server has too many unauthenticated connections (MaxStartups)",
    severity: Severity::Critical,
    explanation: "sshd limits unauthenticated connections (MaxStartups, default 10:30:100: above 10 it refuses 30 % of new ones, \
        at 100 all). It said so in plain text and closed. Who holds the other connections is not visible from the \
        client: scanners, a monitoring system that connects without logging in, or many parallel logins.\n\n\
        OpenSSH 8.2 to 9.7 names the limit, and since 8.5 uses the same words for PerSourceMaxStartups, which is off \
        by default and counts connections from one address or network. Later versions use one text for this and for \
        penalties, and earlier ones send nothing. There the connection is repeated: a server that refuses one and \
        accepts the next decides at random, as this limit does between its two numbers.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Raise the limit, and shorten LoginGraceTime",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("MaxStartups 100:30:200\nLoginGraceTime 30"),
            caution: Some(RELOAD),
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Show who is waiting to log in",
            snippet: Some("ss -tnp state established '( sport = :{port} )'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "If sshd -T shows persourcemaxstartups other than none, and the other connections come from this \
                address or network, raise that too",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("PerSourceMaxStartups none"),
            caution: Some("one address alone can then use up MaxStartups"),
            ..Fix::CHANGE
        },
        ONE_CONNECTION,
    ],
    symptoms: &[
        "Exceeded MaxStartups",
        "past MaxStartups",
        "past PerSourceMaxStartups",
        "MaxStartups throttling",
        "drop connection #<n> from [<address>]:<port> on [<address>]:<port> Maxstartups",
    ],
    hides: &["handshake-closed-before-banner", "handshake-reset", "handshake-source-denied"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        if facts.says(EXCEEDED_MAX_STARTUPS) {
            let words = "before any version the server sent \"Exceeded MaxStartups\" and closed".to_owned();
            let looked = reconnected(facts).or_else(|| shared::only_once(evidence));
            return Some(Match::new(Certainty::Likely, std::iter::once(words).chain(looked)));
        }
        // Refused and let in within a second, one connection at a time: chance decides, which no penalty does.
        let (at, software) = let_in(facts)?;
        let silent = software.can_have(Limit::SilentMaxStartups) == Some(true);
        let words = if facts.says(NOT_ALLOWED) {
            "before any version the server sent \"Not allowed at this time\" and closed"
        } else if silent && facts.received_bytes == 0 {
            "the server closed the connection without a word, as this software does at its limit"
        } else {
            return None;
        };
        let again = format!("another connection {} later was let in", seconds(at / 1000.0));
        Some(Match::new(Certainty::Likely, [words.to_owned(), again]))
    },
    ..Cause::NEW
};

pub(super) const SOURCE_PENALTY: Cause = Cause {
    code: "handshake-source-penalty",
    stage: Check::Handshake,
    title: "The server refuses this address for a while (PerSourcePenalties)",
    severity: Severity::Critical,
    explanation: "OpenSSH 9.8 and later penalizes addresses whose logins fail, that connect without logging in, or whose \
        connections crash sshd. It refuses them once 15 s of penalties add up, for at most 10 minutes by default \
        (PerSourcePenalties, sshd_config(5)), with the words that arrived here. Everybody behind the same address is \
        affected, such as all users of a NAT, including a scanner or a monitoring system.\n\n\
        The same words stand for MaxStartups, which refuses at random below its upper limit, and for \
        PerSourceMaxStartups, which counts simultaneous connections only. The server's log names which of them it was.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Read in sshd's log why the address is penalized",
            snippet: Some("journalctl -u ssh -u sshd --since -30min | grep -E 'penalty|drop connection'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Wait until the penalty ends, and stop its reason: wrong keys or users, scanners and checks that \
                connect without logging in",
            ..Fix::CHANGE
        },
        Fix {
            side: Side::Server,
            summary: "Exempt the addresses of your own networks",
            file: Some("/etc/ssh/sshd_config"),
            snippet: Some("PerSourcePenaltyExemptList NETWORK"),
            caution: Some("replace NETWORK by that of the clients; they can then guess passwords without a limit"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["srclimit_penalise", "Not allowed at this time", "penalty: <text>", "penalty of <seconds> seconds for"],
    hides: &["handshake-closed-before-banner", "handshake-reset", "handshake-source-denied"],
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        if !facts.says(NOT_ALLOWED) || let_in(facts).is_some() {
            return None;
        }
        let words = "before any version the server sent \"Not allowed at this time\" and closed".to_owned();
        let certainty = if facts.reconnects.len() > 1 { Certainty::Likely } else { Certainty::Possible };
        let looked = reconnected(facts).or_else(|| shared::only_once(evidence));
        Some(Match::new(certainty, std::iter::once(words).chain(looked)))
    },
    ..Cause::NEW
};

/// The look that was let in: when, and by which software.
fn let_in(facts: &Facts) -> Option<(f64, Software)> {
    facts.reconnects.iter().find_map(|look| Some((look.at_ms, Software::of(look.version.as_ref()?)?)))
}

/// Describes the result of the reconnects.
pub(super) fn reconnected(facts: &Facts) -> Option<String> {
    let last = facts.reconnects.last()?;
    let later = seconds(last.at_ms / 1000.0);
    let further = match facts.reconnects.len() {
        1 => format!("a further connection {later} later, on which we said nothing, "),
        count => format!("the last of {count} further connections within {later}, on which we said nothing, "),
    };
    Some(match (&last.version, &last.end, facts.reconnects.len()) {
        (Some(version), _, _) => format!("{further}was let in by \"{version}\""),
        (None, Some(manner), 1) => format!("{further}ended with {}", manner.words()),
        (None, Some(manner), count) => format!(
            "none of {count} further connections within {later}, on which we said nothing, was let in; the last ended with {}",
            manner.words()
        ),
        (None, None, _) => {
            let listened = seconds(last.ms / 1000.0);
            let outlived = facts.end.as_ref().is_none_or(|(_, after_ms)| *after_ms < last.ms);
            let less = if outlived { "" } else { ", and was not listened to for as long as the first one lasted" };
            format!("a further connection on which we said nothing stayed open for {listened}{less}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes::handshake::version::failed;
    use crate::facts::connection::Manner;
    use crate::facts::handshake::Reconnect;

    fn fired(facts: &Facts) -> Vec<&'static str> {
        let evidence = failed(facts.clone());
        crate::causes::handshake::CAUSES.iter().filter(|c| (c.judge)(&evidence).is_some()).map(|c| c.code).collect()
    }

    fn refused(words: &str, reconnects: &[Reconnect]) -> Facts {
        let first_bytes = (!words.is_empty()).then(|| words.to_owned());
        Facts {
            end: Some((Manner::Fin, 12.0)),
            first_bytes,
            received_bytes: words.len() as u64,
            reconnects: reconnects.to_vec(),
            ..Facts::default()
        }
    }

    fn look(version: Option<&str>, end: Option<Manner>) -> Reconnect {
        Reconnect { at_ms: 300.0, version: version.map(ToOwned::to_owned), end, ..Reconnect::default() }
    }

    const CLOSED: &str = "handshake-closed-before-banner";

    #[test]
    fn the_old_words_are_certain_and_the_new_ones_are_judged_by_chance() {
        let closed = || look(None, Some(Manner::Fin));
        let open = || look(Some("SSH-2.0-OpenSSH_9.8"), None);
        assert_eq!(fired(&refused("Exceeded MaxStartups\\r\\n", &[])), ["handshake-max-startups", CLOSED]);
        let all = refused(NOT_ALLOWED, &[closed(), closed(), closed()]);
        assert_eq!(fired(&all), ["handshake-source-penalty", CLOSED]);
        assert_eq!(fired(&refused(NOT_ALLOWED, &[closed(), open()])), ["handshake-max-startups", CLOSED]);
    }

    #[test]
    fn a_reset_that_is_a_close_is_told_by_saying_nothing() {
        let reset = |reconnects: &[Reconnect]| Facts { end: Some((Manner::Reset, 12.0)), ..refused("", reconnects) };
        assert_eq!(fired(&reset(&[])), ["handshake-reset"]);
        let closes = reset(&[look(None, Some(Manner::Fin))]);
        assert_eq!(fired(&closes), ["handshake-source-denied", CLOSED, "handshake-reset"]);
        assert_eq!(fired(&reset(&[look(None, None)])), ["handshake-reset"]);
    }

    #[test]
    fn silence_is_max_startups_only_where_the_software_is_silent_about_it() {
        let mixed = |version| refused("", &[look(Some(version), None)]);
        assert_eq!(fired(&mixed("SSH-2.0-OpenSSH_7.4")), ["handshake-max-startups", CLOSED]);
        assert_eq!(fired(&mixed("SSH-2.0-OpenSSH_9.2p1")), [CLOSED]);
    }
}
