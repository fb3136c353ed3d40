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

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use facts::{Check, Evidence, Examined, Facts, Step, Timed};
use measure::dns::per_server_queries;
use measure::examination::Examination;
use measure::progress::{CheckOutcome, Event};
use measure::{auth, channel, dns, exit, handshake, hostkey, idle, jump, server, tcp, transfer};
use ssh::known_hosts;

/// How long a check may go on once the user wants to end; the idle test has a stage's time, since it reports what it knows.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the selected checks in order; the others are shown as skipped.
pub async fn examine(mut exam: Examination, selected: &BTreeSet<Check>) -> Evidence {
    let started = (Instant::now(), Timestamp::now());
    let hops = jump::pass(&mut exam, selected, async |exam, selected| {
        Box::pin(pipeline(exam, selected, (Instant::now(), Timestamp::now()))).await
    })
    .await;
    Evidence { hops, ..Box::pin(pipeline(&mut exam, selected, started)).await }
}

/// Runs the selected checks on the target itself.
async fn pipeline(exam: &mut Examination, selected: &BTreeSet<Check>, started: (Instant, Timestamp)) -> Evidence {
    let (began, started_at) = started;
    let mut dns = timed(exam, selected, Check::Dns, dns::check).await;
    // Behind a hop it has begun with the tunnel.
    exam.connecting.get_or_insert_with(Instant::now);
    let tcp = timed(exam, selected, Check::Tcp, tcp::check).await;
    let handshake = timed(exam, selected, Check::Handshake, handshake::check).await;
    let hostkey = timed(exam, selected, Check::Hostkey, hostkey::check).await;
    let auth = timed(exam, selected, Check::Auth, auth::check).await;
    let mut channel = timed(exam, selected, Check::Channel, channel::check).await;
    let transfer = timed(exam, selected, Check::Transfer, transfer::check).await;
    channel::add_sftp(exam, &mut channel.step).await;
    let idle = Box::pin(timed(exam, selected, Check::Idle, idle::check)).await;
    let server = server::ask(exam).await;
    let exit = timed(exam, selected, Check::Exit, exit::check).await;
    per_server_queries::complete(exam, &mut dns.step).await;
    let target = &exam.target;
    Evidence {
        evidence_version: facts::VERSION,
        started_at,
        duration_ms: began.elapsed().as_secs_f64() * 1000.0,
        target: Examined {
            input: target.input.clone(),
            host: target.host.clone(),
            port: target.port,
            user: target.user.clone(),
            via: target.proxy.as_ref().map(|proxy| proxy.hops.clone()).unwrap_or_default(),
            known_as: known_hosts::recorded_name(target),
            flags: target.flags.clone(),
        },
        settings: target.settings.clone(),
        spent: exam.budget.spent(),
        interrupted: exam.stop.asked(),
        timed_out: exam.stop.timed_out(),
        dns,
        tcp,
        handshake,
        hostkey,
        auth,
        channel,
        transfer,
        idle,
        exit,
        hops: Vec::new(),
        server,
        log: None,
    }
}

/// Runs one check, unless it was not asked for or the user wants to end; tells the onlooker.
async fn timed<F: Facts>(
    exam: &mut Examination,
    selected: &BTreeSet<Check>,
    check: Check,
    run: impl AsyncFnOnce(&mut Examination) -> Step<F>,
) -> Timed<F> {
    let skipped = |why: &str| Timed { step: Step::Skipped(why.into()), duration_ms: 0.0 };
    if !selected.contains(&check) {
        return skipped("not asked for");
    }
    if exam.stop.asked() {
        return skipped("interrupted");
    }
    exam.progress.tell(Event::Started(check));
    let began = Instant::now();
    let stop = exam.stop.clone();
    let limit = if check == Check::Idle { exam.limits.stage } else { PATIENCE };
    let step = tokio::select! {
        biased;
        step = run(exam) => step,
        () = async { stop.wait().await; tokio::time::sleep(stop.grace(limit)).await } => Step::Skipped("interrupted".into()),
    };
    // What failed while the user was ending it may have failed for that; the idle test says itself what it knows.
    let step = match step {
        Step::Failed(_) if check != Check::Idle && exam.stop.asked() => Step::Skipped("interrupted".into()),
        other => other,
    };
    let (ending, summary) = match &step {
        Step::Passed(facts) => (CheckOutcome::Passed, facts.summary()),
        Step::Failed(facts) => (CheckOutcome::Failed, facts.summary()),
        Step::Void(facts) => (CheckOutcome::Skipped, facts.summary()),
        Step::Skipped(why) | Step::Error(why) => (CheckOutcome::Skipped, why.clone()),
    };
    exam.progress.tell(Event::Finished { check, ending, summary });
    Timed { step, duration_ms: began.elapsed().as_secs_f64() * 1000.0 }
}
