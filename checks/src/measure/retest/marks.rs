//! Do ssh's marks decide: the same login and a command without them, while the marked connection is still open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Shape, data};
use crate::base::elapsed::ms_since;
use crate::base::target::{Route, Target};
use crate::facts::retest::{Marks, RetestOutcome};
use crate::facts::tcp::TcpInfo;
use crate::os::socket::Socket;
use crate::ssh::connection::Connection;
use crate::ssh::login::Login;

/// Bytes that the unmarked command returns.
const BYTES: usize = 64;
/// The time that the unmarked login and its command are waited for, each.
const DEADLINE: Duration = Duration::from_secs(5);
/// The time that the marked connection is waited for once its marks are off: after 10 s of silence the kernel's next
/// repetition is 6.4 s after the last one at most (RFC 6298 section 5.5, beginning at 200 ms).
const REPEATED: Duration = Duration::from_secs(7);
/// The interval at which the kernel is queried, since it does not report when data was acknowledged.
const GLANCE: Duration = Duration::from_millis(100);

/// Logs in once more without the marks, on one connection; where that works, takes them off the one that does not.
///
/// It takes 18 s at most.
pub(crate) async fn unmarked(connection: &Connection, login: &Login) -> Option<Marks> {
    let Route::Direct(address) = login.route else { return None };
    let tos = login.target.tos.filter(|tos| *tos != 0)?;
    if !login.repeatable() || login.budget.left() == 0 {
        return None;
    }
    let view = || connection.socket().and_then(Socket::tcp_info);
    let marked = view();
    let target = Arc::new(Target { tos: None, ..Target::clone(&login.target) });
    let arm = data(&Login { target, ..login.clone() }, Shape::default(), BYTES, DEADLINE).await.arm;
    let marked_after = view();
    let mut acknowledged_ms = None;
    if arm.outcome == RetestOutcome::Through && marked_after.is_some_and(|tcp| tcp.is_losing()) {
        connection.apply_tos(Some(0), Route::Direct(address));
        acknowledged_ms = acknowledged(view).await;
    }
    Some(Marks { tos, marked, arm, marked_after, acknowledged_ms })
}

async fn acknowledged(view: impl Fn() -> Option<TcpInfo>) -> Option<f64> {
    let began = Instant::now();
    while began.elapsed() < REPEATED {
        if view().is_some_and(|tcp| tcp.is_acknowledged()) {
            return Some(ms_since(began));
        }
        tokio::time::sleep(GLANCE).await;
    }
    None
}
