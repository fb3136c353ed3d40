//! The signs that a text in ordinary words is one of SSH.

use super::foreign::is_of_ssh;
use super::ordinary::{AT_THE_BEGIN, KILLED, ONLY_BESIDE_SSH};
use crate::facts::log::{Connection, Event, Sighting};

/// True for a text in ordinary words, in a line and a connection without any sign of SSH.
pub(super) fn is_of_anybody(connection: &Connection, seen: &Sighting) -> bool {
    let is_one_of = |texts: &[&str]| texts.iter().any(|known| known.eq_ignore_ascii_case(&seen.symptom));
    let begin = seen.symptom.split('<').next().unwrap_or_default();
    let before = || seen.line.in_english().split_once(begin).map(|(before, _)| before);
    let begins = || is_one_of(AT_THE_BEGIN) && before().is_some_and(|text| !text.contains(char::is_alphabetic));
    (is_one_of(ONLY_BESIDE_SSH) || is_one_of(KILLED))
        && connection.program.is_none()
        && !has_steps(connection)
        && !begins()
        && !connection.sightings.iter().any(|other| is_of_ssh(other.line.in_english()) || is_a_shared_end(other))
}

/// True for the end of a session over a shared connection, which only ssh prints.
fn is_a_shared_end(seen: &Sighting) -> bool {
    seen.symptom == "Shared connection to <host> closed"
}

/// True if a connection records a step that no other program has: many end with a line about their exit status.
pub(super) fn has_steps(connection: &Connection) -> bool {
    connection.entries.iter().any(|entry| entry.event != Event::ExitStatus)
}

#[cfg(test)]
mod tests {
    use super::super::foreign::is_said_of_others_too;
    use super::super::{wordings, words};
    use super::*;

    /// Words that only programs of SSH print, and of which none names SSH.
    const OWN_WORDS: &[&str] = &[
        "ProxyCommand",
        "inconsistent options: Proxy",
        "into background without a command",
        "ControlPath",
        "a subsystem to invoke",
        "both -y and -E",
        "ultiplex",
        "stdio forward",
        "Bad tun device",
        "KnownHosts",
        "IdentityAgent",
        "ForwardAgent",
        "TCP forward",
        "netcat endpoint",
        "multi-hop",
        "proxy jump",
        "-nc expects",
        "BindInterface",
        "proxy dialer",
        "pipes to communicate with the proxy",
        "direct dialing to nodes",
        "MaxStartups",
        "KEXINIT",
        "msgKexInit",
        "dh-gex",
        "DH grp",
        "server-side gex",
        "not a certificate) for negotiated",
        "does not correspond to any supported algorithm",
        "Pageant",
        "source-address",
        "force-command",
        "AuthorizedPrincipalsCommand",
        "AuthorizedKeysCommand",
        "AuthenticationMethods",
        "authorized keys '",
        "Pubkey auth",
        "USERAUTH",
        "after additional sessions disabled",
        "treamlocal",
        "tunnel device forwarding",
        "$DISPLAY already forwarded",
        "do_exec_no_pty",
        "NoClientAuth",
        "not from a permitted source address",
        "RESTART FAILED: av",
        "preauth child",
    ];

    #[test]
    fn each_text_that_needs_a_sign_is_one_of_a_cause() {
        let all: Vec<_> = words::texts().collect();
        let is_known = |text: &str| all.iter().any(|known| known.eq_ignore_ascii_case(text));
        let unknown: Vec<_> = ONLY_BESIDE_SSH.iter().filter(|text| !is_known(text)).collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
    }

    #[test]
    fn a_text_of_one_cause_that_is_certain_has_a_word_of_ssh() {
        let listed = |text: &str| ONLY_BESIDE_SSH.contains(&text) || is_said_of_others_too(text);
        let is_own = |text: &str| is_of_ssh(text) || OWN_WORDS.iter().any(|word| text.contains(word));
        let open: Vec<_> = wordings::from_sources().filter(|text| !is_own(text) && !listed(text)).collect();
        assert!(open.is_empty(), "{open:#?}");
    }
}
