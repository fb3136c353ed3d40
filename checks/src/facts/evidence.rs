//! The evidence: one record for each check, saved, loaded and judged offline.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Check, Facts, Step, Timed};
use super::connection::NotForwarded;
use super::log::Log;
use super::server::ServerAnswers;
use super::timeline::Timeline;
use super::witness::Witness;
use super::{auth, channel, config, dns, exit, handshake, hostkey, idle, tcp, transfer};
use crate::base::masking::without_passwords;
use crate::base::service::Service;
use crate::base::target::{Flags, Settings};
use crate::base::text::seconds;

/// The version of this format; a recording of another version is refused with a sentence.
pub const VERSION: u32 = 1;

/// The reason of a check that the end of the run left without a result.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// All that one examination saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    /// [`VERSION`] of the writer.
    pub evidence_version: u32,
    /// The time at which it began.
    pub started_at: jiff::Timestamp,
    /// Wall time of the whole run, milliseconds.
    pub duration_ms: f64,
    /// The target.
    pub target: Examined,
    /// The user's settings that matter to a judgement.
    pub settings: Settings,
    /// The cost to the server.
    pub spent: Spent,
    /// True when the user or the run's deadline ended it before its end.
    pub interrupted: bool,
    /// True when it was the run's deadline (`--deadline`, or a scrape's timeout).
    #[serde(default)]
    pub timed_out: bool,
    /// The times in which ssh-doctor did not run, however much it wanted to.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// The scheduling delays of ssh-doctor, which make answers look late; those below 100 ms are left out.
    #[serde(default)]
    pub lags: Vec<Lag>,
    /// The user's own ssh and its settings.
    #[serde(default)]
    pub config: Box<Timed<config::Facts>>,
    /// Name lookup.
    pub dns: Timed<dns::Facts>,
    /// TCP reachability.
    pub tcp: Timed<tcp::Facts>,
    /// Version and key exchange.
    pub handshake: Timed<handshake::Facts>,
    /// The server's identity.
    pub hostkey: Timed<hostkey::Facts>,
    /// Authentication.
    pub auth: Timed<auth::Facts>,
    /// A session channel.
    pub channel: Timed<channel::Facts>,
    /// Data each way.
    pub transfer: Timed<transfer::Facts>,
    /// Idle survival.
    pub idle: Timed<idle::Facts>,
    /// A clean end.
    pub exit: Timed<exit::Facts>,
    /// The hops of a ProxyJump, first hop first, each examined as far as its login; those after one that failed are missing.
    #[serde(default)]
    pub hops: Vec<Hop>,
    /// The services that the user expects of the account (`--expect`); empty where nothing is demanded.
    #[serde(default)]
    pub expected: Vec<Service>,
    /// The server's own answers; `null` where it was not asked.
    pub server: Option<ServerAnswers>,
    /// The user's own ssh, run as far as its login; `null` where it was not run.
    #[serde(default)]
    pub witness: Option<Box<Witness>>,
    /// The log that this is about instead of an examination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    /// Every connection of the examination, of those to its hops too, on one clock.
    #[serde(default)]
    pub timeline: Box<Timeline>,
}

/// A hop, and its treatment of the connection to the next one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hop {
    /// The name of the hop in the user's settings.
    pub name: String,
    /// The observations of it.
    pub evidence: Evidence,
    /// The connection from it to the next hop or the target; `null` where it did not get that far.
    pub forward: Option<Forward>,
}

/// A time in which this process did not run: it was stopped, its machine was suspended or too busy to run it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pause {
    /// The check that was running.
    pub check: Check,
    /// All pauses during that check together, milliseconds.
    pub lasted_ms: f64,
}

/// The scheduling delay of this process during a check.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// The check that was running.
    pub check: Check,
    /// The delays together, milliseconds.
    pub total_ms: f64,
}

/// A connection that a hop was asked for.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Forward {
    /// The name or address that it was asked to connect to.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Milliseconds until its answer, or until we stopped waiting.
    pub ms: f64,
    /// The reason why it did not connect.
    pub failure: Option<NotForwarded>,
}

/// The examined target, as the report names it.
#[derive(Debug, Clone, Default, JsonSchema, Serialize, Deserialize)]
pub struct Examined {
    /// The user's own input.
    pub input: String,
    /// The host name after ssh_config.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// The hops of a ProxyJump.
    pub via: Vec<String>,
    /// The name that known_hosts is searched for (`HostKeyAlias`, or the host with its port unless that is 22).
    #[serde(default)]
    pub known_as: String,
    /// The part of the command line that led there.
    #[serde(default)]
    pub flags: Flags,
    /// The labels that a list of targets gives it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// The cost of the examination for the server.
#[derive(Debug, Clone, Copy, Default, JsonSchema, Serialize, Deserialize)]
pub struct Spent {
    /// Connections opened.
    pub connections: u32,
    /// Connections that the run was allowed to open.
    pub budget: u32,
    /// Logins that succeeded.
    pub logins: u32,
    /// Connections whose login failed: never more than one.
    pub failed_logins: u32,
    /// Further connections that were refused since the last one that was accepted.
    #[serde(default)]
    pub refused_since: u32,
    /// The observations of a limit on connections from this address.
    #[serde(default)]
    pub limit: Option<ConnectionLimit>,
}

/// Further connections to an address that had accepted some, refused while those stood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConnectionLimit {
    /// Further connections that were accepted of those asked for before the first that was refused.
    pub accepted: u32,
    /// Further connections that were refused.
    pub refused: u32,
    /// One was accepted afterwards.
    pub ended: bool,
}

/// One check as every report shows it, independent of its facts.
#[derive(Debug, Clone)]
pub struct CheckView {
    /// The check.
    pub check: Check,
    /// The outcome of it, without the facts.
    pub step: Step<()>,
    /// The facts' own line, or the reason why there are none.
    pub summary: String,
    /// Wall time, milliseconds.
    pub duration_ms: f64,
    /// The facts; `null` when there are none.
    pub facts: serde_json::Value,
}

impl Evidence {
    /// Returns the services that the login was seen to have; `None` where that was not tested.
    #[must_use]
    pub fn serves(&self) -> Option<Vec<Service>> {
        self.channel.facts().map(channel::Facts::serves)
    }

    /// Returns the services that are expected and not served.
    #[must_use]
    pub fn missing(&self) -> Vec<Service> {
        let Some(facts) = self.channel.facts() else { return Vec::new() };
        self.expected.iter().copied().filter(|service| facts.denies(*service)).collect()
    }

    /// Returns the services that are expected, and were neither seen to work nor refused.
    #[must_use]
    pub fn unconfirmed(&self) -> Vec<Service> {
        let (Some(facts), Some(serves)) = (self.channel.facts(), self.serves()) else { return Vec::new() };
        let unknown = |service: &Service| !serves.contains(service) && !facts.denies(*service);
        self.expected.iter().copied().filter(unknown).collect()
    }

    /// The address that was examined: the one that connected, or the only one that was tried.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let tcp = self.tcp.facts()?;
        let tried = match tcp.attempts.as_slice() {
            [only] => Some(only.address),
            _ => None,
        };
        tcp.connected_to.or(tried).map(|address| address.ip())
    }

    /// The check that was running when the run was ended early.
    #[must_use]
    pub fn cut_at(&self) -> Option<Check> {
        let cut = |view: &CheckView| matches!(&view.step, Step::Skipped(why) if why == INTERRUPTED);
        self.checks().iter().find(|view| cut(view)).map(|view| view.check)
    }

    /// Returns the facts of the idle test if idle time ended sessions, even if the user's own keepalive would have
    /// prevented it.
    #[must_use]
    pub fn idle_deaths(&self) -> Option<&idle::Facts> {
        self.idle.facts().filter(|facts| self.idle.failed().is_some() || facts.own_outlives_all())
    }

    /// The pause during a check that was long enough to forbid conclusions from its waits and times.
    #[must_use]
    pub fn pause_in(&self, check: Check) -> Option<&Pause> {
        self.pauses.iter().find(|pause| pause.check == check)
    }

    /// The scheduling delay of this process during a check, milliseconds: its measured times may be too long by so much.
    #[must_use]
    pub fn lag_ms(&self, check: Check) -> f64 {
        self.lags.iter().filter(|lag| lag.check == check).map(|lag| lag.total_ms).sum()
    }

    /// The checks in order, each in the shape that reports need.
    #[must_use]
    pub fn checks(&self) -> [CheckView; 10] {
        if let Some(log) = &self.log {
            return Check::ALL.map(|check| log.view(check));
        }
        let mut views = self.views();
        for view in views.iter_mut().filter(|view| matches!(view.step, Step::Void(()))) {
            if let Some(pause) = self.pause_in(view.check) {
                view.summary = format!(
                    "not judged: ssh-doctor did not run for {} meanwhile (stopped, suspended, or too much load); {}",
                    seconds(pause.lasted_ms / 1000.0),
                    view.summary
                );
            }
        }
        views
    }

    fn views(&self) -> [CheckView; 10] {
        [
            view(Check::Config, &self.config),
            view(Check::Dns, &self.dns),
            view(Check::Tcp, &self.tcp),
            view(Check::Handshake, &self.handshake),
            view(Check::Hostkey, &self.hostkey),
            view(Check::Auth, &self.auth),
            view(Check::Channel, &self.channel),
            view(Check::Transfer, &self.transfer),
            view(Check::Idle, &self.idle),
            view(Check::Exit, &self.exit),
        ]
    }
}

fn view<F: Facts>(check: Check, timed: &Timed<F>) -> CheckView {
    let facts_of = |facts: &F| (facts.summary(), facts.shown());
    let (step, (summary, facts)) = match &timed.step {
        Step::Passed(facts) => (Step::Passed(()), facts_of(facts)),
        Step::Failed(facts) => (Step::Failed(()), facts_of(facts)),
        Step::Void(facts) => (Step::Void(()), facts_of(facts)),
        Step::Skipped(why) => (Step::Skipped(why.clone()), (why.clone(), serde_json::Value::Null)),
        Step::Error(why) => (Step::Error(why.clone()), (why.clone(), serde_json::Value::Null)),
    };
    CheckView { check, step, summary, duration_ms: timed.duration_ms, facts }
}

impl Evidence {
    /// The evidence of a run in which no check was asked for: the blank that tests and log readers fill in.
    #[must_use]
    pub fn unexamined() -> Self {
        fn skipped<F>() -> Timed<F> {
            Timed { step: Step::Skipped("not asked for".to_owned()), duration_ms: 0.0 }
        }
        Self {
            evidence_version: VERSION,
            started_at: jiff::Timestamp::UNIX_EPOCH,
            duration_ms: 0.0,
            target: Examined::default(),
            settings: Settings::default(),
            spent: Spent::default(),
            interrupted: false,
            timed_out: false,
            pauses: Vec::new(),
            lags: Vec::new(),
            config: Box::new(skipped()),
            dns: skipped(),
            tcp: skipped(),
            handshake: skipped(),
            hostkey: skipped(),
            auth: skipped(),
            channel: skipped(),
            transfer: skipped(),
            idle: skipped(),
            exit: skipped(),
            hops: Vec::new(),
            expected: Vec::new(),
            server: None,
            witness: None,
            log: None,
            timeline: Box::default(),
        }
    }

    /// The evidence of a target that could not be examined, through a fault on our side or in what was asked.
    #[must_use]
    pub fn unusable(input: &str, why: String) -> Self {
        let mut evidence = Self::unexamined();
        evidence.started_at = jiff::Timestamp::now();
        evidence.target.input = without_passwords(input);
        evidence.config.step = Step::Error(why);
        evidence
    }
}
