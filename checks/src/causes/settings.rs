//! Settings of sshd_config by the version of OpenSSH that brought them: an older sshd does not start with one that it does not know.

use super::software::host_of;
use crate::causes::{Fix, Side};
use crate::facts::Evidence;
use crate::facts::handshake::Software;

/// Keywords with the version whose servconf.c has them first.
const SINCE: [(&str, (u32, u32)); 10] = [
    ("AuthenticationMethods", (6, 2)),
    ("ChannelTimeout", (9, 2)),
    ("DisableForwarding", (7, 4)),
    ("HostKeyAlgorithms", (7, 0)),
    ("IPQoS", (5, 7)),
    ("KexAlgorithms", (5, 7)),
    ("MaxSessions", (5, 1)),
    ("PerSourceMaxStartups", (8, 5)),
    ("PerSourcePenaltyExemptList", (9, 8)),
    ("UnusedConnectionTimeout", (9, 2)),
];
/// The versions since which a list that begins so adds algorithms to the default, or removes some (kex.c).
const LISTS: [(char, (u32, u32)); 2] = [('+', (7, 0)), ('-', (7, 5))];

/// The text of a fix for sshd_config without the lines that the server's version does not know; `None` where no setting is left.
#[must_use]
pub fn known_settings(fix: &Fix, text: String, evidence: &Evidence) -> Option<String> {
    if fix.side != Side::Server || !fix.file.is_some_and(|file| file.ends_with("/sshd_config")) {
        return Some(text);
    }
    let identification = host_of(fix, evidence).handshake.facts().and_then(|facts| facts.version.as_deref());
    let Some(version) = identification.and_then(Software::of).and_then(|software| software.openssh()) else {
        return Some(text);
    };
    let lines: Vec<_> = text.lines().filter(|line| is_known(line, version)).collect();
    lines.iter().any(|line| keyword(line) != Some("Match")).then(|| lines.join("\n"))
}

fn keyword(line: &str) -> Option<&str> {
    line.split_whitespace().next()
}

fn is_known(line: &str, version: (u32, u32)) -> bool {
    let setting = SINCE.iter().find(|(known, _)| Some(*known) == keyword(line)).map(|(_, since)| *since);
    let begins = line.split_whitespace().nth(1).and_then(|value| value.chars().next());
    let list = LISTS.iter().find(|(known, _)| Some(*known) == begins).map(|(_, since)| *since);
    setting.into_iter().chain(list).all(|since| version >= since)
}

#[cfg(test)]
mod tests {
    use super::{SINCE, keyword, known_settings};
    use crate::causes::{self, Fix, Side};
    use crate::facts::handshake::Facts;
    use crate::facts::{Evidence, Hop, Step, Timed};

    fn of(version: &str) -> Evidence {
        let facts = Facts { version: Some(version.to_owned()), ..Facts::default() };
        Evidence { handshake: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    #[test]
    fn settings_of_a_hop_are_those_that_the_hop_knows() {
        let hop = |hop: &str| Hop { name: "bastion".into(), evidence: of(hop), forward: None };
        let left = |version: &str, target: &str| {
            let evidence = Evidence { hops: vec![hop(version)], ..of(target) };
            let fix = Fix {
                side: Side::Server,
                summary: "On {hop}: allow it",
                file: Some("/etc/ssh/sshd_config"),
                ..Fix::CHANGE
            };
            known_settings(&fix, "AllowTcpForwarding yes\nDisableForwarding no".to_owned(), &evidence)
        };
        let (old, new) = ("SSH-2.0-OpenSSH_6.6", "SSH-2.0-OpenSSH_9.2");
        assert_eq!(left(old, new).as_deref(), Some("AllowTcpForwarding yes"));
        assert!(left(new, old).is_some_and(|text| text.contains("DisableForwarding")));
    }

    fn left(text: &str, version: &str) -> Option<String> {
        let evidence = of(version);
        let fix = Fix { side: Side::Server, file: Some("/etc/ssh/sshd_config"), ..Fix::CHANGE };
        known_settings(&fix, text.to_owned(), &evidence)
    }

    #[test]
    fn an_old_sshd_is_given_only_settings_that_it_knows() {
        let forwarding = "AllowTcpForwarding yes\nDisableForwarding no";
        assert_eq!(left(forwarding, "SSH-2.0-OpenSSH_6.6").as_deref(), Some("AllowTcpForwarding yes"));
        assert_eq!(left(forwarding, "SSH-2.0-OpenSSH_7.4").as_deref(), Some(forwarding));
        assert_eq!(left("MACs -umac-128@openssh.com", "SSH-2.0-OpenSSH_7.4"), None);
        assert_eq!(left("Ciphers +aes128-cbc", "SSH-2.0-OpenSSH_6.6"), None);
        assert_eq!(left("Ciphers +aes128-cbc", "SSH-2.0-OpenSSH_7.0").as_deref(), Some("Ciphers +aes128-cbc"));
        assert_eq!(left("Match User me\n    AuthenticationMethods publickey", "SSH-2.0-OpenSSH_5.9"), None);
        let penalty = "PerSourcePenaltyExemptList NETWORK";
        assert_eq!(left(penalty, "SSH-2.0-OpenSSH_9.7p1"), None);
        assert_eq!(left(penalty, "SSH-2.0-OpenSSH_9.8p1").as_deref(), Some(penalty));
        assert_eq!(left(penalty, "SSH-2.0-Other").as_deref(), Some(penalty));
    }

    #[test]
    fn the_version_of_every_setting_in_the_catalogue_is_known() {
        /// Settings of OpenSSH 4.9 and before, and lines that are filled in later.
        const OLDER: [&str; 16] = [
            "AllowTcpForwarding",
            "AuthorizedKeysFile",
            "Ciphers",
            "ClientAliveCountMax",
            "ClientAliveInterval",
            "HostKey",
            "LoginGraceTime",
            "MACs",
            "Match",
            "MaxAuthTries",
            "MaxStartups",
            "PermitOpen",
            "Subsystem",
            "UseDNS",
            "X11Forwarding",
            "{setting}",
        ];
        let fixes = causes::all().flat_map(|cause| cause.fixes).filter(|fix| fix.side == Side::Server);
        let fixes = fixes.filter(|fix| fix.file.is_some_and(|file| file.ends_with("/sshd_config")));
        let undated = fixes
            .filter_map(|fix| fix.snippet)
            .flat_map(str::lines)
            .filter_map(keyword)
            .filter(|word| !OLDER.contains(word) && SINCE.iter().all(|(known, _)| known != word));
        assert_eq!(undated.collect::<Vec<_>>(), [""; 0]);
    }
}
