//! The keepalive that was proven, in the syntax of each client; every unit is the client's own.

mod syntax;
mod syntaxes;

use clap::ValueEnum;
use ssh_doctor_checks::base::target::Settings;
use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::causes::{Fix, Side};
use ssh_doctor_checks::facts::Evidence;
use ssh_doctor_checks::facts::idle::Facts;

pub use syntax::Client;
use syntax::{Notices, Syntax};
use syntaxes::SYNTAXES;

/// The fix in place of the kernel's setting where TCP keepalives were not seen to help.
const TCP_UNPROVEN: Fix = Fix {
    summary: "The kernel's TCP keepalives were not seen to outlive the timer on this path, so no setting of theirs is advised",
    ..Fix::CHANGE
};

/// True if a fix is the keepalive of the user's client, which every client has in a syntax of its own.
pub(crate) fn is_keepalive(fix: &Fix) -> bool {
    fix.side == Side::Client && fix.snippet.is_some_and(|snippet| snippet.contains("ServerAliveInterval {interval}"))
}

impl Client {
    /// The client of a log that names this program.
    pub(crate) fn of_program(name: &str) -> Option<Self> {
        Some(match name {
            "Ansible" => Self::Ansible,
            "git" => Self::Git,
            "rsync" => Self::Rsync,
            "autossh" => Self::Autossh,
            "WinSCP" => Self::Winscp,
            "PuTTY" => Self::Putty,
            "paramiko" => Self::Paramiko,
            "AsyncSSH" => Self::Asyncssh,
            "JSch" => Self::Jsch,
            "Apache MINA SSHD" => Self::Mina,
            "Net::SSH" => Self::NetSsh,
            "node ssh2" => Self::NodeSsh2,
            "libssh2" | "curl" => Self::Libssh2,
            "libssh" => Self::Libssh,
            "Go" => Self::Go,
            "VS Code" => Self::Vscode,
            "FileZilla" => Self::Filezilla,
            "sshfs" => Self::Sshfs,
            "rclone" => Self::Rclone,
            "russh" => Self::Russh,
            "dbclient" => Self::Dbclient,
            _ => return None,
        })
    }

    /// The keepalive fix in this client's syntax; `None` for ssh, whose syntax the causes have.
    pub(crate) fn keepalive(self, ssh: &Fix, evidence: &Evidence) -> Option<Fix> {
        let syntax = self.syntax()?;
        if self == Self::Tcp && evidence.idle.facts().and_then(Facts::tcp_keepalive_held) != Some(true) {
            return Some(TCP_UNPROVEN);
        }
        let fix = syntax.fix();
        Some(if syntax.answered { Fix { tried: ssh.tried, ..fix } } else { fix })
    }

    /// Describes when these values detect a dead server, and compares that with ssh's settings of today.
    pub(crate) fn notice(self, interval_s: u32, count_max: u32, own: &Settings) -> Option<String> {
        let notices = self.syntax().map_or(Notices::Openssh, |syntax| syntax.notices);
        let after = match notices {
            Notices::Openssh => {
                let product = product(u64::from(interval_s), u64::from(count_max));
                format!("A dead server is noticed after {product}.")
            }
            Notices::ByCount if self == Self::Dbclient => {
                "A dead server is noticed after 3 unanswered ones.".to_owned()
            }
            Notices::ByCount => format!("A dead server is noticed after about {count_max} unanswered ones."),
            Notices::Never => "They keep the path open and do not tell whether the server is still there.".to_owned(),
            Notices::Unsaid => return None,
        };
        Some(if self == Self::Ssh { format!("{after} {}", today(own)) } else { after })
    }

    fn syntax(self) -> Option<&'static Syntax> {
        SYNTAXES.iter().find(|syntax| syntax.client == self)
    }
}

/// The keepalive of every other client by its name on the command line, its placeholders still in braces.
pub(crate) fn all() -> impl Iterator<Item = (String, Fix)> {
    let name = |client: Client| client.to_possible_value().map(|value| value.get_name().to_owned());
    SYNTAXES.iter().map(move |syntax| (name(syntax.client).unwrap_or_default(), syntax.fix()))
}

fn today(own: &Settings) -> String {
    let from = &own.server_alive_from;
    match own.server_alive_interval_s {
        0 => format!("Today ssh sends none ({from})."),
        interval => format!("Today that takes {} ({from}).", product(interval, own.server_alive_count_max)),
    }
}

/// OpenSSH's time until it gives up, worked out in words.
fn product(interval_s: u64, count_max: u64) -> String {
    let interval = interval_s as f64;
    let after = seconds(interval * (count_max as f64 + 1.0));
    format!("{after}: {} x ({count_max} + 1)", seconds(interval))
}

#[cfg(test)]
mod tests;
