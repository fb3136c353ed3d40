//! The proxy command does not carry the connection.

use crate::base::text::seconds;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::proxy::ProxyExit;

pub(super) const PROXY_COMMAND_FAILED: Cause = Cause {
    code: "jump-proxy-command-failed",
    stage: Check::Handshake,
    title: "The ProxyCommand fails: no data from the server",
    severity: Severity::Critical,
    explanation: "The configuration reaches this server through a ProxyCommand, whose input and output are the connection. It \
        returned no data. ssh then reports a peer that never existed, UNKNOWN port 65535, and hides the reason in the \
        command's own output.\n\n\
        A command that exited with an error failed itself: it is not installed, cannot reach its gateway, or was \
        refused a login there. One that exited without an error, or still runs, may have reached a server that sent \
        nothing; its output shows which.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "Show the command, and what ssh does with it",
            snippet: Some("ssh -G {alias} | grep -i '^proxy'; ssh -v {alias} true 2>&1 | grep -F 'proxy command'"),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Client,
            summary: "Run that command by hand: if it works, it prints the server's banner (SSH-2.0-...) and waits",
            snippet: Some(
                "sh -c \"$(ssh -G {alias} | sed -n 's/^proxycommand //p' | sed 's/%h/{host}/g; s/%p/{port}/g; s/%r/{user}/g')\"",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Network,
            summary: "If it uses a gateway or access proxy, renew the login there, and check whether the gateway reaches \
                {host}:{port}",
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "UNKNOWN port 65535",
        "ProxyCommand exited",
        "Could not connect to the proxy command",
        "Failed running proxy command",
        "Proxy error:",
        "ProxyCommandFailure",
        "An error occurred (TargetNotConnected)",
        "nc: Proxy error",
    ],
    hides: &[
        "handshake-no-banner",
        "handshake-closed-before-banner",
        "handshake-reset",
        "handshake-source-denied",
        "handshake-source-penalty",
        "handshake-max-startups",
    ],
    strikes_anywhere: true,
    judge: |evidence| {
        let facts = evidence.handshake.failed()?;
        if !facts.proxied || facts.received_bytes > 0 {
            return None;
        }
        let (certainty, what) = match facts.proxy_end {
            Some(end @ (ProxyExit::Status { status: 1.. } | ProxyExit::Signal { .. })) => {
                (Certainty::Certain, format!("the proxy command ended with {}", end.words()))
            }
            Some(end) => (Certainty::Possible, format!("the proxy command ended with {}", end.words())),
            None if facts.end.is_some() => (Certainty::Likely, "the proxy command closed the connection".to_owned()),
            None => {
                let waited = seconds(facts.gave_up_ms? / 1000.0);
                (Certainty::Possible, format!("the proxy command still ran after {waited}"))
            }
        };
        let mut because = vec![what, "no byte of the server came through it".to_owned()];
        because.extend(facts.proxy_stderr.iter().flat_map(|output| output.words()));
        Some(Match::new(certainty, because))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::PROXY_COMMAND_FAILED;
    use crate::causes::Match;
    use crate::facts::certainty::Certainty;
    use crate::facts::connection::Manner;
    use crate::facts::handshake::Facts;
    use crate::facts::proxy::{ProxyExit, ProxyOutput};
    use crate::facts::{Evidence, Step, Timed};

    fn judged(facts: Facts) -> Option<Match> {
        let handshake = Timed { step: Step::Failed(facts), duration_ms: 1.0 };
        (PROXY_COMMAND_FAILED.judge)(&Evidence { handshake, ..Evidence::unexamined() })
    }

    fn proxied(proxy_end: Option<ProxyExit>) -> Facts {
        let stderr = Some(Box::new(ProxyOutput::of("a\\nb\\r\\nc\\nd\\n\\ne", true)));
        let end = Some((Manner::Fin, 3.0));
        Facts { proxied: true, proxy_stderr: stderr, proxy_end, end, ..Facts::default() }
    }

    #[test]
    fn a_command_that_fails_is_named_with_its_status_and_its_last_words() {
        let found = judged(proxied(Some(ProxyExit::Status { status: 127 }))).unwrap();
        assert_eq!(found.certainty, Certainty::Certain);
        assert!(found.because[0].contains("no such command"));
        assert_eq!(found.because[2..], ["b", "c", "d", "e"].map(|line| format!("it printed \"{line}\"")));
    }

    #[test]
    fn one_that_ends_well_or_still_runs_is_a_guess() {
        let certainty = |facts| judged(facts).map(|found| found.certainty);
        assert_eq!(certainty(proxied(Some(ProxyExit::Status { status: 0 }))), Some(Certainty::Possible));
        let running = Facts { end: None, gave_up_ms: Some(9000.0), ..proxied(None) };
        assert_eq!(certainty(running), Some(Certainty::Possible));
    }

    #[test]
    fn a_server_that_spoke_or_that_needs_no_command_is_not_its_matter() {
        let end = Some(ProxyExit::Status { status: 1 });
        assert!(judged(Facts { received_bytes: 9, ..proxied(end) }).is_none());
        assert!(judged(Facts { proxied: false, ..proxied(None) }).is_none());
    }
}
