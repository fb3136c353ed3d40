//! The purpose of an account that does not serve everything.

use super::shared::SEE_FORCED;
use crate::base::service::Service;
use crate::base::text::sanitize;
use crate::causes::{Cause, Fix, Match, Severity, Side};
use crate::facts::certainty::Certainty;
use crate::facts::channel::programs::Purpose;
use crate::facts::channel::{Account, Facts};
use crate::facts::{Check, Evidence};

pub(super) const RESTRICTED: Cause = Cause {
    code: "session-restricted",
    stage: Check::Channel,
    title: "The account serves some uses of SSH only",
    severity: Severity::Info,
    explanation: "The login works, and the account does not run arbitrary commands. It serves what is listed: Git, \
        sftp, forwarding, a device's command line, or a program of its own. That is how accounts for repositories, \
        backups, file transfer and jump hosts are set up, and how network devices work, so nothing is wrong.\n\n\
        `--expect` names what the account has to serve (shell, exec, sftp, git, forward). A service that is expected \
        and missing makes the verdict BROKEN.",
    fixes: &[
        Fix {
            side: Side::Client,
            summary: "In monitoring, state what the account is for",
            snippet: Some("ssh-doctor check --expect {services} {alias}"),
            ..Fix::LOOK
        },
        Fix { when: |evidence| !is_of_git(evidence), ..SEE_FORCED },
        Fix {
            side: Side::Client,
            when: is_of_git,
            summary: "See whose key the forge takes, and whether the address of the repository is right",
            snippet: Some("ssh -T {alias}; git remote -v"),
            ..Fix::LOOK
        },
    ],
    symptoms: &[
        "does not provide shell access",
        "This service allows sftp connections only.",
        "Interactive git shell is not enabled",
        "% Invalid input detected at '^' marker.",
        "Line has invalid autocommand",
    ],
    hides: &["session-forced-command", "session-shell-exits", "session-exec-failed"],
    judge: |evidence| {
        let facts = evidence.channel.facts()?;
        missing(evidence, facts).or_else(|| unconfirmed(evidence, facts)).or_else(|| restricted(evidence, facts))
    },
    ..Cause::NEW
};

/// True for a log of git, whose user cannot look at the server of a forge.
fn is_of_git(evidence: &Evidence) -> bool {
    evidence.log.as_ref().is_some_and(|log| log.programs.iter().any(|program| program.name == "git"))
}

/// Something is expected, and the server does not serve it.
fn missing(evidence: &Evidence, facts: &Facts) -> Option<Match> {
    let missing = evidence.missing();
    if missing.is_empty() {
        return None;
    }
    let because = [format!("expected and not served: {}", list(&missing)), serves(facts)];
    let found = Match::new(Certainty::Certain, because.into_iter().chain(said(facts))).at(Severity::Critical);
    Some(found.titled(format!("The account does not serve {}", list(&missing))))
}

/// Something is expected, and whether it is served was not seen.
fn unconfirmed(evidence: &Evidence, facts: &Facts) -> Option<Match> {
    let unknown = evidence.unconfirmed();
    if unknown.is_empty() {
        return None;
    }
    let because = [format!("expected, and neither seen to work nor refused: {}", list(&unknown)), serves(facts)];
    let found = Match::new(Certainty::Possible, because).at(Severity::Warning);
    Some(found.titled(format!("Not known whether the account serves {}", list(&unknown))))
}

/// Our command did not run, and the account does what it is there for.
fn restricted(evidence: &Evidence, facts: &Facts) -> Option<Match> {
    let is_expected = !evidence.expected.is_empty();
    if facts.mark_seen || evidence.channel.passed().is_none() || facts.account() != Account::Restricted && !is_expected
    {
        return None;
    }
    let services = facts.serves();
    let found = Match::new(certainty(facts), [serves(facts)].into_iter().chain(said(facts)));
    let named: Vec<_> = services.iter().copied().filter(|service| *service != Service::Program).collect();
    let found = if named.is_empty() { found } else { found.with("services", names(&named)) };
    Some(found.titled(format!("The account serves {} only", list(&services))))
}

/// Returns how sure the purpose of the account is: what it serves was seen, but only a known program or a service that
/// answered shows what it is meant for.
fn certainty(facts: &Facts) -> Certainty {
    let serves = facts.serves();
    match facts.program() {
        _ if facts.refuses_sessions_by_policy() => Certainty::Certain,
        Some(program) if program.is_sure => Certainty::Certain,
        None if facts.fails_as_a_broken_shell() => Certainty::Possible,
        _ if serves.contains(&Service::Shell) || facts.quoted_back => Certainty::Certain,
        // Words that only may be a refusal may be an error too.
        Some(program) if program.purpose != Purpose::Sftp => Certainty::Likely,
        _ if serves.contains(&Service::Sftp) => Certainty::Certain,
        _ => Certainty::Likely,
    }
}

/// "serves sftp, forwarding; not commands".
fn serves(facts: &Facts) -> String {
    let denied: Vec<_> = Service::EXPECTED.into_iter().filter(|service| facts.denies(*service)).collect();
    let not = if denied.is_empty() { String::new() } else { format!("; not {}", list(&denied)) };
    let serves = facts.serves();
    let serves = if serves.is_empty() { "nothing".to_owned() } else { list(&serves) };
    format!("serves {serves}{not}")
}

/// Returns the output that came in place of the expected one, and the program that printed it.
fn said(facts: &Facts) -> impl Iterator<Item = String> {
    let words = facts.words().next().map(|words| format!("instead of our command's output came \"{words}\""));
    let program = facts.program().filter(|program| program.purpose != Purpose::Refusal);
    let program = program.map(|program| format!("these are the words of {}", program.name));
    let input = facts.on_input.as_ref().filter(|seen| seen.closed && facts.words().next().is_none());
    let input = input.map(|_| "what ran in place of our command ended at the end of its input".to_owned());
    let refused = facts.ran.refused.as_ref();
    let refused =
        refused.map(|(code, text)| format!("sessions are refused with reason {code}, \"{}\"", sanitize(text)));
    let is_broken = facts.fails_as_a_broken_shell();
    let broken = is_broken.then(|| {
        format!(
            "what ran in place of our command ended with {}: a login shell that is broken does so too",
            facts.ran.end_words()
        )
    });
    words.into_iter().chain(program).chain(input).chain(refused).chain(broken)
}

fn list(services: &[Service]) -> String {
    services.iter().map(|service| service.words()).collect::<Vec<_>>().join(", ")
}

fn names(services: &[Service]) -> String {
    services.iter().map(|service| service.name()).collect::<Vec<_>>().join(",")
}
