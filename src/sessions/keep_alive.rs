//! A TCP keepalive that stays on running clients.

use std::io;

use anyhow::{Result, bail};
use ssh_doctor_checks::base::text::seconds;
use ssh_doctor_checks::facts::live_sessions::{LiveSession, Role, TcpKeepalive};
use ssh_doctor_checks::measure::sessions::{borrowed, keepalive_of, leave_keepalive, set_keepalive};

use super::args::{KeepAlive, to_restore};
use super::describe::Described;
use crate::diagnose::Verdict;
use crate::terminal::{remark, say};

/// Sets it on each client's connection; says what was done and how to undo it.
pub(super) fn set(sessions: &[LiveSession], wanted: KeepAlive) -> Result<Verdict> {
    let (mut verdict, mut done) = (Verdict::Healthy, Vec::new());
    for session in sessions.iter().filter(|session| session.role == Role::Client) {
        let Some(pid) = session.process.as_ref().map(|process| process.pid) else { continue };
        match set_one(session, wanted) {
            Ok((before, now)) => done.push(format!(
                "PID {pid} to {}: TCP keepalive {} (was {})\n  To undo it: ssh-doctor sessions --keep-alive {} {pid}\n",
                Described::of(session).peer,
                in_words(now),
                in_words(before),
                to_restore(before),
            )),
            Err(error) => {
                verdict = Verdict::Inconclusive;
                remark(format_args!("ssh-doctor: PID {pid} is unchanged: its socket cannot be borrowed ({error})"));
            }
        }
    }
    if done.is_empty() && verdict == Verdict::Healthy {
        bail!("no SSH client of yours is running: nothing was changed");
    }
    say(&done.concat())?;
    Ok(verdict)
}

/// The values before and after.
fn set_one(session: &LiveSession, wanted: KeepAlive) -> io::Result<(TcpKeepalive, TcpKeepalive)> {
    let before = keepalive_of(&borrowed(session)?)?;
    match wanted {
        KeepAlive::After(idle) => leave_keepalive(session, idle)?,
        KeepAlive::Off => set_keepalive(session, TcpKeepalive { on: false, ..before })?,
        KeepAlive::Exactly(values) => set_keepalive(session, values)?,
    };
    Ok((before, keepalive_of(&borrowed(session)?)?))
}

fn in_words(keepalive: TcpKeepalive) -> String {
    if keepalive.on { format!("after {} of idle time", seconds(keepalive.idle_s as f64)) } else { "off".to_owned() }
}
