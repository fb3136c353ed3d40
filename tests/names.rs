//! Name look-up in a network of its own: every way it fails, told apart, and nothing else said.

use std::net::Ipv4Addr;
use std::time::Duration;

use ssh_doctor_fixtures::names::{Host, NameAnswer, Sshfp};

use crate::lab::{Lab, Report, Server};

/// ConnectTimeout, and two seconds.
const BOUND: Duration = s(3 + 2);

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the client is told by its name servers and finds in its files.
#[derive(Default)]
struct Names {
    /// The name servers in the order in which they are configured.
    servers: Vec<NameAnswer>,
    /// Further lines of resolv.conf.
    resolv: &'static str,
    /// Files of /etc that are not as usual.
    files: Vec<(&'static str, String)>,
}

/// A situation, by the address of the server.
type Situation = fn(Ipv4Addr) -> Names;

fn asking<const N: usize>(servers: [NameAnswer; N]) -> Names {
    Names { servers: servers.into(), ..Names::default() }
}

fn knows(name: &'static str, address: Ipv4Addr) -> NameAnswer {
    NameAnswer::Knows(Host { name, address, sshfp: &[] })
}

/// Examines `db`, or `db.example`, as far as a TCP connection.
fn look_up(lab: &Lab, server: &Server, name: &str, names: &Names) -> Report {
    let running = lab.name_servers(&names.servers, names.resolv);
    for (file, text) in &names.files {
        lab.client().etc(file, text);
    }
    let target = format!("ssh://{name}:{}", server.port());
    let seen = lab.doctor_at(&target, &["--idle", "0", "--only", "tcp", "-o", "ConnectTimeout=3"], s(20));
    drop(running);
    seen
}

fn examine(name: &str, expect: &[&str], situation: Situation) {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = look_up(&lab, &server, name, &situation(lab.server_address()));
    assert_eq!(seen.codes(), expect, "{}", seen.told());
    let failed = seen.check("dns")["status"] == "fail";
    assert_eq!(seen.died_at(), failed.then_some("dns"), "{}", seen.told());
    assert!(seen.run.took < BOUND, "{}", seen.told());
}

/// Every row in a lab of its own, all at the same time.
fn examine_all(rows: &[(&str, &[&str], Situation)]) {
    std::thread::scope(|scope| {
        let running = rows.iter().map(|(name, expect, situation)| scope.spawn(|| examine(name, expect, *situation)));
        let running: Vec<_> = running.collect();
        for (row, (_, expect, _)) in running.into_iter().zip(rows) {
            assert!(row.join().is_ok(), "the row of {expect:?} is not as it should be, see above");
        }
    });
}

#[test]
fn what_a_name_server_answers_is_told_apart() {
    examine_all(&[
        ("db.example", &["dns-nxdomain"], |_| asking([NameAnswer::NxDomain])),
        ("db.example", &["dns-no-address"], |_| asking([NameAnswer::Nothing])),
        ("db.example", &["dns-servfail"], |_| asking([NameAnswer::ServFail])),
        ("db.example", &["dns-refused"], |_| asking([NameAnswer::Refused])),
        ("db.example", &[], |server| asking([knows("db.example", server)])),
    ]);
}

#[test]
fn where_no_name_server_answers_the_reason_is_told_apart() {
    examine_all(&[
        ("db.example", &["dns-timeout"], |_| asking([NameAnswer::Silence])),
        ("db.example", &["dns-timeout"], |_| {
            let closed = ("resolv.conf", "nameserver 127.0.0.9\n".to_owned());
            Names { files: vec![closed], ..Names::default() }
        }),
        ("db.example", &["dns-no-server"], |_| Names::default()),
        ("db.example", &["dns-slow"], |server| Names {
            resolv: "options timeout:2",
            ..asking([NameAnswer::Silence, knows("db.example", server)])
        }),
    ]);
}

/// ConnectTimeout does not bound the look-up: ssh waits for it too, and then begins to count.
#[test]
fn a_look_up_that_takes_seconds_is_waited_for_and_what_follows_keeps_to_its_bound() {
    let Some(lab) = Lab::healthy() else { return };
    let running = lab.name_servers(&[NameAnswer::Silence, knows("db.example", lab.nobody())], "options timeout:4");
    lab.forward("tcp flags syn / syn,ack drop");
    let seen = lab.doctor_at("ssh://db.example:22", &["--idle", "0", "-o", "ConnectTimeout=3"], s(20));
    drop(running);
    assert_eq!(seen.codes(), ["tcp-filtered", "dns-slow"], "{}", seen.told());
    let looked = seen.check("dns")["duration_ms"].as_f64().map(|ms| Duration::from_secs_f64(ms / 1000.0));
    assert!(looked.is_some_and(|took| took > s(4) && seen.run.took < took + BOUND), "{}", seen.told());
}

#[test]
fn a_name_server_that_fails_beside_one_that_is_silent_does_not_hold_the_run_up() {
    examine_all(&[("db.example", &["dns-servfail"], |_| asking([NameAnswer::ServFail, NameAnswer::Silence]))]);
}

#[test]
fn what_this_machine_makes_of_the_answers_is_told_apart() {
    examine_all(&[
        ("db.example", &["dns-not-asked"], |server| Names {
            files: vec![("nsswitch.conf", "passwd: files\nhosts: files\n".to_owned())],
            ..asking([knows("db.example", server)])
        }),
        ("db", &[], |server| Names {
            resolv: "search lab.example corp.example",
            ..asking([knows("db.corp.example", server)])
        }),
        ("db", &["dns-nxdomain"], |server| asking([knows("db.corp.example", server)])),
        ("db.example", &["dns-hosts-mismatch"], |server| Names {
            files: vec![("hosts", format!("{server} db.example\n"))],
            ..asking([knows("db.example", Ipv4Addr::new(192, 0, 2, 7))])
        }),
        ("db.example", &[], |server| Names {
            files: vec![("hosts", format!("{server} db.example\n"))],
            ..asking([knows("db.example", server)])
        }),
        ("db.example", &["dns-servers-disagree"], |server| asking([knows("db.example", server), NameAnswer::NxDomain])),
        ("db.example", &["dns-servers-disagree"], |server| {
            asking([knows("db.example", server), knows("db.example", Ipv4Addr::new(192, 0, 2, 7))])
        }),
        ("db.example", &[], |server| asking([knows("db.example", server), NameAnswer::Refused])),
    ]);
}

#[test]
fn a_silent_name_server_costs_nothing_where_the_hosts_file_has_the_name() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let running = lab.name_servers(&[NameAnswer::Silence], "");
    lab.client().etc("hosts", &format!("{} db.example\n", lab.server_address()));
    let alias = format!("HostKeyAlias=[{}]:{}", lab.server_address(), server.port());
    let seen = lab.doctor_at(&format!("ssh://db.example:{}", server.port()), &["--idle", "0", "-o", &alias], s(20));
    drop(running);
    assert_eq!((seen.codes(), seen.run.status), (vec![], Some(0)), "{}", seen.told());
    // The name server is asked all the same, beside what follows.
    let dns = seen.check("dns");
    assert_eq!(dns["evidence"]["name_servers"][0]["questions"][0]["answer"], "not-waited-for", "{dns}");
    let (waited, asked) =
        (dns["duration_ms"].as_f64(), dns["evidence"]["name_servers"][0]["questions"][0]["ms"].as_f64());
    assert!(asked.is_some_and(|asked| asked >= 150.0) && waited < asked, "{dns}");
}

#[test]
fn a_name_that_the_resolver_refuses_by_itself_is_told_from_one_that_does_not_exist() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    // All that is asked for has an address: what fails was not asked for.
    let names =
        asking([NameAnswer::Knows(Host { name: "xn--bcher-kva.example", address: lab.server_address(), sshfp: &[] })]);
    let long = format!("{}.example", "a".repeat(64));
    for name in ["a..b", ".db.example", &long, "*.example", "db.example/", "bücher.example"] {
        let setting = format!("HostName={name}");
        let running = lab.name_servers(&names.servers, "");
        let options = ["--idle", "0", "--only", "tcp", "-o", "ConnectTimeout=3", "-o", &setting];
        let seen = lab.doctor_at(&format!("ssh://db:{}", server.port()), &options, s(20));
        drop(running);
        assert_eq!((seen.codes(), seen.died_at()), (vec!["dns-invalid-name"], Some("dns")), "{name}: {}", seen.told());
        let said = lab.run("ssh", &["-F", "none", "-o", &setting, "db", "true"], s(10));
        assert!(said.stderr.contains("Could not resolve hostname"), "{said:?}");
    }
    let seen = look_up(&lab, &server, "bücher.example", &names);
    let ascii = seen.fixes().next().and_then(|fix| fix["snippet"].as_str()).expect("a snippet");
    let mended = ascii.lines().nth(1).and_then(|line| line.trim().strip_prefix("HostName ")).expect("a setting");
    let running = lab.name_servers(&names.servers, "");
    let run = lab.ssh_at(mended, &server, "echo alive", s(10));
    assert_eq!(run.stdout, "alive\n", "{run:?}");
    drop(running);
}

#[test]
fn an_entry_left_in_the_hosts_file_is_named_where_it_leads_nowhere_and_its_removal_mends_ssh() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let names = Names {
        files: vec![("hosts", "192.0.2.9 db.example\n".to_owned())],
        ..asking([knows("db.example", lab.server_address())])
    };
    let seen = look_up(&lab, &server, "db.example", &names);
    assert_eq!(seen.codes(), ["tcp-unreachable", "dns-hosts-mismatch"], "{}", seen.told());
    assert_eq!(seen.json["diagnoses"][1]["severity"], "warning", "{}", seen.told());
    let running = lab.name_servers(&names.servers, "");
    let mended = lab.ssh_at("db.example", &server, "echo alive", s(10));
    assert_eq!(mended.stdout, "alive\n", "{mended:?}");
    drop(running);
}

#[test]
fn the_fingerprint_that_dns_publishes_is_compared_with_the_key() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let host = |sshfp| Host { name: "db.example", address: lab.server_address(), sshfp };
    let examined = |sshfp, options: &[&str]| {
        let running = lab.name_servers(&[NameAnswer::Knows(host(sshfp))], "");
        let alias = format!("HostKeyAlias=[{}]:{}", lab.server_address(), server.port());
        let options = [&["--idle", "0", "--only", "hostkey", "-o", &alias], options].concat();
        let seen = lab.doctor_at(&format!("ssh://db.example:{}", server.port()), &options, s(20));
        drop(running);
        seen
    };
    // What ssh itself makes of it, where known_hosts does not decide before.
    let agreed = |sshfp| {
        let running = lab.name_servers(&[NameAnswer::Knows(host(sshfp))], "");
        let options =
            ["-v", "-o", "VerifyHostKeyDNS=yes", "-o", "HostName=db.example", "-o", "GlobalKnownHostsFile=/dev/null"];
        let said = lab.ssh(&server, &options, "true", s(10)).stderr;
        drop(running);
        let words = ["matching host key fingerprint", "mismatching host key fingerprint"];
        let [matches, mismatches] = words.map(|words| said.lines().any(|line| line.contains(&format!(" {words}"))));
        assert!(matches != mismatches, "{said}");
        matches
    };
    let ask = ["-o", "VerifyHostKeyDNS=ask"];
    let (sha1, sha256) = (Sshfp::Sha1(lab.host_key_hash(1)), Sshfp::Sha256(lab.host_key_hash(2)));
    let (other_sha1, other) = (Sshfp::Sha1([7; 20]), Sshfp::Sha256([7; 32]));
    for (records, codes) in [
        (vec![other], &["hostkey-sshfp-mismatch"][..]),
        (vec![other_sha1], &["hostkey-sshfp-mismatch"]),
        (vec![sha1, other], &["hostkey-sshfp-mismatch"]),
        (vec![sha256, other_sha1], &["hostkey-sshfp-mismatch"]),
        (vec![other, sha256], &["hostkey-sshfp-mismatch"]),
        (vec![sha1], &["hostkey-sshfp-weak"]),
        (vec![sha256], &[]),
        (vec![sha1, sha256], &[]),
    ] {
        let records: &[Sshfp] = records.leak();
        let seen = examined(records, &ask);
        assert_eq!(seen.codes(), codes, "{records:?}: {}", seen.told());
        assert_eq!(agreed(records), codes != ["hostkey-sshfp-mismatch"], "{records:?}");
        assert_eq!(seen.check("dns")["evidence"]["host_keys"]["records"][0]["algorithm"], 4, "{}", seen.told());
    }
    let unasked = examined(&[Sshfp::Sha256([7; 32])], &[]);
    assert_eq!((unasked.codes(), &unasked.check("dns")["evidence"]["host_keys"]), (vec![], &serde_json::Value::Null));
    let none = examined(&[], &["--deep"]);
    assert_eq!(none.codes(), Vec::<&str>::new(), "{}", none.told());
}
