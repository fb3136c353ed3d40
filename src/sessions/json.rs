//! The live sessions as one JSON object.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use ssh_doctor_checks::facts::live_sessions::{Probe, Role, TcpKeepalive};

use super::listed::{Listed, verdict};
use super::state::State;
use crate::diagnose::Verdict;
use crate::report::json::{Time, Tool, schema_of, schema_text, to_text};

/// The version of this object.
const SCHEMA_VERSION: u32 = 1;

/// The SSH connections that are open on a machine.
#[derive(Serialize, JsonSchema)]
struct SessionsReport<'a> {
    /// The version of this format. Additions keep it: ignore keys that you do not know.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// The program that wrote it.
    tool: Tool,
    /// The time of the second look at the sockets: RFC 3339, UTC, milliseconds.
    at: Time,
    /// The verdict: `broken` where a session is frozen or dead.
    verdict: Verdict,
    /// The sessions.
    sessions: Vec<Session<'a>>,
    /// The facts that this user's rights, or a run without a probe, do not show, as phrases.
    not_known: &'a [String],
}

/// One SSH connection; `null` is not known.
#[derive(Serialize, JsonSchema)]
struct Session<'a> {
    /// The end of the connection that this machine is.
    role: Role,
    /// The process that speaks SSH on it.
    pid: Option<u32>,
    /// Its program.
    program: &'a str,
    /// The name of its process.
    command: Option<String>,
    /// The user or the login that it belongs to.
    owner: &'a str,
    /// The other end, by name where it has one.
    peer: &'a str,
    /// The address and port on this machine.
    local: String,
    /// The address and port of the other end.
    remote: String,
    /// Programs that share it: those that use a control master, sshfs.
    used_by: Vec<User<'a>>,
    /// The age of the process, seconds.
    age_s: Option<f64>,
    /// Time since data came last, seconds.
    received_idle_s: Option<f64>,
    /// Time since data was sent last, seconds.
    sent_idle_s: Option<f64>,
    /// Time since the last acknowledgement, seconds.
    acknowledged_idle_s: Option<f64>,
    /// Bytes that came and that the program has not read.
    unread_bytes: u32,
    /// Bytes that were sent and not acknowledged.
    unacknowledged_bytes: u32,
    /// Retransmissions of the oldest of them in a row.
    retransmissions: Option<u8>,
    /// The kernel's estimate of the round trip, milliseconds.
    rtt_ms: Option<f64>,
    /// The state, judged by the kernel's counters.
    #[schemars(extend("enum" = State::NAMES))]
    state: &'static str,
    /// Time since the first segment without an acknowledgement was sent, seconds.
    unanswered_s: Option<f64>,
    /// Time after which the kernel or ssh gives up, seconds.
    gives_up_s: Option<f64>,
    /// The kernel's TCP keepalive on it.
    tcp_keepalive: Option<TcpKeepalive>,
    /// The outcome of a few TCP keepalives (`--probe`).
    probe: Option<&'a Probe>,
    /// A command that ends a lost session.
    to_end_it: Option<String>,
}

/// A program that shares a connection.
#[derive(Serialize, JsonSchema)]
struct User<'a> {
    /// Its process.
    pid: u32,
    /// The name of the process.
    program: &'a str,
}

/// The JSON Schema (draft 2020-12) of what `sessions --format json` prints; it ends with a line end.
#[must_use]
pub fn schema() -> String {
    schema_text(&schema_of::<SessionsReport<'static>>("sessions", SCHEMA_VERSION))
}

/// One object; every key is always there.
pub(super) fn render(listed: &[Listed], not_known: &[String], pretty: bool) -> String {
    let report = SessionsReport {
        schema_version: SCHEMA_VERSION,
        tool: Tool::THIS,
        at: Time(Timestamp::now()),
        verdict: verdict(listed),
        sessions: listed.iter().map(session).collect(),
        not_known,
    };
    to_text(&report, pretty) + "\n"
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
