//! A host name that ssh cannot complete.

use super::shared::facts;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

/// ssh's words where no domain of CanonicalDomains completes the name and CanonicalizeFallbackLocal is no (ssh.c), behind its own name.
const NOT_RESOLVED: &str = "Could not resolve host \"";

pub(super) const NO_CANONICAL_NAME: Cause = Cause {
    code: "config-canonical-name",
    stage: Check::Config,
    title: "ssh finds no canonical name for the host (CanonicalizeHostname)",
    severity: Severity::Critical,
    explanation: "CanonicalizeHostname has ssh complete short host names with the domains of CanonicalDomains. DNS knows none of these \
        names, and CanonicalizeFallbackLocal no keeps ssh from looking up the name as it was given. ssh exits with status 255 before it \
        connects.\n\n\
        It looks up each name with a dot at its end, so search domains are not added, and /etc/hosts does not help.",
    fixes: &[
        Fix {
            summary: "Correct the domains, or let ssh look up the name as it is",
            file: Some("~/.ssh/config"),
            snippet: Some("CanonicalizeFallbackLocal yes"),
            caution: Some("replace the existing line; the name is then completed by the system's search domains"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Test which names DNS knows, with each of the domains",
            snippet: Some("ssh -v {alias} true 2>&1 | grep -i canonical; getent hosts {alias}.DOMAIN."),
            ..Fix::LOOK
        },
    ],
    symptoms: &["ssh: Could not resolve host \"<host>\""],
    hides: &["config-invalid"],
    judge: |evidence| {
        let refusal = facts(evidence)?.refusal.as_ref()?;
        let said = refusal.words.iter().find(|line| line.contains(NOT_RESOLVED))?;
        Some(Match::new(Certainty::Certain, [format!("ssh printed \"{said}\"")]))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::super::samples::codes;
    use crate::base::own_ssh::Refusal;
    use crate::facts::config::Facts;

    #[test]
    fn a_name_that_ssh_cannot_complete_is_no_line_that_it_cannot_read() {
        let said = |words: &str| {
            let refusal = Refusal { words: vec![words.into()], status: Some(255) };
            codes(Facts { refusal: Some(refusal), ..Facts::default() })
        };
        assert!(said("ssh: Could not resolve host \"srv\"").contains(&"config-canonical-name"));
        assert_eq!(said("/c: line 1: Bad configuration option: x"), ["config-invalid"]);
    }
}
