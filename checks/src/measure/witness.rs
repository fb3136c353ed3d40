//! The user's own ssh as a witness: run as far as its login, with nothing run on the server, and its log read.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::context::Context;
use crate::base::masking::masked;
use crate::base::own_ssh::OwnSsh;
use crate::base::target::Strictness;
use crate::base::text::sanitize;
use crate::facts::log::{Connection, Event};
use crate::facts::witness::{Witness, WitnessReason};
use crate::facts::{Check, Evidence, Step, auth};
use crate::logs;
use crate::os::pause::timeout_at;
use crate::ssh::openssh;

/// The most that is read of ssh's log, bytes: a login takes some 10 KiB.
const MOST: u64 = 1 << 20;
/// The beginnings of what ssh itself prints beside its debugging output.
const OWN_WORDS: [&str; 19] = [
    "@",
    "Bad server host key",
    "banner exchange: ",
    "channel ",
    "Connection closed by ",
    "Connection reset by ",
    "Connection timed out during banner exchange",
    "Could not request ",
    "Disconnected from ",
    "Error: remote port forwarding failed for listen ",
    "Host key verification failed",
    "kex_exchange_identification: ",
    "No ",
    "Permission denied",
    "Received disconnect from ",
    "sign_and_send_pubkey: ",
    "ssh_dispatch_run_fatal: ",
    "Tunnel ",
    "Unable to negotiate with ",
];
/// Messages of ssh once the server has answered every requested forwarding; the second is that of versions before
/// OpenSSH 8.3.
const FORWARDED: [&str; 2] =
    ["debug1: forwarding_success: all expected", "debug1: All remote forwarding requests processed"];
/// The last words that are kept.
const WORDS: usize = 4;
/// The time beyond connecting and the key exchange for which ssh is awaited, beside an examination.
const LOGIN: Duration = Duration::from_secs(5);
/// The least time in which a run of ssh may tell anything.
const LEAST: Duration = Duration::from_secs(1);
/// The time that ssh may take to disconnect.
const GOODBYE: Duration = Duration::from_secs(1);

/// A run of ssh that is under way beside the checks.
#[derive(Default)]
pub(crate) struct Asked(Option<JoinHandle<Option<Witness>>>);

/// Runs ssh beside the checks that follow the login, where that was asked for and the login succeeded: ssh's own is not likely to fail.
pub(crate) fn beside(ctx: &Context, login: &Step<auth::Facts>) -> Asked {
    if !ctx.limits.with_ssh || login.passed().is_none_or(auth::Facts::took_answers) {
        return Asked(None);
    }
    let ctx = ctx.clone();
    let until = Instant::now() + ctx.limits.connect + LOGIN;
    Asked(Some(tokio::spawn(async move { ask(&ctx, WitnessReason::Asked, goal(&ctx), until).await })))
}

/// Runs ssh as far as its login before ours, which may lack what ssh logs in with.
pub(crate) async fn before(ctx: &Context) -> Option<Witness> {
    let reason = if ctx.limits.with_ssh { WitnessReason::Asked } else { WitnessReason::Settings };
    ask(ctx, reason, goal(ctx), Instant::now() + ctx.limits.connect + LOGIN).await
}

/// The check that ssh is to come through where it logs in: beyond that, it is asked only for a forwarding that decides whether it goes on,
/// and only where nothing of that is left behind.
fn goal(ctx: &Context) -> Check {
    let decides = |own: &OwnSsh| {
        let forwardings = &own.forwardings;
        forwardings.required && !forwardings.requested.is_empty() && !forwardings.leaves_socket
    };
    if ctx.target.own_ssh.as_ref().is_some_and(decides) { Check::Channel } else { Check::Auth }
}

impl Asked {
    /// Returns the outcome of ssh.
    pub(crate) async fn conclude(self) -> Option<Witness> {
        self.0?.await.ok().flatten()
    }
}

/// Runs ssh after an examination that leaves open what only ssh can tell; never after a failed login.
pub(crate) async fn afterwards(ctx: &Context, selected: &BTreeSet<Check>, evidence: &Evidence) -> Option<Witness> {
    if evidence.witness.is_some() || ctx.stop.asked() || ctx.budget.spent().failed_logins > 0 || !may_go(evidence) {
        return None;
    }
    let reason = if ctx.limits.with_ssh { WitnessReason::Asked } else { reason(evidence)? };
    let logs_in = selected.contains(&Check::Auth);
    let failed = reason == WitnessReason::BeforeLogin || reason == WitnessReason::Undecided;
    // A run that fails has its promised time.
    let until = if failed { ctx.until() } else { Instant::now() + ctx.limits.connect + LOGIN };
    if until < Instant::now() + LEAST {
        return None;
    }
    ask(ctx, reason, if logs_in { goal(ctx) } else { Check::Handshake }, until).await
}

/// True if ssh's own attempt does no harm and tells something: it comes to the server, and so far as we know the key is the server's.
fn may_go(evidence: &Evidence) -> bool {
    let is_stopped = evidence.config.failed().is_some() || evidence.tcp.failed().is_some();
    // With StrictHostKeyChecking no, ssh would present its keys to a server that may be false.
    let is_withheld = evidence.hostkey.facts().is_some_and(|facts| facts.decision.trust().is_none());
    // In batch mode ssh would have its login refused.
    let took_answers = evidence.auth.passed().is_some_and(auth::Facts::took_answers);
    let hops_fail = evidence.hops.iter().any(|hop| !matches!(hop.evidence.auth.step, Step::Passed(_)));
    !is_stopped && !is_withheld && !took_answers && !hops_fail
}

/// Returns the reason for running ssh without being asked to.
fn reason(evidence: &Evidence) -> Option<WitnessReason> {
    let unfinished = [
        matches!(evidence.handshake.step, Step::Error(_)),
        matches!(evidence.hostkey.step, Step::Error(_)),
        matches!(evidence.auth.step, Step::Error(_)),
    ];
    if unfinished.contains(&true) {
        return Some(WitnessReason::Undecided);
    }
    if let Some(handshake) = evidence.handshake.failed() {
        // Two lists without a name in common are no matter of opinion, and each connection without a login is penalized.
        let is_settled =
            handshake.server_offer.is_some() && !handshake.client_offer.kex.is_empty() && !handshake.user_would_agree();
        // A proxy command that ended ends for ssh too.
        let by_library = handshake.library_error.is_some()
            && handshake.proxy_end.is_none()
            && !handshake.is_refusal()
            && !is_settled;
        return by_library.then_some(WitnessReason::BeforeLogin);
    }
    let is_reached = evidence.handshake.passed().is_some();
    (is_reached && !evidence.settings.deciding.is_empty()).then_some(WitnessReason::Settings)
}

async fn ask(ctx: &Context, reason: WitnessReason, until: Check, deadline: Instant) -> Option<Witness> {
    let own = ctx.target.own_ssh.as_ref()?;
    let began = Instant::now();
    ctx.budget.note_other_connection();
    let mut command = openssh::command(&arguments(ctx, own, until));
    // What it starts, a proxy command or the helper for security keys, ends with it.
    let mut child = command.stdout(Stdio::null()).process_group(0).spawn().ok()?;
    let mut log = Vec::new();
    let reading = timeout_at(deadline, read(&mut child, until, &mut log));
    let ended = tokio::select! {
        ended = reading => ended.is_ok(),
        () = ctx.stop.wait() => false,
    };
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    let connection = logs::read(log.as_slice()).ok()?.connections.pop().unwrap_or_default();
    let mut witness = witness(reason, until, &connection, &log);
    (witness.ms, witness.cut) = (ms, !ended && !witness.came_through());
    let runs_commands =
        ctx.target.proxy.as_ref().is_some_and(|proxy| proxy.hops.is_empty()) || ctx.target.host_keys.command;
    if runs_commands && !ctx.limits.plain {
        witness.words = witness.words.into_iter().map(own_words).collect();
    }
    witness.status = end(&mut child, witness.came_through() || witness.cut).await;
    if ctx.stop.asked() && !witness.came_through() {
        return None;
    }
    if witness.login_begun && until >= Check::Auth && (witness.logged_in() || !witness.cut) {
        ctx.budget.note_login(witness.logged_in());
    }
    Some(witness)
}

/// A line of ssh's own; of one that a command of the user's settings may have printed the length and a hash.
fn own_words(line: String) -> String {
    let is_own =
        OWN_WORDS.iter().any(|beginning| line.starts_with(beginning)) || line.contains(": Permission denied (");
    if is_own { line } else { masked(&line) }
}

/// Reads ssh's log until it has come through, or its end.
async fn read(child: &mut Child, until: Check, log: &mut Vec<u8>) {
    let Some(stderr) = child.stderr.take() else { return };
    let done: &[&str] = match until {
        Check::Channel => &FORWARDED,
        Check::Auth => &["debug1: Authentication succeeded", "Authenticated to "],
        _ => &["debug1: SSH2_MSG_NEWKEYS received"],
    };
    let mut lines = BufReader::new(stderr.take(MOST));
    loop {
        let from = log.len();
        match lines.read_until(b'\n', log).await {
            Ok(0) | Err(_) => return,
            Ok(_) if done.iter().any(|text| log[from..].starts_with(text.as_bytes())) => return,
            Ok(_) => {}
        }
    }
}

/// Ends ssh and what it has started; its exit status, where it ended by itself.
async fn end(child: &mut Child, by_us: bool) -> Option<i32> {
    let group = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
    let signal = |signal| {
        // It may have ended meanwhile.
        let _ = group.map(|group| killpg(group, signal));
    };
    if by_us {
        signal(Signal::SIGTERM);
    }
    if let Ok(status) = timeout(GOODBYE, child.wait()).await {
        return status.ok()?.code().filter(|_| !by_us);
    }
    signal(Signal::SIGKILL);
    let _ = child.kill().await;
    None
}

fn witness(reason: WitnessReason, until: Check, log: &Connection, text: &[u8]) -> Witness {
    let checks = [Check::Tcp, Check::Handshake, Check::Hostkey, Check::Auth];
    let replied = log.all(Event::KexReply).count() + log.all(Event::NewkeysReceived).count();
    let awaited = log.all(Event::KexReplyAwaited).last().filter(|_| replied == 0);
    let kex = log.all(Event::Algorithm).find(|entry| entry.value("kind") == Some("kex"));
    let is_word = |line: &&str| !line.starts_with("debug") && !line.starts_with("OpenSSH_") && !line.trim().is_empty();
    let text = String::from_utf8_lossy(text);
    let words: Vec<_> = text.lines().filter(is_word).map(|line| sanitize(line.trim())).collect();
    let forwards = || text.lines().any(|line| FORWARDED.iter().any(|said| line.starts_with(said)));
    let reached = checks.into_iter().rfind(|check| log.passed(*check));
    Witness {
        reason,
        until,
        ssh: log.program.as_ref().and_then(|program| program.version.as_deref()).map(sanitize),
        ms: 0.0,
        reached: if reached == Some(Check::Auth) && forwards() { Some(Check::Channel) } else { reached },
        kex: kex.and_then(|entry| entry.value("name")).map(sanitize),
        awaited: awaited.and_then(|entry| entry.value("message")).map(sanitize),
        login_begun: log.first(Event::LoginBegun).is_some(),
        method: log.all(Event::LoggedIn).last().and_then(|entry| entry.value("method")).map(sanitize),
        status: None,
        cut: false,
        words: words[words.len().saturating_sub(WORDS)..].to_vec(),
    }
}

/// ssh's arguments: of an option the first value counts, so ours come first. It shares no connection, runs nothing, forwards nothing
/// unless that is what it is run for, and writes to no file.
fn arguments(ctx: &Context, own: &OwnSsh, until: Check) -> Vec<String> {
    let options = [
        "BatchMode=yes",
        "ControlMaster=no",
        "PermitLocalCommand=no",
        "RemoteCommand=none",
        "AddKeysToAgent=no",
        "UpdateHostKeys=no",
    ];
    let nothing = ["ClearAllForwardings=yes", "Tunnel=no"];
    let options = options.into_iter().chain(nothing.into_iter().filter(|_| until != Check::Channel));
    let mut arguments: Vec<String> = ["-v", "-N", "-T", "-a", "-x", "-S", "none"].map(Into::into).into();
    let mut add = |option: String| arguments.extend(["-o".to_owned(), option]);
    for option in options {
        add(option.to_owned());
    }
    // Older versions do not know it; where it is set, this one does.
    if own.settings.iter().any(|setting| setting.keyword.eq_ignore_ascii_case("ForkAfterAuthentication")) {
        add("ForkAfterAuthentication=no".to_owned());
    }
    if matches!(ctx.target.host_keys.strictness, Strictness::AcceptNew | Strictness::No) {
        // A new key goes into the first file.
        let files = ctx.target.host_keys.user_files.iter().map(|file| quoted(&file.display().to_string()));
        add(format!("UserKnownHostsFile=/dev/null {}", files.collect::<Vec<_>>().join(" ")));
    }
    arguments.extend(own.arguments.iter().cloned());
    arguments
}

/// A file name as ssh_config(5) takes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::{Check, WitnessReason, logs, witness};
    use crate::facts::witness::Witness;

    fn read(log: &str, until: Check) -> Witness {
        let connection = logs::read(log.as_bytes()).unwrap().connections.pop().unwrap();
        witness(WitnessReason::Asked, until, &connection, log.as_bytes())
    }

    const KEYS: &str = "OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.9\n\
        debug1: Connection established.\n\
        debug1: kex: algorithm: sntrup761x25519-sha512@openssh.com\n\
        debug1: expecting SSH2_MSG_KEX_ECDH_REPLY\n";

    #[test]
    fn a_stall_in_the_key_exchange_is_told_by_the_message_that_was_awaited() {
        let stalled = read(KEYS, Check::Auth);
        assert_eq!(stalled.awaited.as_deref(), Some("SSH2_MSG_KEX_ECDH_REPLY"));
        assert_eq!(stalled.kex.as_deref(), Some("sntrup761x25519-sha512@openssh.com"));
        assert_eq!(stalled.reached, Some(Check::Tcp));
        assert!(!stalled.came_through() && !stalled.login_begun);
    }

    #[test]
    fn what_a_command_of_the_settings_prints_is_masked_and_what_ssh_prints_is_not() {
        for own in ["Host key verification failed.", "me@db: Permission denied (publickey)."] {
            assert_eq!(super::own_words(own.into()), own);
        }
        assert!(!super::own_words("hunter2".into()).contains("hunter2"));
    }

    #[test]
    fn a_login_is_told_from_a_refusal_with_its_words() {
        let keys = format!(
            "{KEYS}debug1: SSH2_MSG_KEX_ECDH_REPLY received\ndebug1: SSH2_MSG_NEWKEYS received\n\
             debug1: SSH2_MSG_SERVICE_ACCEPT received\n"
        );
        let refused = read(&format!("{keys}root@db: Permission denied (publickey).\n"), Check::Auth);
        assert_eq!(refused.words, ["root@db: Permission denied (publickey)."]);
        assert!(refused.login_begun && !refused.logged_in() && refused.awaited.is_none());
        let in_by_key =
            read(&format!("{keys}Authenticated to db ([192.0.2.7]:22) using \"publickey\".\n"), Check::Auth);
        assert_eq!((in_by_key.logged_in(), in_by_key.method.as_deref()), (true, Some("publickey")));
        assert!(read(&keys, Check::Handshake).came_through() && !read(&keys, Check::Handshake).logged_in());
    }
}
