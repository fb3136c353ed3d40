//! Everything that touches the network, and the causes it can reveal.
//!
//! Data flows one way: checks ([`measure`]) record [`facts`], judges ([`causes`]) conclude from [`facts::Evidence`] alone. The rooms and
//! what each may use of the others stand in docs/architecture.md; tests/layers.rs holds them to it.

pub mod base;
pub mod causes;
pub mod facts;
pub mod logs;
pub mod measure;
pub mod os;
pub mod ssh;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use base::admission::Admitted;
use base::elapsed::ms_since;
use facts::{Check, Evidence, Examined, Facts, Pause, Step, Timed};
use measure::context::Context;
use measure::dns::{LookedUp, per_server_queries};
use measure::handles::{Identity, Link, LoggedIn};
use measure::progress::{CheckOutcome, Event};
use measure::{
    auth, channel, config, dns, exit, handshake, hostkey, idle, jump, server, stall_watch, tcp, transfer, witness,
};
use os::lag::Lag;
use os::pause::{self, Mark};
use ssh::known_hosts;
use ssh::recorder::Recorder;

/// The time that a check may go on once the user wants to end; the idle test has a stage's time, since it reports what it knows.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pauses of this process that together make the waits of a check worthless, unless they are a small part of its time ([`SMALL_PART`]).
const WORTHLESS: Duration = Duration::from_millis(500);

/// Pauses that are no more than this part of a check's time change nothing that it saw: its waits were longer by them. A busy machine has
/// such pauses. Beyond [`LONG`] the other side may have given up meanwhile.
const SMALL_PART: u32 = 4;
const LONG: Duration = Duration::from_secs(2);

/// Scheduling delays that are recorded.
const NOTICEABLE: Duration = Duration::from_millis(100);

/// The times in which this process did not run, or ran late.
#[derive(Default)]
struct OwnTimes {
    pauses: Vec<Pause>,
    lags: Vec<facts::Lag>,
}

/// Runs the selected checks in order; the others are shown as skipped.
pub async fn examine(ctx: Context, selected: &BTreeSet<Check>) -> Evidence {
    let began = Instant::now();
    let (mut evidence, _) = whole(ctx.clone(), selected).await;
    if let Some(witness) = Box::pin(witness::afterwards(&ctx, selected, &evidence)).await {
        evidence.witness = Some(Box::new(witness));
        evidence.duration_ms = ms_since(began);
        evidence.spent = ctx.budget.spent();
    }
    evidence
}

/// Runs the checks as far as a login, and leaves it to a caller that holds sessions.
pub async fn log_in(ctx: &Context) -> (Evidence, Option<LoggedIn>) {
    const CHECKS: [Check; 7] =
        [Check::Config, Check::Dns, Check::Tcp, Check::Handshake, Check::Hostkey, Check::Auth, Check::Channel];
    whole(ctx.clone(), &BTreeSet::from(CHECKS)).await
}

/// Runs the selected checks, those of the hops first.
async fn whole(ctx: Context, selected: &BTreeSet<Check>) -> (Evidence, Option<LoggedIn>) {
    pause::monitor();
    let started = (Instant::now(), Timestamp::now());
    let recorder = Recorder::start(started.0);
    ctx.budget.record(recorder.clone());
    let (hops, tunnel) = Box::pin(jump::pass(&ctx, selected, async |ctx, selected, tunnel| {
        Box::pin(pipeline(ctx, selected, tunnel, (Instant::now(), Timestamp::now()))).await
    }))
    .await;
    let (evidence, logged_in) = Box::pin(pipeline(ctx, selected, tunnel, started)).await;
    (Evidence { hops, timeline: Box::new(recorder.concluded().await), ..evidence }, logged_in)
}

/// Runs the selected checks on one target: `tunnel` is the connection through the hops, where there are any. Leaves the login
/// of a hop; of any other target that was examined further, what it takes to log in again.
async fn pipeline(
    mut ctx: Context,
    selected: &BTreeSet<Check>,
    tunnel: Option<Link>,
    (began, started_at): (Instant, Timestamp),
) -> (Evidence, Option<LoggedIn>) {
    let mut own = OwnTimes::default();
    let config = timed(&ctx, selected, &mut own, Check::Config, async || config::check(&ctx).await).await;
    let mut found = LookedUp::default();
    let dns = timed(&ctx, selected, &mut own, Check::Dns, async || keep(&mut found, dns::check(&ctx).await)).await;
    let LookedUp { mut addresses, name_servers } = found;
    let leave = admitted(&mut ctx, &mut addresses).await;
    let (mut link, mut keyed, mut identity, mut logged_in) = (tunnel, None, Identity::Untrusted, None);
    let tcp = match &leave {
        Ok(_) => {
            let check = async || {
                let tried = tcp::check(&ctx, &addresses, link.take()).await;
                keep(&mut link, tried)
            };
            timed(&ctx, selected, &mut own, Check::Tcp, check).await
        }
        Err(why) => Timed { step: Step::Error(why.clone()), duration_ms: 0.0 },
    };
    let watch = link.as_ref().map(|link| stall_watch::begin(&ctx, link.reach.route));
    let check = async || keep(&mut keyed, handshake::check(&ctx, link).await);
    let handshake = timed(&ctx, selected, &mut own, Check::Handshake, check).await;
    let check = async || keep(&mut identity, hostkey::check(&ctx, keyed).await);
    let hostkey = timed(&ctx, selected, &mut own, Check::Hostkey, check).await;
    let mut first = None;
    let check = async || keep(&mut logged_in, auth::check(&ctx, identity, &mut first).await);
    let auth = timed(&ctx, selected, &mut own, Check::Auth, check).await;
    let asked = if first.is_some() { witness::Asked::default() } else { witness::beside(&ctx, &auth.step) };
    let check = async || channel::check(&ctx, logged_in.as_mut()).await;
    let channel = timed(&ctx, selected, &mut own, Check::Channel, check).await;
    let check = async || transfer::check(&ctx, logged_in.as_mut()).await;
    let transfer = timed(&ctx, selected, &mut own, Check::Transfer, check).await;
    drop(watch);
    let (target, waited) = (&ctx.target, leave.map_or(Duration::ZERO, |leave| leave.waited));
    let took = || began.elapsed().saturating_sub(waited).as_secs_f64() * 1000.0;
    let mut evidence = Box::new(Evidence {
        evidence_version: facts::VERSION,
        started_at,
        duration_ms: took(),
        target: Examined {
            input: target.input.clone(),
            host: target.host.clone(),
            port: target.port,
            user: target.user.clone(),
            via: target.proxy.as_ref().map(|proxy| proxy.hops.clone()).unwrap_or_default(),
            known_as: known_hosts::recorded_name(target),
            flags: target.flags.clone(),
            labels: BTreeMap::new(),
        },
        settings: target.settings.clone(),
        lags: own.lags.clone(),
        config: Box::new(config),
        dns,
        tcp,
        handshake,
        hostkey,
        auth,
        channel,
        transfer,
        expected: ctx.limits.expected.clone(),
        ..Evidence::unexamined()
    });
    let is_idle_next = selected.contains(&Check::Idle) && !ctx.limits.idle.is_zero() && !ctx.stop.asked();
    if is_idle_next && logged_in.as_ref().is_some_and(|logged_in| logged_in.login.is_some()) {
        ctx.progress.tell(Event::SoFar { evidence: evidence.clone(), idle: ctx.limits.idle });
    }
    let check = async || idle::check(&ctx, logged_in.as_mut()).await;
    evidence.idle = Box::pin(timed(&ctx, selected, &mut own, Check::Idle, check)).await;
    evidence.server = server::ask(&ctx, logged_in.as_ref()).await;
    let check = async || exit::check(&ctx, logged_in.as_mut()).await;
    evidence.exit = timed(&ctx, selected, &mut own, Check::Exit, check).await;
    transfer::complete(&mut evidence.transfer.step, &evidence.exit.step);
    // A hop is left as it is: the way on leads through its connection.
    if selected.contains(&Check::Channel) {
        channel::complete(&ctx, logged_in.as_mut(), &mut evidence.channel.step).await;
        let again = logged_in.as_ref().map(LoggedIn::without_connection);
        exit::say_goodbye(logged_in.take(), &mut evidence.exit.step).await;
        logged_in = again;
    }
    if logged_in.as_ref().is_none_or(|logged_in| logged_in.connection.is_none()) {
        tcp::repeat(&ctx, &mut evidence.tcp.step).await;
    }
    per_server_queries::complete(name_servers, &ctx.stop, &mut evidence.dns.step).await;
    evidence.witness = asked.conclude().await.or(first).map(Box::new);
    (evidence.duration_ms, evidence.spent, evidence.pauses) = (took(), ctx.budget.spent(), own.pauses);
    evidence.lags = own.lags;
    (evidence.interrupted, evidence.timed_out) = (ctx.stop.asked(), ctx.stop.timed_out());
    (*evidence, logged_in)
}

/// The leave to connect, which holds as long as this lives.
struct Leave {
    /// The time until it was given.
    waited: Duration,
    _hold: Option<Box<dyn Send + Sync>>,
}

/// Waits for the leave to connect to the target's addresses; the reason where it is refused. The wait costs the target no time.
async fn admitted(ctx: &mut Context, addresses: &mut Vec<SocketAddr>) -> Result<Leave, String> {
    let none = Leave { waited: Duration::ZERO, _hold: None };
    let Some(admission) = ctx.admission.clone().filter(|_| !addresses.is_empty()) else { return Ok(none) };
    let asked = Instant::now();
    let Some(leave) = ctx.stop.race(admission.admit(addresses)).await else { return Ok(none) };
    let Admitted { addresses: admitted, hold } = leave?;
    *addresses = admitted;
    ctx.began += asked.elapsed();
    ctx.mark = Mark::now();
    Ok(Leave { waited: asked.elapsed(), _hold: Some(hold) })
}

/// Puts what a check leaves in its place, and returns its step.
fn keep<S, L>(place: &mut L, (step, left): (S, L)) -> S {
    *place = left;
    step
}

/// Runs one check, unless it was not asked for or the user wants to end; tells the onlooker.
async fn timed<F: Facts>(
    ctx: &Context,
    selected: &BTreeSet<Check>,
    own: &mut OwnTimes,
    check: Check,
    run: impl AsyncFnOnce() -> Step<F>,
) -> Timed<F> {
    let skipped = |why: &str| Timed { step: Step::Skipped(why.into()), duration_ms: 0.0 };
    if !selected.contains(&check) {
        return skipped("not asked for");
    }
    if check != Check::Config && ctx.target.is_refused() {
        return skipped("ssh does not accept its settings: see config");
    }
    if ctx.stop.asked() {
        return skipped("interrupted");
    }
    ctx.progress.tell(Event::Started(check));
    let (began, mark) = (Instant::now(), Mark::now());
    let stop = ctx.stop.clone();
    let limit = if check == Check::Idle { ctx.limits.stage.max(idle::CLOSING) } else { PATIENCE };
    let lag = Lag::default();
    let step = tokio::select! {
        biased;
        step = run() => step,
        // The idle test watches this machine by itself.
        never = lag.measure(), if check != Check::Idle => match never {},
        () = async { stop.wait().await; tokio::time::sleep(stop.grace(limit)).await } => Step::Skipped("interrupted".into()),
    };
    // What failed while the user was ending it may have failed for that.
    let step = match step {
        Step::Failed(facts) if ctx.stop.asked() && !facts.outlive_the_stop() => Step::Skipped("interrupted".into()),
        other => other,
    };
    let step = match (step, paused(check, mark, began.elapsed())) {
        (step, None) => step,
        (step, Some(pause)) => {
            own.pauses.push(pause);
            match step {
                Step::Failed(facts) => Step::Void(facts),
                other => other,
            }
        }
    };
    if lag.total() >= NOTICEABLE {
        own.lags.push(facts::Lag { check, total_ms: lag.total().as_secs_f64() * 1000.0 });
    }
    let (ending, summary) = match &step {
        Step::Passed(facts) => (CheckOutcome::Passed, facts.summary()),
        Step::Failed(facts) => (CheckOutcome::Failed, facts.summary()),
        Step::Void(facts) => (CheckOutcome::Skipped, facts.summary()),
        Step::Skipped(why) | Step::Error(why) => (CheckOutcome::Skipped, why.clone()),
    };
    ctx.progress.tell(Event::Finished { check, ending, summary });
    Timed { step, duration_ms: ms_since(began) }
}

/// The pauses of this process during a check that waits for others, where they are long enough to make its waits worthless.
///
/// The idle test watches this machine by itself, and a host key is compared without waiting for anybody.
fn paused(check: Check, since: Mark, took: Duration) -> Option<Pause> {
    let waits = !matches!(check, Check::Hostkey | Check::Idle);
    let lasted = since.paused();
    (waits && is_worthless(lasted, took)).then_some(Pause { check, lasted_ms: lasted.as_secs_f64() * 1000.0 })
}

/// True if pauses together this long forbid conclusions from a check that took so long, the pauses included.
fn is_worthless(lasted: Duration, took: Duration) -> bool {
    lasted >= LONG || (lasted >= WORTHLESS && lasted * SMALL_PART >= took)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::is_worthless;

    #[test]
    fn a_pause_counts_where_it_is_much_of_a_checks_time_or_long() {
        let ms = Duration::from_millis;
        for (lasted, took, worthless) in [
            (400, 410, false),
            (600, 610, true),
            (600, 2400, true),
            (600, 2500, false),
            (1900, 9000, false),
            (2000, 60_000, true),
        ] {
            assert_eq!(is_worthless(ms(lasted), ms(took)), worthless, "{lasted} ms of {took} ms");
        }
    }
}
