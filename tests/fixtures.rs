//! The fixtures against the real OpenSSH client: what they imitate must look to it as the real thing does.

use std::ops::Range;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ssh_doctor::demo::{self, RunningDemo};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes, shorter than a person's patience.
const DEADLINE: Duration = Duration::from_secs(20);

/// What ssh did.
struct Told {
    status: Option<i32>,
    stdout: String,
    stderr: String,
    took: Duration,
}

/// Runs ssh against the case with these further options; no status when it had to be ended after `patience`.
async fn ssh(stage: &RunningDemo, options: &[&str], command: &str, patience: Duration) -> Told {
    let target = &stage.target;
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-n", "-T", "-v", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]);
    ssh.args(["-o", "GlobalKnownHostsFile=none", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]);
    ssh.arg("-o").arg(format!("UserKnownHostsFile={}", target.host_keys.user_files[0].display()));
    for identity in &target.credentials.identities {
        ssh.arg("-i").arg(&identity.path);
    }
    ssh.args(options).args(["-p", &target.port.to_string(), "-l", &target.user, &target.host, command]);
    ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let began = Instant::now();
    let child = ssh.spawn().expect("the OpenSSH client is installed");
    match timeout(patience, child.wait_with_output()).await {
        Ok(output) => {
            let output = output.unwrap();
            Told {
                status: output.status.code(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                took: began.elapsed(),
            }
        }
        Err(_) => Told { status: None, stdout: String::new(), stderr: String::new(), took: began.elapsed() },
    }
}

async fn started(case: &str) -> RunningDemo {
    demo::start(Some(case)).await.unwrap()
}

#[tokio::test]
async fn a_healthy_server_runs_commands() {
    let stage = started("healthy").await;
    let told = ssh(&stage, &[], "echo out; echo err >&2; exit 7", DEADLINE).await;
    assert_eq!((told.status, told.stdout.as_str()), (Some(7), "out\n"), "{}", told.stderr);
    assert!(told.stderr.contains("err\n"), "{}", told.stderr);
    let told = ssh(&stage, &[], "head -c 3000000 /dev/zero | wc -c; head -c 3000000 /dev/zero", DEADLINE).await;
    assert_eq!((told.status, told.stdout.len()), (Some(0), "3000000\n".len() + 3_000_000));
}

#[tokio::test]
async fn ssh_hangs_in_the_forgetful_network_and_lives_with_keepalives() {
    let stage = started("silent-drop").await;
    let (plain, kept) = tokio::join!(
        ssh(&stage, &[], "sleep 9; echo hi", Duration::from_secs(14)),
        ssh(&stage, &["-o", "ServerAliveInterval=2"], "sleep 9; echo hi", DEADLINE),
    );
    assert_eq!(plain.status, None, "a forgotten connection hangs: {}", plain.stderr);
    assert_eq!((kept.status, kept.stdout.as_str()), (Some(0), "hi\n"), "{}", kept.stderr);
}

#[tokio::test]
async fn every_other_death_by_silence_is_told_as_the_real_one() {
    let mut running = JoinSet::new();
    for (case, words) in [
        ("reset-at-expiry", "client_loop: send disconnect"),
        ("closed-by-proxy", "closed by remote host"),
        ("server-closes", "closed by remote host"),
        ("server-resets", "client_loop: send disconnect"),
        ("server-disconnects", "idle connection timeout expired"),
    ] {
        running.spawn(dies(case, &[], words, 4.0..6.5));
    }
    // The keepalive comes too late, and is answered with a reset. ssh counts in whole seconds, and early.
    running.spawn(dies("reset-on-packet", &["-o", "ServerAliveInterval=7"], "client_loop: send disconnect", 5.9..8.5));
    running.join_all().await;
}

async fn dies(case: &'static str, options: &'static [&str], words: &'static str, after: Range<f64>) {
    let stage = started(case).await;
    let told = ssh(&stage, options, "sleep 9; echo hi", DEADLINE).await;
    assert_eq!(told.status, Some(255), "{case}: {}", told.stderr);
    assert!(told.stderr.contains(words), "{case}: {}", told.stderr);
    assert!(after.contains(&told.took.as_secs_f64()), "{case} took {:?}", told.took);
}

#[tokio::test]
async fn no_keepalive_defeats_a_channel_timeout() {
    let stage = started("channel-timeout").await;
    let told = ssh(&stage, &["-o", "ServerAliveInterval=1"], "sleep 9; echo hi", DEADLINE).await;
    assert_eq!((told.status, told.stdout.as_str()), (Some(255), ""), "{}", told.stderr);
    assert!((4.0..4.9).contains(&told.took.as_secs_f64()), "took {:?}", told.took);
    assert!(!told.stderr.contains("closed by remote host"), "the connection lives on: {}", told.stderr);
}

#[tokio::test]
async fn every_refusal_is_told_as_the_real_one() {
    let refusals = [
        ("refused", "Connection refused"),
        ("filtered", "Connection timed out"),
        ("http", "kex_exchange_identification"),
        ("no-banner", "Connection timed out during banner exchange"),
        ("closed-at-once", "kex_exchange_identification: Connection closed by remote host"),
        ("reset", "Connection reset by peer"),
        ("max-startups", "Exceeded MaxStartups"),
        ("ssh1", "Protocol major versions differ: 2 vs. 1"),
        ("no-common-kex", "no matching key exchange method found. Their offer: diffie-hellman-group1-sha1"),
        ("no-common-hostkey", "no matching host key type found. Their offer: ssh-dss"),
        ("no-common-cipher", "no matching cipher found. Their offer: arcfour,blowfish-cbc"),
        ("no-common-mac", "no matching MAC found. Their offer: hmac-md5,hmac-ripemd160"),
        ("hostkey-changed", "REMOTE HOST IDENTIFICATION HAS CHANGED"),
        ("hostkey-unknown", "Host key verification failed"),
        ("hostkey-revoked", "REVOKED HOST KEY"),
        ("key-rejected", "Permission denied (publickey)"),
        ("password-only", "Permission denied (password)"),
        ("too-many-failures", "Too many authentication failures"),
        ("second-factor", "Authenticated using \"publickey\" with partial success"),
        ("channel-refused", "open failed"),
        ("exec-refused", "exec request failed on channel 0"),
        ("nologin", ""),
    ];
    for (case, words) in refusals {
        let stage = started(case).await;
        let told = ssh(&stage, &["-o", "ConnectTimeout=2"], "echo hi", DEADLINE).await;
        assert!(told.stderr.contains(words), "{case}: {}", told.stderr);
        assert!(
            !told.stdout.contains("hi\n") && told.status.is_some_and(|status| status != 0),
            "{case}: {}",
            told.stderr
        );
    }
}
