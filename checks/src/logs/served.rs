//! The connections of a server's log that are followed at once, each by the process that serves it.

use std::collections::{BTreeMap, HashMap};

use super::open::{Open, Peer};

/// Connections that are followed at once; the one that was silent for longest ends.
const AT_ONCE: usize = 1024;
/// Processes that stand for another one, of which only those of connections that are followed are kept.
const ALIASES: usize = 4 * AT_ONCE;

/// Processes that start between a session's own and its child's, at most.
const CHILD: u32 = 100;

/// Open connections by process id.
#[derive(Default)]
pub(super) struct Served {
    by_pid: HashMap<u32, Followed>,
    by_peer: HashMap<Peer, u32>,
    /// By the time of their last line.
    by_use: BTreeMap<u64, u32>,
    /// The process whose connection another one serves.
    aliases: HashMap<u32, u32>,
    clock: u64,
}

struct Followed {
    open: Open,
    used: u64,
}

impl Served {
    /// The connection to which the line of a process belongs, which may be a new one; before it, those that this line ends.
    /// `begins` where the line is the first one of a connection, `child` the process that serves it from now on.
    pub(super) fn of(
        &mut self,
        pid: u32,
        peer: Option<Peer>,
        begins: bool,
        child: Option<u32>,
        over: &mut Vec<Open>,
    ) -> &mut Open {
        let mut key = self.aliases.get(&pid).copied().unwrap_or(pid);
        let is_other = self
            .by_pid
            .get(&key)
            .is_some_and(|followed| followed.open.is_another(peer.as_ref()) || begins && followed.open.began_serving());
        if is_other {
            self.aliases.remove(&pid);
            key = pid;
            over.extend(self.end(key));
        } else if let (Some(peer), false) = (&peer, self.by_pid.contains_key(&key)) {
            // The child of a session has a process id of its own, and the same address and port.
            if let Some(parent) = self.by_peer.get(peer) {
                self.aliases.insert(pid, *parent);
                key = *parent;
            }
        }
        if let Some(child) = child {
            self.aliases.insert(child, key);
        }
        if self.by_pid.len() >= AT_ONCE && !self.by_pid.contains_key(&key) {
            over.extend(self.by_use.first_key_value().map(|(_, pid)| *pid).and_then(|oldest| self.end(oldest)));
        }
        self.bound_aliases();
        self.clock += 1;
        let followed = self.by_pid.entry(key).or_insert_with(|| Followed { open: Open::one_of_many(), used: 0 });
        self.by_use.remove(&std::mem::replace(&mut followed.used, self.clock));
        self.by_use.insert(self.clock, key);
        if followed.open.peer.is_none()
            && let Some(peer) = peer
        {
            self.by_peer.insert(peer.clone(), key);
            followed.open.peer = Some(peer);
        }
        &mut followed.open
    }

    /// Counts a new process to the session that began last before it, where its number says that it is a child of it.
    pub(super) fn adopt(&mut self, pid: u32) {
        if self.by_pid.contains_key(&pid) || self.aliases.contains_key(&pid) {
            return;
        }
        let is_parent = |key: &u32| (1..=CHILD).contains(&pid.saturating_sub(*key));
        let holds = |key: &u32| self.by_pid.get(key).is_some_and(|followed| followed.open.has_a_session());
        if let Some(key) = self.by_use.values().rev().copied().find(|key| is_parent(key) && holds(key)) {
            self.aliases.insert(pid, key);
        }
    }

    /// Returns the connections that are still open.
    pub(super) fn rest(self) -> impl Iterator<Item = Open> {
        self.by_pid.into_values().map(|followed| followed.open)
    }

    fn bound_aliases(&mut self) {
        if self.aliases.len() <= ALIASES {
            return;
        }
        self.aliases.retain(|_, pid| self.by_pid.contains_key(pid));
        // More children than sessions are no log of a server's.
        if self.aliases.len() > ALIASES / 2 {
            self.aliases.clear();
        }
    }

    fn end(&mut self, pid: u32) -> Option<Open> {
        let Followed { open, used } = self.by_pid.remove(&pid)?;
        self.by_use.remove(&used);
        if let Some(peer) = &open.peer
            && self.by_peer.get(peer) == Some(&pid)
        {
            self.by_peer.remove(peer);
        }
        Some(open)
    }
}
