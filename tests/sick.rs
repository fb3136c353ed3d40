//! The lab is as sick as it claims to be: plain ssh suffers there what the doctor must find.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use crate::lab::{Lab, Middlebox, eventually, remains};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_forgetful_nat_hangs_a_silent_session_and_a_keepalive_saves_it() {
    let Some(lab) = Lab::through(&[Middlebox::Forgets(6)]) else { return };
    let server = lab.sshd(&[]);
    let silent = lab.ssh(&server, &[], "sleep 12; echo hi", s(20));
    assert_eq!((silent.status, &*silent.stdout, &*silent.stderr), (None, "", ""));
    let kept = lab.ssh(&server, &["-o", "ServerAliveInterval=3"], "sleep 12; echo hi", s(20));
    assert_eq!((kept.status, &*kept.stdout), (Some(0), "hi\n"), "{kept:?}");
}

#[test]
fn a_resetting_nat_resets_the_session_when_the_client_speaks() {
    let Some(lab) = Lab::through(&[Middlebox::Resets(6)]) else { return };
    let server = lab.sshd(&[]);
    let late = lab.ssh(&server, &["-o", "ServerAliveInterval=10"], "sleep 30", s(25));
    assert_eq!(late.status, Some(255), "{late:?}");
    // What ssh prints depends on whether it reads or writes next; without the reset it would wait for three more keepalives.
    assert!(["reset", "Broken pipe"].iter().any(|text| late.stderr.contains(text)), "{late:?}");
    assert!((s(9)..s(14)).contains(&late.took), "{late:?}");
    let kept = lab.ssh(&server, &["-o", "ServerAliveInterval=3"], "sleep 12; echo hi", s(20));
    assert_eq!((kept.status, &*kept.stdout), (Some(0), "hi\n"), "{kept:?}");
}

#[test]
fn a_nat_that_picks_flows_up_loses_only_what_the_server_says_first() {
    let Some(lab) = Lab::through(&[Middlebox::PicksUp(6)]) else { return };
    let server = lab.sshd(&[]);
    let client_first = lab.ssh(&server, &["-o", "ServerAliveInterval=10"], "sleep 15; echo hi", s(25));
    assert_eq!((client_first.status, &*client_first.stdout), (Some(0), "hi\n"), "{client_first:?}");
    let server_first = lab.ssh(&server, &[], "sleep 12; echo hi", s(20));
    assert_eq!((server_first.status, &*server_first.stdout), (None, ""), "{server_first:?}");
}

#[test]
fn in_a_chain_the_nat_at_its_hop_forgets_and_the_routers_around_it_do_not() {
    let Some(lab) = Lab::through(&[Middlebox::Plain, Middlebox::Forgets(6), Middlebox::Plain]) else { return };
    let server = lab.sshd(&[]);
    let seen = lab.ssh(&server, &[], "echo $SSH_CLIENT", s(10)).stdout;
    let [behind, inside] = [".2.1 ", ".0.1 "].map(|end| seen.contains(end));
    assert!(behind && !inside, "the server should see the address of hop 2: {seen}");
    assert_eq!(lab.ssh(&server, &[], "sleep 12; echo hi", s(18)).status, None);
    assert_eq!(lab.ssh(&server, &["-o", "ServerAliveInterval=3"], "sleep 12", s(18)).status, Some(0));
}

#[test]
fn a_channel_timeout_ends_the_session_whatever_keeps_the_connection_alive() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["ChannelTimeout session:*=7s"]);
    let run = lab.ssh(&server, &["-o", "ServerAliveInterval=1"], "sleep 30", s(25));
    assert_eq!(run.status, Some(255), "{run:?}");
    assert!((s(6)..s(11)).contains(&run.took), "{run:?}");
    assert!(server.log().contains("seconds of inactivity"), "{}", server.log());
}

#[test]
fn a_cut_stops_everything_and_a_restored_path_carries_again() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let keepalive = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"];
    std::thread::scope(|scope| {
        let session = scope.spawn(|| lab.ssh(&server, &keepalive, "sleep 60", s(30)));
        assert!(eventually(s(10), || server.log().contains("Starting session")), "{}", server.log());
        lab.cut();
        let session = session.join().expect("a run");
        assert_eq!(session.status, Some(255), "{session:?}");
        assert!(session.stderr.contains("not responding"), "{session:?}");
    });
    let fresh = ["-o", "ConnectTimeout=2"];
    assert!(lab.ssh(&server, &fresh, "true", s(10)).stderr.contains("timed out"));
    lab.restore();
    assert_eq!(lab.ssh(&server, &fresh, "true", s(10)).status, Some(0));
}

#[test]
fn a_black_hole_lets_the_version_pass_and_swallows_the_key_exchange() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    lab.mtu_black_hole();
    let run = lab.ssh(&server, &["-v"], "true", s(6));
    assert_eq!(run.status, None, "{run:?}");
    assert!(
        run.stderr.contains("Remote protocol version") && !run.stderr.contains("Authenticating to host"),
        "{run:?}"
    );
    assert!(run.stderr.contains("SSH2_MSG_KEXINIT sent") && !run.stderr.contains("SSH2_MSG_NEWKEYS"), "{run:?}");
}

#[test]
fn filtered_refused_and_unreachable_are_told_apart() {
    let Some(lab) = Lab::healthy() else { return };
    lab.forward("tcp dport 1001 drop");
    let said = |address: std::net::Ipv4Addr, port: &str| {
        let address = address.to_string();
        lab.run("ssh", &["-F", "none", "-o", "ConnectTimeout=8", "-p", port, &address], s(15)).stderr
    };
    let server = lab.server_address();
    assert!(said(server, "1001").contains("Connection timed out"));
    assert!(said(server, "1002").contains("Connection refused"));
    assert!(said(lab.nobody(), "22").contains("No route to host"));
    assert!(said(std::net::Ipv4Addr::new(192, 0, 2, 1), "22").contains("Network is unreachable"));
}

#[test]
fn a_server_with_no_start_up_left_says_so_and_closes() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&["MaxStartups 1"]);
    let hold = format!("exec 3<>/dev/tcp/{}/{}; sleep 6", lab.server_address(), server.port());
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| lab.run("bash", &["-c", &hold], s(10)));
        assert!(eventually(s(5), || server.connections() > 0));
        let refused = lab.ssh(&server, &[], "true", s(5));
        assert!(refused.status == Some(255) && refused.took < s(3), "{refused:?}");
        holder.join().expect("a run");
    });
    assert!(server.log().contains("MaxStartups"), "{}", server.log());
}

#[test]
fn every_real_server_runs_a_command_and_keeps_its_exit_status() {
    let Some(lab) = Lab::healthy() else { return };
    let servers = [Some(lab.sshd(&[])), lab.dropbear(&[]), lab.asyncssh(&[])];
    for server in servers.into_iter().flatten() {
        let run = lab.ssh(&server, &[], "echo out; echo err >&2; exit 3", s(15));
        let words = (run.status, &*run.stdout, run.stderr.contains("err"));
        assert_eq!(words, (Some(3), "out\n", true), "{run:?}\n{}", server.log());
    }
}

#[test]
fn a_host_of_a_lab_has_its_own_names_and_accounts() {
    let Some(lab) = Lab::healthy() else { return };
    lab.client().etc("hosts", &format!("{} database\n", lab.server_address()));
    lab.client().etc("nsswitch.conf", "passwd: files\nhosts: files\n");
    let found = lab.run("getent", &["hosts", "database"], s(5)).stdout;
    assert!(found.starts_with(&lab.server_address().to_string()), "{found}");
    let root = lab.run("getent", &["passwd", "root"], s(5)).stdout;
    assert!(root.contains(&lab.name()), "{root}");
}

#[test]
fn nothing_of_a_lab_stays_also_when_its_test_panics() {
    let Some(lab) = Lab::healthy() else { return };
    let (name, server) = (lab.name(), lab.sshd(&[]));
    assert!(remains(&name).len() >= 6, "{:?}", remains(&name));
    let daemon = format!("/proc/{}", server.pid());
    assert!(fs::exists(&daemon).expect("/proc"));
    let unwound = std::thread::spawn(move || {
        let _held = (lab, server);
        std::panic::resume_unwind(Box::new("a test that fails"));
    });
    assert!(unwound.join().is_err());
    assert_eq!(remains(&name), Vec::<String>::new());
    assert!(!fs::exists(&daemon).expect("/proc"));
}

/// Adds an account to this machine, and takes it away again.
struct Account(String);

impl Account {
    fn add(name: &str) -> Option<Self> {
        let args = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name];
        let added = Command::new("/usr/sbin/useradd").args(args).status();
        added.is_ok_and(|status| status.success()).then(|| Self(name.to_owned()))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = Command::new("/usr/sbin/userdel").arg(&self.0).status();
    }
}

#[test]
fn an_account_that_the_machine_gets_meanwhile_leaves_the_labs_own_alone() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd_with_joe("19000:0:99999:7:::", &[], &[]);
    let joe = || lab.ssh(&server, &["-l", "joe"], "getent passwd joe; getent passwd root", s(10));
    let before = joe();
    assert!(before.status == Some(0) && before.stdout.contains(&lab.name()), "{before:?}");
    let inode = || fs::metadata("/etc/passwd").expect("the machine's own").ino();
    let inode_before = inode();
    // It replaces /etc/passwd by another file, twice.
    let name = format!("sshdoctor-{}", std::process::id());
    let account = Account::add(&name).expect("root may add an account");
    assert_ne!(inode(), inode_before);
    assert_eq!(joe().stdout, before.stdout);
    drop(account);
    assert_eq!(joe().stdout, before.stdout);
}
