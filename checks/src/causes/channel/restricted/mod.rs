//! Causes that show in what a connection may not be used for, while commands run.

pub(super) mod forwarding;
pub(super) mod requests;
mod shared;

#[cfg(test)]
mod tests {
    use super::requests;
    use crate::causes::Severity;
    use crate::causes::channel::CAUSES;
    use crate::facts::channel::{Capabilities, Capability, Facts, Sftp};
    use crate::facts::{Evidence, Step, Timed, handshake};

    fn on(version: &str, capabilities: Capabilities) -> Vec<(&'static str, Severity)> {
        judged(version, Facts { capabilities: Box::new(capabilities), ..Facts::default() })
    }

    fn judged(version: &str, facts: Facts) -> Vec<(&'static str, Severity)> {
        fn timed<F>(facts: F) -> Timed<F> {
            Timed { step: Step::Passed(facts), duration_ms: 1.0 }
        }
        let evidence = Evidence {
            handshake: timed(handshake::Facts { version: Some(version.into()), ..Default::default() }),
            channel: timed(Facts { mark_seen: true, ..facts }),
            ..Evidence::unexamined()
        };
        let matched = CAUSES.iter().filter_map(|cause| Some((cause, (cause.judge)(&evidence)?)));
        matched.map(|(cause, found)| (cause.code, found.severity.unwrap_or(cause.severity))).collect()
    }

    fn no() -> Capability {
        Capability::of(Some(false))
    }

    #[test]
    fn refusals_are_findings_only_where_the_software_allows_by_default() {
        let restricted = Capabilities {
            direct_tcpip: Capability::refused(1, "open failed"),
            remote_forward: no(),
            ..Capabilities::default()
        };
        assert_eq!(
            on("SSH-2.0-OpenSSH_9.2p1", restricted.clone()),
            [("channel-forwarding-prohibited", Severity::Info)]
        );
        assert_eq!(on("SSH-2.0-AsyncSSH_2.24.1", restricted), []);
        let one_way =
            Capabilities { direct_tcpip: Capability::Allowed, remote_forward: no(), ..Capabilities::default() };
        assert_eq!(on("SSH-2.0-dropbear_2022.83", one_way), [("channel-remote-forward-failed", Severity::Info)]);
        let failed = Capabilities { direct_tcpip: Capability::refused(3, "unknown"), ..Capabilities::default() };
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", failed), []);
    }

    #[test]
    fn a_missing_terminal_weighs_less_on_a_key_that_may_do_nothing_else() {
        let pty = Capabilities { pty: no(), direct_tcpip: Capability::Allowed, ..Capabilities::default() };
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", pty.clone()), [("session-pty-refused", Severity::Warning)]);
        assert_eq!(on("SSH-2.0-x", pty.clone()), [("session-pty-refused", Severity::Info)]);
        for (has_terminals, severity) in [(Some(true), Severity::Info), (Some(false), Severity::Warning)] {
            let pty = Capabilities { has_terminals, ..pty.clone() };
            assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", pty), [("session-pty-refused", severity)]);
        }
        let all = Capabilities {
            pty: no(),
            direct_tcpip: Capability::refused(1, ""),
            remote_forward: no(),
            agent_forwarding: no(),
            x11: no(),
            ..Capabilities::default()
        };
        assert_eq!(on("SSH-2.0-x", all), [("session-pty-refused", Severity::Info)]);
    }

    #[test]
    fn a_restricted_shell_has_no_part_in_a_refusal_of_sftp() {
        let rbash = |sftp, sftp_said| Facts {
            stderr: Some("rbash: line 1: exec: restricted\\n".into()),
            capabilities: Box::new(Capabilities { sftp, sftp_said, ..Capabilities::default() }),
            ..Facts::default()
        };
        let ended = Sftp { status: Some(126), ..Sftp::default() };
        let missing = |severity| vec![("session-subsystem-missing", severity)];
        assert_eq!(judged("SSH-2.0-OpenSSH_9.2p1", rbash(Capability::Allowed, Some(ended))), missing(Severity::Info));
        assert_eq!(judged("SSH-2.0-OpenSSH_9.2p1", rbash(no(), None)), missing(Severity::Warning));
    }

    #[test]
    fn the_wrapper_comes_first_where_sftp_ends_as_a_wrapper_does() {
        let first = |status| {
            let said = Sftp { status: Some(status), ..Sftp::default() };
            let may = Capabilities { sftp: Capability::Allowed, sftp_said: Some(said), ..Capabilities::default() };
            let facts = Facts { capabilities: Box::new(may), ..Facts::default() };
            let evidence =
                Evidence { channel: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() };
            let mut fixes = requests::SUBSYSTEM_MISSING.fixes.iter().filter(|fix| (fix.when)(&evidence));
            fixes.next().unwrap().summary
        };
        for (status, is_wrapper) in [(0, true), (127, true), (1, false)] {
            assert_eq!(first(status).starts_with("If a wrapper runs commands"), is_wrapper, "{status}");
        }
    }

    #[test]
    fn an_sftp_server_that_dies_at_once_is_missing_too() {
        let dead = Sftp { status: Some(127), stderr: Some("sh: 1: /no: not found".into()), ..Sftp::default() };
        let sftp = |sftp, sftp_said| Capabilities { sftp, sftp_said, ..Capabilities::default() };
        let missing = [("session-subsystem-missing", Severity::Warning)];
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", sftp(Capability::Allowed, Some(dead.clone()))), missing);
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", sftp(no(), None)), missing);
        assert_eq!(on("SSH-2.0-dropbear_2022.83", sftp(Capability::Allowed, Some(dead))), []);
        let well = Sftp { version: Some(3), ..Sftp::default() };
        assert_eq!(on("SSH-2.0-OpenSSH_9.2p1", sftp(Capability::Allowed, Some(well))), []);
    }
}
