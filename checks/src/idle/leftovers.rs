//! Nothing is left on the server: what dead sessions left behind is ended over a living connection.

use super::facts::Leftovers;
use crate::connection::{Connection, Patience};

/// Ends the waiting commands, and the sshd processes above them, of sessions that the server cannot know to be dead.
///
/// A process is ended only when its arguments still bear our mark; its parent only when it is an SSH server's session process.
pub(super) async fn end(connection: &Connection, pids: &[(u32, u32)], mark: &str, patience: Patience) -> Leftovers {
    let stranded = u32::try_from(pids.len()).unwrap_or(u32::MAX);
    if pids.is_empty() {
        return Leftovers::default();
    }
    let list: Vec<String> = pids.iter().map(|(own, parent)| format!("{own}:{parent}")).collect();
    let script = format!(
        "for pair in {}; do own=${{pair%%:*}}; parent=${{pair##*:}}; \
         args=$(ps -o args= -p $own 2>/dev/null || tr \"\\0\" \" \" </proc/$own/cmdline 2>/dev/null); \
         case \"$args\" in *{mark}*) ;; *) continue;; esac; \
         case \"$(ps -o comm= -p $parent 2>/dev/null || cat /proc/$parent/comm 2>/dev/null)\" in *sshd*|*dropbear*) kill $parent 2>/dev/null;; esac; \
         kill $own 2>/dev/null; echo ended; done",
        list.join(" ")
    );
    let ran = connection.run(&format!("exec sh -c '{script}'"), 4096, patience).await;
    let ended = String::from_utf8_lossy(&ran.stdout).lines().filter(|line| *line == "ended").count();
    Leftovers { stranded, ended: u32::try_from(ended).unwrap_or(u32::MAX) }
}
