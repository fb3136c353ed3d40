//! The server's software as it identifies itself: it decides which settings and which log apply.

use crate::causes::{Fix, Side};
use crate::facts::Evidence;

/// The software that a server names in its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Software {
    OpenSsh,
    Dropbear,
    Other,
}

/// Words in a fix that apply to OpenSSH's server only.
const OPENSSH: [&str; 5] = ["sshd", "/etc/ssh/", "-u ssh", "LoginGraceTime", "ssh-keygen -A"];
/// Words in a fix that require a Unix account.
const UNIX: [&str; 9] = [
    "~{user}",
    "passwd {user}",
    "usermod",
    "-u {user}",
    "id -u {user}",
    "chage",
    "/etc/pam.d",
    "/etc/security",
    "~/.bashrc",
];

/// The next step for a server whose software is not known.
pub const SERVERS_OWN_LOG: Fix = Fix {
    side: Side::Server,
    summary: "Read the log of the server's own program, which identifies as {version}: if the reason is logged, it is there",
    ..Fix::LOOK
};

/// True if a fix on the server's side can be made on the software that was seen: settings and logs of OpenSSH belong to OpenSSH,
/// accounts with homes and shells to Unix. Where no version was read, nothing is ruled out.
#[must_use]
pub fn suits(fix: &Fix, evidence: &Evidence) -> bool {
    let evidence = host_of(fix, evidence);
    let Some(version) = evidence.handshake.facts().and_then(|facts| facts.version.as_deref()) else { return true };
    if fix.side != Side::Server {
        return true;
    }
    let texts = [Some(fix.summary), fix.snippet, fix.file, fix.caution].into_iter().flatten();
    let mentions = |words: &[&str]| texts.clone().any(|text| words.iter().any(|word| text.contains(word)));
    let runs_posix = evidence.channel.facts().is_some_and(|facts| facts.mark_seen && !facts.plain);
    let is_unix = runs_posix
        || prints_nologin(evidence)
        || ["OpenSSH", "dropbear", "tinyssh"].iter().any(|name| version.contains(name));
    (!mentions(&OPENSSH) || version.contains("OpenSSH")) && (!mentions(&UNIX) || is_unix)
}

/// The evidence of the host that a fix is for: one that names the hop is for the last of them, not for the target behind it.
pub(super) fn host_of<'a>(fix: &Fix, evidence: &'a Evidence) -> &'a Evidence {
    let names_hop = fix.summary.contains("{hop}");
    evidence.hops.last().filter(|_| names_hop).map_or(evidence, |hop| &hop.evidence)
}

/// The text of nologin(8), which belongs to Unix, in what a session printed.
fn prints_nologin(evidence: &Evidence) -> bool {
    let printed = evidence.channel.facts().map(|facts| [&facts.other_output, &facts.stderr]);
    printed.into_iter().flatten().flatten().any(|text| says_nologin(text))
}

/// True for a sentence of nologin(8) or pam_nologin(8); a single word of them may occur in any text.
pub(super) fn says_nologin(text: &str) -> bool {
    ["This account is currently not available", "Unprivileged users are not permitted to log in"]
        .iter()
        .any(|said| text.contains(said))
}

/// Returns the software that the server claims to be; a version that was not read is unknown software.
pub(crate) fn software(evidence: &Evidence) -> Software {
    let version = evidence.handshake.facts().and_then(|facts| facts.version.as_deref()).unwrap_or_default();
    let known = [("OpenSSH", Software::OpenSsh), ("dropbear", Software::Dropbear)];
    known.into_iter().find(|(name, _)| version.contains(name)).map_or(Software::Other, |(_, software)| software)
}

/// True if the server calls itself OpenSSH.
pub(crate) fn is_openssh(evidence: &Evidence) -> bool {
    software(evidence) == Software::OpenSsh
}

/// True if the server calls itself dropbear.
pub(crate) fn is_dropbear(evidence: &Evidence) -> bool {
    software(evidence) == Software::Dropbear
}

#[cfg(test)]
mod tests {
    use super::suits;
    use crate::causes;
    use crate::facts::handshake::Facts;
    use crate::facts::{Evidence, Hop, Step, Timed};

    fn of(version: &str) -> Evidence {
        let facts = Facts { version: Some(version.to_owned()), ..Facts::default() };
        Evidence { handshake: Timed { step: Step::Passed(facts), duration_ms: 1.0 }, ..Evidence::unexamined() }
    }

    #[test]
    fn a_fix_for_a_hop_is_one_for_its_software_and_not_for_that_of_the_target() {
        let behind = |hop: &str, target: &str| {
            let hop = Hop { name: "bastion".into(), evidence: of(hop), forward: None };
            Evidence { hops: vec![hop], ..of(target) }
        };
        let (openssh, dropbear) = ("SSH-2.0-OpenSSH_9.2p1", "SSH-2.0-dropbear_2022.83");
        let fixes = || causes::all().flat_map(|cause| cause.fixes);
        let of_hop = || fixes().filter(|fix| fix.side == causes::Side::Server && fix.summary.contains("{hop}"));
        let of_sshd = || of_hop().filter(|fix| fix.file.is_some_and(|file| file.ends_with("sshd_config")));
        assert!(of_sshd().count() > 0);
        assert!(of_sshd().all(|fix| suits(fix, &behind(openssh, dropbear))));
        assert!(!of_sshd().any(|fix| suits(fix, &behind(dropbear, openssh))));
    }

    #[test]
    fn no_text_of_a_fix_names_the_program_of_another_server() {
        let dropbear = of("SSH-2.0-dropbear_2022.83");
        let fixes = || causes::all().flat_map(|cause| cause.fixes).filter(|fix| fix.side == causes::Side::Server);
        let left = fixes().filter(|fix| suits(fix, &dropbear) && (fix.when)(&dropbear));
        let texts = left.flat_map(|fix| [Some(fix.summary), fix.snippet, fix.file, fix.caution]).flatten();
        assert_eq!(texts.filter(|text| text.contains("sshd")).collect::<Vec<_>>(), [""; 0]);
        let openssh = of("SSH-2.0-OpenSSH_9.2p1");
        assert!(fixes().all(|fix| suits(fix, &openssh)));
    }
}
