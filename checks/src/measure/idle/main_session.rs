//! The session that the checks before have left: it holds no channel, and is kept alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::control::{Control, Finding};
use super::events::{Line, Order, SessionEvent};
use super::idle_session::verdict_deadline;
use super::next_probe::NextProbe;
use super::patience;
use super::stretch::{Stretch, StretchOutcome};
use crate::facts::idle::Holds;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::keepalive::KeepaliveReply;
use crate::ssh::recorder::Expect;

/// Keeps the main session alive as the coordinator orders, and reports when that is in vain.
pub(super) async fn keep(control: Control, mut line: Line, main: Arc<Connection>) {
    line.tell(SessionEvent::Opened(None));
    let mut stretch = 0;
    loop {
        let directive = line.order_after(stretch).await;
        stretch = directive.stretch;
        let Order::Probe(NextProbe::Keep(interval)) = directive.order else { break };
        let began = Instant::now();
        main.record().expect(Expect::Answers(Some(Duration::from_secs(interval.into()))));
        line.tell(SessionEvent::Began(began));
        tokio::select! {
            () = sleep(Duration::from_secs(interval.into())) => {}
            // What ended with the others is reported as they are.
            () = line.over() => if main.ending().is_none() { break },
        }
        let ended = ask(&control, &line, &main, NextProbe::Keep(interval), began).await;
        line.tell(SessionEvent::Ended(Box::new(ended)));
    }
    main.record().expect(Expect::Silence);
    line.tell(SessionEvent::Left);
}

async fn ask(control: &Control, line: &Line, main: &Connection, probe: NextProbe, began: Instant) -> Stretch {
    let asked = Instant::now();
    let ending = main.ending();
    let answer = patience::keepalive(main, verdict_deadline(main)).await;
    let mut stretch = Stretch {
        probe,
        holds: Holds::Nothing,
        began,
        ended: Instant::now(),
        quiet: asked - began,
        channel_quiet: None,
        age: main.age(),
        heard_bytes: 0,
        outcome: StretchOutcome::Dismissed,
        finding: None,
        was_disturbed: false,
        only_late: false,
        line_came: false,
        others_alive: false,
        tcp: None,
        hops: Vec::new(),
    };
    if let KeepaliveReply::Alive(rtt) = answer {
        stretch.outcome = StretchOutcome::Answered(rtt);
        return stretch;
    }
    // The end of the test waits for what comes of it.
    line.tell(SessionEvent::Asked);
    let since = patience::disturbed_until(main, asked).map_or(asked, |_| Instant::now());
    let finding = control.settle(since).await;
    if matches!(finding, Finding::Fine { .. }) {
        stretch.others_alive = line.answers_after(asked).await;
        stretch.tcp = main.socket().and_then(Socket::tcp_info);
    }
    stretch.was_disturbed = patience::is_disturbed_since(main, asked);
    stretch.finding = Some(finding);
    stretch.outcome = match ending {
        Some(ending) => StretchOutcome::EndedItself(ending.manner),
        None => StretchOutcome::Unanswered(main.ending().map(|ending| ending.manner)),
    };
    let over = main.ending().map_or_else(Instant::now, |ending| ending.at);
    stretch.ended = over;
    stretch.age = main.age().saturating_sub(over.elapsed());
    stretch
}
