//! A client, and the syntax of its keepalive settings.

use clap::ValueEnum;
use ssh_doctor_checks::causes::Fix;

/// A program or library whose keepalive can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Client {
    /// OpenSSH's own configuration
    #[default]
    #[value(alias = "openssh")]
    Ssh,
    /// Ansible's connections
    Ansible,
    /// AsyncSSH for Python
    Asyncssh,
    /// autossh
    Autossh,
    /// Dropbear's client
    Dbclient,
    /// FileZilla
    Filezilla,
    /// git over ssh
    Git,
    /// x/crypto/ssh for Go
    Go,
    /// JSch for Java
    Jsch,
    /// libssh for C
    Libssh,
    /// libssh2 for C
    Libssh2,
    /// Apache MINA SSHD for Java
    Mina,
    /// MobaXterm
    Mobaxterm,
    /// Net::SSH for Ruby
    NetSsh,
    /// ssh2 for Node.js
    NodeSsh2,
    /// paramiko for Python
    Paramiko,
    /// PuTTY and plink
    #[value(alias = "plink")]
    Putty,
    /// rclone over SFTP
    Rclone,
    /// rsync over ssh
    Rsync,
    /// russh for Rust
    Russh,
    /// SecureCRT
    #[value(name = "securecrt")]
    SecureCrt,
    /// sshfs
    Sshfs,
    /// A systemd unit that holds a tunnel
    Systemd,
    /// TCP keepalives of the kernel
    Tcp,
    /// VS Code Remote-SSH
    Vscode,
    /// WinSCP
    Winscp,
    /// Xshell
    Xshell,
}

/// The time at which a client finds out that the server is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notices {
    /// After interval x (count + 1): OpenSSH counts one more than its manual says (clientloop.c).
    Openssh,
    /// After about this many unanswered keepalives.
    ByCount,
    /// Not by its keepalives.
    Never,
    /// Its documents do not say.
    Unsaid,
}

/// A client's syntax for keepalives.
pub(super) struct Syntax {
    pub(super) client: Client,
    /// Its name, and the change.
    pub(super) summary: &'static str,
    pub(super) file: Option<&'static str>,
    /// `{interval}` in seconds, `{interval_ms}` in milliseconds, `{count_max}`; words in capitals are the user's own.
    pub(super) snippet: &'static str,
    pub(super) caution: Option<&'static str>,
    /// True if its keepalive asks for an answer, as the ones do that were proven.
    pub(super) answered: bool,
    pub(super) notices: Notices,
}

impl Syntax {
    /// The fix that it is, its placeholders still in braces.
    pub(super) fn fix(&self) -> Fix {
        Fix {
            summary: self.summary,
            file: self.file,
            snippet: Some(self.snippet),
            caution: self.caution,
            ..Fix::CHANGE
        }
    }
}
