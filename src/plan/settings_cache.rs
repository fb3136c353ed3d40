//! ssh's settings for many hosts, with as few calls of ssh as is safe: names that fall under the same `Host` lines get
//! the same settings, but for the name itself.
//!
//! Of each group of names ssh is asked twice. Only where its two answers differ in nothing but the name is a third one made from them; where
//! anything else decides (a Match, a token, a canonical name), it is asked every time.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use ssh_doctor_checks::base::own_ssh::Setting;
use tokio::sync::{Mutex, Semaphore};

use super::configuration::{Configuration, Lines};
use super::local::Local;
use super::raw::Raw;
use super::ssh_g::NotAnswered;
use super::{origin, own, ssh_g};
use crate::cli::SshFlags;

/// The number of parallel ssh processes; more would only wait for the processors.
const AT_ONCE: usize = 4;

/// ssh's settings for a host.
#[derive(Debug, Clone)]
pub(super) struct SshSettings {
    /// Its words.
    pub(super) raw: Raw,
    /// The settings that are not its defaults, each with its origin.
    pub(super) settings: Vec<Setting>,
    /// The source of the keepalive interval.
    pub(super) server_alive_from: String,
}

/// One question to ssh.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) flags: &'a SshFlags,
    pub(super) local: &'a Local,
    /// Its own defaults.
    pub(super) defaults: &'a Raw,
    pub(super) login: Option<&'a str>,
    pub(super) port: Option<u16>,
    pub(super) host: &'a str,
}

/// The answers so far.
#[derive(Debug)]
pub(super) struct SettingsCache {
    running: Semaphore,
    configuration: Mutex<Option<Arc<Known>>>,
}

/// The `Host` lines, and the answer for each set of them.
#[derive(Debug)]
struct Known {
    /// `None` where nothing can be shared.
    configuration: Option<Configuration>,
    groups: Mutex<HashMap<Group, Arc<Mutex<Shared>>>>,
}

/// The settings that a group of names shares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Group {
    lines: Lines,
    login: Option<String>,
    port: Option<u16>,
}

/// The state of a group.
#[derive(Debug, Default)]
enum Shared {
    #[default]
    Nothing,
    /// The first answer, and whose it is.
    One(String, Box<SshSettings>),
    /// The answer for every name; its own name stands in it.
    All(Box<SshSettings>),
    /// The answers differ.
    Differs,
}

impl Default for SettingsCache {
    fn default() -> Self {
        Self { running: Semaphore::new(AT_ONCE), configuration: Mutex::default() }
    }
}

impl SettingsCache {
    /// Ssh's answer for a host, its own or one made from those for hosts like it.
    pub(super) async fn ask(&self, asked: &Asked<'_>) -> Result<Result<SshSettings, NotAnswered>> {
        let Asked { login, port, host, .. } = *asked;
        if !is_plain(host) {
            return self.ssh(asked).await;
        }
        let known = {
            let mut configuration = self.configuration.lock().await;
            if let Some(known) = &*configuration {
                known.clone()
            } else {
                let first = self.ssh(asked).await?;
                if let Ok(first) = &first {
                    *configuration = Some(Arc::new(Known::by(first)));
                }
                return Ok(first);
            }
        };
        let Some(configuration) = &known.configuration else { return self.ssh(asked).await };
        let lines = configuration.lines(host);
        let group = Group { lines, login: login.map(ToOwned::to_owned), port };
        let shared = known.groups.lock().await.entry(group).or_default().clone();
        let mut shared = shared.lock().await;
        let (answer, next) = match &mut *shared {
            Shared::All(answer) => return Ok(Ok(renamed(answer, host))),
            Shared::Differs => {
                drop(shared);
                return self.ssh(asked).await;
            }
            Shared::One(name, _) if name == host => return self.ssh(asked).await,
            Shared::One(name, first) => {
                let second = match self.ssh(asked).await? {
                    Ok(second) => second,
                    Err(not_answered) => return Ok(Err(not_answered)),
                };
                let alike =
                    configuration.is_of(&second.raw.log.files) && is_same_but_for_the_name(name, first, host, &second);
                let next = if alike { Shared::All(Box::new(second.clone())) } else { Shared::Differs };
                (second, next)
            }
            Shared::Nothing => {
                let first = match self.ssh(asked).await? {
                    Ok(first) => first,
                    Err(not_answered) => return Ok(Err(not_answered)),
                };
                let next = if depends_on_the_name(&first.raw) {
                    Shared::Differs
                } else {
                    Shared::One(host.to_owned(), Box::new(first.clone()))
                };
                (first, next)
            }
        };
        *shared = next;
        Ok(Ok(answer))
    }

    /// Asks ssh itself, a few at a time.
    async fn ssh(&self, asked: &Asked<'_>) -> Result<Result<SshSettings, NotAnswered>> {
        let _turn = self.running.acquire().await;
        asked.ssh().await
    }
}

impl Known {
    fn by(first: &SshSettings) -> Self {
        Self { configuration: Configuration::read(&first.raw.log.files), groups: Mutex::default() }
    }
}

impl Asked<'_> {
    /// Asks ssh.
    pub(super) async fn ssh(&self) -> Result<Result<SshSettings, NotAnswered>> {
        Ok(ssh_g::ask(self.flags, self.login, self.port, self.host).await?.map(|raw| self.answer(raw)))
    }

    /// The answer that these words are.
    pub(super) fn answer(&self, raw: Raw) -> SshSettings {
        let Self { flags, local, defaults, .. } = *self;
        let server_alive_from = origin::of_interval(&raw, defaults, flags, local);
        SshSettings { settings: own::settings(&raw, defaults, flags, local), server_alive_from, raw }
    }
}

/// True if ssh takes a name as it is: in lower case, without a zone or anything else that it may read differently.
fn is_plain(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:".contains(&byte))
}

/// True if the settings may depend on the name in a way that two answers need not show.
fn depends_on_the_name(raw: &Raw) -> bool {
    raw.hash.is_some() || raw.set("canonicalizehostname").is_some_and(|value| !matches!(value, "no" | "false"))
}

/// Keywords whose value is the name itself, where no setting changes it.
const NAMES: [&str; 2] = ["host", "hostname"];

fn is_same_but_for_the_name(name: &str, one: &SshSettings, other_name: &str, other: &SshSettings) -> bool {
    let (a, b) = (&one.raw, &other.raw);
    let is_the_name =
        |raw: &Raw, name: &str| NAMES.iter().all(|keyword| raw.all(keyword).iter().all(|value| value == name));
    let rest = |raw: &Raw| {
        let mut values = raw.values.clone();
        values.retain(|keyword, _| !NAMES.contains(&keyword.as_str()));
        values
    };
    !depends_on_the_name(b)
        && is_the_name(a, name)
        && is_the_name(b, other_name)
        && rest(a) == rest(b)
        && a.log == b.log
        && a.not_honoured == b.not_honoured
        && one.settings == other.settings
        && one.server_alive_from == other.server_alive_from
}

/// The answer with this name in it.
fn renamed(answer: &SshSettings, host: &str) -> SshSettings {
    let mut answer = answer.clone();
    for keyword in NAMES {
        for value in answer.raw.values.get_mut(keyword).into_iter().flatten() {
            host.clone_into(value);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::{SshSettings, depends_on_the_name, is_plain, is_same_but_for_the_name, renamed};
    use crate::plan::raw::Raw;

    fn answer(lines: &str) -> SshSettings {
        SshSettings { raw: Raw::from_lines(lines), settings: Vec::new(), server_alive_from: String::new() }
    }

    #[test]
    fn only_the_name_may_differ() {
        let one = answer("host a\nhostname a\nport 22\nuser me\n");
        let same = |lines: &str| is_same_but_for_the_name("a", &one, "b", &answer(lines));
        assert!(same("host b\nhostname b\nport 22\nuser me\n"));
        for other in [
            "host b\nhostname b\nport 23\nuser me\n",
            "host b\nhostname b.example\nport 22\nuser me\n",
            "host b\nhostname b\nport 22\nuser me\nproxycommand nc b 22\n",
            "host b\nhostname b\nport 22\nuser me\ncanonicalizehostname yes\n",
        ] {
            assert!(!same(other), "{other}");
        }
        let made = renamed(&one, "c");
        assert_eq!((made.raw.one("hostname"), made.raw.one("port")), (Some("c"), Some("22")));
    }

    #[test]
    fn names_that_ssh_may_read_otherwise_are_asked_for_themselves() {
        assert!(["db", "10.0.0.1", "::1", "a-b_c.example"].iter().all(|host| is_plain(host)));
        assert!(["DB", "fe80::1%eth0", "b\u{fc}cher"].iter().all(|host| !is_plain(host)));
        assert!(depends_on_the_name(&Raw::from_lines("canonicalizehostname always\n")));
        assert!(!depends_on_the_name(&Raw::from_lines("canonicalizehostname false\n")));
    }
}
