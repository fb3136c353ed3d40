//! The life of one session in the idle test: opened, directed from stretch to stretch, closed.

use std::sync::Arc;
use std::time::Duration;

use super::channel_use::ChannelUse;
use super::control::{self, Control, Finding};
use super::events::{Line, Order, SessionEvent};
use super::idle_session::IdleSession;
use super::next_probe::NextProbe;
use super::role::{Role, TCP_KEEPALIVE};
use super::run_stretch::{Means, run_stretch};
use crate::facts::connection::NotLoggedIn;
use crate::ssh::login::Login;

/// The number of times a session is opened anew after an outage, or to go on with the test.
const REOPENED: u32 = 5;

/// The state that all sessions of a test share.
#[derive(Clone)]
pub(super) struct Test {
    pub(super) login: Arc<Login>,
    pub(super) channel_use: ChannelUse,
    pub(super) control: Control,
    /// The time that opening a session may take.
    pub(super) deadline: Duration,
}

/// One session's part in the test.
pub(super) async fn take_part(test: Test, mut line: Line, role: Role) {
    let mut stretch = 0;
    for attempt in 0..=REOPENED {
        let mut session = match open(&test, &line, role).await {
            Ok(session) => session,
            Err(Unopened::Over) => break,
            Err(Unopened::TryAgain(_)) if attempt < REOPENED => continue,
            Err(Unopened::TryAgain(why) | Unopened::Refused(why)) => {
                line.tell(SessionEvent::NotOpened(why));
                break;
            }
        };
        line.tell(SessionEvent::Opened(session.pids));
        let order = obey(&test, &mut line, role, &mut session, &mut stretch).await;
        session.close().await;
        if order != Order::Reopen {
            break;
        }
    }
    line.tell(SessionEvent::Left);
}

/// The reason why a session is not open.
enum Unopened {
    /// The test is over.
    Over,
    /// The path was in the way at that moment.
    TryAgain(String),
    /// Another attempt would end the same way.
    Refused(String),
}

async fn open(test: &Test, line: &Line, role: Role) -> Result<IdleSession, Unopened> {
    let shell = matches!(role, Role::Longest(_));
    let opening = async {
        let _turn = test.login.budget.turn().await;
        IdleSession::open(&test.login, &test.channel_use, shell, test.deadline).await
    };
    let opened = tokio::select! {
        opened = opening => opened,
        // What another one waits for in vain is not available here either; where that one was refused, this one may have been let in.
        () = in_vain(test) => Err(NotLoggedIn::NoAnswer),
        () = line.over() => return Err(Unopened::Over),
    };
    match opened {
        Ok(session) => Ok(session),
        Err(error) => Err(why_not(test, line, &error).await),
    }
}

/// Returns while it is being found out why a session got no answer. One that was refused says nothing of those that were accepted.
async fn in_vain(test: &Test) {
    test.control.opening_in_doubt().await;
    if test.login.budget.is_limited() {
        std::future::pending::<()>().await;
    }
}

/// Finds out why a session could not be opened: whether the path went down at that moment, or only new sessions are kept out.
async fn why_not(test: &Test, line: &Line, error: &NotLoggedIn) -> Unopened {
    if control::is_refusal(error) {
        return Unopened::Refused(error.to_string());
    }
    let finding = tokio::select! {
        finding = test.control.settle_opening() => finding,
        () = line.over() => return Unopened::Refused(error.to_string()),
    };
    match finding {
        Finding::Fine { .. } => Unopened::TryAgain(error.to_string()),
        Finding::Refused(why) => Unopened::Refused(why),
        finding @ (Finding::Disturbed { .. } | Finding::NoPath { .. }) => {
            line.tell(SessionEvent::Doubt(finding));
            Unopened::TryAgain(error.to_string())
        }
    }
}

/// Spends the stretches that the coordinator orders, until it orders something else; `stretch` counts them.
async fn obey(test: &Test, line: &mut Line, role: Role, session: &mut IdleSession, stretch: &mut u32) -> Order {
    let mut last = None;
    loop {
        let directive = line.order_after(*stretch).await;
        *stretch = directive.stretch;
        let Order::Probe(probe) = directive.order else { return directive.order };
        prepare(role, probe, last, session).await;
        let ended = run_stretch(&mut Means { line, control: &test.control, role }, session, probe).await;
        last = Some(ended.probe);
        line.tell(SessionEvent::Ended(Box::new(ended)));
    }
}

/// Sends or sets everything needed before a silence begins.
async fn prepare(role: Role, probe: NextProbe, last: Option<NextProbe>, session: &mut IdleSession) {
    if role == Role::ServerData && last.is_none() {
        session.ask_for_lines().await;
    }
    if matches!(last, Some(NextProbe::ServerFirst(_))) {
        // A timer that counts only what we say runs since before the server spoke; a session that is lost here is found so later.
        session.ask().await;
    }
    if let NextProbe::ServerFirst(seconds) = probe {
        session.ask_for_line(seconds).await;
    }
    if role == Role::TcpKeepalive {
        session.tcp_keepalive(Some(TCP_KEEPALIVE));
    }
    session.connection().record().expect(role.expects(probe));
}
