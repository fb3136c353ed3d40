//! The questions, each a piece of POSIX shell that only reads. Nothing is run with sudo: a refusal is an answer.

use std::fmt::Write as _;

use crate::facts::channel::Lead;

/// The most bytes of one answer.
const BYTES: u32 = 8192;

/// One question.
pub(super) struct Question {
    pub(super) about: &'static str,
    /// The source of the answer, as the report names it.
    pub(super) source: &'static str,
    run: &'static str,
}

/// All of them; `$ip` is our own address as the server sees it, `t` runs a command for at most 3 s.
pub(super) static QUESTIONS: &[Question] = &[
    Question {
        about: "connection",
        source: "SSH_CONNECTION",
        run: r#"echo "$SSH_CONNECTION"; [ -n "$SSH_CONNECTION" ]"#,
    },
    Question { about: "uptime", source: "uptime", run: "t uptime" },
    Question {
        about: "sshd settings",
        source: "sshd -T (the file that the daemon was started with, as it is now, for this user and address)",
        run: r#"p=$$ f= sshd=
while [ "${p:-0}" -ge 1 ]; do
  case $(cat /proc/$p/comm 2>/dev/null) in
    sshd*) sshd=1; a=$(tr "\0" " " </proc/$p/cmdline); case $a in *" -f "*) f=${a#* -f }; f=${f%% *}; break;; esac;;
  esac
  p=$(sed -n "s/^PPid:[[:space:]]*//p" /proc/$p/status 2>/dev/null)
done
[ -n "$sshd" ] || [ -z "$p" ] || { echo "no sshd is above this session: its settings are another server's"; exit 1; }
c="user=$(id -un),host=$ip,addr=$ip"
set -- $SSH_CONNECTION
[ -z "$4" ] || c="$c,laddr=$3,lport=$4"
s=$(t sshd -T ${f:+-f "$f"} -C "$c" 2>&1) && echo "$s" | grep -iE "^(clientalive|tcpkeepalive|channeltimeout|unusedconnectiontimeout|max(sessions|startups|authtries)|logingracetime|persource|rekeylimit|usedns|usepam|gssapiauthentication|authenticationmethods|authorizedkeys|allow|deny|permit|disableforwarding|forcecommand|x11forwarding|ipqos|subsystem) *" || { echo "$s"; false; }"#,
    },
    Question {
        about: "log of our connections",
        source: "journalctl, /var/log/auth.log or /var/log/secure: lines of sshd with our address, the last 40 that are no routine",
        run: r#"[ -n "$ip" ] || exit 1
l=$(t journalctl -q -t sshd -t sshd-session --since "-30 min" -n 2000 --no-pager -o short-iso 2>&1 | grep -F -e " $ip " -e "[$ip]:")
for f in /var/log/auth.log /var/log/secure; do
  [ -n "$l" ] || [ ! -e $f ] || l=$(t tail -n 5000 $f 2>&1 | grep -F -e " $ip " -e "[$ip]:" -e "$f")
done
if [ -n "$l" ]; then echo "$l" | grep -vE "Postponed |Starting session|Close session|Connection from|Accepted |Received disconnect from .*:11:|Disconnected from user" | tail -n 40; else t journalctl -n 0 2>&1 | head -n 2; ls /var/log/auth.log /var/log/secure 2>&1; exit 1; fi"#,
    },
    Question {
        about: "out-of-memory kills",
        source: "/proc/vmstat (since the start), dmesg",
        run: r#"grep "^oom_kill " /proc/vmstat
d=$(t dmesg 2>&1) && echo "$d" | grep -iE "out of memory|oom-kill" | tail -n 5 || echo "$d" | head -n 1"#,
    },
    Question {
        about: "memory and load",
        source: "/proc/meminfo, /proc/loadavg",
        run: r#"grep -E "^(MemTotal|MemAvailable|SwapTotal|SwapFree):" /proc/meminfo; cat /proc/loadavg"#,
    },
    Question { about: "disk space", source: "df -P", run: r#"t df -P /tmp /var/log "$HOME" | sort -u"# },
    Question { about: "inodes", source: "df -P -i", run: r#"t df -P -i /tmp /var/log "$HOME" | sort -u"# },
    Question {
        about: "shell time-outs",
        source: "TMOUT and autologout in the shells' start-up files",
        run: r#"echo "TMOUT=$TMOUT"; grep -nE "TMOUT|autologout" /etc/profile /etc/bash.bashrc /etc/bashrc /etc/profile.d/* /etc/environment /etc/csh.cshrc /etc/zsh/zshrc /etc/zshrc ~/.profile ~/.bash_profile ~/.bashrc ~/.zshrc 2>/dev/null; true"#,
    },
    Question {
        about: "nologin",
        source: "/etc/nologin and /run/nologin",
        run: r#"for f in /etc/nologin /run/nologin; do [ ! -e $f ] || { echo "$f:"; head -n 2 $f; }; done"#,
    },
    Question { about: "limits", source: "ulimit -a", run: "ulimit -a" },
    Question {
        about: "conntrack",
        source: "/proc/sys/net/netfilter",
        run: "cd /proc/sys/net/netfilter && grep . nf_conntrack_count nf_conntrack_max nf_conntrack_tcp_timeout_established nf_conntrack_tcp_timeout_unacknowledged nf_conntrack_tcp_loose",
    },
    Question {
        about: "TCP keepalive",
        source: "/proc/sys/net/ipv4",
        run: "cd /proc/sys/net/ipv4 && grep . tcp_keepalive_time tcp_keepalive_intvl tcp_keepalive_probes tcp_retries2",
    },
    Question {
        about: "logind",
        source: "logind.conf",
        run: r#"grep -hE "^(StopIdleSessionSec|IdleAction|KillUserProcesses|UserTasksMax)" /etc/systemd/logind.conf /etc/systemd/logind.conf.d/* 2>/dev/null; true"#,
    },
];

/// The one command that asks them all; each answer stands between two lines with `mark`.
pub(super) fn command(lead: Lead, mark: &str) -> String {
    let mut script = String::from(
        "export LC_ALL=C PATH=\"$PATH:/usr/sbin:/sbin\"\nip=${SSH_CONNECTION%% *}\n\
         if command -v timeout >/dev/null 2>&1; then t() { timeout 3 \"$@\"; }; else t() { \"$@\"; }; fi\n",
    );
    for (at, question) in QUESTIONS.iter().enumerate() {
        // Writing to a string cannot fail. The status would be lost in a pipe, so it is printed inside it.
        let _ = write!(
            script,
            "echo \"{mark} begin {at}\"\n{{ (\n{}\n) 2>&1; s=$?; echo; echo \"{mark} end $s\"; }} </dev/null | {{ head -c {BYTES}; cat >/dev/null; }}; echo\n",
            question.run
        );
    }
    script.push_str("exit 0\n");
    lead.command(&script.replace('\'', r"'\''"))
}
