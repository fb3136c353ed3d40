//! Programs that answer in place of a shell, known by the words that they print.

/// The purpose of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Git repositories.
    Git,
    /// File transfer over sftp.
    Sftp,
    /// A program that copies or keeps files by a protocol of its own.
    Copying,
    /// A program that wants a terminal.
    Terminal,
    /// A command line that is no POSIX shell, as network devices have one: it read our command and does not know it.
    CommandLine,
    /// A program of the account's own that refuses commands.
    Refusal,
    /// Nobody may log in to this account, or not now.
    Closed,
    /// As many sessions as the server allows are open.
    Full,
}

/// A program, or the kind of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// The name used in reports.
    pub name: &'static str,
    /// The purpose of the program.
    pub purpose: Purpose,
    /// True if nothing else is known to print these words.
    pub is_sure: bool,
    /// Each of them tells it; in lower case.
    words: &'static [&'static str],
    /// The source of the words.
    pub source: &'static str,
}

/// A program that was identified.
const fn sure(name: &'static str, purpose: Purpose, words: &'static [&'static str], source: &'static str) -> Program {
    Program { name, purpose, is_sure: true, words, source }
}

/// Words that more than one program prints.
const fn likely(name: &'static str, purpose: Purpose, words: &'static [&'static str], source: &'static str) -> Program {
    Program { name, purpose, is_sure: false, words, source }
}

/// The kind of a program that says no.
const REFUSING: &str = "a program that refuses commands";

/// The special ones first: the words of the general ones stand in theirs.
static PROGRAMS: &[Program] = &[
    sure(
        "GitHub",
        Purpose::Git,
        &["github does not provide shell access", "you appear to be using ssh to clone a git:// url"],
        "GitHub's documentation, \"Testing your SSH connection\"",
    ),
    sure(
        "GitLab",
        Purpose::Git,
        &["welcome to gitlab", "gitlab: disallowed command", "error: disallowed command"],
        "GitLab Shell: its feature list, and disallowedcommand.go",
    ),
    sure(
        "Gitea, Forgejo or Gogs",
        Purpose::Git,
        &[
            "gitea does not provide shell access",
            "forgejo does not provide shell access",
            "gogs does not provide shell access",
            "gitea: ",
            "forgejo: ",
            "gogs: ",
        ],
        "cmd/serv.go of each",
    ),
    sure(
        "git-shell",
        Purpose::Git,
        &["fatal: unrecognized command '", "interactive git shell is not enabled", "what do you think i am? a shell?"],
        "shell.c of Git",
    ),
    sure(
        "gitolite",
        Purpose::Git,
        &["unknown git/gitolite command", "running gitolite"],
        "gitolite-shell and the command info of gitolite",
    ),
    sure("Bitbucket", Purpose::Git, &["to connect to bitbucket"], "Bitbucket's documentation, \"Set up SSH keys\""),
    sure(
        "AWS CodeCommit",
        Purpose::Git,
        &["to interact with aws codecommit"],
        "CodeCommit's user guide, \"Setup steps for SSH\"",
    ),
    sure("Gerrit", Purpose::Git, &["welcome to gerrit code review"], "NoShell.java of Gerrit"),
    sure(
        "Phabricator",
        Purpose::Git,
        &["phabricator-ssh-exec:", "welcome to phabricator"],
        "ssh-exec.php of Phabricator",
    ),
    sure(
        "internal-sftp of sshd",
        Purpose::Sftp,
        &["this service allows sftp connections only"],
        "session.c of OpenSSH (FORCE_INTERNAL_SFTP)",
    ),
    sure("rssh", Purpose::Sftp, &["this account is restricted by rssh"], "util.c of rssh"),
    sure(
        "rrsync",
        Purpose::Copying,
        &["ssh_original_command does not run rsync", "rrsync error:", "not invoked via sshd"],
        "the script rrsync of rsync",
    ),
    sure(
        "borg",
        Purpose::Copying,
        &["got connection close before repository was opened", "usage: borg"],
        "remote.py of Borg",
    ),
    sure(
        "rsync",
        Purpose::Copying,
        &["@rsyncd:", "rsync error: syntax or usage error", "rsync error: protocol incompatibility"],
        "errcode.h and clientserver.c of rsync",
    ),
    sure("git-annex-shell", Purpose::Git, &["git-annex-shell"], "its usage, GitAnnexShell.hs of git-annex"),
    sure("svnserve", Purpose::Copying, &["( success ( 2 2 ("], "the greeting of Subversion's protocol"),
    sure(
        "a program that reads data",
        Purpose::Copying,
        &[
            "not in gzip format",
            "unexpected end of file",
            "does not look like a tar archive",
            "is not a bzip2 file",
            "file format not recognized",
            "unsupported format",
            "no valid openpgp data found",
            "premature end of archive",
            "premature end of file",
            "failed to read from stream",
            "invalid stream (",
            "input file does not appear to be a valid archive",
            "input file is too short",
            "unexpected header",
            "empty stream is not considered valid",
            "no recipients found in headers",
            "no recipient addresses found",
            "no recipients specified",
        ],
        "gzip, tar, bzip2, xz, zstd, GnuPG, cpio, zfs-receive, btrfs-receive, pg_restore, Exim, Postfix and mutt",
    ),
    sure("tmux", Purpose::Terminal, &["open terminal failed: not a terminal"], "tty-term.c and client.c of tmux"),
    sure("screen", Purpose::Terminal, &["must be connected to a terminal"], "screen.c of GNU Screen"),
    sure(
        "a program that needs a terminal",
        Purpose::Terminal,
        &[
            "the input device is not a tty",
            "error opening terminal:",
            "term environment variable ",
            "terminal is not fully functional",
            "standard input is not a terminal",
            "stdin is not a terminal",
            "stdin is not a tty",
            "standard input is not a tty",
            "input is not a terminal",
            "could not enable raw mode",
            "not running on a terminal",
            "failed tty get",
            "no tty detected",
            "cannot get terminal settings",
            "a terminal is required to",
            "requires a terminal",
            "needs a terminal",
            "must be run from a terminal",
            "must be run in a terminal",
            "pseudo-terminal will not be allocated because stdin is not a terminal",
        ],
        "Docker's command line, ncurses, newt, less, sudo, top of procps, btop, Midnight Commander, and ssh.c of OpenSSH",
    ),
    sure(
        "a device whose sessions are used up",
        Purpose::Full,
        &[
            "cli session limit",
            "maximum number of sessions are active",
            "all user interfaces are used",
            "all vty lines in use",
            "all user lines are in use",
            "maximum number of user sessions",
            "too many concurrent sessions",
            "session limit reached",
            "session limit exceeded",
            "maximum number of sessions reached",
            "max remote sessions for login",
        ],
        "Cisco NX-OS (netmiko's issue 2098), HP AOS-S, Huawei VRP and others",
    ),
    sure(
        "nologin",
        Purpose::Closed,
        &["this account is currently not available", "unprivileged users are not permitted to log in"],
        "nologin(8), pam_nologin(8) and systemd-user-sessions",
    ),
    sure(
        "a demand for a new password",
        Purpose::Closed,
        &["password change required but no tty available", "you must change your password now"],
        "session.c of OpenSSH, pam_unix",
    ),
    sure(
        "the check of ChrootDirectory",
        Purpose::Closed,
        &["bad ownership or modes for chroot directory", "safely_chroot"],
        "safely_chroot of OpenSSH's session.c",
    ),
    sure("pam_limits", Purpose::Closed, &["too many logins for"], "pam_limits.c of Linux-PAM"),
    sure(
        "Cisco's command line",
        Purpose::CommandLine,
        &[
            "line has invalid autocommand",
            "invalid input detected at '^' marker",
            "invalid command at '^' marker",
            "syntax error while parsing '",
        ],
        "Cisco IOS, IOS XE and NX-OS",
    ),
    sure(
        "Huawei's or H3C's command line",
        Purpose::CommandLine,
        &["unrecognized command found at '^' position"],
        "Huawei VRP, H3C Comware",
    ),
    sure(
        "Junos's command line",
        Purpose::CommandLine,
        &["error: unknown command", "syntax error, expecting <command>"],
        "Junos",
    ),
    sure(
        "RouterOS's command line",
        Purpose::CommandLine,
        &["bad command name ", "expected end of command (line"],
        "MikroTik RouterOS",
    ),
    sure(
        "FortiOS's command line",
        Purpose::CommandLine,
        &["command fail. return code", "command parse error before"],
        "FortiOS",
    ),
    sure(
        "the command line of Windows",
        Purpose::CommandLine,
        &[
            "is not recognized as an internal or external command",
            "is not recognized as the name of a cmdlet",
            "is not recognized as a name of a cmdlet",
        ],
        "cmd.exe and PowerShell",
    ),
    likely(
        "a command line of its own",
        Purpose::CommandLine,
        &[
            "invalid input",
            "invalid command",
            "invalid syntax",
            "unknown command",
            "unknown action",
            "unknown keyword",
            "unrecognized command",
            "unrecognised command",
            "unrecognized input",
            "bad command",
            "not a recognized command",
            "not a valid command",
            "command not recognized",
            "command not supported",
            "command processing failed",
            "incomplete command",
            "ambiguous command",
            "no such command",
            "unexpected argument",
            "command execution is not supported",
            "syntax error:",
            "% error",
        ],
        "network devices and management controllers of many makers",
    ),
    likely(
        "a host of repositories",
        Purpose::Git,
        &[
            "git repositor",
            "use git to",
            "git access only",
            "git only",
            "only git",
            "shell access is not supported",
            "does not provide shell access",
            "do not provide an interactive shell",
            "does not offer shell access",
            "no shells on this server",
        ],
        "Azure Repos, Gitee, sourcehut, Pagure, Launchpad",
    ),
    likely(
        REFUSING,
        Purpose::Refusal,
        &[
            "shell access is disabled",
            "interactive shells are disabled",
            "interactive shells are not",
            "no shell access",
            "shell access denied",
            "not allowed to execute",
            "command not allowed",
            "command is not allowed",
            "command rejected",
            "disallowed command",
            "command denied",
            "access denied",
            "forbidden command",
            "command not permitted",
            "is not permitted on this account",
            "restricted shell account",
            "restricted account",
            "this account is for ",
            "account is disabled for interactive",
            "not for interactive",
            "not allowed interactively",
            "unauthorized command",
            "allowed commands",
            "commands are not allowed",
            "command refused",
        ],
        "Savannah, SourceForge and scripts in front of keys",
    ),
    likely(
        "an account for file transfer",
        Purpose::Sftp,
        &[
            "sftp only",
            "sftp connections only",
            "sftp access only",
            "only sftp",
            "file transfer only",
            "sftp-only",
            "scp only",
        ],
        "scripts and appliances",
    ),
    likely(
        "a jump host",
        Purpose::Refusal,
        &[
            "jump host",
            "jumphost",
            "jump server",
            "proxyjump",
            "ssh -j",
            "bastion",
            "port forwarding only",
            "tunnel only",
            "tunnels only",
        ],
        "shells and scripts of bastions",
    ),
];

/// The program of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

/// The program that printed this, if it is known.
#[must_use]
pub fn known(text: &str) -> Option<&'static Program> {
    /// GitLab says no more than that, and others say it with their own words around it.
    const GITLAB: &str = "disallowed command";
    /// A whole answer of scripts in front of keys.
    const NO: [&str; 8] =
        ["denied", "rejected", "refused", "forbidden", "disallowed", "not allowed", "unauthorized", "no access"];
    /// Words of the same scripts, and of limits and schedules too: those speak of no commands.
    const VAGUE: [&str; 6] = [
        "is allowed here",
        "are allowed here",
        "not allowed here",
        "only allows",
        "request denied",
        "request rejected",
    ];
    const OF_COMMANDS: [&str; 5] = ["command", " key ", "shell", "scp", "rsync"];
    let text = text.to_lowercase();
    let whole = text.trim_end_matches("\\n").trim_matches(|letter: char| !letter.is_ascii_alphabetic());
    if whole == GITLAB {
        return named("GitLab");
    }
    let found = PROGRAMS.iter().find(|program| program.words.iter().any(|words| text.contains(words)));
    let contains_any = |words: &[&str]| words.iter().any(|words| text.contains(words));
    let refuses = NO.contains(&whole) || contains_any(&VAGUE) && contains_any(&OF_COMMANDS);
    found.or_else(|| refuses.then(|| named(REFUSING)).flatten())
}

#[cfg(test)]
mod tests {
    use super::{Purpose, known};

    #[test]
    fn a_limit_of_sessions_is_no_refusal_of_commands() {
        for limit in [
            "This server only allows 2 sessions per user.\\n",
            "One login is allowed here at a time.\\n",
            "Request denied: too many\\n",
        ] {
            assert_eq!(known(limit), None, "{limit}");
        }
        for refusal in
            ["This key only allows backups\\n", "Only rsync is allowed here.\\n", "commands are not allowed here\\n"]
        {
            assert_eq!(known(refusal).map(|program| program.purpose), Some(Purpose::Refusal), "{refusal}");
        }
    }
}
