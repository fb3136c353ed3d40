//! Settings that the user changed and that this examination does not honour, each with the consequence.

use std::net::IpAddr;
use std::path::Path;

use ssh_doctor_checks::base::target::OnlySsh;
use ssh_doctor_checks::base::text::sanitize;

use super::forwardings;
use super::ledger::{self, Consequence, Treatment};
use super::local::Local;
use super::origin;
use super::own;
use super::raw::Raw;
use super::tokens::Tokens;
use crate::cli::SshFlags;

/// With it, a forwarding that cannot be set up ends ssh.
const FORWARD_FAILURE: &str = "ExitOnForwardFailure";

/// A setting that is not honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unhonoured {
    /// The setting and the consequence, in a sentence.
    pub(super) sentence: String,
    /// True if ssh could fail or work while the examination does not.
    pub(super) decides: bool,
    /// True if not even a login by ssh tells: it comes after that.
    pub(super) beyond_login: bool,
}

/// True if a keyword, in lower case, is one that this examination knows and does not honour.
pub(super) fn names(keyword: &str) -> bool {
    matches!(ledger::treatment(keyword), Some(Treatment::NotHonoured(_)))
}

/// The settings for the target that are not honoured, in the order of their names.
///
/// A value that may hold a secret is masked, unless `plain` is set.
pub(super) fn settings(
    raw: &Raw,
    defaults: &Raw,
    flags: &SshFlags,
    tokens: &Tokens<'_>,
    ticket: bool,
    plain: bool,
) -> Vec<Unhonoured> {
    let local = tokens.local;
    let own = |sentence: &String| Unhonoured { sentence: sentence.clone(), decides: false, beyond_login: false };
    let mut found: Vec<_> = raw.not_honoured.iter().map(own).collect();
    let mut say = |keyword: &str, value: &str, why: &str, decides: bool| {
        let value = own::told(&keyword.to_ascii_lowercase(), value, plain);
        let sentence = format!("{} {}: {why}", sanitize(ledger::spelling(keyword)), sanitize(&value));
        let beyond_login = keyword == FORWARD_FAILURE;
        found.push(Unhonoured { sentence, decides, beyond_login });
    };
    for (keyword, values) in &raw.values {
        let value = values.first().map_or("", String::as_str);
        match ledger::treatment(keyword) {
            Some(Treatment::Honoured | Treatment::Irrelevant) => {}
            Some(Treatment::NotHonoured(consequence)) => {
                if is_on(&consequence, value) && (!consequence.own_only || set_by_user(raw, flags, local, keyword)) {
                    say(keyword, value, consequence.words, consequence.decides);
                }
            }
            None => {
                if raw.expanded && defaults.all(keyword) != values.as_slice() {
                    say(keyword, value, "a setting that this version of ssh-doctor does not know", true);
                }
            }
        }
    }
    if raw.flag("gssapiauthentication", false) && (set_by_user(raw, flags, local, "gssapiauthentication") || ticket) {
        say(
            "GSSAPIAuthentication",
            "yes",
            "the doctor does not log in by Kerberos; where ssh does or tries to, its login is another one and may wait for a KDC",
            ticket,
        );
    }
    if let Some(address) = raw.one("bindaddress").filter(|address| address.parse::<IpAddr>().is_err()) {
        say("BindAddress", address, "only a numeric address can be bound to", true);
    }
    if let Some(command) = raw.set("localcommand").filter(|_| raw.flag("permitlocalcommand", false)) {
        let why = "the command is not run; ssh waits until it ends, and ignores its exit status";
        say("LocalCommand", command, why, false);
    }
    if raw.flag("exitonforwardfailure", false)
        && let Some(why) = forwarding_in_doubt(raw)
    {
        say(FORWARD_FAILURE, "yes", &why, true);
    }
    found.sort_by_key(|setting| !setting.decides);
    found
}

/// Returns the reason for which ssh may end at a forwarding that the server is asked for; `None` where there is none.
/// The config check looks at the others.
fn forwarding_in_doubt(raw: &Raw) -> Option<String> {
    let asked_for = forwardings::of(raw).requested;
    asked_for
        .first()
        .map(|keyword| format!("ssh ends where {keyword} cannot be set up, and the doctor does not set it up"))
}

fn is_on(consequence: &Consequence, value: &str) -> bool {
    !value.is_empty() && !value.eq_ignore_ascii_case("none") && !consequence.off.contains(&value)
}

/// True if `-o` or a file outside /etc sets the keyword for this host.
fn set_by_user(raw: &Raw, flags: &SshFlags, local: &Local, keyword: &str) -> bool {
    let mut log = raw.log.clone();
    log.files.retain(|file| !file.starts_with("/etc"));
    origin::on_command_line(&flags.options, keyword) || origin::in_files(&log, local, keyword, |_| true).is_some()
}

/// Returns the credentials that ssh could use by these settings, and the examination cannot.
pub(super) fn credentials(raw: &Raw, ticket: bool) -> Vec<OnlySsh> {
    let is_token = |provider: &str| Path::new(provider).exists();
    let all = [
        ("gssapi-with-mic", "GSSAPIAuthentication", raw.flag("gssapiauthentication", false) && ticket),
        ("hostbased", "HostbasedAuthentication", raw.flag("hostbasedauthentication", false)),
        (
            "publickey",
            "PKCS11Provider",
            raw.flag("pubkeyauthentication", true) && raw.set("pkcs11provider").is_some_and(is_token),
        ),
    ];
    let preferred = raw.names("preferredauthentications");
    let wanted = |method: &str| preferred.is_empty() || preferred.iter().any(|name| name == method);
    let all = all.into_iter().filter(|(method, _, is_on)| *is_on && wanted(method));
    all.map(|(method, keyword, _)| OnlySsh { method, keyword }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Raw, SshFlags, Unhonoured, settings};
    use crate::plan::tokens::tests::{local, plain};

    fn found(lines: &str, options: &[&str]) -> Vec<Unhonoured> {
        let local = local();
        let tokens = plain(&local);
        let flags = SshFlags { options: options.iter().map(ToString::to_string).collect(), ..SshFlags::default() };
        let raw = Raw { expanded: true, ..Raw::from_lines(lines) };
        settings(&raw, &Raw::default(), &flags, &tokens, false, false)
    }

    fn said(lines: &str, options: &[&str]) -> Vec<String> {
        found(lines, options).into_iter().map(|setting| setting.sentence).collect()
    }

    #[test]
    fn a_default_configuration_is_not_worth_a_word() {
        let lines = "rekeylimit 0 0\nsecuritykeyprovider internal\nverifyhostkeydns false\nhostbasedauthentication no\n\
                     proxyusefdpass no\nconnectionattempts 1\ncheckhostip no\ncontrolpath none\nrequiredrsasize 1024\n\
                     pubkeyacceptedalgorithms a,b\ncontrolpath /nonexistent/master\nrevokedhostkeys /etc/ssh/revoked\n";
        assert_eq!(said(lines, &[]), Vec::<String>::new());
    }

    #[test]
    fn what_the_user_changed_is_named_with_the_reason() {
        let one = |line: &str, options: &[&str]| {
            let said = said(line, options);
            assert_eq!(said.len(), 1, "{said:?}");
            said.into_iter().next().unwrap()
        };
        assert!(one("bindinterface eth0", &[]).starts_with("BindInterface eth0: "));
        assert!(one("rekeylimit 0 3600", &[]).contains("silent"));
        assert!(one("gssapiauthentication yes", &["GSSAPIAuthentication=yes"]).contains("Kerberos"));
        assert!(one("verifyhostkeydns true", &[]).contains("are compared"));
        assert!(one("knownhostscommand /bin/known", &[]).contains("not run"));
        for name in ["bindaddress myhost", "bindaddress none"] {
            assert!(one(name, &[]).contains("numeric"), "{name}");
        }
        assert!(one("permitlocalcommand yes\nlocalcommand mount secret", &[]).contains("waits until it ends"));
        assert!(said("localcommand mount", &[]).is_empty());
        for line in ["forkafterauthentication yes", "stdinnull yes"] {
            assert!(one(line, &[]).contains("ssh"), "{line}");
        }
        assert!(one("bindinterface evil\x1b[31m", &[]).contains("\\u{1b}"));
        assert!(!one("knownhostscommand /bin/echo secret", &[]).contains("secret"));
    }

    #[test]
    fn what_could_change_the_outcome_is_told_from_what_could_not() {
        let decides = |lines: &str| found(lines, &[]).iter().map(|setting| setting.decides).collect::<Vec<_>>();
        for open in
            ["bindinterface eth0", "knownhostscommand /bin/known", "hostbasedauthentication yes", "futurething on"]
        {
            assert_eq!(decides(open), [true], "{open}");
        }
        for closed in ["rekeylimit 0 3600", "localforward 8080 db:80", "connectionattempts 3"] {
            assert_eq!(decides(closed), [false], "{closed}");
        }
        assert_eq!(decides("remoteforward 8080 db:80\nexitonforwardfailure yes"), [true, false]);
        assert_eq!(decides("exitonforwardfailure yes"), Vec::<bool>::new());
    }
}
