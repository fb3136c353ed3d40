//! What happens to the doctor's own machine during the idle test: nothing may be concluded from it.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, Middlebox, Report, Server, eventually};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Does something to the client while the sessions of the idle test are silent.
fn examined_while(lab: &Lab, server: &Server, happens: impl FnOnce()) -> Report {
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| lab.doctor(server, &["--idle", "40s"], s(120)));
        let silent = || server.connections() >= 10 || seen.is_finished();
        assert!(eventually(s(20), silent), "{}", server.log());
        std::thread::sleep(s(2));
        happens();
        seen.join().expect("a report")
    })
}

/// Nothing is concluded, and the report says why in these words; that costs no more time than is needed to see it.
#[track_caller]
fn assert_void(seen: &Report, what: &str, words: &str) {
    assert_eq!(seen.codes(), Vec::<&str>::new(), "{}", seen.told());
    assert_eq!((seen.json["verdict"].as_str(), seen.run.status), (Some("inconclusive"), Some(3)), "{}", seen.told());
    assert_eq!((seen.died_at(), seen.check("idle")["status"].as_str()), (None, Some("error")), "{}", seen.told());
    assert_eq!(seen.idle()["incidents"][0]["what"], what, "{}", seen.told());
    let summary = seen.check("idle")["summary"].as_str().unwrap_or_default();
    assert!(summary.starts_with("not measured: ") && summary.contains(words), "{summary}: {}", seen.told());
    assert!(seen.run.took < s(36), "{:?}: {}", seen.run.took, seen.told());
}

/// No command of ours is left, nor the process above it. Of the connection without a channel nobody knows the process: where the
/// path to it is gone, its server has to find that out by itself, as with plain ssh.
#[track_caller]
fn assert_tidy(lab: &Lab, server: &Server) {
    let is_gone = || {
        let left = server.sessions(lab);
        left.len() <= 1 && left.iter().all(|line| line.starts_with("sshd:"))
    };
    assert!(eventually(s(5), is_gone), "left on the server: {:?}", server.sessions(lab));
}

/// Stops the doctor for some seconds, as a debugger, Ctrl-Z or a paused machine does.
fn a_stop_of_the_doctor_is_told(routers: &[Middlebox], stop: Duration) {
    let Some(lab) = Lab::through(routers) else { return };
    let server = lab.sshd(&[]);
    let seen = examined_while(&lab, &server, || {
        let pids = lab.client().processes();
        let signal = |signal| {
            for pid in &pids {
                let pid = Pid::from_raw(i32::try_from(*pid).expect("a process number"));
                kill(pid, signal).expect("our own process");
            }
        };
        signal(Signal::SIGSTOP);
        std::thread::sleep(stop);
        signal(Signal::SIGCONT);
    });
    assert_void(&seen, "not-run", "ssh-doctor was not run for");
    let late = seen.idle()["incidents"][0]["late_s"].as_f64().unwrap_or_default();
    assert!((stop.as_secs_f64() - 1.0..stop.as_secs_f64() + 3.0).contains(&late), "{late}: {}", seen.told());
    assert_tidy(&lab, &server);
}

#[test]
fn a_doctor_that_is_stopped_behind_a_nat_blames_nobody() {
    a_stop_of_the_doctor_is_told(&[Middlebox::Forgets(12)], s(14));
}

#[test]
fn a_doctor_that_is_stopped_on_a_healthy_path_blames_nobody() {
    a_stop_of_the_doctor_is_told(&[Middlebox::Plain], s(5));
}

/// The client's networks but its own one all lie behind the router.
fn route_by(lab: &Lab, client: &str) {
    let [server, router] = [lab.server_address(), lab.router_address(1)];
    lab.client().ip(&format!("route replace {server}/32 via {router} src {client}"));
}

#[test]
fn another_address_of_this_machine_is_told_and_blames_nobody() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (old, new) = (lab.client_address(1), lab.client_address(9));
    let seen = examined_while(&lab, &server, || {
        lab.client().ip(&format!("addr del {old}/24 dev far\naddr add {new}/24 dev far"));
        route_by(&lab, &new.to_string());
    });
    assert_void(&seen, "address-gone", &format!("this machine's address changed from {old} to {new}"));
    assert_tidy(&lab, &server);
}

#[test]
fn a_route_that_begins_at_another_address_is_told_and_blames_nobody() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let (old, new) = (lab.client_address(1), lab.client_address(9));
    let seen = examined_while(&lab, &server, || {
        lab.client().ip(&format!("addr add {new}/24 dev far"));
        route_by(&lab, &new.to_string());
    });
    let words = format!("route to the server changed from address {old} to {new}");
    assert_void(&seen, "route-moved", &words);
    assert_tidy(&lab, &server);
}

#[test]
fn an_address_that_is_lost_for_good_is_told_and_blames_nobody() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let old = lab.client_address(1);
    let seen = examined_while(&lab, &server, || lab.client().ip(&format!("addr del {old}/24 dev far")));
    assert_void(&seen, "address-gone", &format!("this machine lost its address {old}"));
}
