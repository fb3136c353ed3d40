//! What a recording and a bundle keep of other people's words: canaries in every field that a server, a key or the user's settings can
//! fill, searched for in what is written.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::lab::{Lab, Report, Server};

/// What must not be written anywhere, in lower case: a name, a company, a number, a folder.
const CANARIES: [&str; 5] = ["kanarie", "gertrude", "5550199", "555 0199", "volkswirt"];
/// Words of a person, with a host and a telephone number in them.
const WORDS: &str =
    "Call Gertrude Kanarie, +49 170 5550199 or 170-555 0199, gertrude@pager.kanarie-bank.internal: host db7-kanarie";

struct Written {
    seen: Report,
    record: PathBuf,
    bundle: PathBuf,
}

/// Examines a server and keeps what there is to keep.
fn written(lab: &Lab, server: &Server, name: &str, options: &[&str]) -> Written {
    let [record, bundle] = ["json", "tar.gz"].map(|ending| lab.home().path(&format!("written-{name}.{ending}")));
    let [to_record, to_bundle] = [&record, &bundle].map(|path| path.display().to_string());
    let keep = ["--idle", "0", "--record", &to_record, "--bundle", &to_bundle];
    let seen = lab.doctor(server, &[&keep[..], options].concat(), Duration::from_mins(1));
    assert!(record.exists() && bundle.exists(), "{}", seen.told());
    Written { seen, record, bundle }
}

fn tar(args: &[&str], bundle: &PathBuf) -> String {
    let output = Command::new("tar").args(args).arg(bundle).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

impl Written {
    /// All that was written.
    fn text(&self) -> String {
        let record = fs::read_to_string(&self.record).unwrap();
        format!("{record}{}", tar(&["xzOf"], &self.bundle)).to_lowercase()
    }

    fn assert_anonymous(&self, what: &str) {
        let text = self.text();
        // Bytes that were kept as numbers are words too.
        let octets = text.replace([' ', '\n'], "");
        for canary in CANARIES {
            let at = text.find(canary);
            assert_eq!(at, None, "{what}: {}", &text[at.unwrap_or(0).saturating_sub(200)..][..400.min(text.len())]);
            let numbers: Vec<_> = canary.bytes().map(|byte| byte.to_string()).collect();
            assert!(!octets.contains(&numbers.join(",")), "{what}: {canary} as numbers");
        }
        let again = Command::new(env!("CARGO_BIN_EXE_ssh-doctor"))
            .args(["diagnose", "--format", "json"])
            .arg(&self.record)
            .output()
            .unwrap();
        let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
        let codes = |report: &serde_json::Value| {
            let found = report["diagnoses"].as_array().into_iter().flatten();
            found.map(|found| (found["code"].clone(), found["certainty"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(codes(&again), codes(&self.seen.json), "{what}: {}", self.seen.told());
        assert!(self.seen.run.stderr.contains("; kept: "), "{what}: {}", self.seen.told());
    }
}

#[test]
fn a_login_leaves_no_words_of_others() {
    let Some(lab) = Lab::healthy() else { return };
    let banner = lab.home().path("banner");
    fs::write(&banner, format!("{WORDS}\n")).unwrap();
    for kind in ["ed25519", "rsa"] {
        lab.home().keygen(&format!("kanarie-{kind}"), &["-t", kind, "-C", "gertrude@kanarie-laptop"]);
    }
    let config = fs::read_to_string(lab.home().config()).unwrap();
    let more = format!(
        "Host *\n IdentityFile {}\n ControlPath {}\n PKCS11Provider /opt/kanarie/volkswirt.so\n PermitLocalCommand yes\n \
         LocalCommand echo kanarie\n SetEnv KANARIE=volkswirt\n SendEnv KANARIE_*\n KnownHostsCommand /bin/echo kanarie\n \
         UserKnownHostsFile {} ~/volkswirt/known\n",
        lab.home().key("kanarie-rsa").display(),
        lab.home().path("kanarie-%C").display(),
        lab.home().path("client/.ssh/known_hosts").display(),
    );
    fs::write(lab.home().config(), format!("{config}\n{more}")).unwrap();
    lab.home().authorize("kanarie-ed25519");
    let agent = lab.agent(&["kanarie-rsa", "kanarie-ed25519"]);
    let server = lab.sshd(&[
        &format!("Banner {}", banner.display()),
        "VersionAddendum Kanarie 5550199 volkswirt",
        "PrintMotd yes",
    ]);
    let key = lab.home().key("kanarie-ed25519").display().to_string();
    let seen =
        written(&lab, &server, "login", &["-i", &key, "-o", &agent.option(), "-o", "IdentitiesOnly=no", "--deep"]);
    seen.assert_anonymous("login");
    let plain = written(&lab, &server, "plain", &["-i", &key, "--record-plain"]);
    assert!(plain.text().contains("gertrude kanarie"), "{}", plain.seen.told());
}

#[test]
fn a_session_leaves_no_words_of_others() {
    let Some(lab) = Lab::healthy() else { return };
    for (name, command) in [
        ("menu", format!("echo \"{WORDS}\"; echo \"1) volkswirt\"; read x")),
        ("end", format!("echo \"{WORDS}\" >&2; exit 3")),
        ("words", format!("echo \"{WORDS}\"; exit 0")),
        ("fails", "echo \"/opt/kanarie/volkswirt.sh: 5550199: not found\" >&2; exit 127".to_owned()),
    ] {
        let server = lab.sshd(&[&format!("ForceCommand {command}")]);
        written(&lab, &server, name, &[]).assert_anonymous(name);
    }
    // A start-up file that prints, and a subsystem that complains.
    let server = lab.sshd(&[&format!("Subsystem sftp /bin/sh -c 'echo \"{WORDS}\" >&2; exit 1'")]);
    written(&lab, &server, "subsystem", &[]).assert_anonymous("subsystem");
}

#[test]
fn certificates_leave_no_words_of_others() {
    let Some(lab) = Lab::healthy() else { return };
    for (validity, principal) in [("-2d:-1d", "kanarie-db7"), ("-1d:+1d", "volkswirt.kanarie.internal")] {
        let server = lab.sshd_certified(validity, principal, "ca");
        written(&lab, &server, "host-certificate", &[]).assert_anonymous("host certificate");
    }
    lab.home().keygen("authority", &["-t", "ed25519"]);
    lab.home().keygen("kanarie-role", &["-t", "ed25519"]);
    let [public, authority, key] =
        ["kanarie-role.pub", "authority", "kanarie-role"].map(|file| lab.home().key(file).display().to_string());
    for validity in ["-1d:+1d", "-2d:-1d"] {
        let args =
            ["-q", "-s", &authority, "-I", "gertrude@kanarie", "-n", "kanarie,volkswirt", "-V", validity, &public];
        assert_eq!(lab.run("ssh-keygen", &args, Duration::from_secs(10)).status, Some(0));
        let trusted = format!("TrustedUserCAKeys {authority}.pub");
        let server = lab.sshd(&[&trusted, "AuthorizedKeysFile none"]);
        written(&lab, &server, "user-certificate", &["-i", &key]).assert_anonymous("user certificate");
    }
}

#[test]
fn what_comes_before_a_login_leaves_no_words_of_others() {
    let Some(lab) = Lab::healthy() else { return };
    for (name, said) in [
        ("mail", format!("220 db7-kanarie.internal ESMTP {WORDS}\\r\\n")),
        ("web", format!("HTTP/1.1 400 Bad Request\\r\\nServer: kanarie/5550199\\r\\n\\r\\n{WORDS}")),
        ("lines", format!("{WORDS}\\r\\nSSH-2.0-Kanarie_1 volkswirt 5550199\\r\\n")),
        ("refusal", format!("Not allowed: {WORDS}\\r\\n")),
        ("no-line", WORDS.to_owned()),
    ] {
        let script = format!(
            "import socket\ns = socket.create_server(('{{address}}', {{port}}))\nwhile True:\n    c, _ = s.accept()\n    \
             c.sendall('{said}'.encode())\n    c.settimeout(1)\n    try:\n        c.recv(1000)\n    except OSError:\n        pass\n    c.close()\n"
        );
        let Some(server) = lab.listener("python3", &["{config}"], &script) else { return };
        let seen = written(&lab, &server, name, &["--timeout", "3s"]);
        // The name that a server gives its software is what its version is for.
        let text = seen.text();
        assert!(name != "lines" || text.contains("ssh-2.0-kanarie_1"), "{text}");
        if name != "lines" {
            seen.assert_anonymous(name);
        }
    }
}

#[test]
fn prompts_and_disconnects_leave_no_words_of_others() {
    let Some(lab) = Lab::healthy() else { return };
    let Some(server) = lab.asyncssh_login("named") else { return };
    let file = lab.home().path("password");
    fs::write(&file, "wrong\n").unwrap();
    let file = file.display().to_string();
    written(&lab, &server, "prompts", &["--password-file", &file]).assert_anonymous("prompts");
    let Some(server) = lab.asyncssh_login("leaves") else { return };
    written(&lab, &server, "leaves", &[]).assert_anonymous("disconnect");
}

#[test]
fn a_bundle_has_the_report_the_evidence_the_settings_and_the_versions() {
    let Some(lab) = Lab::healthy() else { return };
    let server = lab.sshd(&[]);
    let seen = written(&lab, &server, "bundle", &[]);
    let listed = tar(&["tzf"], &seen.bundle);
    let names: Vec<_> = listed.lines().filter_map(|line| line.strip_prefix("ssh-doctor/")).collect();
    assert_eq!(names, ["report.txt", "report.json", "evidence.json", "settings.txt", "versions.txt", "kept.txt"]);
    let content = tar(&["xzOf"], &seen.bundle);
    for part in [
        "HEALTHY",
        "\"schema_version\"",
        "\"evidence_version\"",
        "ServerAliveInterval ",
        "ssh-doctor: 0.",
        "server version",
    ] {
        assert!(content.contains(part), "{part}: {content}");
    }
    assert!(!content.contains(&server.url().rsplit('@').next().unwrap_or_default().replace("ssh://", "")), "{content}");
    let missing = lab.doctor(&server, &["--bundle", "/nonexistent/x.tar.gz"], Duration::from_secs(10));
    assert_eq!(missing.run.status, Some(3), "{}", missing.told());
    assert!(missing.run.stderr.contains("--bundle cannot write"), "{}", missing.told());
}
