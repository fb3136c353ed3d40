//! The path groups: their members, the time of their next measurement and their last result.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::state::{self, Measured};
use crate::serve::config::Idle;
use crate::serve::metrics::now_s;

/// The number of targets remembered in a group, so that others can be measured when one is gone.
const MAX_MEMBERS: usize = 32;

/// The limit on groups, which a request parameter can create.
const MAX_GROUPS: usize = 10_000;

/// The largest random delay of a group's first measurement.
const MAX_JITTER: Duration = Duration::from_secs(30);

/// A measurement without a result is repeated after this fraction of the interval, a minute at least.
const RETRY_DIVISOR: u32 = 20;

/// The groups of all modules.
#[derive(Debug)]
pub(in crate::serve) struct Store {
    folder: Option<PathBuf>,
    groups: Mutex<BTreeMap<String, Group>>,
}

#[derive(Debug, Default)]
struct Group {
    module: String,
    members: VecDeque<String>,
    last: Option<Measured>,
    due: Option<Instant>,
    running: bool,
}

/// An idle test that is due.
#[derive(Debug)]
pub(in crate::serve) struct Job {
    key: String,
    /// The targets to measure.
    pub(in crate::serve) targets: Vec<String>,
}

impl Store {
    /// Reads the results of an earlier run.
    pub(in crate::serve) fn open(folder: Option<PathBuf>) -> Self {
        let saved = folder.as_deref().map(state::load).unwrap_or_default();
        let groups = saved.into_iter().map(|(key, last)| (key, Group { last: Some(last), ..Group::default() }));
        Self { folder, groups: Mutex::new(groups.collect()) }
    }

    /// Adds a target to a group.
    pub(in crate::serve) fn add_member(&self, module: &str, idle: &Idle, group: &str, target: &str) {
        let key = key(module, group);
        let mut groups = self.lock();
        if !groups.contains_key(&key) && groups.len() >= MAX_GROUPS {
            return;
        }
        let group = groups.entry(key.clone()).or_default();
        module.clone_into(&mut group.module);
        if group.due.is_none() {
            group.due = Some(Instant::now() + first_wait(&key, idle, group.last.as_ref()));
        }
        if !group.members.iter().any(|known| known == target) {
            group.members.push_back(target.to_owned());
            if group.members.len() > MAX_MEMBERS {
                group.members.pop_front();
            }
        }
    }

    /// Returns the last result of a group.
    pub(in crate::serve) fn result(&self, module: &str, group: &str) -> Option<Measured> {
        self.lock().get(&key(module, group))?.last.clone()
    }

    /// Returns a group of the module that is due, unless `at_once` tests are running.
    pub(in crate::serve) fn due(&self, module: &str, idle: &Idle) -> Option<Job> {
        let mut groups = self.lock();
        let running = groups.values().filter(|group| group.running && group.module == module).count();
        if running >= idle.at_once {
            return None;
        }
        let now = Instant::now();
        let is_due =
            |group: &Group| !group.running && group.module == module && group.due.is_some_and(|due| due <= now);
        let due = groups.iter_mut().filter(|(_, group)| is_due(group) && !group.members.is_empty());
        let (key, group) = due.min_by_key(|(_, group)| group.due)?;
        group.running = true;
        let sample = idle.sample.min(group.members.len());
        // The next test measures other members.
        group.members.rotate_left(sample);
        let targets = group.members.iter().rev().take(sample).cloned().collect();
        Some(Job { key: key.clone(), targets })
    }

    /// Records the end of a test and saves its result. A test without a result leaves the earlier one in place.
    pub(in crate::serve) fn finish(&self, job: &Job, measured: Option<Measured>, idle: Option<&Idle>) -> Result<()> {
        let every = idle.map_or(Duration::from_hours(1), |idle| idle.every.0);
        let wait =
            if measured.is_some() { every } else { (every / RETRY_DIVISOR).max(Duration::from_mins(1)).min(every) };
        let saved = {
            let mut groups = self.lock();
            let Some(group) = groups.get_mut(&job.key) else { return Ok(()) };
            group.running = false;
            group.due = Some(Instant::now() + wait);
            if measured.is_none() {
                return Ok(());
            }
            group.last = measured;
            groups.iter().filter_map(|(key, group)| Some((key.clone(), group.last.clone()?))).collect()
        };
        self.folder.as_deref().map_or(Ok(()), |folder| state::save(folder, saved))
    }

    /// Returns the numbers of groups, of groups with a result and of running tests.
    pub(in crate::serve) fn counts(&self) -> (usize, usize, usize) {
        let groups = self.lock();
        let of = |is: fn(&Group) -> bool| groups.values().filter(|group| is(group)).count();
        (groups.len(), of(|group| group.last.is_some()), of(|group| group.running))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(module: &str, group: &str) -> String {
    format!("{module}/{group}")
}

/// Returns the time until a group is first measured in this run: until its last result is old enough, with a random delay.
fn first_wait(key: &str, idle: &Idle, last: Option<&Measured>) -> Duration {
    let every = idle.every.0;
    let age = last.map(|last| Duration::from_secs_f64((now_s() - last.at_unix).clamp(0.0, every.as_secs_f64())));
    let left = age.map_or(Duration::ZERO, |age| every.saturating_sub(age));
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    #[allow(clippy::cast_possible_truncation, reason = "a number below 1000")]
    let part = (hasher.finish() % 1000) as u32;
    left + MAX_JITTER.min(every / 10) * part / 1000
}

/// Returns the network of an address: IPv4 /24, IPv6 /64.
pub(super) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", std::net::Ipv4Addr::from(v4.to_bits() & !0xff)),
        IpAddr::V6(v6) => format!("{}/64", std::net::Ipv6Addr::from(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::state::Measured;
    use super::{Store, network};
    use crate::serve::config::{ConfigDuration, GroupBy, Idle};

    fn idle(sample: usize, every: Duration) -> Idle {
        Idle {
            longest: ConfigDuration(Duration::from_secs(10)),
            group_by: GroupBy::Network,
            sample,
            every: ConfigDuration(every),
            at_once: 1,
            sessions: 16,
        }
    }

    fn measured(died_s: f64) -> Measured {
        Measured {
            at_unix: super::now_s(),
            target: "a".to_owned(),
            samples: 1,
            survived_s: None,
            died_s: Some(died_s),
            interval_s: None,
            verified: None,
        }
    }

    #[test]
    fn a_sample_is_measured_once_in_the_interval_and_the_group_shares_the_result() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path().to_owned()));
        let idle = idle(2, Duration::from_millis(1));
        for target in ["a", "b", "c", "a"] {
            store.add_member("m", &idle, "g", target);
        }
        std::thread::sleep(Duration::from_millis(5));
        let job = store.due("m", &idle).unwrap();
        assert_eq!(job.targets.len(), 2);
        assert!(store.due("m", &idle).is_none(), "one at a time");
        assert!(store.result("m", "g").is_none());
        store.finish(&job, Some(measured(30.0)), Some(&idle)).unwrap();
        assert_eq!(store.result("m", "g").unwrap().died_s, Some(30.0));
        std::thread::sleep(Duration::from_millis(5));
        let next = store.due("m", &idle).unwrap();
        assert!(
            next.targets.contains(&"c".to_owned()) || job.targets.contains(&"c".to_owned()),
            "others have their turn"
        );
        store.finish(&next, None, Some(&idle)).unwrap();
        assert_eq!(store.result("m", "g").unwrap().died_s, Some(30.0), "no result takes none away");
        assert!(store.due("m", &idle).is_none());
        drop(store);
        assert_eq!(Store::open(Some(folder.path().to_owned())).result("m", "g").unwrap().died_s, Some(30.0));
    }

    #[test]
    fn a_result_that_is_fresh_is_not_measured_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (store, idle) = (Store::open(Some(folder.path().to_owned())), idle(1, Duration::from_hours(1)));
        store.add_member("m", &idle, "g", "a");
        store.lock().get_mut("m/g").unwrap().due = Some(std::time::Instant::now());
        let job = store.due("m", &idle).unwrap();
        store.finish(&job, Some(measured(9.0)), Some(&idle)).unwrap();
        let again = Store::open(Some(folder.path().to_owned()));
        again.add_member("m", &idle, "g", "a");
        let due = again.lock()["m/g"].due.unwrap();
        assert!(due.duration_since(std::time::Instant::now()) > Duration::from_mins(50));
    }

    #[test]
    fn networks_are_named_by_their_first_address() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(
            [of("10.1.2.3"), of("::ffff:10.1.2.9"), of("2001:db8::1:2:3:4")],
            ["10.1.2.0/24", "10.1.2.0/24", "2001:db8::/64"]
        );
    }
}
