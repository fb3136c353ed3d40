//! Nothing is left on the server: what dead sessions left behind is ended over a living connection.

use crate::base::limits::Patience;
use crate::facts::channel::Lead;
use crate::facts::idle::Leftovers;
use crate::ssh::connection::Connection;

/// Ends the waiting commands, and the sshd processes above them, that are still there although their session is over.
///
/// Such a session is one that the path cut off, whether we saw it die, were still asking it, or closed it into the void.
/// Most processes are gone, which the shell itself finds out: what takes a program for each would take longer than a busy server is waited for.
/// One that is there is sent SIGHUP, as if its terminal were gone, since a shell at its prompt ignores SIGTERM.
/// A process is ended, with its group, only when its arguments or its environment still bear our mark; its parent only when it is an SSH server's session process.
pub(in crate::measure) async fn end(
    connection: &Connection,
    pids: &[(u32, u32)],
    (lead, mark): (Lead, &str),
    patience: Patience,
) -> Leftovers {
    if pids.is_empty() {
        return Leftovers::default();
    }
    let list: Vec<String> = pids.iter().map(|(own, parent)| format!("{own}:{parent}")).collect();
    let script = format!(
        "for pair in {}; do own=${{pair%%:*}}; parent=${{pair##*:}}; \
         kill -s 0 $own 2>/dev/null || continue; \
         marks=$(ps -o args= -p $own 2>/dev/null; tr \"\\0\" \" \" </proc/$own/cmdline 2>/dev/null; \
         tr \"\\0\" \" \" </proc/$own/environ 2>/dev/null); \
         case \"$marks\" in *{mark}*) echo stranded;; *) continue;; esac; \
         {{ kill -s HUP -- -$own || kill -s HUP $own; }} 2>/dev/null && echo ended; \
         case \"$(ps -o comm= -p $parent 2>/dev/null || cat /proc/$parent/comm 2>/dev/null)\" in *sshd*|*dropbear*) kill $parent 2>/dev/null;; esac; \
         done",
        list.join(" ")
    );
    let ran = connection.run(&lead.command(&script), 4096, patience).await;
    let said = String::from_utf8_lossy(&ran.stdout);
    let count = |word: &str| u32::try_from(said.lines().filter(|line| *line == word).count()).unwrap_or(u32::MAX);
    Leftovers { stranded: count("stranded"), ended: count("ended") }
}
