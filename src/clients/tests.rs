use clap::ValueEnum as _;
use ssh_doctor_checks::base::target::Settings;
use ssh_doctor_checks::causes;
use ssh_doctor_checks::facts::{Evidence, Step};

use super::{Client, SYNTAXES, is_keepalive};
use crate::diagnose::{FilledFix, diagnose_for};

/// A recording of a run that found and proved a timer, its keepalive 15 s and 7.
fn timer(arms: &str) -> Evidence {
    let manner = r#""manner":{"kind":"silent"},"sign":"after-probe","others_alive":true,"tcp":null"#;
    let arm = |moves: &str, lasted: f64, end: &str| {
        format!(
            r#"{{"session":1,"moves":"{moves}","holds":"command","speaks_first":"client","hop":null,"interval_s":15,"started_s":0,
            "lasted_s":{lasted},"age_s":{lasted},"channel_quiet_s":null,"heard_bytes":0,"end":{{{end}}}}}"#
        )
    };
    let died = arm("nothing", 62.0, &format!(r#""end":"died",{manner}"#));
    let lived = |moves, lasted| arm(moves, lasted, r#""end":"alive","rtt_ms":1"#);
    let (survived, kept) = (lived("nothing", 58.2), lived("keepalive", 130.0));
    let more = match arms {
        "" => String::new(),
        lasted => format!(",{}", lived("tcp-keepalive", lasted.parse().unwrap())),
    };
    let facts = format!(
        r#"{{"arms":[{survived},{died},{kept}{more}],"longest_s":100,"elapsed_s":130,"complete":true,"rtt_ms":1,
        "outages":[],"controls":1,"not_opened":[],"leftovers":{{"stranded":0,"ended":0}}}}"#
    );
    let mut evidence = Evidence::unexamined();
    evidence.idle.step = Step::Failed(serde_json::from_str(&facts).unwrap());
    evidence.target.input = "db".to_owned();
    evidence
}

fn told(client: Client, evidence: &Evidence) -> FilledFix {
    let findings = diagnose_for(client, evidence).findings;
    let silent = findings.iter().find(|found| found.code == "idle-silent-drop").unwrap();
    silent.fixes[0].clone()
}

#[test]
fn every_client_has_one_syntax_and_ssh_that_of_the_causes() {
    for client in Client::value_variants() {
        let count = SYNTAXES.iter().filter(|syntax| syntax.client == *client).count();
        assert_eq!(count, usize::from(*client != Client::Ssh), "{client:?}");
    }
    let with_keepalive = causes::all().filter(|cause| cause.fixes.iter().any(is_keepalive)).count();
    assert!(with_keepalive >= 4, "the causes' keepalive is not recognised any more");
}

#[test]
fn each_unit_is_the_clients_own() {
    let evidence = timer("");
    let snippet = |client| told(client, &evidence).snippet.unwrap();
    assert_eq!(snippet(Client::Ssh), "Host db\n    ServerAliveInterval 15\n    ServerAliveCountMax 7");
    for (client, part) in [
        (Client::Jsch, "setServerAliveInterval(15000)"),
        (Client::Jsch, "setServerAliveCountMax(7)"),
        (Client::NodeSsh2, "keepaliveInterval: 15000, keepaliveCountMax: 7"),
        (Client::Mina, "Duration.ofMillis(15000)"),
        (Client::Putty, "PingIntervalSecs /t REG_DWORD /d 15 /f"),
        (Client::Putty, "PingInterval /t REG_DWORD /d 0 /f"),
        (Client::Paramiko, "set_keepalive(15)"),
        (Client::Asyncssh, "keepalive_interval=15, keepalive_count_max=7"),
        (Client::Russh, "from_secs(15)"),
        (Client::Ansible, "-o ControlPersist=60s -o ServerAliveInterval=15 -o ServerAliveCountMax=7"),
        (Client::Systemd, "-o ServerAliveInterval=15"),
        (Client::Sshfs, "reconnect,ServerAliveInterval=15,ServerAliveCountMax=7 db:"),
        (Client::Rclone, "ssh = ssh -o ServerAliveInterval=15"),
        (Client::Go, "time.Tick(15 * time.Second)"),
        (Client::SecureCrt, "every 15 seconds"),
        (Client::Vscode, "Host db\n    ServerAliveInterval 15"),
    ] {
        let snippet = snippet(client);
        assert!(snippet.contains(part) && !snippet.contains("{interval"), "{client:?}: {snippet}");
    }
}

#[test]
fn only_a_keepalive_like_the_one_that_held_counts_as_proven() {
    let evidence = timer("");
    assert_eq!(told(Client::Ssh, &evidence).verified, Some(true));
    assert_eq!(told(Client::Jsch, &evidence).verified, Some(true));
    assert_eq!(told(Client::Paramiko, &evidence).verified, None);
    assert_eq!(told(Client::Putty, &evidence).verified, None);
}

#[test]
fn the_kernels_setting_is_advised_only_where_tcp_keepalives_held() {
    let client = |fix: FilledFix| fix.snippet;
    let of = |evidence: &Evidence| {
        let findings = diagnose_for(Client::Tcp, evidence).findings;
        findings
            .into_iter()
            .flat_map(|found| found.fixes)
            .find(|fix| fix.summary.contains("kernel"))
            .map(client)
            .unwrap()
    };
    assert_eq!(of(&timer("")), None);
    assert_eq!(of(&timer("40")), None);
    assert!(of(&timer("90")).unwrap().starts_with("sysctl -w net.ipv4.tcp_keepalive_time=15 "));
}

#[test]
fn the_time_to_notice_is_worked_out_and_compared_with_today() {
    let mut own = Settings { server_alive_from: "ssh's default".to_owned(), ..Settings::default() };
    let notice = |client: Client, own: &Settings| client.notice(15, 7, own).unwrap_or_default();
    assert_eq!(
        notice(Client::Ssh, &own),
        "A dead server is noticed after 2 min: 15 s x (7 + 1). Today ssh sends none (ssh's default)."
    );
    own.server_alive_interval_s = 300;
    own.server_alive_count_max = 3;
    assert!(notice(Client::Ssh, &own).ends_with("Today that takes 20 min: 5 min x (3 + 1) (ssh's default)."));
    assert_eq!(notice(Client::Git, &own), "A dead server is noticed after 2 min: 15 s x (7 + 1).");
    assert!(notice(Client::Paramiko, &own).contains("do not tell"));
    assert_eq!(notice(Client::Xshell, &own), "");
    own.server_alive_interval_s = u64::MAX;
    own.server_alive_count_max = u64::MAX;
    assert!(!notice(Client::Ssh, &own).is_empty());
}
