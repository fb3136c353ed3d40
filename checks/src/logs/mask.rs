//! Secrets in a line, replaced before anything is kept of it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// The replacement for a secret.
const MASK: &[u8] = b"[masked]";

/// The words that introduce a secret, and the secret in the group `s`.
const SECRETS: &[&str] = &[
    // Options and assignments: --password X, password=X, "token": "X", SSHPASS='X'.
    r#"(?:passw(?:or)?d|passphrase|passwd|[_-]pass|secret|token|api[_-]?key|access[_-]?key|sshpass|credential)[a-z_-]*['"]?(?:\s*[=:]\s*|\s+(?:is|was)\s+)(?:b?'(?<s>[^']+)'|"(?<t>[^"]+)"|(?<u>[^\s'",;)}&]+))"#,
    r#"(?:^|\s)--?(?:password|passphrase|pass|secret|token|pw)(?:=|\s+)['"]?(?<s>[^\s'"]+)"#,
    // sshpass -p X, plink -pw X, mysql-like -pX.
    r#"\bsshpass\s+-p\s*['"]?(?<s>[^\s'"]+)"#,
    // HTTP proxies and bearers.
    r"\b(?:Authorization|Proxy-Authorization):\s*(?:Basic|Bearer|Digest|Negotiate)?\s*(?<s>\S+)",
    r"\bBearer\s+(?<s>[A-Za-z0-9._~+/=-]{8,})",
    // Users with a password in an address.
    r"[a-z][a-z0-9+.-]*://[^\s/:@]*:(?<s>[^\s/@]+)@",
    r"\b(?:connect|corkscrew|ncat|proxytunnel)\b.*\s(?:--proxy-auth|-P|-A)\s+(?<s>\S+)",
    // Tokens that can be told by their shape: AWS, GitHub, GitLab, Slack, JSON web tokens.
    r"\b(?<s>(?:AKIA|ASIA)[A-Z0-9]{16})\b",
    r"\b(?<s>(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-)[A-Za-z0-9_-]{10,})",
    r"\b(?<s>eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*)",
    // Private keys, by their base64 beginnings (openssh-key-v1, PKCS#1, PKCS#8) and whole lines of base64.
    r"(?<s>b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]*)",
    r"^\s*(?<s>[A-Za-z0-9+/]{60,}={0,2})\s*$",
    r"(?<s>MII[A-Za-z0-9+/=]{40,})",
    // What was typed where a login name belongs: no account's name has such characters.
    r"\b(?:invalid user|Invalid user|illegal user) (?<s>\S*[^\sA-Za-z0-9._@$\\-]\S*)",
    // A password that a library dumps in a packet or that sudo's prompt echoes.
    r#"\bpassword (?:for \S+ )?(?:sent|tried|used):?\s+['"]?(?<s>[^\s'"]+)"#,
];

/// A message, and the same without its secrets, which are looked for once.
pub(super) struct Message<'a> {
    /// As it was read.
    pub(super) text: &'a [u8],
    masked: OnceCell<Cow<'a, [u8]>>,
}

impl<'a> Message<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, masked: OnceCell::new() }
    }

    /// Every secret in it masked.
    pub(super) fn masked(&self) -> &[u8] {
        self.masked.get_or_init(|| masked(self.text))
    }

    /// True if there are any.
    pub(super) fn has_secrets(&self) -> bool {
        matches!(self.masked.get_or_init(|| masked(self.text)), Cow::Owned(_))
    }
}

/// The line with every secret in it masked.
pub(super) fn masked(line: &[u8]) -> Cow<'_, [u8]> {
    static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
        let set = RegexSetBuilder::new(SECRETS).unicode(false).case_insensitive(true).build();
        set.expect("the patterns compile together")
    });
    static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let compiled = |source: &&str| {
            RegexBuilder::new(source).unicode(false).case_insensitive(true).build().expect("a pattern compiles")
        };
        SECRETS.iter().map(compiled).collect()
    });
    let mut line = Cow::Borrowed(line);
    // Most lines have none of them, and one pass says so.
    for secret in ANY.matches(&line).into_iter().map(|at| &EACH[at]) {
        let mut safe = Vec::new();
        let mut kept = 0;
        for found in secret.captures_iter(&line) {
            let Some(secret) = ["s", "t", "u"].iter().find_map(|name| found.name(name)) else { continue };
            if secret.as_bytes() == MASK || is_harmless(secret.as_bytes()) {
                continue;
            }
            safe.extend_from_slice(&line[kept..secret.start()]);
            safe.extend_from_slice(MASK);
            kept = secret.end();
        }
        if kept > 0 {
            safe.extend_from_slice(&line[kept..]);
            line = Cow::Owned(safe);
        }
    }
    line
}

/// Words that stand where a secret would and are none: a method's name, a prompt, a result.
fn is_harmless(word: &[u8]) -> bool {
    const WORDS: [&str; 24] = [
        "yes",
        "no",
        "none",
        "null",
        "true",
        "false",
        "prompt",
        "required",
        "failed",
        "authentication",
        "expired",
        "for",
        "user",
        "publickey",
        "password",
        "keyboard-interactive",
        "requested",
        "sent",
        "wrong",
        "rejected",
        "denied",
        "unix",
        "root",
        "auth",
    ];
    let word = word.trim_ascii_end();
    let word = word.strip_suffix(b":").unwrap_or(word).to_ascii_lowercase();
    word.is_empty() || WORDS.iter().any(|harmless| word == harmless.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        for line in [
            "debug1: Executing proxy command: exec nc -X connect --proxy-auth me:CANARY proxy 3128",
            "ProxyCommand https://me:CANARY@proxy.example/connect",
            "+ sshpass -p CANARY ssh db",
            "+ sshpass -pCANARY ssh db",
            "SSHPASS='CANARY' ssh db",
            "plink -ssh -pw CANARY me@db",
            "connecting with {'password': 'CANARY', 'port': 22}",
            "ansible_ssh_pass=CANARY ansible_become_password: CANARY",
            "Proxy-Authorization: Basic CANARY",
            "curl -H 'Authorization: Bearer CANARY' x",
            "--token=CANARY --password CANARY",
            "Failed password for invalid user CANARY!x from 192.0.2.1 port 1 ssh2",
            "Invalid user CANARY#1 from 192.0.2.1",
            "b3BlbnNzaC1rZXktdjEAAAAACANARY==",
            "X-Auth-Token: CANARY",
        ] {
            let safe = String::from_utf8(masked(line.as_bytes()).into_owned()).unwrap();
            assert!(!safe.contains("CANARY"), "{line}: {safe}");
            assert!(safe.contains("[masked]"), "{line}: {safe}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "me@db: Permission denied (publickey,password).",
            "debug1: Next authentication method: password",
            "Failed password for root from 192.0.2.1 port 22 ssh2",
            "Invalid user oracle from 192.0.2.1 port 22",
            "debug1: Server host key: ssh-ed25519 SHA256:VbrSCeY1xVxgg2GSwp83cpkgw7NPvMiUR4UN5KdFXYU",
            "debug1: Offering public key: /home/me/.ssh/id_ed25519 ED25519 SHA256:abc explicit",
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
            "me@db's password: ",
            "Enter passphrase for key '/home/me/.ssh/id_rsa': ",
            "WARNING: Your password has expired.",
        ] {
            assert_eq!(String::from_utf8(masked(line.as_bytes()).into_owned()).unwrap(), line);
        }
    }
}
