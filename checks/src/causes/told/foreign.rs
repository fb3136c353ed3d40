//! Lines of other programs and protocols, whose refusals and time limits are not SSH's.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::ordinary::{KILLED, ONLY_BESIDE_SSH, SSH_IS_LIKELY};
use super::wordings::NOT_RECOGNIZED;

/// Words of SSH and its programs: a line that has one is about SSH, whatever else it names.
const OF_SSH: &str = r"(?i)ssh|sftp|\bscp\b|\bgit@|publickey|keyboard-interactive|rsync|host ?key|known_hosts|authorized_keys|paramiko|netmiko|ncclient|jnpr\.junos|pyez|napalm|scrapli|putty|plink|winscp|filezilla|jsch|dropbear|dbclient|kex_|twisted\.conch|\bport 22\b|(?:^|\D|[^:\d\s]\d\d?|\d\d\d):22(?:$|[^\w:]|:\D|:$)|\bansible\b|UNREACHABLE!|\bmosh\b|fabric|vscode|jkiss\.dbeaver|initialize tunnel|mux_client|\bbastion\b|\bjump ?host|proxyjump|port forward|local port|local forward|remote forward|remote port|client_loop|packet_write|system dial-stdio|could not read from remote repository|websocket: bad handshake|failed to connect to origin|^connection (?:closed|reset) by \S+ port \d+";

/// Words of others: URLs of other schemes, ports of other services, databases, web servers, package managers, the kernel.
const OF_OTHERS: &str = r#"(?ix)
    \b(?:https?|jdbc:\w+|postgres(?:ql)?|mysql|redis|mongodb|amqps?|ldaps?|smtps?|imaps?|ftps?|wss?|nfs|smb)://
    | \bHTTP/[12] | "(?:GET|POST|PUT|HEAD)\s | \bHTTP:\x20(?:Auth|Request)\b | \bHTTPS?ConnectionPool\b | \bhttp\.client\b | status\x20code\x20[45]\d\d
    | (?:\bport\x20|^:|\D:|[^:\d\s]\d\d?:|\d\d\d:)(?:21|25)\b
    | (?:\bport\x20|:)(?:80|110|143|389|443|445|465|587|636|993|1433|1521|2181|2375|2376|2379|3000|3306|3389|5000|5432|5672|6379|6443|8000|8080|8443|9000|9090|9092|9200|11211|27017)\b
    | \bport\x2023\b | \bSQL\x20Error\x20\[ | \baddress=\(host= | \bAccess\x20denied\x20for\x20user\x20'[^']*'@ | \bpostgres | \bpsql\b | PSQLException | \bFATAL:\x20\x20\w | \bFATAL:\x20(?:password|ident|peer|PAM|LDAP)\x20authentication\x20failed\x20for\x20user\x20" | \bpg_hba | \bmysql | \bmariadb | \bredis[.:\s-] | \bmongo | \belastic | \bkafka
    | \bmosquitto | \bmqtt | connection\x20refused:\x20not\x20authori[sz]ed | \brabbitmq | \bmemcached? | \bcassandra | \bsqlalchemy | \bpsycopg | \bOperationalError\b | \bpgbouncer\b | SQLSTATE | \bORA-\d | \bERROR\x20\d{4}\x20\(
    | ^curl:\x20\(28\)\x20(?:Connection|Operation)\x20timed | \bnginx\b | \bupstream\x20(?:timed|sent|prematurely|server) | \bapache2\b | \bhttpd\b | \bphp-fpm\b | \bfastcgi\b
    | \bdocker\b | \bcontainerd\b | \bkubelet\b | \bkubectl\b | \betcd\b | \bnpm\x20(?:ERR|error) | \byarn\x20 | \bpip3?\x20
    | \binitctl: | \bUpstart\b | connect\x20to\x20bus | \bD-Bus\b | \bdpkg\b | \bapt(?:-get)?\b | ^[EW]:\x20 | \byum\b | \bdnf\b | \bpostfix | \bdovecot | \bsmtpd?\b | \bimapd?\b | \bvsftpd\b
    | \bwinrm\b | \bmount\.\w+ | \bsystemd-(?:networkd|resolved|timesyncd)\b | \bwpa_supplicant\b | \bdhclient\b
    | \bEXT4-fs\b | \bXFS\x20\( | \bTLS\x20handshake | \bTLS:\x20 | ^(?:\[[\d:.]+\]\x20)?Telnet\x20 | \bSSL\x20routines | \bssl:(?:None|default)\b | \bhttp:\x20proxy\x20error | certificate\x20verify\x20failed | \bresponse\x20headers?\b | \brecipients?\b | \burllib3\b | \baxios\b
    | \bpam_\w+\((?:sudo|sudo-i|su|su-l|login|cron|crond|gdm\S*|sddm\S*|lightdm\S*|kde|xscreensaver|unix_chkpwd|vsftpd|smtp|dovecot|imap|pop3|xrdp\S*|cockpit|samba|polkit\S*|systemd-user)[:)] | \bPKCS11\x20function\x20C_ | \bX\x20Window\x20System\x20error | \baccessibility\x20bus | \bconnect\x20to\x20socket\x20/ | \bsudo:\x20+(?:\S+\x20:|pam_) | \bcron\[ | \bCROND\[
    | \bsmtplib\b | \bmqtt\b | \bamqp | \bldap_ | \bgrpc\b | \brpc\x20error:\x20code | \bxmpp | \bvnc(?:viewer|server)?\b | \brdesktop\b | \bxfreerdp | ^websocket:\x20
    | \bGnuTLS | \bSSL_(?:read|write|connect|accept)\b | \bcould\x20not\x20(?:receive|send)\x20data\x20(?:from|to)\x20client | \bRPC\x20failed;\x20curl | \bcurl\x20\d\d?\x20 | \bpull\x20image\b | \bstate\x20lock\b | \bgpg\x20failed\x20to\x20sign | \bremote\x20store\x20'(?:daemon|local|auto)'
    | ^\d\d\d\x20\d\.\d\.\d\x20 | ^(?:220|421|425|426|430|530|550)\x20 | ^ftp>
    | \bwhen\x20calling\x20the\x20\w+\x20operation | \bsession\x20setup\x20failed | \bx509: | \bdial\x20unix\x20 | \bconnect\x20to\x20socket\x20at\x20 | \bvault: | \bAPI\x20request | \bgnome- | \bpolkitd? | \bbluetooth | \bcups
"#;

/// Words of what runs SSH for others and tells of it, whose lines are its own and leave those beside them.
const OF_CALLERS: &str = r"(?i)\bslack\b|\bjenkins: |\bFinished: FAILURE|marked build as failure";

/// Tools whose messages begin with their names. In a session they are part of its output.
const TOOLS: &str = r"^(?:telnet|ping6?|wget|ftp|cp|mv|rm|cat|ls|mkdir|rmdir|touch|chmod|chown|ln|tar|unzip|find|grep|sed|awk|su|sudo|mount|umount|smbclient|dd|df|du|make|cc|gcc|ld|openssl|gpg|dig|host|nslookup|traceroute|snmp\w+|lpr|javac?|node|php|perl|ruby): ";

/// Texts of causes that other programs print as well.
pub(super) const SHARED_WITH_OTHERS: &[&str] = &[
    "password authentication failed",
    "setlocale: LC_<what>: cannot change locale",
    "Address already in use",
    "No space left on device",
    "Disk quota exceeded",
    "invalid format",
    "Invalid private key",
    "bad permissions",
    "are too open",
    "error in libcrypto",
    "no start line",
    "certificate has expired",
    "cert has expired",
    "Host is down",
    "Network is unreachable",
    "Proxy error:",
];

/// Texts of causes that say nothing of SSH: without a sign of it they make the cause likely and no more.
const SAID_OF_OTHERS_TOO: &[&str] = &[
    "The agent has no identities",
    "Must be connected to a terminal",
    "open terminal failed: not a terminal",
    "top: failed tty get",
    "Output is not to a terminal",
    "must be run from a terminal",
    "Standard input is not a terminal",
    "Input is not from a terminal",
    "Please set a terminal type",
    "Terminal type <name> unknown",
    "posix_spawn: No such file or directory",
    "command not found",
    "sh: <n>: <what>: not found",
    "sh: <what>: not found",
    "env: <what>: No such file or directory",
    "bash: line <n>: <what>: No such file or directory",
    "No such command",
    "early EOF",
    "no more sessions",
    "idle-timeout",
    "device not found",
    "Idle timeout",
    "Idle timeout expired",
    "Session idle timeout",
    "idle session timeout",
    "Idle connection timeout",
    "exceeded idle timeout",
    "disconnected due to inactivity",
    "auto-logout",
    "Verification code:",
    "Not allowed at this time",
    "unsupported locale setting",
    "/bin/false",
    "Shell not found",
    "hash mismatch",
    "Expected packet type",
    "incomplete message",
    "Max packet size exceeded",
    "bad decrypt",
    "The key is encrypted",
    "key is encrypted",
    "Wrong passphrase",
    "Incorrect passphrase",
    "base64 decoding error",
    "Proxy error:",
    "Network is unreachable",
    "Idle session timeout",
    "Cannot fork",
    "fork: Cannot allocate memory",
    "fork: <why>: Resource temporarily unavailable",
    "pthread_create: Resource temporarily unavailable",
    "failed to create new OS thread",
    "password has expired",
    "Password expired",
    "Your password has expired",
    "Your account has expired",
    "Your account has been locked",
    "Account locked due to",
    "The account is locked due to",
    "account temporarily locked",
    "root account is locked",
    "System is going down",
    "System is booting up",
    "server misbehaving",
    "Operation too slow",
    "- stalled -",
    "out of disk space",
    "string is too large",
    "no valid public key",
    "Agent responded with failure",
    "No username provided",
    "Username is not specified",
    "No credentials provided",
    "request denied by peer",
    "from signal <what>",
    "exited on signal",
    "terminated by signal",
    "Too many simultaneous sessions",
    "session has reached its maximum",
    "Maximum number of sessions reached",
    "Maximum number of users reached",
    "Maximum session duration",
    "is offline or does not exist",
    "unexpected internal error",
    "A protocol error occurred",
    "Failed to connect to agent",
    "Invalid key data",
    "The semaphore timeout period has expired",
    "Your account has been blocked",
    "aws: command not found",
    "sh: <file>/xauth: not found",
    "sh: <n>: <file>/xauth: not found",
    "gcloud: command not found",
    "There is insufficient free space on the filesystem",
    "would exceed the user's storage quota",
    "pending approval from your administrator",
    "cannot open display:",
    "Error 1067: the process terminated unexpectedly",
    "System error 1067 has occurred",
    "websocket: bad handshake",
    "Error opening terminal:",
];

/// True for a text of a cause that says nothing of SSH.
pub(super) fn is_said_of_others_too(text: &str) -> bool {
    let all = [SAID_OF_OTHERS_TOO, NOT_RECOGNIZED, SSH_IS_LIKELY, ONLY_BESIDE_SSH, KILLED];
    all.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(text))
}

/// True if a line names another program or protocol, and nothing of SSH.
pub(super) fn is_foreign(line: &str) -> bool {
    static CALLERS: LazyLock<Regex> = LazyLock::new(|| compiled(OF_CALLERS));
    is_of_others(line) || CALLERS.is_match(line.as_bytes()) && !is_of_ssh(line)
}

/// True if a line names another program or protocol than SSH, which the lines beside it are of too.
pub(super) fn is_of_others(line: &str) -> bool {
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| compiled(OF_OTHERS));
    OTHERS.is_match(line.as_bytes()) && !is_of_ssh(line)
}

/// True for a failure of curl to connect to a port that is not SSH's.
pub(super) fn is_of_curl(line: &str) -> bool {
    line.contains("curl: (7) ") && line.contains(" port ") && !is_of_ssh(line)
}

/// True for a failure of libvirt to speak to its daemon, which ends so over any transport: over SSH, ssh's own words stand in it. True too for
/// Node.js and a socket in a file, unless an agent has it.
pub(super) fn is_of_a_local_service(line: &str) -> bool {
    const FAILURES: [&str; 3] = ["connect ECONNREFUSED /", "connect ENOENT /", "connect EACCES /"];
    const TEXTS: [&str; 2] =
        ["Cannot recv data: Connection reset by peer", "End of file while reading data: Input/output error"];
    let is_of_a_socket = || FAILURES.iter().any(|text| line.contains(text)) && !line.contains("agent");
    TEXTS.iter().any(|text| line.contains(text)) || is_of_a_socket()
}

/// True for what rsync says of its own service, port 873.
pub(super) fn is_of_rsyncs_service(line: &str) -> bool {
    line.contains("name lookup failed for ")
        || line.contains("at clientserver.c(")
        || line.contains("rsync: ") && line.contains("failed to connect to ")
}

/// True if git reports a failure that it has over HTTP alone.
pub(super) fn is_of_git_over_http(line: &str) -> bool {
    const TEXTS: [&str; 4] =
        ["RPC failed; ", "POST git-upload-pack (", "POST git-receive-pack (", " bytes of body are still expected"];
    TEXTS.iter().any(|text| line.contains(text))
}

/// True if a line is a message of another tool.
pub(super) fn is_of_a_tool(line: &str) -> bool {
    static NAMES: LazyLock<Regex> = LazyLock::new(|| compiled(TOOLS));
    // That the login shell is missing meets every session.
    NAMES.is_match(line.as_bytes()) && !is_of_ssh(line) && !line.contains("failed to execute")
}

/// True if a line names SSH or one of its programs.
pub(super) fn is_of_ssh(line: &str) -> bool {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| compiled(OF_SSH));
    WORDS.is_match(line.as_bytes())
}

fn compiled(words: &str) -> Regex {
    RegexBuilder::new(words).unicode(false).build().expect("the words compile")
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn lines_of_other_programs_are_told_from_those_of_ssh() {
        for line in [
            "2024/01/05 10:00:01 [error] 31#31: *12 upstream timed out (110: Connection timed out)",
            "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.",
            "fatal: Authentication failed for 'https://github.com/x/y.git/'",
            "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)",
            "curl: (7) Failed to connect to localhost port 8080 after 0 ms: Couldn't connect to server",
        ] {
            assert!(is_foreign(line), "{line}");
        }
        for line in [
            "ssh: connect to host ssh.github.com port 443: Connection timed out",
            "git@gitlab.com: Permission denied (publickey).",
            "Connection reset by peer",
            "dial tcp 10.0.0.5:22: i/o timeout",
            "org.apache.sshd.common.SshException: Connection refused",
        ] {
            assert!(!is_foreign(line), "{line}");
        }
    }
}
