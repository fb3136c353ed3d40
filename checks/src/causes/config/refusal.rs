//! ssh does not accept its settings.

use super::shared::facts;
use crate::base::own_ssh::Refusal;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::certainty::Certainty;
use crate::facts::config::{ConfigFile, Facts};
use crate::facts::{Check, Evidence};

/// Keywords that are no spelling mistakes where ssh does not know them, in lower case, and where they belong.
const FOREIGN: &[(&str, &str)] = &[
    ("usekeychain", "a keyword of Apple's ssh"),
    ("gssapikeyexchange", "a keyword of the ssh of Debian and Red Hat"),
    ("gssapitrustdns", "a keyword of the ssh of Debian and Red Hat"),
    ("gssapirenewalforcesrekey", "a keyword of the ssh of Debian and Red Hat"),
    ("gssapiserveridentity", "a keyword of the ssh of Debian and Red Hat"),
    ("gssapiclientidentity", "a keyword of the ssh of Debian and Red Hat"),
    ("gssapikexalgorithms", "a keyword of the ssh of Debian and Red Hat"),
    ("casignaturealgorithms", "new in OpenSSH 7.9"),
    ("securitykeyprovider", "new in OpenSSH 8.2"),
    ("hostbasedacceptedalgorithms", "new in OpenSSH 8.5"),
    ("knownhostscommand", "new in OpenSSH 8.5"),
    ("permitremoteopen", "new in OpenSSH 8.5"),
    ("pubkeyacceptedalgorithms", "new in OpenSSH 8.5"),
    ("forkafterauthentication", "new in OpenSSH 8.7"),
    ("sessiontype", "new in OpenSSH 8.7"),
    ("stdinnull", "new in OpenSSH 8.7"),
    ("requiredrsasize", "new in OpenSSH 9.1"),
    ("enableescapecommandline", "new in OpenSSH 9.2"),
    ("tag", "new in OpenSSH 9.4"),
    ("obscurekeystroketiming", "new in OpenSSH 9.5"),
    ("channeltimeout", "new in OpenSSH 9.6"),
    ("warnweakcrypto", "new in OpenSSH 10.2"),
];

const UNKNOWN_KEYWORD: &str = "Bad configuration option: ";
const BAD_PERMISSIONS: &str = "Bad owner or permissions on ";
/// ssh's name for its own command line.
const COMMAND_LINE: &str = "command-line";

const READ_AGAIN: Fix = Fix { summary: "Show ssh's own error message", snippet: Some("ssh -G {alias}"), ..Fix::LOOK };

pub(super) const INVALID: Cause = Cause {
    code: "config-invalid",
    stage: Check::Config,
    title: "ssh does not accept its configuration",
    severity: Severity::Critical,
    explanation: "ssh reads its command line and configuration files first, and exits with status 255 at the first line that it \
        cannot parse. It does so for every host that the file applies to, whatever the state of the network and the \
        server.\n\n\
        An unknown keyword is often no mistake: configuration files are shared between systems, and a keyword of \
        Apple's ssh, a patched ssh or a newer one stops all others. IgnoreUnknown lists keywords to ignore; it must \
        come before them.",
    fixes: &[
        Fix {
            summary: "Let ssh ignore {keyword} if unknown: put this above line {line} of {config_file}",
            file: Some("the same file"),
            snippet: Some("IgnoreUnknown {keyword}"),
            caution: Some("only for a keyword that is valid elsewhere: a misspelt one would be ignored too"),
            ..Fix::CHANGE
        },
        Fix { summary: "Correct line {line} of {config_file}, or remove it", ..Fix::CHANGE },
        Fix {
            summary: "Correct the option {keyword} on the command line, or leave it out",
            when: is_on_command_line,
            ..Fix::CHANGE
        },
        READ_AGAIN,
    ],
    symptoms: &[
        "unknown option -- <what>",
        "usage: ssh [-",
        "usage: sftp [-",
        "usage: scp [-",
        "line <line>: missing argument",
        "line <n>: missing argument",
        "garbage at end of line",
        "percent_expand: unknown key",
        "Bad stdio forwarding specification",
        "Bad port '",
        "invalid time value",
        "keyword <keyword> unknown option \"",
        "Bad configuration option:",
        "terminating, <n> bad configuration options",
        "no argument after keyword",
        "extra arguments at end of line",
        "Bad SSH2 cipher spec",
        "Bad SSH2 KexAlgorithms",
        "Missing Match criteria for",
        "Bad yes/no<text>argument",
    ],
    judge: |evidence| {
        let refusal = refused(evidence)?;
        // Of some mistakes ssh names the place in its second line.
        let said = refusal.words.iter().find(|said| place(said).is_some()).or(refusal.words.first())?;
        if said.starts_with(BAD_PERMISSIONS) {
            return None;
        }
        let mut found = Match::new(Certainty::Certain, words(refusal));
        let keyword = said.split_once(UNKNOWN_KEYWORD).map(|(_, keyword)| keyword.trim());
        if let Some(keyword) = keyword {
            let foreign = FOREIGN.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword));
            found.because.extend(foreign.map(|(_, what)| format!("{keyword} is {what}")));
            found = found.with("keyword", keyword);
        }
        Some(match place(said) {
            Some((file, line)) if file != COMMAND_LINE => found.with("config_file", file).with("line", line),
            _ => found,
        })
    },
    ..Cause::NEW
};

pub(super) const PERMISSIONS: Cause = Cause {
    code: "config-permissions",
    stage: Check::Config,
    title: "ssh refuses its configuration file: bad owner or permissions",
    severity: Severity::Critical,
    explanation: "ssh reads a user's configuration, and the files it includes, only if the file belongs to that user or to root \
        and nobody else can write it (ssh_config(5), FILES): whoever can write it could have commands run. It exits \
        with status 255, for every host. A file named with -F is not checked this way.",
    fixes: &[
        Fix {
            summary: "Remove write permission for group and others",
            when: |evidence| refused_file(evidence).is_some_and(|(facts, file)| !is_foreign(facts, file)),
            snippet: Some("chmod go-w '{refused_file}'"),
            caution: Some("first check who changed the file while others could"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Take ownership of the file, after reading it",
            when: |evidence| refused_file(evidence).is_some_and(|(facts, file)| is_foreign(facts, file)),
            snippet: Some("sudo chown \"$(id -un)\" '{refused_file}'"),
            caution: Some("its lines can run commands: read them first"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Show who owns the file and who may write it",
            snippet: Some("ls -lL '{refused_file}'"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["Bad owner or permissions on"],
    judge: |evidence| {
        let refusal = refused(evidence)?;
        let path = refusal.words.iter().find_map(|line| line.strip_prefix(BAD_PERMISSIONS))?;
        let mut because = words(refusal);
        let seen = refused_file(evidence).map(|(facts, file)| match (file.owner, &file.mode) {
            (Some(owner), Some(mode)) if is_foreign(facts, file) => {
                format!("{path} belongs to user {owner}, ssh runs as user {}; its mode is {mode}", facts.uid)
            }
            (_, mode) => format!("the mode of {path} is {}", mode.as_deref().unwrap_or("unknown")),
        });
        because.extend(seen);
        Some(Match::new(Certainty::Certain, because).with("refused_file", path))
    },
    ..Cause::NEW
};

pub(super) const MATCH_HANGS: Cause = Cause {
    code: "config-match-hangs",
    stage: Check::Config,
    title: "ssh hangs while it reads its configuration",
    severity: Severity::Critical,
    explanation: "ssh -G, which opens no connection, did not print the settings in time. ssh runs the commands of Match exec \
        lines while it reads them, and resolves names if CanonicalizeHostname is set; one of these hangs. Every ssh, \
        scp and git to this host waits for it as well.",
    fixes: &[
        Fix {
            summary: "Limit the command of the Match exec line that hangs",
            file: Some("~/.ssh/config"),
            snippet: Some("Match exec \"timeout 2 COMMAND\""),
            caution: Some("replace COMMAND by the one that is there; one that takes longer does not match"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "Find the line at which it hangs",
            snippet: Some("timeout 20 ssh -vvv -G {alias} 2>&1 | tail -n 5"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["ssh hangs before it connects"],
    judge: |evidence| {
        let refusal = facts(evidence)?.refusal.as_ref().filter(|refusal| refusal.status.is_none())?;
        let waited = "ssh -G was still reading the configuration when the wait was over".to_owned();
        Some(Match::new(Certainty::Likely, std::iter::once(waited).chain(words(refusal))))
    },
    ..Cause::NEW
};

/// A refusal that ssh itself came to.
fn refused(evidence: &Evidence) -> Option<&Refusal> {
    facts(evidence)?.refusal.as_ref().filter(|refusal| refusal.status.is_some())
}

fn words(refusal: &Refusal) -> Vec<String> {
    refusal.words.iter().map(|line| format!("ssh says \"{line}\"")).collect()
}

/// The file and the line in front of ssh's words: `FILE: line 2: ...`, `FILE line 2: ...`.
fn place(said: &str) -> Option<(&str, &str)> {
    let (file, rest) = said.split_once(": line ").or_else(|| said.split_once(" line "))?;
    let line = rest.split(|c: char| !c.is_ascii_digit()).next().filter(|line| !line.is_empty())?;
    Some((file, line))
}

fn is_on_command_line(evidence: &Evidence) -> bool {
    refused(evidence).and_then(|refusal| refusal.words.first()).is_some_and(|said| said.starts_with(COMMAND_LINE))
}

/// The file that ssh refused for its permissions.
fn refused_file(evidence: &Evidence) -> Option<(&Facts, &ConfigFile)> {
    let facts = facts(evidence)?;
    let path = refused(evidence)?.words.iter().find_map(|line| line.strip_prefix(BAD_PERMISSIONS))?;
    Some((facts, facts.files.iter().find(|file| file.path == path)?))
}

/// True if somebody else owns it: only root's and the user's own files are taken.
fn is_foreign(facts: &Facts, file: &ConfigFile) -> bool {
    file.owner.is_some_and(|owner| owner != 0 && owner != facts.uid)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{codes, evidence, fired};
    use super::{PERMISSIONS, Refusal};
    use crate::facts::config::{ConfigFile, Facts};

    fn refused(words: &[&str]) -> Facts {
        let words = words.iter().map(ToString::to_string).collect();
        Facts { refusal: Some(Refusal { words, status: Some(255) }), uid: 1000, ..Facts::default() }
    }

    #[test]
    fn a_keyword_of_another_system_is_named_with_its_line() {
        let said = ["/home/me/.ssh/config: line 3: Bad configuration option: usekeychain", "terminating"];
        let (code, found) = fired(refused(&said)).remove(0);
        assert_eq!(code, "config-invalid");
        let value = |name| found.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        assert_eq!((value("keyword"), value("line")), (Some("usekeychain"), Some("3")));
        assert_eq!(value("config_file"), Some("/home/me/.ssh/config"));
        assert!(found.because.last().unwrap().contains("Apple"), "{:?}", found.because);
    }

    #[test]
    fn other_mistakes_have_their_line_and_no_keyword_to_pass_over() {
        for said in ["c line 2: Bad port 'abc'.", "c line 2: keyword user extra arguments at end of line"] {
            let (code, found) = fired(refused(&[said])).remove(0);
            assert_eq!((code, found.values.len()), ("config-invalid", 2), "{said}");
        }
        let later = refused(&["Missing Match criteria for exec", "/c line 1: Bad Match condition"]);
        assert_eq!(fired(later)[0].1.values, [("config_file", "/c".to_owned()), ("line", "1".to_owned())]);
        let (_, found) = fired(refused(&["command-line: line 0: Bad configuration option: nonsense"])).remove(0);
        assert_eq!(found.values, [("keyword", "nonsense".to_owned())]);
    }

    #[test]
    fn permissions_and_a_wait_have_names_of_their_own() {
        assert_eq!(codes(refused(&["Bad owner or permissions on /home/me/.ssh/config"])), ["config-permissions"]);
        let hangs = Facts { refusal: Some(Refusal { words: vec![], status: None }), ..Facts::default() };
        assert_eq!(codes(hangs), ["config-match-hangs"]);
        assert!(codes(Facts::default()).is_empty());
    }

    #[test]
    fn a_file_of_another_user_needs_chown_and_one_of_ours_chmod() {
        let applies = |owner| {
            let file = ConfigFile {
                path: "/c".into(),
                mode: Some("0664".into()),
                owner: Some(owner),
                writable_by_others: true,
            };
            let facts = Facts { files: vec![file], ..refused(&["Bad owner or permissions on /c"]) };
            let evidence = evidence(facts);
            PERMISSIONS.fixes.iter().map(|fix| (fix.when)(&evidence)).collect::<Vec<_>>()
        };
        assert_eq!(applies(1000), [true, false, true]);
        assert_eq!(applies(0), [true, false, true]);
        assert_eq!(applies(1234), [false, true, true]);
    }
}
