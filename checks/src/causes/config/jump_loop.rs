//! A jump host that is its own jump host.

use super::shared::facts;
use crate::base::text::sanitize;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::Check;
use crate::facts::certainty::Certainty;

/// ssh's words, where host, port and user are the same.
const SAID: &str = "jumphost loop via ";

pub(super) const JUMP_LOOP: Cause = Cause {
    code: "config-jump-loop",
    stage: Check::Config,
    title: "A jump host is reached through itself (ProxyJump)",
    severity: Severity::Critical,
    explanation: "ProxyJump applies to the jump host as well, so ssh starts another ssh to reach it, which starts another one. Usually \
        ProxyJump is set under Host * or under a pattern that matches the jump host too. ssh notices this only where name, port and \
        user are the same, and exits with status 255. Otherwise it starts processes without end.",
    fixes: &[
        Fix {
            summary: "Exclude the jump host",
            file: Some("~/.ssh/config"),
            snippet: Some("Host {hop}\n    ProxyJump none"),
            caution: Some("it has to come before the line that sets ProxyJump: the first value counts"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Show which ProxyJump applies to the jump host",
            snippet: Some("ssh -G {hop} | grep -i '^proxyjump '"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["jumphost loop via"],
    hides: &["config-invalid", "config-match-hangs"],
    judge: |evidence| {
        let facts = facts(evidence)?;
        let mut words = facts.refusal.iter().flat_map(|refusal| &refusal.words);
        let said =
            words.find_map(|line| line.strip_prefix(SAID)).map(|hop| (hop, format!("ssh printed \"{SAID}{hop}\"")));
        let seen =
            facts.jump_loop.as_deref().map(|hop| (hop, format!("the way to {0} leads through {0}", sanitize(hop))));
        let (hop, because) = said.or(seen)?;
        Some(Match::new(Certainty::Certain, [because]).with("hop", hop))
    },
    ..Cause::NEW
};

#[cfg(test)]
mod tests {
    use super::super::samples::codes;
    use crate::base::own_ssh::Refusal;
    use crate::facts::config::Facts;

    #[test]
    fn a_loop_is_told_whether_ssh_notices_it_or_not() {
        let refused =
            |words: Vec<String>, status| Facts { refusal: Some(Refusal { words, status }), ..Facts::default() };
        assert!(codes(refused(vec!["jumphost loop via b".into()], Some(255))).contains(&"config-jump-loop"));
        let endless = Facts { jump_loop: Some("b".into()), ..refused(Vec::new(), None) };
        assert!(codes(endless).contains(&"config-jump-loop"));
        assert!(!codes(refused(Vec::new(), None)).contains(&"config-jump-loop"));
    }
}
