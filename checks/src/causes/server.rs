//! The causes that only the server itself can tell.

use super::{Cause, Fix, Match, Severity, Side};
use crate::facts::Check;
use crate::facts::certainty::Certainty;
use crate::facts::server::ServerAnswers;

/// The causes that only the server itself can tell.
pub static CAUSES: &[Cause] = &[DISK_FULL, NOLOGIN];

const DISK_FULL: Cause = Cause {
    code: "server-disk-full",
    stage: Check::Channel,
    title: "A file system on the server is full",
    severity: Severity::Warning,
    explanation: "The server reports no free blocks or inodes on the file system that holds /tmp, /var/log or the account's \
        home. Sessions still open, but what writes at their start fails or hangs: one-time passwords, xauth, shells \
        with a history, remote editors that install themselves, and the logs that would show it.\n\n\
        Root may still have the reserved blocks, so root notices nothing.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Find what uses the space, including deleted files that are still open",
            snippet: Some(
                "df -h /tmp /var/log ~; df -i /tmp /var/log ~; sudo du -xh --max-depth=2 /var | sort -h | tail; sudo lsof +L1 | head",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "Shrink the journal",
            snippet: Some("sudo journalctl --vacuum-size=200M"),
            caution: Some("it removes old log entries"),
            ..Fix::CHANGE
        },
    ],
    symptoms: &["No space left on device", "error in locking authority file", "Disk quota exceeded"],
    hides: &[],
    strikes_anywhere: true,
    judge: |evidence| {
        let server = evidence.server.as_ref()?;
        let full = |about| server.lines(about, false).filter_map(full);
        let blocks = full("disk space").map(|place| format!("{place} has no block left"));
        let inodes = full("inodes").map(|place| format!("{place} has no inode left"));
        let because: Vec<_> = blocks.chain(inodes).collect();
        (!because.is_empty()).then(|| Match::new(Certainty::Certain, because))
    },
    ..Cause::NEW
};

const NOLOGIN: Cause = Cause {
    code: "server-nologin",
    stage: Check::Auth,
    title: "Only root can log in (nologin is set)",
    severity: Severity::Warning,
    explanation: "The file /etc/nologin or /run/nologin exists on the server (nologin(5)). This account could log in, as root \
        may. Others are refused after their password or key was accepted, with the text of the file. shutdown(8) \
        creates it minutes before the machine stops, and systemd during boot; one that was left behind locks everybody \
        out.",
    fixes: &[
        Fix {
            side: Side::Server,
            summary: "Check whether the machine is starting or stopping, and read the file",
            snippet: Some(
                "systemctl is-system-running; ls -l /etc/nologin /run/nologin; cat /etc/nologin /run/nologin",
            ),
            ..Fix::LOOK
        },
        Fix {
            side: Side::Server,
            summary: "If it was left behind, remove it",
            snippet: Some("sudo rm {nologin_file}"),
            caution: Some(
                "it lets everybody log in again: not while the machine starts, stops or is under maintenance",
            ),
            ..Fix::CHANGE
        },
    ],
    symptoms: &[
        "System is booting up",
        "System is going down",
        "Unprivileged users are not permitted to log in",
        "not allowed because <file> exists",
        "pam_nologin(8)",
    ],
    hides: &[],
    strikes_anywhere: true,
    judge: |evidence| {
        let lines = said(evidence.server.as_ref()?);
        let files = ["/etc/nologin", "/run/nologin"];
        let file = files.into_iter().find(|file| lines.iter().any(|line| line.strip_suffix(':') == Some(file)))?;
        let because = [format!("the server has {}", lines.join(" "))];
        Some(Match::new(Certainty::Certain, because).with("nologin_file", file))
    },
    ..Cause::NEW
};

fn said(server: &ServerAnswers) -> Vec<&str> {
    server.lines("nologin", true).collect()
}

/// Returns the mount point of a full file system from a line of `df -P`; those without a size do not count.
fn full(line: &str) -> Option<String> {
    let mut fields = line.split_whitespace();
    let (total, left, used) = (fields.nth(1)?, fields.nth(1)?, fields.next()?);
    let is_full = left == "0" && used == "100%" && total.parse::<u64>().is_ok_and(|total| total > 0);
    is_full.then(|| fields.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::full;

    #[test]
    fn only_a_file_system_without_anything_left_is_full() {
        assert_eq!(full("tmpfs 64 64 0 100% /tmp").as_deref(), Some("/tmp"));
        for line in
            ["Filesystem 1024-blocks Used Available Capacity Mounted on", "/dev/a 100 99 1 99% /", "none 0 0 0 - /x"]
        {
            assert_eq!(full(line), None, "{line}");
        }
    }
}
