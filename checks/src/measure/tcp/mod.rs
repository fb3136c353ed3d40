//! TCP reachability: every address tried by itself, the first in ssh's order that connects carries the examination.

mod attempts;

use tokio::net::TcpStream;

use super::examination::Examination;
use crate::base::target::Route;
use crate::base::text;
use crate::facts::Step;
use crate::facts::tcp::{Facts, Path};
use crate::os::socket::Socket;
use crate::ssh::dial;
use crate::ssh::transport::Transport;

/// Connects to every address at once and leaves the connection that ssh would have got.
///
/// The other connections are closed without a word: each costs its server a line in the log, and from OpenSSH 9.8 on a
/// second of penalty (`PerSourcePenalties`, sshd_config(5)), far below the 15 s at which sshd begins to refuse.
/// It takes `Limits::connect` at most; `--deep` repeats the connection for 6 s more.
pub async fn check(exam: &mut Examination) -> Step<Facts> {
    if let Some(proxy) = &exam.target.proxy {
        let by = if proxy.hops.is_empty() { "the proxy command".to_owned() } else { proxy.hops.join(", ") };
        if !proxy.hops.is_empty() {
            let how = if exam.transport.is_some() { "reached through" } else { "it is not reached through" };
            return Step::Skipped(format!("{how} {}", text::sanitize(&by)));
        }
        exam.route = Some(Route::Proxy);
        return match dial::open(&exam.budget, &exam.target, Route::Proxy, exam.limits.connect).await {
            Ok(transport) => {
                exam.transport = Some(transport);
                Step::Skipped(format!("reached through {}", text::sanitize(&by)))
            }
            Err(error) => Step::Error(format!("the proxy command could not be started: {error}")),
        };
    }
    if exam.addresses.is_empty() {
        return Step::Skipped("no address: the dns check left none".into());
    }
    let tried = attempts::all(exam).await;
    let facts = Facts {
        not_tried: exam.addresses.len().saturating_sub(tried.attempts.len()),
        deadline_s: exam.limits.connect.as_secs_f64(),
        bind: exam.target.bind,
        connected_to: tried.winner.as_ref().map(|(address, _)| *address),
        connected_from: tried.winner.as_ref().and_then(|(_, stream)| stream.local_addr().ok()),
        path: tried.winner.as_ref().and_then(|(_, stream)| path(stream)),
        repeats: match &tried.winner {
            Some((address, _)) if exam.limits.deep => attempts::repeated(exam, *address).await,
            _ => Vec::new(),
        },
        attempts: tried.attempts,
    };
    match tried.winner {
        Some((address, stream)) => {
            exam.route = Some(Route::Direct(address));
            exam.transport = Some(Transport::Tcp(stream));
            Step::Passed(facts)
        }
        None if exam.stop.asked() => Step::Skipped("interrupted".into()),
        None => Step::Failed(facts),
    }
}

pub(crate) fn path(stream: &TcpStream) -> Option<Path> {
    let info = Socket::of(stream).ok()?.tcp_info()?;
    Some(Path {
        rtt_ms: f64::from(info.rtt_us) / 1000.0,
        mss: info.mss,
        mtu: info.path_mtu,
        repeated_syns: info.retransmits,
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::base::ask::Nobody;
    use crate::base::limits::Limits;
    use crate::base::stop::Stop;
    use crate::base::target::{Route, Target};
    use crate::facts::tcp::ConnectOutcome;
    use crate::measure::examination::Examination;
    use crate::measure::progress::Progress;
    use std::sync::Arc;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_first_that_connects_is_kept_and_the_others_are_closed() {
        let [closed, first, second] = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let target = Target::bare("localhost", 22, "me");
        let mut exam =
            Examination::new(target, Limits::default(), Progress::default(), Stop::never(), Arc::new(Nobody));
        exam.addresses = [&closed, &first, &second].map(|listener| listener.local_addr().unwrap()).into();
        let [_, first, _] = <[_; 3]>::try_from(exam.addresses.clone()).unwrap();
        drop(closed);
        let step = check(&mut exam).await;
        let facts = step.passed().unwrap();
        assert!(
            matches!(&facts.attempts[0].outcome, ConnectOutcome::Failed { errno: Some(errno), icmp: None, .. } if errno == "ECONNREFUSED")
        );
        assert!(facts.attempts[1..].iter().all(|attempt| attempt.outcome == ConnectOutcome::Connected));
        assert_eq!(exam.route, Some(Route::Direct(first)));
        assert!(exam.transport.is_some());
        let (mut other, _) = second.accept().await.unwrap();
        assert_eq!(other.read(&mut [0; 1]).await.unwrap(), 0);
    }
}
