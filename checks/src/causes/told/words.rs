//! The texts that are looked for in a log.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::families::{When, families};
use super::{statuses, wordings};
use crate::causes::Cause;

/// Texts that sound like a complaint, or contain the text of one, and are none.
const HARMLESS: &[&str] = &[
    "Enter passphrase for key ssh://",
    "No Kerberos credentials available",
    // macOS' sshd, of a client whose address has no name.
    "BSM audit: getaddrinfo failed for",
    // A fault of VS Code's own.
    "Resolver error: TypeError: <what> is not a function",
    "Resolver error: <what> is not a function",
    "Resolver error: Error: <what> is not a function",
    "mux_client_request_session: exitval sent twice",
    // libssh and others, of settings of ssh that they do not know.
    "ssh_config_parse_line: Unsupported option:",
    "ssh_config_parse_line:  Unsupported option:",
    "ssh_config_parse_line: Unapplicable option:",
    "ssh_config_parse_line:  Unapplicable option:",
    // Forge servers' pages, which have logins of their own.
    "HTTP: Auth rejected",
    "HTTP: Request failed",
    "pam_faillock(sshd:auth): User unknown",
    // The commands that Ansible starts, and the end of a pipe of syncoid's.
    "> SSH: EXEC ssh",
    "CRITICAL ERROR: <text>syncoid line",
    "CRITICAL ERROR: <text>zfs send",
    "pip._vendor.urllib3",
    // PostgreSQL's driver, and git-lfs, which goes on over HTTPS.
    "Connection terminated due to connection timeout",
    "Unable to negotiate version with remote side",
    // ssh reads on: settings of what it was built without, or of protocol 1.
    "Unsupported option \"gssapi",
    "Unsupported option \"rsaauthentication",
    "Unsupported option \"rhostsrsaauthentication",
    "Unsupported option \"rhostsauthentication",
    "Unsupported option \"kerberos",
    "Unsupported option \"afstokenpassing",
    "Unsupported option \"smartcarddevice",
    "Unsupported option \"pkcs11provider",
    "Unsupported option \"compressionlevel",
    "Unsupported option \"cipher\"",
    "Unsupported option \"protocol\"",
    "Unsupported option \"useprivilegedport",
    "Unsupported option \"fallbacktorsh",
    "Unsupported option \"usersh",
    // Another program in a pipe.
    "mbuffer: error: outputThread: error writing to <stdout>",
    "mbuffer: warning: error during output to <stdout>",
    "No credentials were supplied",
    "key_load_public: No such file or directory",
    "load_hostkeys: fopen <file>: No such file or directory",
    "disconnected by user",
    "Disconnected by application",
    "Access denied for 'none'",
    "Client: none auth failed",
    "none failed",
    "Failed none for <user> from",
    "Could not set limit for",
    // ssh-keyscan asks for each type of host key in a connection of its own.
    "Their offer: sk-ecdsa-sha2-nistp256@openssh.com [preauth]",
    "Their offer: sk-ssh-ed25519@openssh.com [preauth]",
    "read failed rfd <n>",
    "shutdown() failed for fd <n>",
    "did not send a packet, disable method",
    "matched no files",
    // syncoid, of programs that it does without.
    "sync will continue without",
    // Vorta, which tries every file of ~/.ssh as a key.
    "Expected error parsing file in .ssh",
    "waiting to acquire a pool entry",
    // Zed, which goes on and saves.
    "timed out waiting for formatting",
    "Bye Bye",
    "permissive=1",
    "raise <what>(",
    "throw new Error(",
    "mux_client_read_packet: read header failed: Broken pipe",
    // Lines of debugging that name a function, in a step that goes well or goes on.
    "mux_client_hello_exchange: master version <n>",
    "ssh_get_authentication_socket_path: path '",
    "get_agent_identities: ssh_agent_bind_hostkey: agent refused operation",
    "mm_pty_allocate: waiting for MONITOR_ANS_PTY",
    "srclimit_penalise: address <address> is exempt",
    "debug1: PAM: pam_setcred():",
    "Allocated port <port> for remote forward to",
    "Canonicalized DNS aliased hostname",
    "session closed for local user <user> from [",
    "(sshd:session): session closed for user <user>",
    "kex: client->server<text>compression",
    "identity file <file> type -1",
    "Host key fingerprint is:",
    "Main session channel closed",
    "Closing channel due to connection close",
    "Channel closed: Connection lost",
    "All channels closed",
    "unsupported authentication type <n>",
    "Failed to open the known_hosts file",
    "UserWarning: Unknown <kind> host key for",
    "Channel failed to close: <n>",
    "Control socket connect(<file>): <why>",
    "eic_run_authorized_keys",
    "Remote: <what> forwarding disabled",
    "Remote: Pty allocation disabled",
    "Remote: User rc <text> disabled",
    "Remote: X11 forwarding disabled by key options",
    "ID mismatch (<n> != <n>)",
    "Server failed to confirm ownership of private host keys",
    "ssh_keysign: not installed",
    "GSSAPI MIC check failed",
    "key accepted unconditionally",
    "could not establish forwarding of authentication agent",
    "your credentials have expired, please login",
    // A file or a request that the server does not have, in a session that works.
    "SftpException: Can't change directory:",
    "exitSignal: null",
    "hardlink@openssh.com is not supported",
    "posix-rename@openssh.com is not supported",
    "fsync@openssh.com is not supported",
    "statvfs@openssh.com is not supported",
    "lsetstat@openssh.com is not supported",
    "limits@openssh.com is not supported",
    "expand-path@openssh.com is not supported",
    "users-groups-by-id@openssh.com is not supported",
    "LIBSSH2_FX_NO_SUCH_FILE",
    "transport:Global request denied",
    "[chan <n>] sftp session closed",
    "Auth rejected (none)",
    "failed auth none",
    "User aborted during",
    "User aborted at kex",
    "User aborted at cipher",
    "User aborted at weak",
    "User aborted at confirmation",
    "User aborted at host key warning",
    // sshd signs with the private key that it has.
    "Public key for <file> does not match private key",
    // Asked of a service that stops.
    "preauth child terminated by signal 15",
    "Enter passphrase for PKCS#11:",
    "Card added:",
    "Agent-forwarding connection closed",
    "Forwarded port closed",
    "Could not set up connection sharing as",
    "No home directory when saving host key",
    "SFTP server using an FTP protocol",
    "failed to detect remote user ID",
    "sshfs: missing host",
    "mosh: Error binding to any interface",
    "mosh-client: Crypto exception: Packet failed integrity check",
    "received signal to exit (15)",
    "GSSAPI failure:",
    "GSS error from server",
    // rsync's own service, its options, and git's own protocol.
    "auth failed on module <what> from",
    "@ERROR: max connections",
    "requires protocol <n> or higher",
    "deflate on token returned",
    "mismatched algorithms: client",
    "[<n>: <address>]: errno=",
    "unable to look up <host> (port <n>)",
    ": Applying options for",
    ": Including file",
    "matched '<what>",
    "Deprecated option",
    "sshd_config line <n>: Unsupported option GSSAPI",
    "sshd_config line <n>: Unsupported option Kerberos",
    "sshd_config line <n>: Unsupported option UsePAM",
    "sshd_config line <n>: Unsupported option PrintLastLog",
    "sshd_config line <n>: Unsupported option AFSTokenPassing",
    "Skipping Host block",
    // The host or this machine does not reach the web: SSH carried the question.
    "Failed to download VS Code Server",
    "\"eventName\":\"",
    // Debugging of Huawei's VRP: it reads a packet in pieces.
    "READ_PKT:Expected packet type",
    "FIPS mode initialized",
    "mm_reap: preauth child exited with status",
    "privsep_preauth: preauth child exited with status",
    "Early exit: Terminated by signal",
    "Early exit: Interrupted by signal",
    // dropbear does with the keys that it has; without any it says that it exits.
    "Failed loading <file>dss_host_key",
    "Failed loading <file>ecdsa_host_key",
    "Failed loading <file>ed25519_host_key",
    "sent status <text>",
    // libssh2 waits for the server.
    "Failure Event: -37",
    // Rules of an audit, and what a linter says of a program.
    "Ensure <text> is configured",
    "Ensure <text> is set to",
    "Ensure <text> is enabled",
    "Ensure <text> is disabled",
    "vulnerable to",
    "at authenticate.c(",
    // Expressions of a filter.
    "(?:",
    "(?P",
    "Excess permission or bad ownership on file",
    // Guacamole's own protocol, before any connection to a host.
    "Guacamole connection closed during handshake",
    // The command runs without the variables that the server does not accept.
    "Failed to set SSH environment variable",
    "hostkeys_foreach failed for <file>: No such file or directory",
    "[conn=<n>] Connection closed",
    "\"rc\": 0, <text>Shared connection to",
    "ok: [<text>Shared connection to",
    "changed: [<text>Shared connection to",
    "\"stderr_lines\": [\"Shared connection to",
];

/// Messages of the system about a file, which are no server's answer.
const FILE_DENIED: &[&str] = &[
    "/<file>: Permission denied",
    "failed: Permission denied (13)",
    "(13: Permission denied)",
    "[Errno 13] Permission denied",
    "cannot <what> <text>: Permission denied",
    "EACCES: permission denied",
    "open <file>: permission denied",
    "zsh: permission denied: <file>",
    "Permission denied (os error 13)",
    "Permission denied @ <what>",
    "FileNotFoundException: <text>(Permission denied)",
    "could not <what> <text>: Permission denied",
    "can't <what> <text>: Permission denied",
];

/// Greetings of servers without a shell, which say how the login went, warnings of a session that goes on, and questions: they complain of nothing.
pub(super) const NOTICES: &[&str] = &[
    "Pseudo-terminal will not be allocated because stdin is not a terminal",
    "stdin: is not a tty",
    "No value for $TERM",
    "standard input: Inappropriate ioctl for device",
    "'standard input': Inappropriate ioctl for device",
    "tcgetattr: Inappropriate ioctl for device",
    "ttyname failed: Inappropriate ioctl for device",
    "cannot set terminal process group",
    "no job control in this shell",
    "connection is not using a post-quantum key exchange algorithm",
    "does not provide shell access",
    "interactive shells are disabled",
    "Interactive shells are not supported",
    "Shell access is disabled",
    "Shell access is not supported",
    "Welcome to GitLab, ",
    "running gitolite",
    "Enter passphrase for key",
    "Enter passphrase for (stdin)",
];

/// Ansible's words for a module that did not answer in JSON: it crashed, or could not start.
pub(super) const MODULE_FAILED: &[&str] = &["MODULE FAILURE", "Module result deserialization failed"];

/// Lines of programs that try every file of ~/.ssh as a key, about the complaint before them.
pub(super) const SEARCHED: &[&str] = &["Expected error parsing file in .ssh"];

/// A sentence of a greeting or banner that says what would happen, which states no fact.
const CONDITIONS: &str = r"(?i)\b(?:if|when|once|unless|should|in case) (?:you|your|the|this|an?|any|it)\b";

/// Lines with a condition.
pub(super) static CONDITIONAL_LINES: LazyLock<Regex> =
    LazyLock::new(|| RegexBuilder::new(CONDITIONS).unicode(false).build().expect("the words compile"));

/// Lines with one of the harmless texts.
pub(super) static HARMLESS_LINES: LazyLock<RegexSet> = LazyLock::new(|| lines_with(HARMLESS));

/// Lines with a message of the system about a file.
pub(super) static FILE_DENIED_LINES: LazyLock<RegexSet> = LazyLock::new(|| lines_with(FILE_DENIED));

/// Lines about host keys of protocol 1 and of DSA, which old settings name and no client needs.
pub(super) static SPARE_KEY_LINES: LazyLock<RegexSet> =
    LazyLock::new(|| lines_with(&["load host key: /etc/ssh/ssh_host_key", "load host key: /etc/ssh/ssh_host_dsa_key"]));

/// True if a line sounds like a complaint, and is none.
#[must_use]
pub fn is_harmless(line: &str) -> bool {
    HARMLESS_LINES.is_match(line.as_bytes())
}

fn lines_with(texts: &[&str]) -> RegexSet {
    let source = |text: &&str| {
        let mut pieces = text.split('<');
        let first = regex::escape(pieces.next().unwrap_or_default());
        let rest = pieces.filter_map(|piece| piece.split_once('>'));
        rest.fold(first, |source, (hole, literal)| {
            source + if hole == "text" || hole == "why" { ".*" } else { r"\S+" } + &regex::escape(literal)
        })
    };
    let set = RegexSetBuilder::new(texts.iter().map(source)).unicode(false).case_insensitive(true).build();
    set.expect("the texts compile")
}

/// Every text that a reader of logs has to look for: those of the causes, of the families, and those that tell candidates apart.
pub fn texts() -> impl Iterator<Item = &'static str> {
    let own = crate::causes::all().flat_map(own_texts);
    let shared = families().flat_map(|family| family.texts).copied();
    let candidates = families().flat_map(|family| family.candidates);
    let hints = candidates.flat_map(|candidate| match candidate.when {
        When::Seen(texts) | When::Said(texts) | When::SaidOfMethods(_, texts) => [texts, &[]],
        When::SeenWithout(texts, without) => [texts, without],
        _ => [&[][..], &[]],
    });
    own.chain(shared)
        .chain(hints.flatten().copied())
        .chain(MODULE_FAILED.iter().chain(SEARCHED).copied())
        .chain(statuses::texts())
}

/// The texts that identify a cause: those on its record, and the wordings of further programs.
pub(super) fn own_texts(cause: &Cause) -> impl Iterator<Item = &'static str> {
    cause.symptoms.iter().copied().chain(wordings::wordings_of(cause.code))
}

/// Of the texts that a cause shares with others, those that are listed with it, of each family.
const LISTED: usize = 5;

/// Returns the messages that other tools print for a cause: those that identify it, then the first of those shared with
/// others, where it is a likely one.
pub fn symptoms_of(cause: &Cause) -> impl Iterator<Item = &'static str> {
    let own = own_texts(cause).filter(move |text| !families().any(|family| family.texts.contains(text)));
    let leads = |family: &&super::families::Family| {
        let mut codes: Vec<_> = family.candidates.iter().map(|candidate| candidate.code).collect();
        codes.dedup();
        codes.iter().take(3).any(|code| *code == cause.code)
    };
    let shared = families()
        .filter(|family| family.speaks_alone())
        .filter(leads)
        .flat_map(|family| family.texts.iter().take(LISTED));
    own.chain(shared.copied())
}
