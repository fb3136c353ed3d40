//! Keys, agents, passwords, and accounts.

use super::sentence::Sentence;
use crate::causes::told::families::{Candidate, When::Always, is};

/// The key or its signature was turned down.
const KEY_REJECTED: &[Candidate] = &[
    is("auth-key-rejected", Always, "the key is not in the account's authorized_keys, or the login name is wrong"),
    is(
        "auth-key-file-modes",
        Always,
        "the key is in authorized_keys: the file or a folder above it is writable by others",
    ),
    is("auth-signature-algorithm", Always, "the key is RSA, and one end is too old for its signatures"),
];

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"(?:two|2|multi|second)[ -]?factor|\b2fa\b|\bmfa\b|\btotp\b|one[ -]time (?:password|code)|verification code",
        &[
            is("auth-question-unanswered", Always, "the server asks for a code, which the program does not answer"),
            is("auth-partial-success", Always, "the key was accepted, and the server wants a second proof"),
        ],
    ),
    (
        r"(?:requires?|needs?|wants?|expects?|only).{0,40}keyboard.interactive|interactive (?:login|authentication|prompt).{0,30}(?:required|not supported|unsupported)",
        &[
            is("auth-question-unanswered", Always, "the server asks questions that the program does not answer"),
            is("auth-method-unavailable", Always, "the program logs in by a method that the server does not take"),
        ],
    ),
    (
        r"too many.{0,20}(?:auth\w*|login|password)\b.{0,20}(?:attempt|failure|tr(?:y|ies))",
        &[
            is("auth-too-many-failures", Always, "the agent or the program offers many keys before the right one"),
            is("tcp-source-banned", Always, "fail2ban or the like banned this address for a while"),
        ],
    ),
    (
        r"too many.{0,20}(?:connection|session)|(?:connection|session)s?.{0,10}limit.{0,20}(?:reached|exceeded)|(?:maximum|max).{0,20}(?:connection|session)s?.{0,20}(?:reached|exceeded)",
        &[
            is("handshake-max-startups", Always, "it comes before the login: MaxStartups, or a limit of the firewall"),
            is("session-limit", Always, "the login works, and the account has as many sessions as it may"),
            is("channel-max-sessions", Always, "one connection carries many sessions: MaxSessions"),
        ],
    ),
    (
        r"agent.{0,30}\b(?:no|without|zero|any) (?:identit|keys?\b)|agent.{0,20}(?:is empty|has nothing)|no (?:identit\w+|keys?) (?:in|loaded|available|found).{0,20}agent",
        &[is("auth-no-credentials", Always, "ssh-add -l lists no key")],
    ),
    (
        r"\b(?:ssh|auth\w*|gpg|key)[ -]agent\b.{0,40}(?:not (?:running|found|available|reachable|started|set)|unavailable|unreachable|missing|fail|refused|no such)|(?:\bno|cannot|can't|couldn't|could not|unable|failed).{0,40}\b(?:ssh|auth\w*|gpg|key)[ -]agent\b|ssh_auth_sock",
        &[
            is("auth-agent-unreachable", Always, "ssh-add -l reaches no agent in the program's environment"),
            is("auth-agent-refused", Always, "the agent answers, and refuses to sign"),
        ],
    ),
    (
        r"passphrase|(?:key|identity)\b.{0,30}\bencrypted|encrypted.{0,20}\bkey|(?:unlock|decrypt).{0,40}\bkey",
        &[
            is("auth-key-encrypted", Always, "the key has a passphrase, and none or a wrong one was given"),
            is("auth-key-unreadable", Always, "the key is of a format that this program does not read"),
        ],
    ),
    (
        r"(?:closed|dropped|lost|ended|terminated|hung up|disconnected).{0,40}\b(?:before|during|while|in)\b.{0,30}(?:auth|login|log in|logged)|(?:auth\w*|login)\b.{0,30}(?:interrupted|aborted|not completed|incomplete)",
        &[
            is("auth-disconnected", Always, "the server or the path ends it during the login"),
            is("auth-too-many-failures", Always, "many keys are offered before the right one"),
            is("auth-slow", Always, "the login takes longer than one end waits"),
        ],
    ),
    (
        r"(?:auth\w*|login|log ?in)\b.{0,30}(?:timed? ?out|timeout)|(?:timed? ?out|timeout).{0,30}(?:authenticat|logging in|\blogin\b)",
        &[
            is("auth-slow", Always, "the login takes longer than the program waits: ssh by hand is slow too"),
            is("auth-question-unanswered", Always, "the server asks a question that the program does not answer"),
            is("auth-disconnected", Always, "the server ends the login: LoginGraceTime"),
        ],
    ),
    (
        r"(?:account|user)\b.{0,30}\b(?:locked|disabled|expired|blocked|suspended|deactivated)",
        &[
            is(
                "auth-account-refused",
                Always,
                "the account is locked or expired on the server: its log names the account",
            ),
            is("auth-password-expired", Always, "the password has expired"),
        ],
    ),
    (
        r"(?:public|ssh|private|deploy|identity|client|user'?s?|\bthe|offered|provided|your)[ -]?keys?\b.{0,40}(?:reject|refus|denied|not (?:accepted|authori[sz]ed|allowed|trusted)|declin|unauthori[sz]ed)|(?:reject|refus|den(?:y|ied)|declin|did not accept|not accept)\w*.{0,20}\b(?:public|ssh|private|client|offered|provided|your|our|the|any)\b.{0,10}[ -]?keys?\b",
        KEY_REJECTED,
    ),
    (
        r"(?:private|ssh|identity|deploy|pem|rsa|ppk|openssh)[ -]?key(?:[ -]?file)?\b.{0,40}(?:not found|missing|no such|not exist|unreadable|could not|cannot|can't|invalid|unsupported|malformed|corrupt|wrong|bad)|(?:unsupported|invalid|malformed|unknown|unrecogni[sz]ed|bad|wrong).{0,20}(?:private|ssh|identity|pem|ppk)?[ -]?key (?:type|format|file)|(?:cannot|can't|could not|couldn't|failed to|unable to|error) (?:find|open|load|read|pars|use|access)\w*.{0,30}(?:private|ssh|identity|pem|ppk)[ -]?key",
        &[
            is(
                "auth-key-unreadable",
                Always,
                "the file is missing, unreadable, or of a format that this program lacks",
            ),
            is("auth-key-encrypted", Always, "the key has a passphrase, which the program did not get"),
        ],
    ),
    (
        r"(?:no|unsupported|unavailable|available).{0,20}auth\w*\b.{0,10}methods?|auth\w* methods?.{0,30}(?:fail|left|exhausted|not (?:supported|available|allowed)|unsupported)|no more auth",
        &[
            is("auth-key-rejected", Always, "the key was offered and not accepted"),
            is("auth-method-unavailable", Always, "the server does not take the method that the program uses"),
            is("auth-no-credentials", Always, "the program has no key and no password"),
        ],
    ),
    (
        r"(?:sftp|scp|upload|download|file|write|mkdir|open|remote path|directory|folder)\b.{0,40}permission denied|permission denied.{0,40}(?:writ|upload|mkdir|creat|delet|renam|remote (?:file|path|directory)|directory|folder)",
        &[],
    ),
];
