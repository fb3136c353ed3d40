//! ssh ends before it reads its settings.

use super::shared::facts;
use crate::causes::{Cause, Fix, Match, Severity};
use crate::facts::certainty::Certainty;
use crate::facts::{Check, Evidence};

/// The words of the dynamic linker, or of ssh on the libraries that it found.
const OF_LIBRARIES: [&str; 3] =
    ["error while loading shared libraries", "symbol lookup error", "OpenSSL version mismatch"];

/// The words of ssh where the system has no account for the user ID (main in its ssh.c; the second until OpenSSH 7.1).
const OF_ACCOUNT: [&str; 2] = ["No user exists for uid ", "You don't exist, go away"];

/// True if a line of ssh's says why it ends before it knows its own settings, and may not even name its version.
#[must_use]
pub fn says_it_cannot_start(line: &str) -> bool {
    OF_LIBRARIES.iter().chain(&OF_ACCOUNT).any(|words| line.contains(words))
}

pub(super) const CANNOT_START: Cause = Cause {
    code: "config-ssh-cannot-start",
    stage: Check::Config,
    title: "The ssh program itself cannot start: a library is missing",
    severity: Severity::Critical,
    explanation: "ssh ended before it read its settings: the libraries on this machine do not match the program. This \
        happens after a partial upgrade, with a copy of ssh from another system, or where LD_LIBRARY_PATH, conda or a \
        vendor's script puts other libraries first. No server was involved.",
    fixes: &[
        Fix {
            summary: "See which libraries are found, and what changes the search",
            snippet: Some(
                "ldd \"$(command -v ssh)\" | grep -E 'not found|crypto'; echo \"LD_LIBRARY_PATH=$LD_LIBRARY_PATH\"",
            ),
            ..Fix::LOOK
        },
        Fix {
            summary: "Start the system's ssh without the other libraries",
            snippet: Some("LD_LIBRARY_PATH= /usr/bin/ssh {alias}"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "ssh: error while loading shared libraries",
        "ssh: symbol lookup error",
        "not found (required by <file>",
    ],
    hides: &["config-invalid"],
    judge: |evidence| says(evidence, &OF_LIBRARIES),
    ..Cause::NEW
};

pub(super) const NO_ACCOUNT: Cause = Cause {
    code: "config-user-missing",
    stage: Check::Config,
    title: "ssh does not start: no user exists for this uid",
    severity: Severity::Critical,
    explanation: "ssh looks its own user up (getpwuid(3)) before anything else, and exits with status 255 where there is none. \
        Containers that run with an arbitrary user ID have no line for it in /etc/passwd (OpenShift, `docker run \
        --user`, CI runners). A directory service that does not answer (sssd, LDAP) has the same effect. No server was \
        involved.",
    fixes: &[
        Fix {
            summary: "In a container: give the ID a line in /etc/passwd when it starts",
            snippet: Some("echo \"me:x:$(id -u):$(id -g)::$HOME:/bin/sh\" >> /etc/passwd"),
            caution: Some("the image has to let that user write the file, by its group for example"),
            ..Fix::CHANGE
        },
        Fix {
            summary: "See whether the system knows the user, and whom it asks",
            snippet: Some("id; getent passwd \"$(id -u)\"; grep '^passwd' /etc/nsswitch.conf"),
            ..Fix::LOOK
        },
    ],
    symptoms: &["No user exists for uid <uid>", "You don't exist, go away!"],
    hides: &["config-invalid"],
    judge: |evidence| says(evidence, &OF_ACCOUNT),
    ..Cause::NEW
};

fn says(evidence: &Evidence, words: &[&str]) -> Option<Match> {
    let refusal = facts(evidence)?.refusal.as_ref()?;
    let said = refusal.words.iter().find(|line| words.iter().any(|words| line.contains(words)))?;
    Some(Match::new(Certainty::Certain, [format!("ssh says \"{said}\"")]))
}

#[cfg(test)]
mod tests {
    use super::super::samples::codes;
    use super::says_it_cannot_start;
    use crate::base::own_ssh::Refusal;
    use crate::facts::config::Facts;

    #[test]
    fn whoever_cannot_start_has_no_mistake_in_its_settings() {
        for (said, code) in [
            (
                "ssh: error while loading shared libraries: libcrypto.so.3: cannot open shared object file",
                "config-ssh-cannot-start",
            ),
            ("OpenSSL version mismatch. Built against 30000020, you have 30200010", "config-ssh-cannot-start"),
            ("No user exists for uid 1000700000", "config-user-missing"),
        ] {
            let refusal = Refusal { words: vec![said.to_owned()], status: Some(255) };
            let codes = codes(Facts { refusal: Some(refusal), ..Facts::default() });
            assert!(codes.contains(&code), "{codes:?}");
            assert!(says_it_cannot_start(said));
        }
        assert!(!says_it_cannot_start("command-line: line 0: Bad configuration option: x"));
    }
}
