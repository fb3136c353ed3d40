//! The live sessions as one JSON object.

use jiff::Timestamp;
use serde::Serialize;
use ssh_doctor_checks::facts::live_sessions::{Probe, Role, TcpKeepalive};

use super::listed::{Listed, verdict};
use super::state::State;
use crate::diagnose::Verdict;

/// The version of this object.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct SessionsReport<'a> {
    schema_version: u32,
    tool: Tool,
    at: Timestamp,
    verdict: Verdict,
    sessions: Vec<Session<'a>>,
    not_known: &'a [String],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Session<'a> {
    role: Role,
    pid: Option<u32>,
    program: &'a str,
    command: Option<String>,
    owner: &'a str,
    peer: &'a str,
    local: String,
    remote: String,
    used_by: Vec<User<'a>>,
    age_s: Option<f64>,
    received_idle_s: Option<f64>,
    sent_idle_s: Option<f64>,
    acknowledged_idle_s: Option<f64>,
    unread_bytes: u32,
    unacknowledged_bytes: u32,
    retransmissions: Option<u8>,
    rtt_ms: Option<f64>,
    state: &'static str,
    unanswered_s: Option<f64>,
    gives_up_s: Option<f64>,
    tcp_keepalive: Option<TcpKeepalive>,
    probe: Option<&'a Probe>,
    to_end_it: Option<String>,
}

#[derive(Serialize)]
struct User<'a> {
    pid: u32,
    program: &'a str,
}

/// One object; every key is always there.
pub(super) fn render(listed: &[Listed], not_known: &[String], pretty: bool) -> String {
    let answer = SessionsReport {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "ssh-doctor", version: env!("CARGO_PKG_VERSION") },
        at: Timestamp::now(),
        verdict: verdict(listed),
        sessions: listed.iter().map(session).collect(),
        not_known,
    };
    let json = if pretty { serde_json::to_string_pretty(&answer) } else { serde_json::to_string(&answer) };
    // Plain records with text keys always become JSON.
    json.unwrap_or_default() + "\n"
}

fn session(listed: &Listed) -> Session<'_> {
    let [received, sent, acknowledged] = listed.quiet_s().map_or([None; 3], |quiet| quiet.map(Some));
    let process = listed.session.process.as_ref();
    Session {
        role: listed.session.role,
        pid: listed.pid(),
        program: &listed.described.program,
        command: process.map(|process| process.name.clone()),
        owner: &listed.described.owner,
        peer: &listed.described.peer,
        local: listed.socket.local.to_string(),
        remote: listed.socket.remote.to_string(),
        used_by: listed.session.partners.iter().map(|user| User { pid: user.pid, program: &user.name }).collect(),
        age_s: process.map(|process| process.age_s),
        received_idle_s: received,
        sent_idle_s: sent,
        acknowledged_idle_s: acknowledged,
        unread_bytes: listed.socket.receive_queue,
        unacknowledged_bytes: listed.socket.send_queue,
        retransmissions: listed.socket.info.map(|info| info.backoff),
        rtt_ms: listed.socket.info.map(|info| f64::from(info.rtt_us) / 1000.0),
        state: listed.state.name(),
        unanswered_s: match listed.state {
            State::Frozen { unanswered_s } => Some(unanswered_s),
            _ => None,
        },
        gives_up_s: listed.gives_up_s(),
        tcp_keepalive: listed.session.keepalive,
        probe: listed.session.probe.as_ref(),
        to_end_it: listed.state.is_lost().then(|| listed.to_end_it()).flatten(),
    }
}
