//! Passwords, methods, and accounts.

use super::sentence::Sentence;
use crate::causes::told::families::{When::Always, is};

/// The specific ones first.
pub(super) const SENTENCES: &[Sentence] = &[
    (
        r"password\b.{0,30}(?:disabled|not (?:allowed|supported|enabled|permitted|available)|unsupported|turned off)|(?:does not|doesn't|not) (?:support|allow|accept|permit) password|\bonly (?:allow|accept|support|permit)\w* (?:public ?keys?|keys?)\b",
        &[
            is("auth-method-unavailable", Always, "the server takes no passwords"),
            is("auth-no-credentials", Always, "the program has no key"),
        ],
    ),
    (
        r"\bfirst factor\b|\bpasscode\b|\bduo\b|push notification",
        &[
            is(
                "auth-question-unanswered",
                Always,
                "the server asks for a second proof, which the program does not give",
            ),
            is("auth-partial-success", Always, "the key was accepted, and the server wants a second proof"),
        ],
    ),
    (
        r"\bafter\b.{0,30}(?:wrong|failed|bad) (?:log ?ins?|passwords?|attempts?|tries)",
        &[
            is("tcp-source-banned", Always, "fail2ban or the like banned this address for a while"),
            is("auth-too-many-failures", Always, "it comes at once, within the same connection"),
        ],
    ),
    (
        r"\boffers? (?:too many|six|seven|eight|nine|ten|many|all|\d+) (?:of )?(?:its |my |our )?keys|\bkeys\b.{0,60}\bbefore the right",
        &[is("auth-too-many-failures", Always, "the agent or the program offers many keys before the right one")],
    ),
    (
        r"\bnew password\b|password\b.{0,20}(?:must be changed|change (?:is )?required|has to be changed)|change (?:your|the|its) password",
        &[is("auth-password-expired", Always, "the password has expired, and has to be changed in a shell first")],
    ),
    (
        r"\b(?:ssh|remote|login)\b.{0,10}\b(?:user|account)\b.{0,20}(?:not exist|unknown|<missing>)|\b(?:no such|unknown|invalid) (?:ssh |remote |login )(?:user|account)",
        &[is("auth-user-unknown", Always, "no such account exists there: the login name is wrong")],
    ),
    (
        r"\bonly root\b.{0,12}(?:may|can)\b|\bmaintenance\b.{0,40}\blog ?(?:in|on)\b|\blog ?ins?\b.{0,40}\bmaintenance",
        &[is("server-nologin", Always, "/etc/nologin or /run/nologin exists on the server")],
    ),
    (
        r"\d+ ?s(?:ec\w*)?\b.{0,30}\b(?:password )?(?:prompt|log ?in\b|logged in)",
        &[is("auth-slow", Always, "ssh -v stops for long at the login: the server looks up names, or PAM waits")],
    ),
    (
        r"wrong user ?name or password|\bpassword\b.{0,20}(?:incorrect|is wrong|not correct)|incorrect password|(?:bad|wrong|invalid|incorrect) (?:ssh|sftp) (?:credential|login|password)|(?:bad|wrong|invalid|incorrect) (?:credential|login|password)s?\b.{0,30}\b(?:ssh|sftp)\b",
        &[
            is("auth-password-rejected", Always, "the password or the login name is wrong"),
            is("auth-account-refused", Always, "the password is right: the account may not log in with one"),
            is("auth-key-rejected", Always, "the program logs in with a key"),
        ],
    ),
    (
        r"(?:additional|further|another|second) (?:authentication|factor|proof)|authentication\b.{0,20}\bpartial|partial (?:success|authentication)",
        &[
            is("auth-partial-success", Always, "one proof was accepted, and the server wants another"),
            is("auth-question-unanswered", Always, "the server asks a question that the program does not answer"),
        ],
    ),
    (
        r"\b(?:too many|six|several|many) (?:failed |wrong |different |offered )?keys\b",
        &[is("auth-too-many-failures", Always, "the agent or the program offers many keys before the right one")],
    ),
    (
        r"\blog ?in\w*\b.{0,20}(?:takes|slow|a long time)|(?:slow|takes (?:long|forever|\d+)|long time)\b.{0,20}(?:log ?in|connect|auth)|\bssh\b.{0,12}(?:very |too |really |so )?slow\b",
        &[
            is("auth-slow", Always, "ssh -v stops for long at the login: the server looks up names, or PAM waits"),
            is("handshake-slow", Always, "ssh -v stops for long before the login"),
            is("dns-slow", Always, "ssh -v stops for long before it connects"),
        ],
    ),
    (
        r"\b(?:ip|address|you|client|source|host)\b.{0,30}\b(?:banned|blocked|black ?listed|block ?listed)|\bbanned by\b",
        &[
            is("tcp-source-banned", Always, "fail2ban or the like banned this address for a while"),
            is("handshake-source-denied", Always, "the server or its firewall never lets this address in"),
        ],
    ),
    (
        r"(?:maximum|max|too many|limit)\b.{0,30}\blog ?ins?\b",
        &[
            is("session-limit", Always, "the account has as many sessions as it may"),
            is("session-pam-refused", Always, "PAM refuses the session: sshd's log says why"),
        ],
    ),
    (
        r"root log ?in\b.{0,20}(?:disabled|not (?:allowed|permitted)|prohibited|denied|forbidden)|\bnot (?:allowed|permitted) to (?:log ?in|login|connect|use ssh|access)",
        &[
            is("auth-account-refused", Always, "the server lets this account in by no method, or not from here"),
            is("auth-method-unavailable", Always, "it lets the account in by another method"),
        ],
    ),
    (
        r"\blog ?in\b.{0,12}<refused>|\b(?:ssh|remote|server)\b.{0,20}<refused>.{0,12}\b(?:log ?in|credential|authentication)",
        &[
            is(
                "auth-key-rejected",
                Always,
                "the key is not in the account's authorized_keys, or the login name is wrong",
            ),
            is("auth-password-rejected", Always, "the program logs in with a password, which is wrong"),
            is("auth-account-refused", Always, "the account may not log in: the server's log says why"),
        ],
    ),
    (
        r"\bno (?:ssh |private |public |identity |deploy |valid |usable )*keys?\b.{0,30}(?:provided|configured|found|given|specified|set|available|supplied|selected)|\b(?:key|password|credential)s?\b.{0,20}(?:not (?:provided|configured|given|specified|set|supplied)|is required|are required)|\bno (?:password|credentials?)\b.{0,20}(?:provided|given|configured|specified|supplied|found|set)",
        &[
            is("auth-no-credentials", Always, "the program has no key and no password"),
            is("auth-key-unreadable", Always, "it looks for the key elsewhere, or cannot read it"),
        ],
    ),
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
        r"too many.{0,20}sessions?|\bsessions?\b.{0,10}limit.{0,20}(?:reached|exceeded)|(?:maximum|max).{0,20}sessions?\b.{0,20}(?:reached|exceeded)",
        &[
            is("session-limit", Always, "the account has as many sessions as it may"),
            is("channel-max-sessions", Always, "one connection carries many sessions: MaxSessions"),
            is("handshake-max-startups", Always, "it comes before the login: MaxStartups, or a limit of the firewall"),
        ],
    ),
    (
        r"too many.{0,20}connections?|connections?.{0,10}limit.{0,20}(?:reached|exceeded)|(?:maximum|max).{0,20}connections?.{0,20}(?:reached|exceeded)",
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
